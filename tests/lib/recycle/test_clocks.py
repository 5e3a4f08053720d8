"""Clocks of files: doubled hours, changes of the step, order, repeated and absent times, zones, pandas."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from efficient_ai import recycle

BERLIN = "Europe/Berlin"


def spaced(first, last, minutes):
    return np.arange(np.datetime64(first, "m"), np.datetime64(last, "m"), np.timedelta64(minutes, "m"))


def autumn(minutes=15):
    """Two days around the end of summer time in Brussels, 100 everywhere."""
    times = spaced("2025-10-24T22:00", "2025-10-27T23:00", minutes)
    return times, np.full(len(times), 100.0), (times >= np.datetime64("2025-10-26T00:00")) & (times < np.datetime64("2025-10-26T01:00"))  # fmt: skip


@pytest.mark.parametrize("wrong", [0.0, -999.0, 400.0, np.nan])
@pytest.mark.parametrize("which", ["first", "second"])
@pytest.mark.parametrize("minutes", [15, 60])
def test_a_doubled_hour_that_is_delivered_wrong_is_not_averaged(wrong, which, minutes):
    times, values, first = autumn(minutes)
    values[first if which == "first" else np.roll(first, 60 // minutes)] = wrong
    days = recycle.local_days(values, times, "Europe/Brussels")
    assert (days.values == 100).all() and days.changed_clock == 1
    assert days.repairs.get("doubled", 0) == (0 if np.isnan(wrong) else 60 // minutes)


def test_a_doubled_hour_of_two_likely_readings_is_their_mean_and_nights_of_nothing_stay():
    times, values, first = autumn()
    values[first] = 110
    assert recycle.local_days(values, times, "Europe/Brussels").values[1, 8:12].tolist() == [105] * 4
    days = recycle.local_days(np.zeros(len(times)), times, "Europe/Brussels")
    assert (days.values == 0).all() and days.repairs == {}


def test_a_series_that_changes_from_hours_to_quarters_is_averaged_into_hours():
    times = np.concatenate([spaced("2024-01-01", "2024-01-30", 60), spaced("2024-01-30", "2024-02-19", 15)])
    values = np.concatenate([np.full(29 * 24, 5.0), np.tile([1.0, 2, 3, 6], 20 * 24)])
    days = recycle.local_days(values, times)
    assert days.values.shape == (49, 24) and (days.values[:29] == 5).all() and (days.values[29:] == 3).all()
    assert days.repairs == {"averaged": 20 * 96} and days.filled == 0
    values[29 * 24 + 1] = np.nan  # one quarter of four: three quarters are enough
    assert recycle.local_days(values, times).values[29, 0] == pytest.approx(10 / 3)
    values[29 * 24 + 2] = np.nan  # two are not; the hour is filled like any other
    assert recycle.local_days(values, times).filled == 1


@pytest.mark.parametrize("seconds", [7 * 3600, 5 * 3600, 50 * 60, 25 * 60, 48 * 3600, 3601])
def test_a_step_that_does_not_divide_the_day_is_refused(seconds):
    times = np.datetime64("2020-01-01", "s") + np.arange(400) * np.timedelta64(seconds, "s")
    with pytest.raises(ValueError, match="does not divide the day"):
        recycle.local_days(np.ones(400), times)
    with pytest.raises(ValueError, match="does not divide the day"):
        recycle.local_days(np.ones(400), times, BERLIN)


def test_a_step_of_ones_own_averages():
    times = spaced("2020-01-01", "2020-01-04", 5)
    values = np.arange(len(times), dtype=float)
    for step in (3600, timedelta(hours=1), np.timedelta64(60, "m")):
        days = recycle.local_days(values, times, step=step)
        assert days.values.shape == (3, 24) and days.values[0, :2].tolist() == [5.5, 17.5]
    for step in (True, "1h", 0, -5, 0.5):
        with pytest.raises(ValueError, match="step"):
            recycle.local_days(values, times, step=step)


def test_jittered_times_need_a_step_and_then_are_averaged():
    rng = np.random.default_rng(0)
    times = (np.datetime64("2020-01-01", "s") + np.cumsum(rng.integers(300, 500, 3000))).astype(
        "datetime64[s]"
    )
    with pytest.raises(ValueError, match="no even step"):
        recycle.local_days(np.ones(3000), times)
    days = recycle.local_days(np.ones(3000), times, step=3600)
    assert days.values.shape[1] == 24 and np.nanmax(days.values) == np.nanmin(days.values) == 1
    assert days.filled == 0 and days.refused == 0


def test_order_repetitions_and_holes_are_repaired_and_counted():
    times = spaced("2020-01-01", "2020-01-21", 60)
    values = np.arange(len(times), dtype=float)
    whole = recycle.local_days(values, times)
    down = recycle.local_days(values[::-1], times[::-1])
    assert np.array_equal(down.values, whole.values) and down.repairs["reordered"] == len(times)
    twice = np.sort(np.append(times, times[5:9]))
    days = recycle.local_days(values[np.searchsorted(times, twice)], twice)
    assert np.array_equal(days.values, whole.values) and days.repairs == {"repeated": 4}
    kept = np.delete(np.arange(len(times)), [30, 31])
    days = recycle.local_days(values[kept], times[kept])
    assert np.allclose(days.values, whole.values) and days.repairs == {"absent": 2} and days.filled == 2
    assert days.report() == "filled 2, absent 2" and whole.report() == "nothing to repair"


def test_two_different_values_at_one_time_are_refused():
    times = np.append(spaced("2020-01-01", "2020-01-04", 60), np.datetime64("2020-01-02T05:00"))
    with pytest.raises(ValueError, match="two different values at 2020-01-02T05:00"):
        recycle.local_days(np.arange(float(len(times))), times)
    values = np.append(np.arange(72.0), np.nan)
    assert recycle.local_days(values, times).values[1, 5] == 29, "a value and none: the value"


def test_pandas_with_and_without_a_zone_and_by_the_wall_give_the_same_days():
    """A year of hours in Berlin, four ways."""
    utc = pd.date_range("2021-12-31 23:00", "2022-12-31 22:00", freq="h", tz="UTC")
    values = np.random.default_rng(0).random(len(utc))
    wanted = recycle.local_days(values, utc.tz_localize(None).to_numpy(), BERLIN)
    assert wanted.values.shape == (365, 24) and wanted.changed_clock == 2
    local = utc.tz_convert(BERLIN)
    others = [
        recycle.local_days(pd.Series(values, local)),
        recycle.local_days(pd.Series(values, utc), zone=BERLIN),
        recycle.local_days(pd.DataFrame({"load": values}, local)),
        recycle.local_days(values, [time.to_pydatetime() for time in local], BERLIN),
        recycle.local_days(values, local.tz_localize(None), BERLIN, clock="local"),
        recycle.local_days(values[::-1], local.tz_localize(None)[::-1], BERLIN, clock="local"),
    ]
    for days in others:
        assert np.array_equal(days.values, wanted.values) and np.array_equal(days.dates, wanted.dates)


def test_the_wall_in_spring_shows_no_skipped_hour_and_a_reading_there_is_left_out():
    times = spaced("2022-03-26", "2022-03-29", 60)  # 24 hours a day, also on the 27th
    values = np.full(len(times), 7.0)
    values[26] = 1000
    days = recycle.local_days(values, times, BERLIN, clock="local")
    assert (days.values == 7).all() and days.repairs == {"nonexistent": 1} and days.changed_clock == 1


def test_a_wall_that_shows_the_doubled_hour_once_is_not_shifted():
    times = spaced("2022-10-29", "2022-11-01", 60)
    days = recycle.local_days(np.arange(72.0), times, BERLIN, clock="local")
    assert np.array_equal(days.values.ravel(), np.arange(72.0)) and days.repairs == {"absent": 1}


def test_a_day_that_never_was_is_missing():
    times = spaced("2011-12-19T10:00", "2012-01-12T10:00", 60)
    days = recycle.local_days(np.ones(len(times)), times, "Pacific/Apia")
    there = np.isfinite(days.values).all(axis=1)
    assert [str(d) for d in days.dates[~there]] == ["2011-12-30"]
    assert days.repairs["never"] == 1 and days.changed_clock == 0 and days.refused == 0


@pytest.mark.parametrize(
    ("zone", "step"), [("Asia/Kolkata", 60), ("Australia/Lord_Howe", 30), ("Asia/Beirut", 60), (BERLIN, 15)]
)
def test_odd_zones_keep_24_hours(zone, step):
    times = spaced("2022-01-01", "2022-12-31", step)
    days = recycle.local_days(np.ones(len(times)), times, zone)
    assert (days.values == 1).all() and days.values.shape[1] == 1440 // step and days.refused == 0


@pytest.mark.parametrize("hours", [2, 6, 12])
def test_coarse_steps_stay_on_their_day(hours):
    """The hour of summer time must not push a value across midnight."""
    times = spaced("2022-01-01T11:00", "2022-12-31T11:00", 60 * hours)
    local = pd.DatetimeIndex(times, tz="UTC").tz_convert(BERLIN)
    days = recycle.local_days(local.day_of_year.to_numpy(), times, BERLIN)
    first = np.datetime64("2022-01-01", "D")
    assert days.values.shape[1] == 24 // hours
    assert np.allclose(days.values, ((days.dates - first).astype(int) + 1)[:, None], atol=0.51)


@pytest.mark.parametrize(("values", "times", "options", "told"), [
    (np.ones(9), None, {}, "no times"),
    (np.ones(9), spaced("2020-01-01", "2020-01-03", 60), {}, "9 values and 48 times"),
    (["a"] * 48, spaced("2020-01-01", "2020-01-03", 60), {}, "column of numbers"),
    (np.ones((48, 2)), spaced("2020-01-01", "2020-01-03", 60), {}, "column of numbers"),
    (np.ones(48, bool), spaced("2020-01-01", "2020-01-03", 60), {}, "column of numbers"),
    (np.append(np.ones(47), np.inf), spaced("2020-01-01", "2020-01-03", 60), {}, "value 47 is infinite"),
    (np.ones(48), np.arange(48), {}, "times are datetimes"),
    (np.ones(48), [str(t) for t in range(48)], {}, "times are datetimes"),
    (np.ones(2), np.array(["2020-01-01", "NaT"], "datetime64[s]"), {}, "time 1 is missing"),
    (np.ones(48), spaced("2020-01-01", "2020-01-03", 60), {"zone": "Europe/Atlantis"}, "unknown time zone"),
    (np.ones(48), spaced("2020-01-01", "2020-01-03", 60), {"zone": 1}, "unknown time zone"),
    (np.ones(48), spaced("2020-01-01", "2020-01-03", 60), {"clock": "local"}, "needs the name of the zone"),
    (np.ones(48), spaced("2020-01-01", "2020-01-03", 60), {"clock": "wall"}, "clock must be"),
    (np.ones(2), [datetime(2020, 1, 1), datetime(2020, 1, 2, tzinfo=UTC)], {}, "some have none"),
    (np.ones(1), spaced("2020-01-01", "2020-01-01T01:00", 60), {}, "at least two"),
])  # fmt: skip
def test_what_is_no_series_is_refused(values, times, options, told):
    with pytest.raises(ValueError, match=told):
        recycle.local_days(values, times, **options)
