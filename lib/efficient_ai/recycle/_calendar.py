"""What a calendar knows of a day: its type and nine numbers (section 3.2 and 3.4 of our notes on the paper)."""

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


def calendar(dates: np.ndarray, country: str | None = None) -> Calendar:
    """The calendar of a country, by its ISO code, from the package ``holidays``; without one no day is a holiday.

    Only nationwide public holidays count; a 24 December is what the country says it is, and mostly a working day.
    The last day asks the calendar about its tomorrow, never the data.
    """
    dates = dates.astype("datetime64[D]")
    with_tomorrow = np.append(dates, dates[-1] + 1)
    free = np.zeros(len(with_tomorrow), bool)
    if country is not None:
        import holidays

        days = with_tomorrow.tolist()
        official = holidays.country_holidays(country, years=sorted({day.year for day in days}))
        free = np.array([day in official for day in days])
    one_hot = np.eye(7, dtype=np.float32)[weekdays(dates)]
    metadata = np.column_stack([one_hot, free[:-1], free[1:]]).astype(np.float32)
    return Calendar(dates, day_types(dates, free[:-1]), metadata)
