"""Folding: reshape and back, local midnight, the two days on which the clock is set, gaps with a limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai import recycle


@given(st.integers(1, 30), st.integers(1, 40))
def test_folding_is_a_view_that_unfolds_again(cycle, days):
    steps = np.arange(cycle * days, dtype=float)
    folded = recycle.fold(steps, cycle)
    assert folded.shape == (days, cycle) and np.shares_memory(folded, steps)
    assert np.array_equal(folded.ravel(), steps)


@pytest.mark.parametrize(("length", "cycle"), [(25, 24), (0, 24), (24, 0)])
def test_a_broken_cycle_is_refused(length, cycle):
    with pytest.raises(ValueError, match="no whole number of cycles"):
        recycle.fold(np.zeros(length), cycle)


def hours(first, last):
    return np.arange(np.datetime64(first, "h"), np.datetime64(last, "h"))


def test_a_day_begins_at_local_midnight_and_the_clock_is_repaired():
    times = hours(
        "2019-03-29T23", "2019-03-31T22"
    )  # Berlin: 30 March 00:00 to 1 April 00:00, spring on the 31st
    values = np.arange(len(times), dtype=float)
    days = recycle.local_days(values, times, "Europe/Berlin")
    assert [str(d) for d in days.dates] == ["2019-03-30", "2019-03-31"]
    assert days.values.shape == (2, 24) and days.changed_clock == 1 and days.filled == 0
    assert days.values[0, 0] == 0 and days.values[1, 0] == 24
    # 1:00 is step 25, 3:00 is step 26, and 2:00 did not exist: half way between its neighbours.
    assert days.values[1, 1:4].tolist() == [25, 25.5, 26]


def test_the_doubled_hour_of_autumn_becomes_its_mean():
    times = hours("2019-10-26T22", "2019-10-27T23")
    days = recycle.local_days(np.arange(25.0), times, "Europe/Berlin")
    assert days.values.shape == (1, 24) and days.changed_clock == 1
    assert days.values[0, 1:4].tolist() == [1, 2.5, 4]


def test_incomplete_ends_are_cut_and_a_series_without_a_day_is_refused():
    times = hours("2020-01-01T05", "2020-01-03T07")
    days = recycle.local_days(np.zeros(len(times)), times)
    assert [str(d) for d in days.dates] == ["2020-01-02"]
    with pytest.raises(ValueError, match="no whole day"):
        recycle.local_days(np.zeros(20), times[:20])


def test_short_gaps_are_filled_and_long_ones_refused():
    times = hours("2020-01-01", "2020-01-21")
    values = np.arange(len(times), dtype=float)
    values[30:32] = np.nan  # two hours of 24 are less than a tenth
    values[100:103] = np.nan  # three are more
    days = recycle.local_days(values, times)
    assert days.filled == 2 and days.refused == 1
    assert np.allclose(days.values[1], np.arange(24, 48))
    assert np.isnan(days.values[4]).all() and np.isfinite(np.delete(days.values, 4, axis=0)).all()


def test_a_record_with_too_many_refused_days_is_refused():
    times = hours("2020-01-01", "2020-01-11")
    values = np.ones(len(times))
    values[24:72] = np.nan
    with pytest.raises(ValueError, match="2 of 10 days miss more than a tenth"):
        recycle.local_days(values, times)


def test_implausible_readings_are_judged_by_the_reference_part():
    values = np.array([10.0, 11, 9, 10, 0, 10, 500, 10])
    cleaned = recycle.plausible(values, slice(0, 4))
    assert np.isnan(cleaned[[4, 6]]).all() and np.array_equal(
        cleaned[[0, 1, 2, 3, 5, 7]], [10, 11, 9, 10, 10, 10]
    )
    assert values[4] == 0, "the original stays"
