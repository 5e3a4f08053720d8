"""Calendars of regions and of one's own; and readings that look wrong only because the series is no load."""

from datetime import date, datetime

import numpy as np
import pytest

from efficient_ai import recycle

EPIPHANY = np.datetime64("2023-01-04") + np.arange(5)  # Wednesday to Sunday, the 6th a Friday


def test_a_region_has_its_own_holidays():
    assert recycle.calendar(EPIPHANY, "DE").types.tolist() == [0, 0, 0, 1, 2]
    for code in ("DE-BY", "de-by", " De-By "):
        known = recycle.calendar(EPIPHANY, code)
        assert known.types.tolist() == [0, 0, 2, 1, 2] and known.metadata[1, 8] == 1
    assert recycle.calendar(EPIPHANY, "at").types[2] == 2


@pytest.mark.parametrize("own", [
    {date(2023, 1, 6)}, ["2023-01-06"], [np.datetime64("2023-01-06")], np.array(["2023-01-06"], "datetime64[D]"),
    {date(2023, 1, 6): "Epiphany"}, (datetime(2023, 1, 6, 12),), [date(2023, 1, 6), date(1999, 1, 1)],
])  # fmt: skip
def test_a_list_of_ones_own(own):
    assert recycle.calendar(EPIPHANY, holidays=own).types.tolist() == [0, 0, 2, 1, 2]


def test_own_holidays_come_on_top_of_a_country():
    days = np.datetime64("2022-12-31") + np.arange(3)
    both = recycle.calendar(days, "DE", holidays=["2023-01-02"])
    assert both.types.tolist() == [1, 2, 2] and both.metadata[:, 7].tolist() == [0, 1, 1]
    assert recycle.calendar(days, holidays=[]).types.tolist() == [1, 2, 0]


@pytest.mark.parametrize(("country", "own", "told"), [
    ("XX", None, "no calendar of 'XX'"), ("DE-XX", None, "no region 'XX' of DE; there are BB"),
    ({date(2023, 1, 6)}, None, "dates go into holidays="), (True, None, "a country is a code"),
    (None, "DE", "a code is a country"), (None, [1, 2], "holidays are dates"), (None, ["Epiphany"], "holidays are dates"),
    (None, [None], "holidays are dates"), ("", None, "no calendar of ''"),
])  # fmt: skip
def test_what_is_no_calendar_is_refused(country, own, told):
    with pytest.raises(ValueError, match=told):
        recycle.calendar(EPIPHANY, country, own)


@pytest.mark.parametrize("dates", [EPIPHANY[::-1], EPIPHANY[[0, 2]], EPIPHANY[:0], np.arange(5)])
def test_days_that_are_not_in_a_row_are_refused(dates):
    with pytest.raises(ValueError, match=r"consecutive days|are dates"):
        recycle.calendar(dates)


def test_solar_nights_and_negative_prices_are_no_faults():
    hours = np.arange(24 * 60)
    solar = np.maximum(np.sin(2 * np.pi * (hours - 6) / 24), 0)
    price = 40 + 30 * np.sin(hours)
    price[::200] = -5
    late = np.where(hours > 1000, -1.0, 40.0)
    for series in (solar, price, late, np.zeros(1440)):
        before = series.copy()
        if series.any():
            with pytest.raises(ValueError, match="this is no load"):
                recycle.plausible(series, slice(0, 720))
        else:
            assert np.array_equal(recycle.plausible(series, slice(0, 720)), series)
        assert np.array_equal(series, before)
    with pytest.raises(ValueError, match="no reading"):
        recycle.plausible(np.full(9, np.nan), slice(0, 5))


def test_counts_of_a_load_may_be_whole_numbers():
    assert np.isnan(recycle.plausible(np.array([10, 11, 0, 9] + [10] * 30), slice(0, 34))[2])
