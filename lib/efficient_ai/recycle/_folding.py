"""From a clock to days: folding at the primary cycle, daylight saving, gaps (section 3.1 of our notes on the paper)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np

MAX_MISSING = 0.1  # of the steps of a day, and of the days of a record


@dataclass(frozen=True)
class Days:
    """A series as whole days of local time.

    Args:
        dates: ``datetime64[D]``, shape ``(days,)``, without a hole.
        values: shape ``(days, cycle)``; a day is either complete or wholly NaN.
        changed_clock: how many days had an hour too few or too many and were repaired.
        filled: how many single steps were interpolated.
        refused: how many days miss more than a tenth of their steps and are NaN as a whole.
    """

    dates: np.ndarray
    values: np.ndarray
    changed_clock: int = 0
    filled: int = 0
    refused: int = 0


def fold(values: np.ndarray, cycle: int) -> np.ndarray:
    """Write a series ``(steps,)`` into rows of one cycle each, ``(steps / cycle, cycle)``: a view, no copy.

    Raises:
        ValueError: the series is not a whole number of cycles.
    """
    values = np.asarray(values)
    if values.ndim != 1 or cycle < 1 or len(values) == 0 or len(values) % cycle:
        raise ValueError(
            f"{values.shape} steps are no whole number of cycles of {cycle}; cut or fill them first"
        )
    return values.reshape(-1, cycle)


def local_days(values: np.ndarray, times: np.ndarray, zone: str | None = None) -> Days:
    """Fold a series at local midnight, so that one row is one civil day.

    The day on which the clock is set forward lacks an hour: it is interpolated between its neighbours. The day on
    which it is set back has one hour twice: the mean of both is kept. Incomplete days at the two ends are cut off.
    Gaps of a day are filled if they are at most a tenth of it (:data:`MAX_MISSING`), from this day and the days before
    alone: interpolated, and at the end of a day held. A day with more is refused: it becomes NaN as a whole, and no
    window uses it as a target. So no value of a day depends on a later day.

    Args:
        values: shape ``(steps,)``, NaN where missing.
        times: start of each step, ``datetime64``, evenly spaced, a whole number of steps per day; UTC if ``zone`` is
            given, else already the clock to fold by.
        zone: name of a time zone, for example ``"Europe/Berlin"``.

    Raises:
        ValueError: times that are not evenly spaced, no whole day, or more than a tenth of the days refused.
    """
    step = np.unique(np.diff(times.astype("datetime64[s]")))
    if len(step) != 1 or len(times) != len(values):
        raise ValueError(
            "the times must be evenly spaced and as many as the values; put NaN where a value is missing"
        )
    cycle = int(np.timedelta64(86_400, "s") / step[0])
    local = times.astype("datetime64[s]") + (_offsets(times, zone) if zone else np.timedelta64(0, "s"))
    day = local.astype("datetime64[D]")
    slot = ((local - day) / step[0]).astype(int)
    first = day[0]
    row = (day - first).astype(int)
    shape = (row[-1] + 1, cycle)
    there, steps = np.zeros(shape, int), np.zeros(shape[0], int)
    total, count = np.zeros(shape), np.zeros(shape, int)
    known = np.isfinite(values)
    np.add.at(there, (row, slot), 1)
    np.add.at(steps, row, 1)
    np.add.at(total, (row[known], slot[known]), values[known])
    np.add.at(count, (row[known], slot[known]), 1)
    folded = np.divide(total, count, out=np.full(shape, np.nan), where=count > 0)
    # The first and last day may be cut; inside, a step that no clock showed is the hour that was skipped.
    whole = np.ones(len(folded), bool)
    whole[0] &= slot[0] == 0
    whole[-1] &= slot[-1] == cycle - 1
    folded, there, steps = folded[whole], there[whole], steps[whole]
    dates = (first + np.arange(shape[0]))[whole]
    if len(folded) == 0:
        raise ValueError("there is no whole day in this series")
    skipped = there == 0
    missing = np.isnan(folded) & ~skipped
    bad = missing.mean(axis=1) > MAX_MISSING
    if bad.mean() > MAX_MISSING:
        raise ValueError(f"{bad.sum()} of {len(bad)} days miss more than a tenth of their steps: too many")
    folded = _filled(folded)
    folded[bad] = np.nan
    changed = int((steps != cycle).sum())
    return Days(dates, folded, changed, int(missing[~bad].sum()), int(bad.sum()))


def _filled(folded: np.ndarray) -> np.ndarray:
    """``folded`` ``(days, cycle)`` without its gaps, filled from what is known at the end of each day.

    A gap is interpolated between the last known step before it, of this day or an earlier one, and the next known step
    of the *same* day. Where the day has none, the last value is held: tomorrow is not looked at, since a forecast may
    begin there.
    """
    days, cycle = folded.shape
    known, flat, index = np.isfinite(folded), folded.ravel(), np.arange(folded.size)
    before = np.maximum.accumulate(np.where(known.ravel(), index, -1))
    column = np.where(known, np.arange(cycle), cycle)
    column = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
    after = np.where(column < cycle, column + cycle * np.arange(days)[:, None], -1).ravel()
    left, right = np.where(before >= 0, before, after), np.where(after >= 0, after, before)
    share = np.divide(index - left, right - left, out=np.zeros(folded.size), where=right > left)
    return ((1 - share) * flat[left] + share * flat[right]).reshape(days, cycle)


def plausible(values: np.ndarray, reference: slice, low: float = 0.05, high: float = 10.0) -> np.ndarray:
    """A copy of ``values`` ``(steps,)`` with NaN where a reading is below ``low`` or above ``high`` times the median.

    The median is that of ``values[reference]``, the training part, so that the test part cannot decide about itself.
    """
    middle = np.nanmedian(values[reference])
    cleaned = np.array(values, dtype=float)
    cleaned[(cleaned < low * middle) | (cleaned > high * middle)] = np.nan
    return cleaned


def _offsets(times: np.ndarray, zone: str) -> np.ndarray:
    """Local time minus UTC, as ``timedelta64[s]``, for each of ``times``."""
    seconds = times.astype("datetime64[s]").astype(np.int64)
    days = seconds // 86_400
    offsets = np.empty(len(seconds), np.int64)
    edges = {
        day: (_offset(zone, day * 86_400), _offset(zone, (day + 1) * 86_400))
        for day in np.unique(days).tolist()
    }
    for day, (before, after) in edges.items():
        where = slice(*np.searchsorted(days, [day, day + 1]))
        offsets[where] = before
        if before != after:  # the clock is set on this day: look at every step
            offsets[where] = [_offset(zone, second) for second in seconds[where].tolist()]
    return offsets.astype("timedelta64[s]")


@cache
def _offset(zone: str, second: int) -> int:
    return int(datetime.fromtimestamp(second, UTC).astimezone(ZoneInfo(zone)).utcoffset().total_seconds())
