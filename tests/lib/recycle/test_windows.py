"""Windows: how many, from which days, scaled by what, and never from the future."""

import numpy as np
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import sources


def one_series(days=180, seed=0):
    return sources.synthetic(seed, days=days)


def test_the_number_of_windows():
    """180 days, 21 of run-up, 21 + 7 in a window: 132, one more than the authors' code takes."""
    data = one_series(180)
    assert len(recycle.windows(data, (0, 180))) == 180 - 21 - 28 + 1 == 132
    assert len(recycle.windows(data, (0, 180), stride=7)) == 19


def test_windows_hold_whole_days_in_order():
    data = one_series()
    cut = recycle.windows(data, "test", recycle.Recipe(residual_input=False))
    days = torch.from_numpy(data.days[0]).float()
    for k in (0, len(cut) - 1):
        origin = cut.origin[k]
        assert torch.allclose(cut.raw[k], days[origin - 20 : origin + 1])
        assert torch.allclose(cut.y[k], days[origin + 1 : origin + 8])
        assert torch.equal(cut.x[k, :21, :24], cut.raw[k])
        assert np.array_equal(cut.x[k, :, 24:], data.metadata[0, origin - 20 : origin + 8])


def test_parts_share_no_forecast_day():
    data = one_series()
    cuts = [recycle.windows(data, part) for part in ("train", "valid", "test")]
    days = [set((cut.origin[:, None] + 1 + np.arange(7)).ravel().tolist()) for cut in cuts]
    assert not days[0] & days[1] and not days[1] & days[2]
    assert max(days[0]) < data.split.train[1] and max(days[2]) == 179


@pytest.mark.parametrize("variant", recycle.VARIANTS)
def test_nothing_after_the_origin_reaches_the_input(variant):
    data = one_series()
    recipe = recycle.Recipe(variant=variant)
    before = recycle.windows(data, (0, 180), recipe)
    k = 60
    data.days[0, before.origin[k] + 1 :] += 5
    after = recycle.windows(data, (0, 180), recipe)
    assert torch.equal(before.x[: k + 1], after.x[: k + 1])
    assert not torch.equal(before.y[k], after.y[k])


def test_scaling_is_that_of_the_training_part():
    data = sources.synthetic(0, drift=0.5)
    train = data.days[0, : data.split.train[1]]
    assert train.min() == 0 and train.max() == 1
    assert data.days[0].max() > 1, "the growing test part leaves the unit interval"
    assert np.allclose(data.denormalise(np.array([[0.0, 1.0]]), np.array([0])), [[data.low[0], data.high[0]]])


def test_the_authors_scaling_is_there_and_differs():
    rng = np.random.default_rng(0)
    dates = np.datetime64("2018-01-01") + np.arange(100)
    days = rng.random((1, 100, 24)) + np.linspace(0, 1, 100)[None, :, None]
    split = recycle.Split((0, 60), (60, 80), (80, 100))
    clean, quirk = (
        recycle.panel(["a"], days, [recycle.calendar(dates)], split, scale_on=on)
        for on in ("train", "each part")
    )
    assert np.array_equal(clean.days[0, :60], quirk.days[0, :60])
    assert clean.days[0, 80:].max() > 1 and quirk.days[0, 80:].max() == 1
    with pytest.raises(ValueError, match="scale_on"):
        recycle.panel(["a"], days, [recycle.calendar(dates)], split, scale_on="test")


def test_windows_with_a_missing_target_are_left_out_and_missing_history_has_no_residual():
    data = one_series()
    whole = recycle.windows(data, (0, 180))
    data.days[0, 100] = np.nan
    cut = recycle.windows(data, (0, 180))
    assert len(cut) == len(whole) - 7
    k = int(np.flatnonzero(cut.origin == 105)[0])
    assert torch.all(cut.x[k, 15, :24] == 0) and torch.isfinite(cut.x).all() and torch.isfinite(cut.raw).all()


def test_a_part_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="hold no window"):
        recycle.windows(one_series(), (0, 40))


def test_series_are_samples_that_share_a_network():
    data = sources.europe().only(0, 3)
    assert data.names == ("AT", "DE")
    cut = recycle.windows(data, "test", stride=7)
    assert set(cut.series) == {0, 1} and cut.x.shape[1:] == (28, 33)


def test_europe_is_split_by_years_and_every_refusal_is_counted():
    days = sources.europe_days()
    data = sources.europe()
    assert data.days.shape == (20, 1461, 24)
    assert [str(data.dates[i]) for i in (0, data.split.valid[0], data.split.test[0], -1)] == [
        "2017-01-01",
        "2019-01-01",
        "2020-01-01",
        "2020-12-31",
    ]
    assert all(d.changed_clock == 8 for d in days.values())
    assert np.isnan(data.days).all(axis=2).sum() == sum(d.refused for d in days.values()) > 0
    assert data.types[data.names.index("DE")][0] == 2, "New Year's Day"


def test_the_generator_can_be_exact():
    data = sources.synthetic(0, weather=0, noise=0, holidays=False)
    cut = recycle.windows(data, "test")
    assert float((cut.profile - cut.y).abs().max()) < 1e-6
    assert float(cut.x[:, :21, :24].abs().max()) < 1e-6


def test_the_household_has_96_steps_a_day():
    data = sources.household()
    assert data.cycle == 96 and data.days.shape[1] == 1440
    hourly = sources.household(hourly=True)
    assert hourly.cycle == 24 and hourly.days.shape[:2] == data.days.shape[:2]
