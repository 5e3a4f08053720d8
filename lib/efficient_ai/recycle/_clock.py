"""From the times of a file to an even grid in UTC: zones, order, repeated and absent times, changes of the step."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

DAY, HOUR = 86_400, 3_600
ENOUGH = 0.75  # of the finer readings of a step, for their mean to stand for it
CLOCKS = ("UTC", "local")


@dataclass(frozen=True)
class Grid:
    """A series on an even grid.

    Args:
        times: seconds since 1970 in UTC, or by the clock of the wall where there is no zone; int, shape ``(steps,)``.
        values: shape ``(steps,)``, NaN where missing.
        step: seconds.
        zone: by whose midnight days begin; None if the times are those of the wall.
        repairs: what was put right, by name; see :func:`grid`.
    """

    times: np.ndarray
    values: np.ndarray
    step: int
    zone: str | None
    repairs: dict[str, int] = field(default_factory=dict)


def grid(values, times=None, zone: str | None = None, clock: str | None = None, step=None) -> Grid:
    """Put a series on an even grid, by these rules, each counted in ``repairs``:

    * ``reordered``: times that were not ascending are sorted.
    * ``repeated``: of the same time with the same value, or with a value and none, one is kept. Two different values
      are refused.
    * ``averaged``: where the step changes, the coarsest step that lasted for a day is kept; finer ones are averaged into
      it. Given a ``step``, everything is. A step of the grid is there if three quarters of its readings are.
    * ``absent``: times that the record leaves out are there as missing.
    * ``nonexistent``: times of the wall that no clock showed, in the hour that is skipped in spring, are left out.

    Args:
        values: numbers, shape ``(steps,)``, NaN where missing; a pandas Series may bring its own times.
        times: start of each step: ``datetime64``, datetimes, or a pandas index; with a zone of their own or without.
        zone: name of a time zone; where the times have one, it may be another, by whose midnight days begin.
        clock: of times without a zone, given a ``zone``: ``"UTC"``, or ``"local"`` for what the wall showed. None takes
            them as UTC and refuses them if they leave out the very hours that the wall skipped in spring.
        step: of the grid, a ``timedelta64``, a ``timedelta`` or seconds; None finds it.

    Raises:
        ValueError: anything that is not such a series, and a step that does not divide the day.
    """
    if times is None:
        times = getattr(values, "index", None)
    if times is None or callable(times):
        raise ValueError("there are no times: give one for each value, or a pandas Series with a time index")
    seconds, own = seconds_of(times)
    numbers = _numbers(values)
    if len(seconds) != len(numbers):
        raise ValueError(f"{len(numbers)} values and {len(seconds)} times: there must be as many")
    if len(numbers) < 2:
        raise ValueError("a series has at least two values")
    if clock is not None and clock not in CLOCKS:
        raise ValueError(f"clock must be 'UTC' or 'local', got {clock!r}")
    if clock == "local" and (zone is None or own is not None):
        raise ValueError(
            "clock='local' is for times without a zone of their own, and needs the name of the zone"
        )
    repairs: dict[str, int] = {}
    if clock is None and zone and own is None and _like_a_wall(seconds, zone):
        raise ValueError(
            f"the times leave out the hour that {zone} skipped in spring, as a clock on the wall does: say clock='local', or "
            "clock='UTC' if they are UTC"
        )
    zone = zone or own
    if clock == "local":
        seconds, numbers = _to_utc(seconds, numbers, zone, repairs)
    seconds, numbers = _once(seconds, numbers, repairs)
    found, phase = _step(seconds) if step is None else (whole_seconds(step), 0)
    if found <= 0 or DAY % found:
        raise ValueError(f"a step of {found} s does not divide the day: give one that does, step=...")
    if zone and found > HOUR:  # steps that the hour of summer time would push across midnight: by the wall
        seconds, phase = seconds + offsets(seconds, zone), 0
        zone = None
    seconds, numbers = _even(seconds, numbers, found, phase, repairs)
    return Grid(seconds, numbers, found, zone, {name: count for name, count in repairs.items() if count})


def _numbers(values) -> np.ndarray:
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        try:
            array = np.asarray(array, dtype=float) if array.dtype.kind == "O" and array.ndim == 1 else None
        except (TypeError, ValueError):
            array = None
        if array is None:
            raise ValueError("values are one column of numbers; put NaN where one is missing")
    array = array.astype(float)
    if np.isinf(array).any():
        raise ValueError(
            f"value {int(np.isinf(array).argmax())} is infinite; put NaN where a value is missing"
        )
    return array


def seconds_of(times) -> tuple[np.ndarray, str | None]:
    """Seconds since 1970, in UTC if the times know their zone, and the name of that zone."""
    own = getattr(times, "tz", None)
    if own is not None:
        array = np.asarray(times.tz_convert("UTC").tz_localize(None))
    else:
        array = np.asarray(times)
        if array.dtype.kind == "O":
            array, own = _from_objects(array)
    if array.ndim != 1 or array.dtype.kind != "M":
        raise ValueError(
            f"times are datetimes, one for each value; got an array of {array.dtype} {array.shape}"
        )
    if np.isnat(array).any():
        raise ValueError(f"time {int(np.isnat(array).argmax())} is missing")
    seconds = array.astype("datetime64[s]")
    if (seconds != array).any():
        raise ValueError("times are in whole seconds: round them first")
    return seconds.astype(np.int64), None if own is None else str(getattr(own, "key", own))


def _from_objects(array: np.ndarray):
    if not all(isinstance(time, datetime) for time in array):
        raise ValueError("times are datetimes, one for each value; read text by pandas.to_datetime first")
    zones = {str(time.tzinfo) for time in array}
    if zones == {"None"}:
        return array.astype("datetime64[us]"), None
    if "None" in zones:
        raise ValueError("some times have a zone and some have none")
    own = array[0].tzinfo
    inside = [time.astimezone(UTC).replace(tzinfo=None) for time in array]
    return np.array(inside, dtype="datetime64[us]"), own if len(zones) == 1 else UTC


def _once(seconds, numbers, repairs):
    """Ascending, each time once."""
    if (np.diff(seconds) < 0).any():
        order = np.argsort(seconds, kind="stable")
        repairs["reordered"] = int((order != np.arange(len(order))).sum())
        seconds, numbers = seconds[order], numbers[order]
    times, row, count = np.unique(seconds, return_inverse=True, return_counts=True)
    if len(times) == len(seconds):
        return seconds, numbers
    low, high = np.full(len(times), np.inf), np.full(len(times), -np.inf)
    known = np.isfinite(numbers)
    np.minimum.at(low, row[known], numbers[known])
    np.maximum.at(high, row[known], numbers[known])
    if (high > low).any():
        where = times[(high > low).argmax()].astype("datetime64[s]")
        raise ValueError(
            f"two different values at {where}: decide which one is right, or clock='local' for times of the wall"
        )
    repairs["repeated"] = int((count - 1).sum())
    return times, np.where(np.isfinite(low), low, np.nan)


def _step(seconds: np.ndarray) -> tuple[int, int]:
    """The coarsest step that lasts for a day in a row, or else the only one; and where its grid lies."""
    steps = np.diff(seconds)
    borders = np.flatnonzero(np.diff(steps)) + 1
    begins, ends = np.append(0, borders), np.append(borders, len(steps))
    lasting = (ends - begins > 1) & ((ends - begins) * steps[begins] >= DAY)
    if lasting.any():
        begin = max(begins[lasting].tolist(), key=lambda b: steps[b])
    elif len(begins) == 1:
        begin = 0
    else:
        raise ValueError(
            "the times follow no even step for as long as a day: say which one is meant, step=..."
        )
    return int(steps[begin]), int(seconds[begin] % steps[begin])


def whole_seconds(step) -> int:
    if isinstance(step, bool):
        raise ValueError("a step is a timedelta or a number of seconds")
    if isinstance(step, timedelta | np.timedelta64):
        step = np.timedelta64(step) / np.timedelta64(1, "s")
    if not isinstance(step, int | float | np.integer | np.floating) or step != int(step):
        raise ValueError(f"a step is a timedelta or a whole number of seconds, got {step!r}")
    return int(step)


def _even(seconds, numbers, step, phase, repairs):
    """Into bins of one step each; finer readings are averaged, absent ones are missing."""
    if (np.diff(seconds) % step == 0).all():
        phase = int(seconds[0] % step)
    bins = (seconds - phase) // step
    first, bins = bins[0], bins - bins[0]
    times = (first + np.arange(bins[-1] + 1)) * step + phase
    filled, begins, count = np.unique(bins, return_index=True, return_counts=True)
    known = np.isfinite(numbers)
    readings = np.bincount(bins, weights=known, minlength=len(times))
    total = np.bincount(bins, weights=np.where(known, numbers, 0), minlength=len(times))
    # How many readings a bin should have, by the usual distance of those that it has.
    gaps = np.minimum(np.diff(seconds, append=seconds[-1] + step), step)
    usual = gaps[np.lexsort((gaps, bins))][begins + (count - 1) // 2]
    wanted = np.ones(len(times))
    wanted[filled] = np.maximum(ENOUGH * step / usual, 1)
    mean = np.divide(total, readings, out=np.full(len(times), np.nan), where=readings >= wanted)
    repairs["averaged"] = int(count[count > 1].sum())
    repairs["absent"] = len(times) - len(filled)
    return times, mean


def offsets(seconds: np.ndarray, zone: str) -> np.ndarray:
    """Local time minus UTC in seconds, for each of ``seconds`` in UTC, ascending."""
    _zone(zone)
    days = seconds // DAY
    found = np.empty(len(seconds), np.int64)
    for day in np.unique(days).tolist():
        before, after = _offset(zone, day * DAY), _offset(zone, (day + 1) * DAY)
        where = slice(*np.searchsorted(days, [day, day + 1]))
        found[where] = before
        if before != after:  # the clock is set on this day: look at every step
            found[where] = [_offset(zone, second) for second in seconds[where].tolist()]
    return found


@cache
def _offset(zone: str, second: int) -> int:
    return int(datetime.fromtimestamp(second, UTC).astimezone(_zone(zone)).utcoffset().total_seconds())


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        raise ValueError(f"unknown time zone {name!r}; a name is like 'Europe/Berlin'") from None


def _to_utc(wall: np.ndarray, numbers: np.ndarray, zone: str, repairs: dict) -> tuple[np.ndarray, np.ndarray]:
    """Times of the wall as UTC: of a time that came twice, the first reading is the earlier one."""
    if len(wall) > 1 and (np.diff(wall) < 0).mean() > 0.5:  # newest first
        repairs["reordered"] = len(wall)
        wall, numbers = wall[::-1], numbers[::-1]
    by_wall = {time: _wall(time, _zone(zone)) for time in np.unique(wall).tolist()}
    found, shown, seen = np.empty(len(wall), np.int64), np.ones(len(wall), bool), set()
    for i, time in enumerate(wall.tolist()):
        early, late = by_wall[time]
        shown[i] = early >= late  # the other way round, the hour was skipped
        found[i] = time - (late if time in seen else early)
        seen.add(time)
    repairs["nonexistent"] = int((~shown).sum())
    return found[shown], numbers[shown]


def _like_a_wall(seconds: np.ndarray, zone: str) -> bool:
    """Whether the times, read as those of a wall, stop and go on where the clock was set forward, each time."""
    seconds, found = np.unique(seconds), []
    if np.median(np.diff(seconds)) > HOUR:
        return False
    for day in range(seconds[0] // DAY + 1, seconds[-1] // DAY):
        before, after = _offset(zone, day * DAY), _offset(zone, (day + 1) * DAY)
        if 0 < after - before <= HOUR:
            second = next(s for s in range(day * DAY, (day + 1) * DAY + 1, 900) if _offset(zone, s) == after)
            first, stop = second + before, second + after
            inside = slice(*np.searchsorted(seconds, [first, stop]))
            there = np.isin(stop, seconds) and seconds[np.searchsorted(seconds, first) - 1] >= first - HOUR
            found.append(there and inside.start == inside.stop)
    return bool(found) and all(found)


def _wall(time: int, zone: ZoneInfo) -> tuple[int, int]:
    """The offsets of a time of the wall, read as the first and as the second one of its kind."""
    naive = datetime(1970, 1, 1) + timedelta(seconds=time)
    return tuple(int(naive.replace(tzinfo=zone, fold=fold).utcoffset().total_seconds()) for fold in (0, 1))
