"""The simulated clock against known answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai.propulate import durations, expected_maximum, figures, harmonic, schedule

times = st.lists(st.floats(0.01, 100), min_size=1, max_size=60).map(np.array)


def test_a_schedule_by_hand():
    asynchronous = schedule([3, 1, 1, 1], 2, synchronous=False)
    assert (
        asynchronous.worker.tolist() == [0, 1, 1, 1]
        and asynchronous.makespan == 3
        and asynchronous.idle_share == 0
    )
    synchronous = schedule([3, 1, 1, 1], 2, synchronous=True)
    assert synchronous.start.tolist() == [0, 0, 3, 3] and synchronous.makespan == 4
    assert synchronous.idle_share == pytest.approx(0.25)


@given(times, st.integers(1, 9), st.booleans())
def test_no_worker_does_two_things_at_once_and_nothing_is_lost(seconds, workers, synchronous):
    plan = schedule(seconds, workers, synchronous=synchronous)
    assert np.allclose(plan.finish - plan.start, seconds)
    for worker in range(workers):
        mine = np.flatnonzero(plan.worker == worker)
        assert (plan.start[mine][1:] >= plan.finish[mine][:-1] - 1e-9).all()
    assert 0 <= plan.idle_share < 1


@given(times, st.integers(1, 9))
def test_bounds_on_the_makespan(seconds, workers):
    """Graham's bounds hold for the asynchronous schedule, and one worker makes both schedules equal."""
    asynchronous = schedule(seconds, workers, synchronous=False).makespan
    lower = max(seconds.max(), seconds.sum() / workers)
    assert lower - 1e-9 <= asynchronous <= seconds.sum() / workers + seconds.max() * (1 - 1 / workers) + 1e-9
    if workers == 1:
        assert schedule(seconds, 1, synchronous=True).makespan == pytest.approx(asynchronous)


def test_constant_times_cost_nothing():
    for synchronous in (True, False):
        assert schedule(np.ones(40), 8, synchronous=synchronous).idle_share == 0


@pytest.mark.parametrize("workers", [2, 4, 8, 64])
def test_exponential_times_give_the_harmonic_number(workers):
    seconds = durations(3000 * workers, 1.0, np.random.default_rng(0))
    ratio = (
        schedule(seconds, workers, synchronous=True).makespan
        / schedule(seconds, workers, synchronous=False).makespan
    )
    assert ratio == pytest.approx(harmonic(workers), rel=0.03)
    assert expected_maximum(workers, 1.0) == pytest.approx(harmonic(workers), rel=1e-9)


def test_harmonic_numbers_of_the_text():
    assert [round(harmonic(w), 2) for w in (1, 2, 4, 8, 64)] == [1, 1.5, 2.08, 2.72, 4.74]


@pytest.mark.parametrize("spread", [0.25, 0.5, 2.0])
def test_expected_maximum_agrees_with_sampling(spread):
    sample = durations(400_000, spread, np.random.default_rng(1))
    assert sample.mean() == pytest.approx(1, rel=0.02) and sample.std() == pytest.approx(spread, rel=0.03)
    assert sample.reshape(-1, 8).max(axis=1).mean() == pytest.approx(expected_maximum(8, spread), rel=0.02)
    assert expected_maximum(8, 0.0) == 1 < expected_maximum(8, spread)


@pytest.mark.parametrize("bad", [([], 2), ([1, -1], 2), ([1, np.nan], 2), ([1.0], 0)])
def test_bad_input(bad):
    with pytest.raises(ValueError):
        schedule(bad[0], bad[1], synchronous=True)
    with pytest.raises(ValueError):
        durations(3, -1, np.random.default_rng(0))


def test_the_readout_of_the_figure_comes_from_the_schedules():
    assert "Idle: 0% asynchronous, 0% synchronous" in figures.gantt(4, 0.0)[1]
    assert "predicted 2.08" in figures.gantt(4, 1.0)[1]
