"""The generator follows the paper's rules; the three sorters agree; scores are what they say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai import petnet
from efficient_ai.petnet import Detector, Hits, Window

RING = Detector(4, 16)
SORTERS = (petnet.sort_plain, petnet.sort_arrays, petnet.sort_compiled)


def some_hits(seed, n=60, samples=4, steps=40, detector=RING):
    rng = np.random.default_rng(seed)
    return Hits.sort(
        rng.integers(0, samples, n),
        rng.integers(0, detector.crystals, n),
        rng.integers(0, steps, n),
        np.arange(n),
    )


def as_set(pairs):
    return set(map(tuple, np.column_stack([pairs.sample, pairs.first, pairs.second, pairs.time]).tolist()))


# -- the scanner ------------------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(1, 20).map(lambda half: 2 * half), st.integers(0, 3))
def test_opposite_is_mutual_and_the_exact_opposite_counts(rings, per_ring, spread):
    detector = Detector(rings, per_ring)
    window = detector.window(spread)
    assert (window == window.T).all()
    ring, column = detector.place(np.arange(detector.crystals))
    across = (rings - 1 - ring) * per_ring + (column + per_ring // 2) % per_ring
    assert window[np.arange(detector.crystals), across].all()
    assert window.sum(1).max() <= (2 * spread + 1) ** 2


@pytest.mark.parametrize("rings, per_ring", [(0, 16), (2, 15), (1, 0)])
def test_a_ring_without_opposites_is_refused(rings, per_ring):
    with pytest.raises(ValueError, match="even number"):
        Detector(rings, per_ring)


@given(st.integers(0, 10**6), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_the_loop_over_bins_keeps_the_hits_of_the_pairs(seed, width):
    hits = some_hits(seed)
    kept = petnet.sort_bins(petnet.raster(hits, 4, RING.crystals, 40), width)
    pairs = petnet.sort_plain(hits, RING, Window(width)).hits
    for name in ("sample", "time", "crystal"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(pairs, name))


# -- the generator ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "scanner", [petnet.SMALL, petnet.STANDARD, petnet.SAFIR], ids=["small", "standard", "SAFIR"]
)
def test_the_generator_keeps_the_rules_of_the_released_one(scanner):
    samples = 3000
    recording = petnet.generate(scanner, samples, seed=1)
    hits, pairs = recording.hits, recording.pairs
    assert hits.time.min() >= 0 and hits.time.max() < scanner.steps
    assert scanner.detector.opposite(pairs.first, pairs.second, scanner.spread).all()
    # A label is at the time of the decay, its hit earlier by the delay of its own crystal.
    seen = {
        tuple(row)
        for row in np.column_stack([hits.sample, hits.crystal, hits.time + recording.delays[hits.crystal]])
    }
    both = np.concatenate(
        [
            np.column_stack([pairs.sample, crystal, pairs.time[:, 0]])
            for crystal in (pairs.first, pairs.second)
        ]
    )
    assert len(both) and all(tuple(row) in seen for row in both)
    decays = scanner.activity + np.exp(-scanner.activity)  # at least one happens
    expected = decays * scanner.efficiency**2
    spread = 4 * np.sqrt(expected * (1 + expected) / samples)
    assert abs(len(pairs) / samples - expected) < spread


def test_the_inferred_standard_set_gives_the_pair_rate_of_the_logs():
    """0.40 true pairs per sample are in the development logs; that is what the settings were inferred from."""
    pairs = len(petnet.generate(petnet.STANDARD, 20_000, seed=0).pairs) / 20_000
    assert 0.38 < pairs < 0.42
    assert "activity" in petnet.STANDARD.inferred


def test_delays_belong_to_the_scanner_and_not_to_the_sample():
    first, second = (petnet.generate(petnet.SMALL, 10, seed) for seed in (1, 2))
    assert (first.delays == second.delays).all() and len(set(first.delays)) > 3
    assert len(first.hits) != len(second.hits) or (first.hits.time != second.hits.time).any()


@pytest.mark.parametrize("change", [{"spread": 1}, {"efficiency": 0}, {"delay_mean": 9}, {"activity": 0}])
def test_settings_for_which_the_generator_is_not_defined_are_refused(change):
    fields = {name: getattr(petnet.SMALL, name) for name in petnet.SMALL.__dataclass_fields__}
    with pytest.raises(ValueError):
        petnet.Settings(**fields | change)


def test_raster_and_hits_are_the_same():
    hits = petnet.generate(petnet.SMALL, 50, seed=3).hits
    again = petnet.hits_of(petnet.raster(hits, 50, petnet.SMALL.detector.crystals, petnet.SMALL.steps))
    assert all((getattr(hits, name) == getattr(again, name)).all() for name in ("sample", "crystal", "time"))


# -- the sorters ------------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 10**6),
    st.integers(0, 80),
    st.integers(0, 12),
    st.sampled_from([(None, "kill"), (0, "kill"), (2, "kill"), (2, "resolve")]),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_the_three_sorters_agree(seed, n, width, policy, calibrated):
    hits = some_hits(seed, n)
    delays = np.random.default_rng(seed).integers(0, 9, RING.crystals) if calibrated else None
    window = Window(width, *policy, delays)
    plain, arrays, compiled = (sorter(hits, RING, window) for sorter in SORTERS)
    for other in (arrays, compiled):
        assert (plain.index == other.index).all()
        assert as_set(plain) == as_set(other)


@pytest.mark.parametrize("sorter", SORTERS)
def test_each_hit_opens_the_window_anew(sorter):
    """Gaps of 3, 3 and 9: with a window of 3 the first three hits are one cluster although they span 6."""
    hits = Hits.sort([0] * 4, [0, 20, 40, 41], [0, 3, 6, 15])
    assert len(sorter(hits, RING, Window(3))) == 0  # three hits: killed; one alone: no pair
    assert as_set(sorter(hits, RING, Window(2))) == set()
    two = Hits.sort([0, 0, 1, 1], [0, 20, 0, 20], [0, 3, 0, 4])
    assert as_set(sorter(two, RING, Window(3))) == {(0, 0, 20, 0, 3)}


@pytest.mark.parametrize("sorter", SORTERS)
def test_geometry_cuts_and_resolves(sorter):
    opposite = (RING.rings - 1) * 16 + 8  # of crystal 0
    hits = Hits.sort([0, 0, 0], [0, 1 * 16, opposite], [10, 11, 12])
    assert len(sorter(hits, RING, Window(5, geometry=0))) == 0
    assert as_set(sorter(hits, RING, Window(5, 0, "resolve"))) == {(0, 0, opposite, 10, 12)}
    alone = Hits.sort([0, 0], [0, 16], [10, 11])
    assert len(sorter(alone, RING, Window(5))) == 1 and len(sorter(alone, RING, Window(5, geometry=0))) == 0


@pytest.mark.parametrize("sorter", SORTERS)
def test_calibrated_delays_let_a_pair_meet(sorter):
    recording = petnet.generate(petnet.SMALL, 300, seed=5)
    window = Window(0, 2, "resolve", recording.delays)
    found = sorter(recording.hits, petnet.SMALL.detector, window)
    score = petnet.score_pairs(found, recording.pairs, petnet.SMALL.delay_max)
    assert score.recall > 0.97 and score.precision > 0.95


@pytest.mark.parametrize(
    "width, geometry, multiples", [(-1, None, "kill"), (3, None, "resolve"), (3, 2, "keep")]
)
def test_windows_that_are_none_are_refused(width, geometry, multiples):
    with pytest.raises(ValueError):
        Window(width, geometry, multiples)


# -- the scores -------------------------------------------------------------------------------------------------------


def brute_force(output, target, tolerance):
    """Greedy matching over distances as in the definition, with lists."""
    left = list(zip(output.sample, output.crystal, output.time, strict=True))
    wanted = list(zip(target.sample, target.crystal, target.time, strict=True))
    matched = 0
    for distance in range(tolerance + 1):
        for shift in (distance, -distance) if distance else (0,):
            for s, c, t in list(left):
                if (s, c, t + shift) in wanted:
                    wanted.remove((s, c, t + shift))
                    left.remove((s, c, t))
                    matched += 1
    return matched, len(left), len(wanted)


@given(st.integers(0, 10**6), st.integers(0, 6))
@settings(max_examples=60, deadline=None)
def test_hits_are_matched_as_defined(seed, tolerance):
    small = Detector(1, 4)
    output, target = (some_hits(seed + i, 25, 2, 20, small) for i in (0, 1))
    score = petnet.score_hits(output, target, tolerance)
    assert (score.true, score.false, score.missed) == brute_force(output, target, tolerance)


def test_the_floors_are_what_theory_says():
    """A copy of the input has recall 1 and precision eps; silence finds nothing."""
    recording = petnet.generate(petnet.STANDARD, 4000, seed=2)
    target = recording.pairs.hits
    copy = petnet.score_hits(recording.hits, target, 40)
    assert copy.recall > 0.999 and abs(copy.precision - petnet.STANDARD.efficiency) < 0.01
    silent = petnet.score_hits(Hits.sort([], [], []), target, 40)
    assert silent.f1 == 0 and silent.recall == 0 and np.isnan(silent.precision)


def test_a_match_does_not_leak_into_the_next_crystal_or_sample():
    output, target = Hits.sort([0], [3], [39]), Hits.sort([0, 1], [4, 3], [0, 39])
    assert petnet.score_hits(output, target, 10).true == 0
