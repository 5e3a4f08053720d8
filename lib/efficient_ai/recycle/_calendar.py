"""What a calendar knows of a day: its type and nine numbers (section 3.2 and 3.4 of our notes on the paper)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

WORKING_DAY, SATURDAY, SUNDAY_OR_HOLIDAY = 0, 1, 2
TYPES = ("working day", "Saturday", "Sunday or holiday")
METADATA = 9  # weekday one-hot, holiday, holiday tomorrow


@dataclass(frozen=True)
class Calendar:
    """Day types and metadata of consecutive days.

    Args:
        dates: ``datetime64[D]``, shape ``(days,)``.
        types: 0 working day, 1 Saturday, 2 Sunday or any public holiday; int, shape ``(days,)``.
        metadata: weekday one-hot (Monday first), holiday, holiday tomorrow; float32, shape ``(days, 9)``.
    """

    dates: np.ndarray
    types: np.ndarray
    metadata: np.ndarray


def weekdays(dates: np.ndarray) -> np.ndarray:
    """Weekday of each of ``dates``, 0 for Monday; 1970-01-01 was a Thursday."""
    return (dates.astype("datetime64[D]").astype(int) + 3) % 7


def day_types(dates: np.ndarray, holiday: np.ndarray) -> np.ndarray:
    """The three types of days; a holiday counts as a Sunday whatever weekday it is. Both arguments ``(days,)``."""
    weekday = weekdays(dates)
    return np.where(
        holiday | (weekday == 6), SUNDAY_OR_HOLIDAY, np.where(weekday == 5, SATURDAY, WORKING_DAY)
    )


def calendar(
    dates: np.ndarray, country: str | None = None, holidays: Collection | Mapping | None = None
) -> Calendar:
    """The calendar of a country or a region, or of one's own holidays; without either no day is a holiday.

    A 24 December is what the calendar says it is, and mostly a working day. The last day asks the calendar about its
    tomorrow, never the data.

    Args:
        dates: consecutive days, ``datetime64[D]``, shape ``(days,)``.
        country: a code of the package ``holidays``: ``"DE"`` for nationwide holidays, ``"DE-BY"`` with those of a region;
            upper or lower case.
        holidays: dates, days of the year as text (``"2023-01-06"``) or as ``datetime64``, or a dictionary with such keys;
            they count in addition to those of ``country``. They have to reach as far as the forecasts.

    Raises:
        ValueError: dates that are none, have a hole or are in another order; a code that is not known; holidays that are
            no dates.
    """
    dates = _dates(dates, "dates")
    if len(dates) == 0 or (np.diff(dates) != np.timedelta64(1, "D")).any():
        raise ValueError("a calendar is of consecutive days, at least one: sort them and fill the holes")
    with_tomorrow = np.append(dates, dates[-1] + 1)
    free = np.zeros(len(with_tomorrow), bool)
    if country is not None:
        days = with_tomorrow.tolist()
        official = _official(country, sorted({day.year for day in days}))
        free = np.array([day in official for day in days])
    if holidays is not None:
        if isinstance(holidays, str | bytes):
            raise ValueError(f"holidays are a collection of dates, got {holidays!r}; a code is a country")
        free |= np.isin(with_tomorrow, _dates(list(holidays), "holidays"))
    one_hot = np.eye(7, dtype=np.float32)[weekdays(dates)]
    metadata = np.column_stack([one_hot, free[:-1], free[1:]]).astype(np.float32)
    return Calendar(dates, day_types(dates, free[:-1]), metadata)


def _dates(days, what: str) -> np.ndarray:
    try:
        array = np.asarray(days)
        if array.size and array.dtype.kind not in "MUO":
            raise TypeError
        array = array.astype("datetime64[D]")
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{what} are dates, like '2023-01-06'; got {days!r:.80}") from None
    if array.ndim != 1 or np.isnat(array).any():
        raise ValueError(f"{what} are dates in one row, none of them missing")
    return array


def _official(country: str, years: list[int]):
    import holidays

    if not isinstance(country, str):
        raise ValueError(
            f"a country is a code like 'DE' or 'DE-BY', got {country!r}; dates go into holidays="
        )
    code, _, region = country.strip().upper().partition("-")
    try:
        return holidays.country_holidays(code, subdiv=region or None, years=years)
    except NotImplementedError:
        known = holidays.list_supported_countries().get(code)
    if known is None:
        raise ValueError(f"no calendar of {country!r}: give a code like 'DE', or dates as holidays=")
    raise ValueError(f"no region {region!r} of {code}; there are {', '.join(known) or 'none'}")
