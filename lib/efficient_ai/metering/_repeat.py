"""The same work several times: warmed up until the power is steady, and whether two of them differ believably."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from efficient_ai.metering._measure import measure
from efficient_ai.metering._measurement import Measurement, quantity
from efficient_ai.metering._sensors import Source


@dataclass(frozen=True)
class Repeats:
    """What several runs of the same work took.

    Args:
        measurements: one of each run that counts.
        warm_up: mean power of each run before, in watts.
        steady: True if the last two runs of the warm-up differed by less than was asked for.
    """

    measurements: Sequence[Measurement]
    warm_up: Sequence[float]
    steady: bool

    @property
    def joules(self) -> float:
        """Mean over runs."""
        return math.fsum(m.joules for m in self.measurements) / len(self.measurements)

    @property
    def deviation(self) -> float:
        """Standard deviation from run to run, in joules; not a number for a single one."""
        n, mean = len(self.measurements), self.joules
        if n < 2:
            return math.nan
        return math.sqrt(math.fsum((m.joules - mean) ** 2 for m in self.measurements) / (n - 1))

    def __str__(self) -> str:
        warm = f"after {len(self.warm_up)} to warm up, {'steady' if self.steady else 'not yet steady'}"
        return (
            f"{quantity(self.joules, 'J')} +- {quantity(self.deviation, 'J')} (deviation of {len(self.measurements)} runs {warm}), "
            f"{self.measurements[0].source}"
        )


def repeat(
    work: Callable[[], Any],
    times: int = 5,
    *,
    name: str = "work",
    steady: float = 0.02,
    warm_up: int = 10,
    **options: Any,
) -> Repeats:
    """Run ``work`` until its power is steady, then ``times`` more, each measured by itself.

    Args:
        steady: two runs of the warm-up whose mean powers differ by less than this share end it.
        warm_up: at most this many runs before; 0 for none.
        options: of :class:`measure`.

    Raises:
        ValueError: fewer than one run is asked for.
    """
    if times < 1 or warm_up < 0:
        raise ValueError(f"{times} runs after {warm_up} to warm up: give 1 or more, and 0 or more")

    def once() -> Measurement:
        with measure(name, **options) as meter:
            work()
        return meter.measurement

    before: list[float] = []
    settled = False
    while len(before) < warm_up and not settled:
        before.append(once().watts)
        settled = len(before) > 1 and abs(before[-1] - before[-2]) < steady * before[-1]
    return Repeats([once() for _ in range(times)], before, settled)


@dataclass(frozen=True)
class Difference:
    """Of two series of runs: joules of the second minus the first, the least that is believable, and a sentence."""

    joules: float
    least: float
    text: str

    @property
    def believable(self) -> bool:
        """True if the runs scatter by less than they differ."""
        return abs(self.joules) > self.least

    def __str__(self) -> str:
        return self.text


def difference(one: Repeats, other: Repeats) -> Difference:
    """Whether two series of runs differ by more than they scatter: by more than two standard errors of their difference.

    For equal deviations s and n runs each these are 2 sqrt(2) s / sqrt(n). A scale that is wrong for both alike cancels.

    Raises:
        ValueError: a single run has no scatter, or the sources differ: an estimate and a measurement cannot be compared.
    """
    sources = {m.source for series in (one, other) for m in series.measurements}
    if len(sources) > 1:
        raise ValueError(
            f"joules of {' and '.join(sorted(sources))} cannot be compared: measure both with one source"
        )
    if min(len(one.measurements), len(other.measurements)) < 2:
        raise ValueError("one run has no scatter: repeat both at least twice")
    least = 2 * math.sqrt(
        one.deviation**2 / len(one.measurements) + other.deviation**2 / len(other.measurements)
    )
    joules = other.joules - one.joules
    verdict = (
        "more than they scatter" if abs(joules) > least else "less than they scatter, so nothing follows"
    )
    return Difference(joules, least, f"{quantity(joules, 'J')} apart, {verdict} ({quantity(least, 'J')})")


def idle(seconds: float = 5.0, source: Source | None = None, period: float = 0.1) -> Measurement:
    """Power of the source while this process sleeps: the baseline of ``net_joules``.

    Only a machine on which nobody else works has one; the notes say what share of the processor time was others'.
    """
    with measure("idle", source=source, period=period) as meter:
        time.sleep(seconds)
    return meter.measurement
