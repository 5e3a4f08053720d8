"""One's own series side by side: columns of a table folded into days of the same dates, and a calendar beyond them."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from efficient_ai.recycle._calendar import calendar
from efficient_ai.recycle._clock import seconds_of
from efficient_ai.recycle._folding import Days, local_days
from efficient_ai.recycle._windows import Panel, Recipe, Split, panel


@dataclass(frozen=True)
class Source:
    """How times become days, and days a calendar: the arguments of :func:`efficient_ai.recycle.fit`."""

    zone: str | None = None
    country: str | None = None
    holidays: tuple[str, ...] | None = None
    clock: str | None = None
    step: int | None = None


def days_of_holidays(holidays: Collection | None) -> tuple[str, ...] | None:
    """Holidays as text, which a file can keep; what is no date is refused by the calendar itself."""
    if holidays is None:
        return None
    calendar(np.array(["2020-01-01"], "datetime64[D]"), holidays=holidays)
    return tuple(sorted(np.array(list(holidays)).astype("datetime64[D]").astype(str).tolist()))


def times_of(times, values):
    """The times of a table: given, or those of its index.

    Raises:
        ValueError: there are none.
    """
    if times is None:
        times = getattr(values, "index", None)
        if times is None or callable(times):
            raise ValueError(
                "there are no times: give one for each value, or a pandas table with a time index"
            )
    return times if hasattr(times, "tz") else np.asarray(times)


def folded(times, values, source: Source) -> tuple[tuple[str, ...], list[Days]]:
    """The days of each column, by its name. A column may begin later than the others.

    Raises:
        ValueError: no table of numbers, or a column that cannot be folded; the message names it.
    """
    times = times_of(times, values)
    names, columns = _columns(values)
    stamps, _ = seconds_of(times)
    if len(stamps) != columns.shape[1]:
        raise ValueError(f"{columns.shape[1]} values and {len(stamps)} times: there must be as many")
    found = []
    for name, column in zip(names, columns, strict=True):
        known = np.isfinite(column)
        if not known.any():
            raise ValueError(f"series {name!r} has no value: leave it out")
        begun = stamps >= stamps[known].min()
        try:
            found.append(local_days(column[begun], times[begun], source.zone, source.clock, source.step))
        except ValueError as error:
            raise ValueError(f"series {name!r}: {error}") from None
    return names, found


def _columns(values) -> tuple[tuple[str, ...], np.ndarray]:
    array = np.asarray(values)
    if array.dtype.kind == "O":
        try:
            array = array.astype(float)
        except (TypeError, ValueError):
            raise ValueError(
                "values are numbers, NaN where one is missing; leave other columns out"
            ) from None
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(f"values are numbers, (steps,) or (steps, series); got {array.dtype} {array.shape}")
    array = array.astype(float).reshape(len(array), -1)
    given = getattr(values, "columns", None)
    if given is None:
        name = getattr(values, "name", None)
        given = [name if name is not None else "series"] if array.shape[1] == 1 else range(array.shape[1])
    names = tuple(str(name) for name in given)
    if len(set(names)) < len(names):
        raise ValueError(f"a column is there twice: {', '.join(names)}")
    return names, array.T


def side_by_side(names: tuple[str, ...], found: list[Days]) -> tuple[np.ndarray, np.ndarray]:
    """Dates, and ``(series, days, cycle)`` with NaN where a series has not begun.

    Raises:
        ValueError: series with other steps or another last day.
    """
    ends = {str(days.dates[-1]) for days in found}
    cycles = {days.values.shape[1] for days in found}
    if len(ends) > 1 or len(cycles) > 1:
        raise ValueError(
            f"series end on {', '.join(sorted(ends))} and have {', '.join(map(str, sorted(cycles)))} steps a day: cut them "
            "to one end and give one step, or fit them one by one"
        )
    length = max(len(days.dates) for days in found)
    dates = found[0].dates[-1] - np.arange(length)[::-1]
    values = np.full((len(found), length, cycles.pop()), np.nan)
    for row, days in zip(values, found, strict=True):
        row[length - len(days.values) :] = days.values
    return dates, values


def with_future(
    names: tuple[str, ...], dates: np.ndarray, days: np.ndarray, source: Source, recipe: Recipe,
    split: Split | None = None, like: Panel | None = None,
) -> Panel:  # fmt: skip
    """A panel whose last days, as many as the horizon, are missing: they are to be forecast.

    Args:
        split: the parts; scaled by the training part.
        like: instead, a panel with split and scaling.
    """
    known = calendar(dates[0] + np.arange(len(dates) + recipe.forecast), source.country, source.holidays)
    future = np.full((len(days), recipe.forecast, days.shape[2]), np.nan)
    days = np.concatenate([days, future], axis=1)
    if like is None:
        return panel(names, days, [known] * len(names), split)
    scaled = (days - like.low[:, None, None]) / (like.high - like.low)[:, None, None]
    types, metadata = (np.stack([one] * len(names)) for one in (known.types, known.metadata))
    return Panel(names, scaled, types, metadata, known.dates, like.low, like.high, like.split)
