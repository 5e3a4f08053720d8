"""From readings to joules: counters as counters, power by the trapezoid, both between explicit edges (section 3 of the paper).

Pure arithmetic on lists of numbers; no sensor is touched here. A failed reading is ``None``, never 0.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from efficient_ai.metering._counter import Counter

LIMIT_W = 5000.0  # a sensor of which nothing better is known never shows more


@dataclass(frozen=True)
class Window:
    """Energy of one sensor between two moments.

    Args:
        joules: energy; ``None`` if the sensor gave fewer than two good readings, or resets alone.
        low, high: what the readings allow, without the scale of the sensor.
        filled: joules in it that no reading covers (a reset, or a sensor that went away): mean power was assumed.
        samples, gaps, wraps, resets: good readings, failed readings, wraps of the counter, resets of it.
        still: True for a counter that never moved: it is dead, or slower than the record is long.
        notes: what a reader of the number must know.
    """

    joules: float | None
    low: float = 0.0
    high: float = 0.0
    filled: float = 0.0
    samples: int = 0
    gaps: int = 0
    wraps: int = 0
    resets: int = 0
    still: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class Series:
    """The raw readings of one sensor: time stamps in seconds, and joules (counter) or watts (power) or ``None``.

    Args:
        counter: True for a cumulative counter in joules, False for power in watts.
        span: joules at which the counter starts again; ``None`` if it never does.
        limit: largest power in watts: a step of the counter that implies more is a reset.
        update: seconds between two updates of the sensor.
        late: the longest that a reading took.
    """

    counter: bool
    span: float | None = None
    limit: float = LIMIT_W
    update: float = 0.0
    late: float = 0.0
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

    def unwrapped(self) -> tuple[list[float], list[float]]:
        """The counter as a sum that only grows: times of the good readings, most likely joules since the first one."""
        times, values = self.good()
        counter = Counter(times, values, self.span, self.limit, self.update, self.late)
        total, sums, k = 0.0, [], 0
        for i in range(len(times)):
            if k < len(counter.steps) and counter.changes[k + 1] == i:
                total += counter.steps[k].likely
                k += 1
            sums.append(total)
        return times, sums

    def energy(self, start: float, end: float) -> Window:
        """Energy between two moments.

        A counter is interpolated between its changes around each edge. Power is integrated by the trapezoid on the actual
        stamps, with its value at the edges interpolated. Beyond the first or last reading the mean power of the record is
        assumed, and what that adds is reported as ``filled``.
        """
        if end < start:
            raise ValueError(f"the window ends at {end} s, before it starts at {start} s")
        times, values = self.good()
        stamps = list(self.times)
        failed = sum(v is None and start <= t <= end for t, v in zip(stamps, list(self.values), strict=False))
        counts = {"samples": sum(start <= t <= end for t in times), "gaps": failed}
        if len(times) < 2:
            return Window(None, **counts, notes=("it gave no two readings",))
        outside = max(end - start, 0.0) - max(min(end, times[-1]) - max(start, times[0]), 0.0)
        if self.counter:
            return self._counted(times, values, start, end, outside, counts)
        return self._summed(times, values, start, end, outside, counts)

    def _counted(self, times, values, start: float, end: float, outside: float, counts: dict) -> Window:
        counter, seconds = Counter(times, values, self.span, self.limit, self.update, self.late), end - start
        short = seconds < 2 * counter.usual
        if not counter.moved:
            why = f"its counter stood still for {times[-1] - times[0]:.3g} s"
            if short and counter.usual > 0:
                why += f", less than two of its updates of {counter.usual:.3g} s"
            return Window(0.0, 0.0, self.limit * seconds, still=True, **counts, notes=(why,))
        touched = counter.touched(start, end)
        if counter.mean is None and all(step.kind == "reset" for step in counter.steps):
            return Window(
                None, **counts, resets=len(counter.steps), notes=("its counter was reset at each reading",)
            )
        low, high = counter.bounds(start, end)
        joules = min(max(counter.at(end) - counter.at(start), low), high)
        mean = counter.mean or 0.0
        lost = sum(inside for step, inside in touched if step.kind == "reset")
        filled = min(mean * (lost + (outside if outside > 1e-9 else 0.0)), joules)
        kinds = [step.kind for step, _ in touched]
        notes = []
        if short and counter.usual > 0:
            notes.append(f"{seconds:.3g} s hold less than two updates of its counter ({counter.usual:.3g} s)")
        if counter.usual > 1.5 * counter.declared and counter.declared > 0:
            notes.append(
                f"its updates come every {counter.usual:.3g} s, not every {counter.declared:.3g} s as declared"
            )
        elif counter.update > 3 * counter.usual > 0:
            notes.append(f"its counter stood still for {counter.update:.3g} s: no power, or no updates")
        if "unsure" in kinds:
            longest = max(inside for step, inside in touched if step.kind == "unsure")
            notes.append(
                f"{longest:.3g} s without a reading: its counter of {self.span:.6g} J may have wrapped more than once"
            )
        if kinds.count("wrap"):
            notes.append(f"{kinds.count('wrap')} wrap(s) added; a reset at that moment would look the same")
        if kinds.count("reset"):
            notes.append(f"its counter was reset {kinds.count('reset')} time(s) (a step no wrap explains)")
        return Window(joules, low, high, filled, **counts, wraps=kinds.count("wrap"), resets=kinds.count("reset"),
                      notes=tuple(notes))  # fmt: skip

    def _summed(self, times, watts, start: float, end: float, outside: float, counts: dict) -> Window:
        total, joules = cumulative(times, watts), 0.0
        inside = (max(start, times[0]), min(end, times[-1]))
        if inside[1] > inside[0]:
            joules = trapezoid(times, watts, *inside)
        filled = total[-1] / (times[-1] - times[0]) * outside if outside > 1e-9 else 0.0
        edges = max(abs(interpolate(times, watts, edge)) for edge in (start, end)) * self.update
        step = (times[-1] - times[0]) / (len(times) - 1)
        notes = [f"its power was read every {max(step, self.update):.3g} s: what switches faster is not seen"]
        if end - start < 2 * self.update:
            notes.append(f"{end - start:.3g} s hold less than two of its updates ({self.update:.3g} s)")
        spread = filled + edges
        return Window(joules + filled, max(joules + filled - spread, 0.0), joules + filled + spread, filled, **counts,
                      notes=tuple(notes))  # fmt: skip

    def power(self) -> tuple[list[float], list[float]]:
        """For drawing: times and watts. Of a counter the mean power between its changes, at the middle."""
        times, values = self.good()
        if not self.counter or not times:
            return times, values
        counter = Counter(times, values, self.span, self.limit, self.update, self.late)
        times, total = counter.stamps
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
