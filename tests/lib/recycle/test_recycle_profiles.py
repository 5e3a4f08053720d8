"""Calendar and profiles: types, holidays, the ramp of the sheet, exact weeks, no look ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai import recycle


def dates(first, days):
    return np.datetime64(first, "D") + np.arange(days)


def test_day_types_and_holidays_win():
    # 25 December 2021 was a Saturday, 26 December a Sunday, 1 May 2020 a Friday.
    christmas = recycle.calendar(dates("2021-12-23", 5), "DE")
    assert christmas.types.tolist() == [0, 0, 2, 2, 0]
    assert recycle.calendar(dates("2020-04-30", 3), "DE").types.tolist() == [0, 2, 1]
    assert recycle.calendar(dates("2020-04-30", 3)).types.tolist() == [0, 0, 1]


def test_metadata_is_weekday_holiday_and_holiday_tomorrow():
    rows = recycle.calendar(dates("2020-04-30", 2), "DE").metadata
    assert rows.shape == (2, recycle.METADATA) and rows.dtype == np.float32
    assert rows[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 1]  # Thursday, tomorrow is free
    assert rows[1].tolist() == [0, 0, 0, 0, 1, 0, 0, 1, 0]  # Friday, free
    last = recycle.calendar(dates("2019-12-31", 1), "DE").metadata[0]
    assert last[8] == 1, "the calendar knows the day after the record"


def test_weekdays():
    assert recycle.weekdays(dates("2024-01-01", 8)).tolist() == [0, 1, 2, 3, 4, 5, 6, 0]


def ramp(days=40):
    """Y[l, h] = l, day 0 a Monday."""
    types = np.where(np.arange(days) % 7 == 6, 2, np.where(np.arange(days) % 7 == 5, 1, 0))
    return np.repeat(np.arange(days, dtype=float)[:, None], 24, axis=1), types


def test_the_ramp_gives_17_12_13():
    days, types = ramp()
    table = recycle.profile_table(days, types, n=3)
    assert table.shape == (40, 3, 24)
    assert np.allclose(table[20], np.array([17, 12, 13])[:, None])


def test_a_profile_counts_days_of_a_type_and_not_weeks():
    days, types = ramp()
    assert np.allclose(recycle.profile_table(days, types, n=3)[18, 0], np.mean([16, 17, 18]))


def test_before_a_type_occurs_its_profile_is_zero_and_then_the_mean_of_what_there_is():
    days, types = ramp()
    table = recycle.profile_table(days, types, n=3)
    assert (table[:5, 1] == 0).all() and (table[5:12, 1] == 5).all() and np.allclose(table[12, 1], 8.5)


def test_a_missing_day_is_passed_over():
    days, types = ramp()
    days[18] = np.nan
    assert np.allclose(recycle.profile_table(days, types, n=3)[18, 0], np.mean([15, 16, 17]))


def window(origin, history=21, forecast=7):
    last = np.array([[origin]])
    return last - history + 1 + np.arange(history), last + 1 + np.arange(forecast)


def test_the_five_variants_on_the_ramp():
    days, types = ramp(60)
    past, future = window(40)
    means = {name: recycle.window_profiles(days, types, past, future, name) for name in recycle.VARIANTS}
    table = recycle.profile_table(days, types)
    day = past[0, -1]
    assert np.allclose(means["last"][0][0, 3], table[day, types[past[0, 3]]])
    assert np.allclose(means["own"][0][0, -1], table[day, types[day]])
    assert np.allclose(means["causal"][0][0, -1], table[day - 1, types[day]])
    assert np.allclose(means["persistence"][0][0, :, 0], past[0] - 1)
    assert np.allclose(means["tenday"][0][0, :, 0], past[0] - 5.5)
    for name in ("last", "own", "causal"):
        assert np.allclose(means[name][1][0], table[day][types[future[0]]])
    assert np.allclose(means["persistence"][1], 40) and np.allclose(means["tenday"][1], 35.5)


@pytest.mark.parametrize("variant", ["last", "own", "causal"])
def test_exactly_weekly_data_leave_nothing_over(variant):
    rng = np.random.default_rng(0)
    shapes, types = rng.random((3, 24)), ramp(80)[1]
    days = shapes[types]
    past, future = window(60)
    before, coming = recycle.window_profiles(days, types, past, future, variant)
    assert np.abs(days[past] - before).max() < 1e-12 and np.abs(days[future] - coming).max() < 1e-12


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(recycle.VARIANTS), st.integers(0, 10_000), st.integers(1, 6))
def test_no_day_after_the_origin_matters(variant, seed, n):
    rng = np.random.default_rng(seed)
    days, types = rng.random((90, 5)), rng.integers(0, 3, 90)
    past, future = window(70)
    found = recycle.window_profiles(days, types, past, future, variant, n)
    days[71:] = rng.random((19, 5)) * 1000
    again = recycle.window_profiles(days, types, past, future, variant, n)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_the_causal_variant_never_compares_a_day_with_itself(seed, n):
    rng = np.random.default_rng(seed)
    days, types = rng.random((90, 5)), rng.integers(0, 3, 90)
    past, future = window(70)
    before = recycle.window_profiles(days, types, past, future, "causal", n)[0]
    days[70] += 100
    assert np.array_equal(before, recycle.window_profiles(days, types, past, future, "causal", n)[0])
    own = recycle.window_profiles(days, types, past, future, "own", n)[0]
    assert own[0, -1].min() > 100 / (n + 1), "while the variant 'own' does"


def test_refusals():
    days, types = ramp()
    past, future = window(20)
    with pytest.raises(ValueError, match="unknown variant 'weekly'"):
        recycle.window_profiles(days, types, past, future, "weekly")
    with pytest.raises(ValueError, match="needs a day before"):
        recycle.window_profiles(days, types, past, future, "causal")
    with pytest.raises(ValueError, match="at least one day"):
        recycle.profile_table(days, types, n=0)
