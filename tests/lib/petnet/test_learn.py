"""Training, the networks that ship, timing, and the figures."""

import functools
import itertools
import json
from dataclasses import replace

import numpy as np
import plotly.io as pio
import pytest
import torch

from efficient_ai import petnet
from efficient_ai.petnet import experiments, figures, imaging, timing, trained

TINY = petnet.Recipe(petnet.TINY, (24,), updates=6, batch=16)


def test_training_repeats_itself_and_a_seed_changes_it():
    test = petnet.test_set(petnet.TINY, 50)
    first, again = (petnet.learn(TINY, 3, test=test, tests=2) for _ in range(2))
    other = petnet.learn(TINY, 4)
    assert first.loss == again.loss and first.loss != other.loss and len(first.loss) == 6
    assert [done for done, _ in first.tests] == [3, 6] and other.tests == []
    assert all(
        torch.equal(a, b) for a, b in zip(first.network.parameters(), again.network.parameters(), strict=True)
    )


def test_a_network_learns_to_be_less_wrong():
    recipe = replace(TINY, hidden=(48,), updates=120, batch=32, rate=5e-3)
    result = petnet.learn(recipe, 0)
    assert np.mean(result.loss[-20:]) < 0.5 * np.mean(result.loss[:5])


def test_parts_of_a_batch_add_up_to_the_whole():
    whole, parts = (petnet.learn(TINY, 3, parts=parts) for parts in (1, 4))
    np.testing.assert_allclose(whole.loss, parts.loss, rtol=1e-4)
    for a, b in zip(whole.network.parameters(), parts.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("loss, parts", [("trace", 3), ("published timing", 2)])
def test_parts_that_do_not_add_up_are_refused(loss, parts):
    with pytest.raises(ValueError, match="parts"):
        petnet.learn(replace(TINY, loss=loss), 0, parts=parts)


def test_samples_to_choose_by_are_others_than_those_to_judge_by():
    valid, test = petnet.valid_set(petnet.TINY, 100), petnet.test_set(petnet.TINY, 100)
    assert len(valid.hits) != len(test.hits) or (valid.hits.time != test.hits.time).any()


def test_test_samples_are_not_training_samples():
    test = petnet.test_set(petnet.TINY, 200)
    again = petnet.test_set(petnet.TINY, 200)
    assert (test.hits.time == again.hits.time).all()
    training = petnet.generate(petnet.TINY, 200, seed=petnet._learn.seed_for(0, 1))
    assert len(training.hits) != len(test.hits) or (training.hits.time != test.hits.time).any()


def test_batches_do_not_change_what_is_found():
    recording = petnet.test_set(petnet.TINY, 60)
    network = petnet.SpikingNetwork(TINY.sizes, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        network.linear[1].weight *= 5
    whole, parts = (petnet.found(network, recording, TINY, batch) for batch in (60, 7))
    assert len(whole) > 0 and all(
        (getattr(whole, name) == getattr(parts, name)).all() for name in ("sample", "crystal", "time")
    )


@pytest.mark.parametrize("name", ["small", "bars"])
def test_the_shipped_networks_are_what_their_record_says(name):
    """At least three seeds; judged afresh on other samples, each is as good as recorded."""
    seeds = trained.seeds(name)
    assert len(seeds) >= 3
    test = trained.SETS[name].draw(1500, seed=77)
    for seed in seeds:
        shipped = trained.load(name, seed)
        assert shipped.about["seed"] == seed and len(shipped.about["commit"]) >= 40
        f1 = petnet.judge(shipped.network, test, shipped.recipe).f1
        assert f1 == pytest.approx(shipped.curve[-1, 3], abs=0.03)


def test_a_network_that_does_not_ship_is_told_how_to_make():
    with pytest.raises(FileNotFoundError, match=r"train\.py --set small --seeds 12345"):
        trained.load("small", 12345)


def test_saving_and_loading_keeps_every_weight(tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "_FOLDER", tmp_path)
    result = petnet.learn(
        replace(TINY, settings=petnet.SMALL, updates=2), 5, test=petnet.test_set(petnet.SMALL, 20), tests=1
    )
    trained.save("small", result)
    again = trained.load("small", 5)
    assert trained.seeds("small") == [5] and again.recipe == result.recipe and again.curve.shape == (1, 5)
    for ours, theirs in zip(result.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_times_are_of_every_implementation():
    recording = petnet.generate(petnet.TINY, 64, seed=0)
    sorters = timing.sorter_times(recording, petnet.Window(3), 2)
    network = petnet.SpikingNetwork(TINY.sizes)
    threads = torch.get_num_threads()
    batches = timing.network_times(network, TINY, recording, 2)
    assert torch.get_num_threads() == threads
    assert list(batches) == [1, 64] and all(len(times) == 2 and min(times) > 0 for times in batches.values())
    driven = timing.driven_times(network, TINY, recording, 2)
    assert len(driven) == 2 and min(driven) > 0
    table = timing.time_table(sorters, batches, driven)
    assert len({len(column) for column in table.values()}) == 1
    assert (
        table["implementation"]
        == [*sorters, "network, batch 1", "network, batch 64", "network, driven by events"]
        and len(sorters) == 4
    )


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.ring(1e8, "stops and scatters them"),
        lambda: figures.raster_view(5, True),
        lambda: figures.width_scan("up to 8", 2, 100),
        lambda: figures.neuron(0.8, 0.5, 1.0),
        lambda: figures.surrogate(2),
    ],
    ids=["ring", "raster", "width", "neuron", "surrogate"],
)
def test_figures_have_points_and_a_sentence(draw):
    figure, sentence = draw()
    body = json.loads(pio.to_json(figure))
    assert any(trace.get("x") is not None or trace.get("y") is not None for trace in body["data"])
    assert len(pio.to_json(figure)) < 40_000 and sentence.endswith(".") and "nan" not in sentence


def test_pictures_and_rates_of_every_sorter():
    bars, grid = petnet.BARS, imaging.Grid(pixels=25, size=37.5, angles=60)
    net = trained.load("bars", 0)
    sensitivity = figures.line_sensitivity(bars.scanner, grid, 50_000)
    seen = petnet.scan(bars.scanner, petnet.RODS, activity=5e8, seconds=2e-4, seed=1)
    pairs = experiments.sorted_pairs(seen, bars, net.network, net.recipe)
    made = figures.pictures(pairs, bars, petnet.RODS, grid, sensitivity, 3)
    assert list(made) == list(figures.SORTERS)
    true = imaging.truth(petnet.RODS, grid)
    figure, sentence = figures.picture_view(made, true, grid, "network", "MLEM, best")
    assert len(figure.data) == 2 and "Error of this picture" in sentence
    table = figures.picture_table(made)
    assert len(table["sorter"]) == 6 and all(np.isfinite(table["error, best MLEM"]))
    rate = dict(zip(table["sorter"], table["NECR (1/s)"], strict=True))
    assert rate["calibrated"] > rate["network"] > rate["plain window"]
    assert rate["self-calibrated"] > rate["multiples resolved"]
    curves = figures.sorter_curves(bars, petnet.RODS, net.network, net.recipe, 5_000)
    drawn = [figures.sorter_rates(curves, rate) for rate in figures.RATES]
    assert len({fig.to_json() for fig, _ in drawn}) == len(figures.RATES)
    assert len(figures.sorter_table(curves)) == 13


def test_every_slider_of_the_still_figures_shows_something_new():
    """From the start to the end of each slider, one after the other, as a reader moves them."""

    def bodies(draw, *settings):
        return [draw(*each)[0].to_json() for each in settings]

    for steps in (
        bodies(figures.raster_view, (5, False), (12, False), (12, True)),
        bodies(figures.surrogate, (1,), (4,)),
        bodies(figures.neuron, (0.8, 0.5, 1.0), (0.95, 0.5, 1.0), (0.95, 0.8, 1.0), (0.95, 0.8, 1.5)),
    ):
        assert all(first != second for first, second in itertools.pairwise(steps))


@pytest.mark.parametrize("name, term", [
    ("published timing", petnet.published_timing_loss), ("published Chamfer", petnet.published_chamfer_loss),
])  # fmt: skip
def test_weights_trained_with_and_without_a_published_term_are_equal_to_the_bit(monkeypatch, name, term):
    """Its times are whole numbers, so its gradient is zero: with a weight of 0, 0.1 or 10 the same network comes out."""
    networks = []
    for weight in (0.0, 0.1, 10.0):
        monkeypatch.setitem(petnet.LOSSES, name, functools.partial(term, weight=weight))
        result = petnet.learn(replace(TINY, loss=name, hidden=(24,), updates=12, batch=16), 3)
        networks.append((result.network.state_dict(), result.loss))
    for state, loss in networks[1:]:
        assert all(torch.equal(state[name], networks[0][0][name]) for name in state)
        assert loss != networks[0][1]  # the term is there, and grows with its weight
