"""A scanner that nobody calibrated: its stream, its frames, and what a network keeps of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai import petnet
from efficient_ai.petnet import BARS, Hits, experiments, figures
from efficient_ai.petnet import _learn as learning


@pytest.fixture(scope="module")
def seen():
    return petnet.scan(BARS.scanner, petnet.RODS, activity=3e8, seconds=2e-4, seed=3)


@pytest.fixture(scope="module")
def heard(seen):
    return petnet.uncalibrated(seen, BARS)


def test_the_read_out_is_too_early_by_the_delay_of_the_crystal(seen, heard):
    born = np.sort(np.floor(seen.time / BARS.tick).astype(int))
    assert np.all(np.diff(heard.time) >= 0) and len(heard) <= len(seen)
    again = np.sort(heard.time + BARS.delays[heard.crystal])
    assert np.isin(again, born).all() and len(again) > 0.99 * len(born)
    assert 0 < BARS.delays.max() <= BARS.delay_max


def test_frames_are_parts_of_the_scan_between_silences(heard):
    hits, _, index, start = petnet.frames(heard, BARS)
    assert np.array_equal(start[hits.sample] + hits.time, heard.time[index])
    assert np.array_equal(hits.crystal, heard.crystal[index]) and np.all(np.diff(index) > 0)
    assert np.bincount(hits.sample).min() >= 2
    assert hits.time.min() == 0 and hits.time.max() < BARS.steps - BARS.silence
    alone = np.setdiff1d(np.arange(len(heard)), index)
    gaps = np.diff(heard.time)
    # A hit that is in no frame has silence around it, or stands where a long frame was cut.
    before, after = np.append(BARS.silence + 1, gaps), np.append(gaps, BARS.silence + 1)
    lonely = (before[alone] > BARS.silence) & (after[alone] > BARS.silence)
    assert lonely.mean() > 0.95


def test_pairs_are_the_two_hits_of_one_annihilation(heard):
    hits, pairs, _, _ = petnet.frames(heard, BARS)
    both = np.bincount(hits.decay)
    assert both.max() == 2
    # Only frames that were cut or answers beyond the last tick can lose a pair.
    assert 0.98 * (both == 2).sum() <= len(pairs) <= (both == 2).sum()
    assert pairs.time.min() >= 0 and pairs.time.max() < BARS.steps
    close = BARS.detector.opposite(pairs.first, pairs.second, BARS.spread)
    assert close.mean() > 0.8  # scattered ones may stand anywhere


def test_samples_are_as_many_as_asked_for_and_the_same_again():
    one, two, other = BARS.draw(37, 5), BARS.draw(37, 5), BARS.draw(37, 6)
    assert one.samples == 37 and set(one.hits.sample) == set(range(37))
    assert np.array_equal(one.hits.time, two.hits.time) and np.array_equal(one.pairs.first, two.pairs.first)
    assert len(one.hits) != len(other.hits) or not np.array_equal(one.hits.time, other.hits.time)
    order = np.lexsort((one.hits.crystal, one.hits.time, one.hits.sample))
    assert np.array_equal(order, np.arange(len(one.hits)))


def test_a_calibrated_window_undoes_the_delays(heard):
    """A window of two ticks that knows the delays finds what one finds in a scanner without delays."""
    aligned = heard.time + BARS.delays[heard.crystal]
    order = np.lexsort((heard.crystal, aligned))
    names = ("crystal", "energy", "decay", "scattered")
    plain = replace(heard, time=aligned[order], **{name: getattr(heard, name)[order] for name in names})
    left = petnet.coincidences(heard, BARS.detector, petnet.Window(2, BARS.spread, "resolve", BARS.delays))
    right = petnet.coincidences(plain, BARS.detector, petnet.Window(2, BARS.spread, "resolve"))
    assert left.rates() == right.rates()
    blind = petnet.coincidences(heard, BARS.detector, petnet.Window(2, BARS.spread, "resolve"))
    assert left.rates()["NECR"] > 1.2 * blind.rates()["NECR"]


@st.composite
def hits_and_answers(draw):
    def some(at_most):
        rows = draw(
            st.lists(
                st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 3)),
                max_size=at_most,
                unique=True,
            )
        )
        sample, time, crystal = np.array(sorted(rows), dtype=int).reshape(-1, 3).T
        return Hits(sample, crystal, time, np.full(len(sample), -1))

    return some(25), some(25)


@given(hits_and_answers())
@settings(deadline=None)
def test_answers_find_their_hits(both):
    hits, output = both
    wanted = {}
    for k in range(len(output)):
        fitting = [
            i
            for i in range(len(hits))
            if hits.sample[i] == output.sample[k]
            and hits.crystal[i] == output.crystal[k]
            and hits.time[i] <= output.time[k] + 1
        ]
        last = max(fitting, key=lambda i: hits.time[i], default=None)
        if last is not None and output.time[k] - hits.time[last] <= 5:
            wanted[last] = min(wanted.get(last, 99), output.time[k])
    kept, time = petnet.answered(output, hits, early=1, late=5)
    assert dict(zip(kept.tolist(), time.tolist(), strict=True)) == wanted
    assert np.all(np.diff(kept) > 0)


def test_a_network_that_knew_everything_would_keep_only_pairs(heard, monkeypatch):
    def oracle(network, recording, recipe):
        return petnet.frames(heard, BARS)[1].hits

    monkeypatch.setattr(learning, "found", oracle)
    kept = petnet.listen(None, heard, petnet.Recipe(BARS))
    assert np.all(np.diff(kept.time) >= 0)
    counts = np.bincount(kept.decay)
    assert (counts[counts > 0] == 2).mean() > 0.97  # two pairs in one crystal and tick may lose one
    pairs = petnet.coincidences(kept, BARS.detector, petnet.Window(0, BARS.spread, "resolve"))
    best = petnet.coincidences(heard, BARS.detector, petnet.Window(2, BARS.spread, "resolve", BARS.delays))
    assert pairs.rates()["NECR"] > best.rates()["NECR"]


def test_every_sorter_gets_its_best_width(seen):
    network = petnet.SpikingNetwork((2 * BARS.detector.crystals, 8, BARS.detector.crystals))
    pairs = experiments.sorted_pairs(seen, BARS, network, petnet.Recipe(BARS))
    assert list(pairs) == list(figures.SORTERS)
    width, found = pairs["plain window"]
    heard = petnet.uncalibrated(seen, BARS)
    every = [
        petnet.coincidences(heard, BARS.detector, petnet.Window(w)).rates()["NECR"]
        for w in range(BARS.silence + 1)
    ]
    assert found.rates()["NECR"] == max(every) == every[width]
    assert pairs["calibrated"][1].rates()["NECR"] > pairs["multiples resolved"][1].rates()["NECR"]


def test_a_stream_whose_frames_could_cut_pairs_is_refused():
    with pytest.raises(ValueError, match="silence"):
        replace(BARS, silence=BARS.delay_max)
    with pytest.raises(ValueError, match="silence"):
        replace(BARS, steps=BARS.silence)
