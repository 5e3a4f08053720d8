"""The event-driven network sends the spikes of the loop over all bins: every one, and no other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai import petnet
from efficient_ai.petnet import Hits, figures, recorded, trained


def rows(hits):
    return np.column_stack([hits.sample, hits.time, hits.crystal])


def agree(network, hits, samples, steps, window=None):
    """Output hits of both, row by row; and what the event-driven pass did."""
    driven, work = petnet.event_driven(network, hits, samples, steps, window)
    with torch.no_grad():
        dense = petnet.hits_of(network.from_hits(hits, samples, steps, window))
    np.testing.assert_array_equal(rows(driven), rows(dense))
    assert work.sent[-1] == len(dense) and work.bins == samples * steps
    assert max(work.computed) <= work.bins
    return work


def some_hits(rng, samples, steps, crystals, share):
    return petnet.hits_of(torch.from_numpy(rng.random((steps, samples, crystals)) < share))


def drawn(sizes, beta, reset, threshold, weight, bias):
    network = petnet.SpikingNetwork(sizes, reset=reset, threshold=threshold).double()
    with torch.no_grad():
        for layer, leak in enumerate(beta):
            linear = network.linear[layer]
            linear.weight.copy_(torch.from_numpy(weight(linear.weight.shape)))
            linear.bias.copy_(torch.from_numpy(bias(linear.bias.shape)))
            network.beta[layer] = leak
    return network


@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    reset=st.sampled_from(["code", "paper"]),
    threshold=st.sampled_from([0.5, 1.0, 1.25]),
    leaks=st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=3, max_size=3),
    share=st.sampled_from([0.0, 0.02, 0.1, 0.5]),
    steps=st.integers(1, 24),
)
@settings(max_examples=60, deadline=None)
def test_in_exact_arithmetic_every_spike_is_the_same(seed, sizes, reset, threshold, leaks, share, steps):
    """Eighths, and leaks that are powers of two: nothing is rounded, and membranes stop exactly at the threshold."""
    rng = np.random.default_rng(seed)
    network = drawn(
        sizes, leaks[: len(sizes) - 1], reset, threshold,
        lambda shape: rng.integers(-12, 13, shape) / 8, lambda shape: rng.integers(-6, 7, shape) / 8,
    )  # fmt: skip
    agree(network, some_hits(rng, 3, steps, sizes[0], share), 3, steps)


@given(
    seed=st.integers(0, 10**6),
    reset=st.sampled_from(["code", "paper"]),
    share=st.sampled_from([0.0, 0.003, 0.03, 0.3]),
    drive=st.sampled_from([-1.0, 0.9, 1.3, 4.0]),
    geometry=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_random_networks_of_any_sparsity_send_the_same_spikes(seed, reset, share, drive, geometry):
    """``drive``: where the neurons of the strongest leak rest at most, over the threshold."""
    rng = np.random.default_rng(seed)
    steps, crystals = 120, 12
    leaks = rng.uniform(0.5, 0.99, 3)
    sizes = (crystals * (1 + geometry), 20, 15, crystals)
    network = drawn(
        sizes, leaks, reset, 1.0,
        lambda shape: rng.standard_normal(shape) / 2,
        lambda shape: drive * (1 - leaks.min()) * rng.uniform(0.5, 1, shape),
    )  # fmt: skip
    window = torch.from_numpy(petnet.Detector(1, crystals).window(1)).double() if geometry else None
    work = agree(network, some_hits(rng, 4, steps, crystals, share), 4, steps, window)
    if share == 0 and drive < 0:
        assert work.computed == (0, 0, 0)  # silence costs nothing
    if drive > 2:
        assert min(work.clocks) > 0


def test_a_clock_ticks_without_a_single_hit():
    """It rests at 1.25: from 0 it is above 1 after the first k with 1.25 (1 - 0.5^k) > 1, the third step."""
    network = drawn((1, 1, 1), (0.5, 0.0), "code", 1.0, np.ones, lambda shape: np.full(shape, 0.625))
    with torch.no_grad():
        network.linear[1].bias.fill_(0.25)
        network.linear[1].weight.fill_(1.0)
    driven, work = petnet.event_driven(network, Hits.sort([], [], []), 1, 12)
    # 0.625, 0.9375, 1.09375; then 0.171875, 0.7109375, 0.98046875, 1.115234375: the fourth step after.
    assert driven.time.tolist()[:2] == [2, 6]
    assert work.clocks == (1, 0) and work.computed[0] < 12


def test_what_a_layer_does_between_events_is_not_computed():
    network = drawn((2, 2), (0.9,), "code", 1.0, lambda shape: np.full(shape, 0.8), np.zeros)
    hits = Hits.sort([0, 0, 2], [0, 1, 0], [10, 900, 0])
    assert agree(network, hits, 3, 1000).computed == (3,)
    both = Hits.sort([0, 0], [0, 1], [10, 10])
    assert agree(network, both, 1, 1000).computed == (
        2,
    )  # 1.6 sends a spike, and the bin after it is computed, too


@pytest.mark.parametrize("name", ["small", "bars"])
def test_shipped_networks_send_the_same_spikes(name):
    shipped = trained.load(name, 0)
    recording = shipped.recipe.settings.draw(300, seed=123)
    output = petnet.found(shipped.network, recording, shipped.recipe)
    with torch.no_grad():
        exact = shipped.network.double()
        dense = petnet.hits_of(petnet.output_of(exact, recording.hits, 300, shipped.recipe))
    np.testing.assert_array_equal(rows(output), rows(dense))
    assert len(output) > 100


def test_hits_without_a_place_and_windows_that_do_not_fit_are_refused():
    network = petnet.SpikingNetwork((4, 3))
    for sample, crystal, time in ((1, 0, 0), (0, 4, 0), (0, 0, 9), (0, 0, -1), (0, 0, 0.5)):
        with pytest.raises(ValueError):
            petnet.event_driven(network, Hits.sort([sample], [crystal], [time]), 1, 9)
    with pytest.raises(ValueError, match="window"):
        petnet.event_driven(network, Hits.sort([0], [0], [0]), 1, 9, torch.ones(3, 3))


def test_the_record_has_every_row_that_the_page_shows():
    record = recorded.load("petnet-driven")
    table = figures.driven_table(record)
    assert len({len(column) for column in table.values()}) == 1 and "SAFIR" in table["set"]
    assert figures.driven_differ(record) == 0 and figures.driven_spikes(record) > 10**6
    assert figures.driven_ratio(record) in table["times faster"]
