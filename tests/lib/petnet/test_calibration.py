"""The delays from hits alone: right up to a constant, in the right direction, or refused."""

import numpy as np
import pytest

from efficient_ai import petnet
from efficient_ai.petnet import SMALL, STANDARD, Hits, Window


@pytest.mark.parametrize("settings, samples", [(SMALL, 4000), (STANDARD, 20_000)], ids=["small", "standard"])
def test_the_delays_are_found_up_to_a_constant(settings, samples):
    recording = petnet.generate(settings, samples, seed=3)
    unlabelled = Hits.sort(recording.hits.sample, recording.hits.crystal, recording.hits.time)
    found = petnet.calibrate(unlabelled, settings.detector, settings.spread, settings.delay_max)
    assert found.dtype == np.int64 and found.min() == 0
    assert len(set(found - recording.delays)) == 1
    other = petnet.generate(settings, 1000, seed=4)
    window = Window(0, settings.spread, "resolve", found)
    score = petnet.score_hits(
        petnet.sort_compiled(other.hits, settings.detector, window).hits, other.pairs.hits, settings.delay_max
    )
    assert score.f1 > 0.98


def test_too_few_hits_are_refused_and_no_bins_too():
    recording = petnet.generate(SMALL, 20, seed=3)
    with pytest.raises(ValueError, match="more samples"):
        petnet.calibrate(recording.hits, SMALL.detector, SMALL.spread, SMALL.delay_max)
    with pytest.raises(ValueError, match="more samples"):
        petnet.calibrate(Hits.sort([], [], []), SMALL.detector, SMALL.spread, SMALL.delay_max)
    with pytest.raises(ValueError, match="whole"):
        petnet.calibrate(Hits.sort([0], [0], [0.5]), SMALL.detector, SMALL.spread, SMALL.delay_max)


def test_a_crystal_that_never_hits_gets_the_delay_in_the_middle():
    recording = petnet.generate(SMALL, 4000, seed=3)
    seen = recording.hits[recording.hits.crystal != 5]
    found = petnet.calibrate(seen, SMALL.detector, SMALL.spread, SMALL.delay_max)
    assert found[5] == 4
    assert len(set(np.delete(found - recording.delays, 5))) == 1
