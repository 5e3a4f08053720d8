"""A counter with its clock: what the readings of a cumulative counter allow to be said about the energy behind them.

A counter shows the energy up to its last update, and updates come at moments of its own. Between two readings that differ there was
an update; while the readings stay equal there was none. So the stamps of the energy stand at the changes, not at the readings, and
between the stamps only two things are sure: energy never falls, and never grows faster than the largest power. From these follow
the bounds of every window. Pure arithmetic on lists of numbers; no sensor is touched here.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

SLACK_J = 1e-6  # rounding of the readings
PAUSE = 4  # equal readings that show that a counter waits for its update, and times the declared period that it may take


@dataclass(frozen=True)
class Step:
    """What a counter did from one change to the next: at least ``low``, at most ``high``, most likely ``likely`` joules.

    ``kind`` is ``"rise"``, ``"wrap"``, ``"unsure"`` (it may have wrapped several times) or ``"reset"`` (nothing is known but the
    largest power).
    """

    low: float
    likely: float
    high: float
    kind: str


class Counter:
    """The good readings of one counter.

    Args:
        times: seconds, rising, shape ``(n,)``.
        values: joules as shown, shape ``(n,)``.
        span: joules at which the counter starts again at 0; ``None`` if it never does.
        limit: largest power in watts, finite.
        update: seconds between two updates, as declared.
        late: the longest that a reading took: its stamp may be off by that.
    """

    def __init__(
        self,
        times: Sequence[float],
        values: Sequence[float],
        span: float | None,
        limit: float,
        update: float,
        late: float = 0.0,
    ):
        self.times, self.values, self.span, self.limit = times, values, span, limit
        self.declared = update
        self.usual, self.update = self._periods()
        self.update += late
        self.changes = [0] if times else []
        for i in range(1, len(times)):
            blind = span is not None and limit * (times[i] - times[i - 1] + update + late) >= span
            if values[i] != values[i - 1] or blind:  # a whole number of wraps leaves no trace
                self.changes.append(i)
        self.update = max(self.update, self._slowest())

    def _slowest(self) -> float:
        """What the period must have been at least, where readings on both sides of an update lie close together.

        A rise that the largest power does not explain from the declared period on began before: the change before it shows an
        update that may have come at any time since the reading before that. A rise which even this does not explain is
        none.
        """
        needed = 0.0
        for i, j in pairwise(self.changes):
            joules = delta(self.values[i], self.values[j], self.span)
            if joules is not None and i > 0:
                since = joules / self.limit - (self.times[j] - self.times[i])
                if since <= self.times[i] - self.times[i - 1]:
                    needed = max(needed, since)
        return needed

    def _periods(self) -> tuple[float, float]:
        """The usual time between two updates and the longest one, as seen: the declared one or longer.

        A pause tells of updates only if several readings lie in it (a load that switches makes short ones, too) and if it is not
        out of all proportion to what was declared (then nothing was drawn, or the sensor is dead).
        """
        starts = [i for i in range(len(self.times)) if i == 0 or self.values[i] != self.values[i - 1]]
        ends = [*starts[1:], len(self.times)]
        usual, longest = [], self.declared
        for start, end in zip(starts, ends, strict=True):
            stood = self.times[end - 1] - self.times[start]
            until = self.times[min(end, len(self.times) - 1)]
            if stood > self.declared:
                longest = max(longest, until - self.times[start])
            if 0 < start and end < len(self.times):
                paused = self.declared < stood <= PAUSE * self.declared and end - start >= PAUSE
                usual.append(until - self.times[start] if paused else self.declared)
        return max(self.declared, median(usual)) if usual else self.declared, longest

    @property
    def moved(self) -> bool:
        """True if it ever changed: a counter that stands still tells nothing."""
        return len(self.changes) > 1

    def earliest(self, change: int) -> float:
        """The first moment at which the update that this change shows can have happened; its stamp is the last one."""
        i = self.changes[change]
        changed = i > 0 and self.values[i] != self.values[i - 1]
        before = self.times[i - 1] if changed else -math.inf
        return max(before, self.times[i] - self.update)

    @cached_property
    def _bare(self) -> list[tuple[float | None, float]]:
        """For each step: joules without any further wrap (``None`` for a fall that no wrap explains), and the most there can be."""
        found = []
        for k in range(len(self.changes) - 1):
            i, j = self.changes[k], self.changes[k + 1]
            most = self.limit * (self.times[j] - self.earliest(k)) + SLACK_J + 1e-12 * abs(self.values[j])
            joules = delta(self.values[i], self.values[j], self.span)
            found.append((joules if joules is not None and joules <= most else None, most))
        return found

    @cached_property
    def mean(self) -> float | None:
        """Mean power of the steps that can be read in one way only; ``None`` if there is none."""
        joules = seconds = 0.0
        for k, (bare, most) in enumerate(self._bare):
            if (
                bare is None
                or (self.span is not None and bare + self.span <= most)
                or (k == 0 and not self._first_is_stamp)
            ):
                continue  # fmt: skip
            joules += bare
            seconds += self.times[self.changes[k + 1]] - self.times[self.changes[k]]
        return joules / seconds if seconds > 0 else None

    @cached_property
    def _first_is_stamp(self) -> bool:
        """The first reading tells when it was updated only if the readings are no closer than the updates, or all differ."""
        apart = self.moved and self.times[self.changes[1]] - self.times[0] >= self.usual
        return apart or self._fresh

    @property
    def _fresh(self) -> bool:
        """True if every reading differs from the one before: updates no slower than the readings."""
        return len(self.changes) == len(self.times)

    @cached_property
    def steps(self) -> list[Step]:
        """One for each pair of neighbouring changes."""
        steps = []
        for k, (bare, most) in enumerate(self._bare):
            i, j = self.changes[k], self.changes[k + 1]
            expected = None if self.mean is None else self.mean * (self.times[j] - self.times[i])
            if bare is None:
                steps.append(Step(0.0, min(expected or 0.0, most), most, "reset"))
                continue
            more = 0 if self.span is None else int((most - bare) / self.span)
            wraps = (
                0
                if expected is None
                else min(more, max(0, round((expected - bare) / self.span)))
                if more
                else 0
            )
            kind = "unsure" if more else "wrap" if self.values[j] < self.values[i] else "rise"
            further = self.span or 0.0
            steps.append(Step(bare, bare + wraps * further, bare + more * further, kind))
        return steps

    @cached_property
    def stamps(self) -> tuple[list[float], list[float]]:
        """Moments and joules since the first reading, at the changes: what an energy is interpolated between."""
        times, total, moments, joules = self.times, 0.0, [], []
        if not self.moved or self._first_is_stamp:
            moments, joules = [times[0]], [0.0]
        for k, step in enumerate(self.steps):
            i = self.changes[k + 1]
            total += step.likely
            gap = times[i] - times[i - 1]
            moments.append(times[i] - (gap / 2 if gap < self.usual and not self._fresh else 0.0))
            joules.append(total)
        return moments, joules

    def at(self, time: float) -> float:
        """Most likely joules since the first reading."""
        moments, joules = self.stamps
        if len(moments) < 2:  # one change in sight: it took about one update
            slope = self.steps[0].likely / self.usual if self.steps and self.usual > 0 else self.mean or 0.0
        elif time < moments[0] or time > moments[-1]:
            slope = self.mean or 0.0
            if (
                self.times[0] <= time <= self.times[-1]
            ):  # within the record the power nearby is the better guess
                a, b = (0, 1) if time < moments[0] else (-2, -1)
                slope = (joules[b] - joules[a]) / (moments[b] - moments[a])
        else:
            k = min(bisect_right(moments, time), len(moments) - 1)
            share = (time - moments[k - 1]) / (moments[k] - moments[k - 1])
            return joules[k - 1] + share * (joules[k] - joules[k - 1])
        if time < moments[0]:
            return max(joules[0] - slope * (moments[0] - time), 0.0 if time >= self.times[0] else -math.inf)
        ahead = time - moments[-1]
        if (
            time <= self.times[-1]
        ):  # a counter that stands still past its updates is not thought to have run on
            ahead = min(ahead, self.usual) if ahead <= 2 * self.usual else 0.0
        return joules[-1] + slope * ahead

    def offset(self, time: float) -> tuple[int, float, float]:
        """The last change read before ``time``, and the least and the most that was used since it."""
        r = bisect_right(self.times, time) - 1
        if r < 0:
            return 0, -self.limit * (self.times[0] - time), self.limit * self.update
        k = bisect_right(self.changes, r) - 1
        most = self.limit * min(self.update + time - self.times[r], time - self.earliest(k))
        least = 0.0
        if k < len(self.steps):
            following = self.changes[k + 1]
            least = max(0.0, self.steps[k].low - self.limit * (self.times[following] - time))
            if time <= self.times[following - 1]:
                most = min(most, self.steps[k].high)
        return k, least, max(most, least)

    def bounds(self, start: float, end: float) -> tuple[float, float]:
        """The least and the most joules that the readings allow between two moments."""
        (a, least_a, most_a), (b, least_b, most_b) = self.offset(start), self.offset(end)
        between = self.steps[a:b]
        low = math.fsum(step.low for step in between) + least_b - most_a
        high = math.fsum(step.high for step in between) + most_b - least_a
        most = self.limit * (end - start) + SLACK_J
        return min(max(low, 0.0), most), min(max(high, 0.0), most)

    def touched(self, start: float, end: float) -> list[tuple[Step, float]]:
        """The steps that a window touches, each with its seconds inside."""
        found = []
        for k, step in enumerate(self.steps):
            a, b = self.times[self.changes[k]], self.times[self.changes[k + 1]]
            inside = min(b, end) - max(a, start)
            if inside > 0:
                found.append((step, inside))
        return found


def delta(before: float | None, now: float | None, span: float | None) -> float | None:
    """What a counter advanced from ``before`` to ``now``; the counter starts again at 0 when it reaches ``span``.

    ``None`` if one of the two readings failed. A counter without ``span`` that falls was reset: ``None`` too.
    """
    if before is None or now is None:
        return None
    if now >= before:
        return now - before
    return None if span is None or now + span < before else now + span - before
