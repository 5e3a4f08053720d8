"""From readings to joules: counters as counters, power by the trapezoid, both between explicit edges (section 3 of the paper).

Pure arithmetic on lists of numbers; no sensor is touched here. A failed reading is ``None``, never 0.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

LIMIT_W = 5000.0  # one package or board never draws more; a step that implies more is a reset, not a wrap


def delta(before: float | None, now: float | None, span: float | None) -> float | None:
    """What a counter advanced from ``before`` to ``now``; the counter starts again at 0 when it reaches ``span``.

    ``None`` if one of the two readings failed. A counter without ``span`` that falls was reset: ``None`` too.
    """
    if before is None or now is None:
        return None
    if now >= before:
        return now - before
    return None if span is None else now + span - before


@dataclass(frozen=True)
class Window:
    """Energy of one sensor between two moments.

    Args:
        joules: energy; ``None`` if the sensor gave fewer than two good readings.
        filled: joules in it that no reading covers (a reset, or a sensor that went away): mean power was assumed.
        edge_watts: power at the two edges, which an update period of the sensor multiplies.
        samples, gaps, wraps, resets: good readings, failed readings, wraps of the counter, resets of it.
    """

    joules: float | None
    filled: float = 0.0
    edge_watts: float = 0.0
    samples: int = 0
    gaps: int = 0
    wraps: int = 0
    resets: int = 0


@dataclass
class Series:
    """The raw readings of one sensor: time stamps in seconds, and joules (counter) or watts (power) or ``None``.

    Args:
        counter: True for a cumulative counter in joules, False for power in watts.
        span: joules at which the counter starts again; ``None`` if it never does.
        limit: watts above which a step of the counter is taken for a reset.
    """

    counter: bool
    span: float | None = None
    limit: float = LIMIT_W
    times: list[float] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)

    def add(self, time: float, value: float | None) -> bool:
        """Keep a reading at its place in time; a second one for the same moment is refused (returns False)."""
        if not self.times or time > self.times[-1]:
            self.times.append(time)
            self.values.append(value)
            return True
        place = bisect_left(self.times, time)
        if self.times[place] == time:
            return False
        self.times.insert(place, time)
        self.values.insert(place, value)
        return True

    def stamp_in(self, span: tuple[float, float], otherwise: float) -> float:
        """Stamp of a good reading inside of ``span`` (both ends included), else ``otherwise``."""
        place = bisect_left(self.times, span[0])
        found = place < len(self.times) and self.times[place] <= span[1] and self.values[place] is not None
        return self.times[place] if found else otherwise

    def good(self) -> tuple[list[float], list[float]]:
        """Times and values of the readings that did not fail."""
        pairs = [
            (t, float(v)) for t, v in zip(list(self.times), list(self.values), strict=False) if v is not None
        ]
        return [t for t, _ in pairs], [v for _, v in pairs]

    def unwrapped(self) -> tuple[list[float], list[float], list[tuple[float, float]], int]:
        """The counter as a sum that only grows: times, joules since the first reading, steps lost to resets, wraps.

        A lost step is the pair ``(start, end)`` of times between which the counter was reset: nothing is known there.
        """
        times, values = self.good()
        total, lost, wraps = [0.0] if times else [], [], 0
        for i in range(1, len(times)):
            step, seconds = delta(values[i - 1], values[i], self.span), times[i] - times[i - 1]
            if (
                step is None or step > self.limit * seconds + 1.0
            ):  # a joule of slack for steps of microseconds
                lost.append((times[i - 1], times[i]))
                step = 0.0
            elif values[i] < values[i - 1]:
                wraps += 1
            total.append(total[-1] + step)
        return times, total, lost, wraps

    def energy(self, start: float, end: float) -> Window:
        """Energy between two moments.

        A counter is interpolated between its readings around each edge. Power is integrated by the trapezoid on the
        actual stamps, with its value at the edges interpolated. Beyond the first or last reading the mean power of the
        record is assumed, and what that adds is reported as ``filled``.
        """
        if end < start:
            raise ValueError(f"the window ends at {end} s, before it starts at {start} s")
        gaps = sum(
            value is None and start <= time <= end
            for time, value in zip(self.times, self.values, strict=False)
        )
        if self.counter:
            times, total, lost, wraps = self.unwrapped()
        else:
            (times, watts), lost, wraps = self.good(), [], 0
            total = cumulative(times, watts)
        if len(times) < 2:
            return Window(None, samples=len(times), gaps=gaps)
        inside = (max(start, times[0]), min(end, times[-1]))
        joules = 0.0
        if inside[1] > inside[0]:
            if self.counter:
                joules = interpolate(times, total, inside[1]) - interpolate(times, total, inside[0])
            else:
                joules = trapezoid(times, watts, *inside)
        holes = [(max(a, start), min(b, end)) for a, b in lost]
        unknown = sum(max(b - a, 0.0) for a, b in holes) + max(end - start, 0.0)
        unknown -= max(inside[1] - inside[0], 0.0)
        known_seconds = times[-1] - times[0] - sum(b - a for a, b in lost)
        if known_seconds <= 0:  # resets alone: nothing is known, and nothing is not 0
            return Window(None, samples=len(times), gaps=gaps, resets=len(lost))
        mean = total[-1] / known_seconds
        filled = mean * unknown if unknown > 1e-9 else 0.0
        edges = [_power_at(times, total, edge) for edge in (start, end)]
        return Window(
            joules + filled, filled, max(edges), sum(start <= t <= end for t in times), gaps, wraps, len(lost)
        )

    def power(self) -> tuple[list[float], list[float]]:
        """For drawing: times and watts. Of a counter the mean power of each step, at the middle of the step."""
        if not self.counter:
            return self.good()
        times, total, _, _ = self.unwrapped()
        pairs = [
            ((times[i - 1] + times[i]) / 2, (total[i] - total[i - 1]) / (times[i] - times[i - 1]))
            for i in range(1, len(times))
        ]
        return [t for t, _ in pairs], [w for _, w in pairs]


def interpolate(times: Sequence[float], values: Sequence[float], time: float) -> float:
    """Linear interpolation; outside of the record the value at its end."""
    if time <= times[0]:
        return values[0]
    if time >= times[-1]:
        return values[-1]
    right = bisect_left(times, time)
    if times[right] == time:
        return values[right]
    share = (time - times[right - 1]) / (times[right] - times[right - 1])
    return values[right - 1] + share * (values[right] - values[right - 1])


def cumulative(times: Sequence[float], watts: Sequence[float]) -> list[float]:
    """Joules since the first stamp, by the trapezoid."""
    total = [0.0] if times else []
    for i in range(1, len(times)):
        total.append(total[-1] + (times[i] - times[i - 1]) * (watts[i] + watts[i - 1]) / 2)
    return total


def trapezoid(times: Sequence[float], watts: Sequence[float], start: float, end: float) -> float:
    """Energy of sampled power between two moments inside the record, on the actual time stamps.

    The power at the edges is interpolated, so a window that begins between two samples gets its part of that step.
    """
    stamps = [start, *(t for t in times if start < t < end), end]
    power = [interpolate(times, watts, stamp) for stamp in stamps]
    return cumulative(stamps, power)[-1]


def _power_at(times: Sequence[float], total: Sequence[float], time: float) -> float:
    right = min(max(bisect_left(times, time), 1), len(times) - 1)
    return (total[right] - total[right - 1]) / (times[right] - times[right - 1])
