"""The cost model, the authors' numbers, and the figures made of both."""

import numpy as np
import pytest

from efficient_ai import data, jigsaw, ledger, profiles
from efficient_ai.jigsaw import Grid, costs, figures, published
from efficient_ai.jigsaw.experiments import SMALL

FAST = costs.Machine(flops=1e12, latency=1e-5, bandwidth=1e10)


def test_the_caps_of_the_schedules():
    assert costs.speedup_cap(Grid(2, 2, "paper")) == 3.0 and costs.speedup_cap(Grid(2, 2)) == 4.0
    assert costs.speedup_cap(Grid(1, 2, "paper")) == 2.0 and costs.speedup_cap(Grid(2, 3)) == pytest.approx(
        6.0
    )


def test_reading_hides_behind_the_step_or_the_step_behind_reading():
    slow = costs.Machine(flops=1e12, latency=0, bandwidth=1e12, read=1e3)
    one, two = (costs.step_time(SMALL, Grid.ways(n), slow) for n in (1, 2))
    assert one.step == one.read == 2 * two.read and one.step > one.compute
    fast = costs.step_time(SMALL, Grid(), FAST)
    assert fast.read == 0 and fast.step == fast.compute + fast.messages and fast.messages == 0


def test_the_unbalanced_schedule_takes_a_third_longer():
    paper, ours = (costs.step_time(SMALL, Grid(2, 2, s), FAST) for s in ("paper", "balanced"))
    assert paper.compute == pytest.approx(4 / 3 * ours.compute)


def test_messages_of_a_step_are_counted():
    # 1 x 2: one message forward, one backward where dY serves both (XWT), one each for X^T W and X W forward and back
    layers = 3 * SMALL.blocks - SMALL.blocks + 3
    assert costs.messages_per_step(SMALL, Grid(1, 2)) >= 2 * layers
    assert costs.messages_per_step(SMALL, Grid()) == 0


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_scaled_model_costs_so_many_times_as_much(factor):
    io = jigsaw.PROFILES["laptop"].io
    scaled = costs.scaled(io, factor, Grid.ways(factor))
    assert jigsaw.forward_flops(scaled) / jigsaw.forward_flops(io) == pytest.approx(factor, rel=0.06)
    scaled.check(Grid.ways(factor))


def test_the_model_of_the_logs_has_the_right_shape():
    summed = costs.fit_gradient_sum()
    assert summed > 0
    for series in published.SCALING:
        assert list(series.minutes) == list(series.efficiency)
        for gpus, minutes in series.minutes.items():
            assert costs.logged_minutes(series, gpus, summed) == pytest.approx(minutes, rel=0.2)
            # their efficiencies are those of their own minutes, within what two digits and reruns allow
            assert series.minutes[series.ways] / minutes == pytest.approx(series.efficiency[gpus], abs=0.05)


def test_measuring_gives_positive_rates():
    assert costs.measure_flops(64, 0.02) > 1e6


def test_profiles_claims_and_what_they_need():
    assert tuple(jigsaw.PROFILES) == profiles.NAMES
    assert len({claim.id for claim in jigsaw.CLAIMS}) == len(jigsaw.CLAIMS) >= 12
    for size in jigsaw.PROFILES.values():
        for n in (1, 2, 4):
            for config in size.strong.values():
                config.check(Grid.ways(n))
        ledger.Ledger("jigsaw", jigsaw.CLAIMS, "smoke")


@pytest.mark.parametrize("op", figures.OPS)
@pytest.mark.parametrize("layout", figures.LAYOUTS)
def test_the_animated_blocks_do_all_the_work(op, layout):
    grid = figures.LAYOUTS[layout]
    frames, end = figures.history(op, grid)
    assert end <= len(figures.STEPS) and len(frames) <= len(figures.STEPS) + 1
    done = [sum(bool(f["work"].get(r)) for f in frames) / 2 for r in range(grid.size)]
    if op != "T":
        assert done == jigsaw.work(op, grid)
    for step in figures.STEPS:
        fig, told = figures.blocks(op, layout, step)
        assert told and len(fig.layout.shapes) == grid.size
    assert "All done" in figures.blocks(op, layout, figures.STEPS[-1])[1]


def test_figures_are_finite_and_say_numbers():
    for ranks in figures.RANKS:
        fig, told = figures.memory_bars(ranks, 4320)
        assert "GB" in told and all(np.isfinite(bar.x).all() for bar in fig.data)
    assert "times" in figures.roofline(1.17e9, 50e9, 66.6e12)[1]
    for yardstick in figures.YARDSTICKS:
        for schedule in figures.SCHEDULES:
            assert "256" in figures.to_256(yardstick, schedule)[1]
    weather = data.era5_surface()
    seen = {share: figures.ownership(weather, share) for share in figures.SHARES}
    assert len(seen) == 7 and "1/4 of the bytes" in seen["4 ranks: rank 2"][1]
    owned = [trace.z for trace in seen["4 ranks: rank 2"][0].data]
    assert [len(z[0]) for z in owned] == [30, 30, 1, 1], "half the longitudes of two of four fields"


def test_a_token_is_held_by_its_row_and_talks_along_rows_and_columns():
    from efficient_ai.jigsaw.figures._token import half, talk

    west, east = figures.TOKENS["45° N, 0° to 15° E"], figures.TOKENS["45° S, 285° to 300° E"]
    assert (half(west), half(east)) == (0, 1)
    for token, own in ((west, {0, 1}), (east, {2, 3})):
        for stage in ("norm", "transpose", "channels"):
            assert talk(stage, token)[0] == own
        assert talk("norm", token)[1] == {tuple(sorted(own)), tuple(sorted(own, reverse=True))}
        assert talk("first", token)[0] == set()
        for stage in figures.STAGES:
            for a, b in talk(stage, token)[1]:
                straight = a // 2 == b // 2 or a % 2 == b % 2
                assert a != b and (straight or stage == "transpose")
    # Channels of a token are mixed in its row; only weights come from the other row.
    assert all(a in (0, 1) or b in (0, 1) for a, b in talk("channels", west)[1])
    surface = data.era5_surface()
    drawn = {
        (place, stage): figures.follow(surface, place, stage)
        for place in figures.TOKENS
        for stage in figures.STAGES
    }
    assert len({fig.to_json() for fig, _ in drawn.values()}) == len(drawn)
    assert "nan" not in str([told for _, told in drawn.values()])


def test_jigsaw_needs_least_in_the_dry_run():
    for ranks in figures.RANKS[1:]:
        row = {name: values[figures.RANKS.index(ranks)] for name, values in figures.memory_table().items()}
        assert row["Jigsaw (GB)"] < row["Megatron-style (GB)"] < row["data parallel (GB)"]


def test_real_weather_is_whole():
    weather = data.era5_surface()
    assert weather.fields.shape == (4, 4, 181, 360) and weather.fields.dtype == np.float32
    low, high = weather.fields.min((0, 2, 3)), weather.fields.max((0, 2, 3))
    assert 90_000 < low[0] < high[0] < 107_000 and 200 < low[3] < high[3] < 325
    assert np.abs(weather.fields[:, 1:3]).max() < 60
