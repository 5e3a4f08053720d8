"""From a clock to days: folding at the primary cycle, daylight saving, gaps (section 3.1 of our notes on the paper)."""

from dataclasses import dataclass, field

import numpy as np

from efficient_ai.recycle._clock import DAY, grid, offsets

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
        repairs: what else was put right, by name: ``reordered``, ``repeated``, ``averaged``, ``absent`` and ``nonexistent``
            times as in :func:`efficient_ai.recycle._clock.grid`; ``doubled``, steps of the doubled hour of which one reading
            was kept; ``never``, days that the zone did not have; ``cut``, steps of incomplete days at the ends.
        phase: seconds from midnight to the first reading of the last day, less than a step.
    """

    dates: np.ndarray
    values: np.ndarray
    changed_clock: int = 0
    filled: int = 0
    refused: int = 0
    repairs: dict[str, int] = field(default_factory=dict)
    phase: int = 0

    def report(self) -> str:
        """Everything that was repaired, in one line."""
        counts = {
            "changed clock": self.changed_clock,
            "filled": self.filled,
            "refused": self.refused,
        } | self.repairs
        return ", ".join(f"{name} {count}" for name, count in counts.items() if count) or "nothing to repair"


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


def local_days(
    values: np.ndarray,
    times: np.ndarray | None = None,
    zone: str | None = None,
    clock: str | None = None,
    step=None,
) -> Days:
    """Fold a series at local midnight, so that one row is one civil day.

    Times that are not ascending, even, and each there once are put right first, by the rules of
    :func:`efficient_ai.recycle._clock.grid`. The day on which the clock is set forward lacks an hour: it is interpolated
    between its neighbours. The day on which it is set back has one hour twice: the mean of both is kept; where the two
    differ by more than half of what stands around them, as when one is delivered as 0, the one nearer to that. Incomplete
    days at the two ends are cut off, and a day that a zone never had is missing. Gaps of a day are filled if they are at
    most a tenth of it (:data:`MAX_MISSING`), from this day and the days before alone: interpolated, and at the end of a day
    held. A day with more is refused: it becomes NaN as a whole, and no window uses it as a target. So no value of a day
    depends on a later day.

    Args:
        values: shape ``(steps,)``, NaN where missing, means over their steps (a power, not a meter that counts up); or a
            pandas Series with a time index.
        times: start of each step, ``datetime64``, datetimes, or a pandas index; by their own zone if they have one, else
            UTC if a ``zone`` is given, else already the clock to fold by.
        zone: name of a time zone, for example ``"Europe/Berlin"``.
        clock: ``"local"`` if times without a zone are what the wall in ``zone`` showed; ``"UTC"`` if they are not, though
            they look so.
        step: fold in steps of this length, a timedelta or seconds; None finds it. It divides the day.

    Raises:
        ValueError: no such series, no whole day, or more than a tenth of the days refused.
    """
    even = grid(values, times, zone, clock, step)
    cycle = DAY // even.step
    local = even.times + (offsets(even.times, even.zone) if even.zone else 0)
    first = local[0] // DAY
    row, slot = local // DAY - first, local % DAY // even.step
    shape = (int(row[-1]) + 1, cycle)
    place = row * cycle + slot
    once, begin, there = np.unique(place, return_index=True, return_counts=True)
    again = np.setdiff1d(np.arange(len(place)), begin)
    readings = np.full((2, shape[0] * cycle), np.nan)
    readings[0, once] = even.values[begin]
    readings[1, place[again]] = even.values[again]
    folded, chosen = _of_two(readings.reshape(2, *shape))
    counted = np.zeros(shape[0] * cycle, int)
    counted[once] = there
    counted = counted.reshape(shape)
    # The first and last day may be cut; inside, a step that no clock showed is the hour that was skipped.
    whole = np.ones(len(folded), bool)
    whole[0] &= slot[0] == 0
    whole[-1] &= slot[-1] == cycle - 1
    cut = int(counted[~whole].sum())
    folded, counted = folded[whole], counted[whole]
    dates = (np.datetime64(int(first), "D") + np.arange(shape[0]))[whole]
    if len(folded) == 0:
        raise ValueError("there is no whole day in this series")
    skipped = counted == 0
    never = skipped.mean(axis=1) > MAX_MISSING
    missing = np.isnan(folded) & ~skipped
    bad = (missing.mean(axis=1) > MAX_MISSING) | never
    if bad.mean() > MAX_MISSING:
        raise ValueError(f"{bad.sum()} of {len(bad)} days miss more than a tenth of their steps: too many")
    folded = _filled(folded)
    folded[bad] = np.nan
    changed = int((counted.sum(axis=1)[~never] != cycle).sum())
    repairs = even.repairs | {"doubled": chosen, "never": int(never.sum()), "cut": cut}
    repairs = {name: count for name, count in repairs.items() if count}
    phase = int(local[-1] % even.step)  # as the clock stands at the end, where a forecast goes on
    filled, refused = int(missing[~bad].sum()), int((bad & ~never).sum())
    return Days(dates, folded, changed, filled, refused, repairs, phase)


def _of_two(readings: np.ndarray) -> tuple[np.ndarray, int]:
    """One reading for each step of ``(2, days, cycle)``, NaN where there is none, and how often one of two was chosen."""
    first, second = readings
    both = np.isfinite(first) & np.isfinite(second)
    folded, chosen = np.where(np.isfinite(first), first, second), 0
    single = np.where(both, np.nan, folded)
    for day in np.flatnonzero(both.any(axis=1)).tolist():
        hours = np.flatnonzero(both[day])
        line = np.concatenate([single[day - 1, -1:] if day else [np.nan], single[day], [np.nan]])
        around = line[[hours[0], hours[-1] + 2]]  # the step before and the step after
        level = around[np.isfinite(around)].mean() if np.isfinite(around).any() else np.nan
        for hour in hours.tolist():
            one, other = first[day, hour], second[day, hour]
            folded[day, hour] = (one + other) / 2
            if abs(one - other) > abs(level) / 2:
                folded[day, hour] = min((one, other), key=lambda value: abs(value - level))
                chosen += 1
    return folded, chosen


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
    """A copy of a *load* ``(steps,)`` with NaN where a reading is below ``low`` or above ``high`` times the median.

    The median is that of ``values[reference]``, the training part, so that the test part cannot decide about itself. It
    is for series that are always well above zero. Solar power has nights, and prices are negative at times: such readings
    are no faults, and such series are refused.

    Raises:
        ValueError: a reading is negative, or more than a tenth of the reference would be taken out: no load.
    """
    values = np.array(values, dtype=float)
    shown = values[reference]
    if not np.isfinite(shown).any():
        raise ValueError("the reference part has no reading")
    middle = np.nanmedian(shown)
    out = (values < low * middle) | (values > high * middle)
    if (values < 0).any() or out[reference].mean() > MAX_MISSING:
        raise ValueError(
            "this is no load: readings are negative, or more than a tenth of them are far from their median; "
            "fold it as it is, with NaN in place of known faults"
        )
    values[out] = np.nan
    return values
