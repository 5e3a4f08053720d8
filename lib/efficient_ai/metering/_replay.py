"""A recorded or invented power trace in place of a sensor, for teaching and tests. Its label says so."""

import time
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from efficient_ai.metering._sensors import Sensor, Source


@dataclass(frozen=True)
class Trace:
    """Power as steps, so that its energy is known exactly.

    Args:
        name: appears in the label.
        edges: times in seconds, rising, shape ``(n + 1,)``.
        watts: power between two edges, shape ``(n,)``; before and after the trace that of its ends.
    """

    name: str
    edges: Sequence[float]
    watts: Sequence[float]
    _total: list[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        if len(self.edges) != len(self.watts) + 1 or not self.watts:
            raise ValueError(
                f"{len(self.watts)} steps need {len(self.watts) + 1} edges, got {len(self.edges)}"
            )
        if any(b <= a for a, b in pairwise(self.edges)):
            raise ValueError("the edges of a trace must rise")
        total = [0.0]
        for (a, b), watts in zip(pairwise(self.edges), self.watts, strict=True):
            total.append(total[-1] + (b - a) * watts)
        object.__setattr__(self, "_total", total)

    @property
    def seconds(self) -> float:
        return self.edges[-1] - self.edges[0]

    def power(self, at: float) -> float:
        """Watts at a moment."""
        step = bisect_right(self.edges, at) - 1
        return self.watts[min(max(step, 0), len(self.watts) - 1)]

    def counter(self, at: float) -> float:
        """Joules since the first edge, exactly; negative before it."""
        step = min(max(bisect_right(self.edges, at) - 1, 0), len(self.watts) - 1)
        return self._total[step] + (at - self.edges[step]) * self.watts[step]

    def energy(self, start: float, end: float) -> float:
        """Joules between two moments, exactly."""
        return self.counter(end) - self.counter(start)


def replay(
    trace: Trace,
    *,
    counter: bool = True,
    clock: Callable[[], float] = time.perf_counter,
    begin: float | None = None,
) -> Source:
    """The trace as a source that plays from now on.

    Args:
        counter: as a cumulative counter, else as power.
        clock: seconds; the trace moves with it.
        begin: reading of the clock at which the trace starts; now, if not given.
    """
    zero = (clock() if begin is None else begin) - trace.edges[0]
    value = trace.counter if counter else trace.power
    sensor = Sensor(
        trace.name,
        lambda: value(clock() - zero),
        counter=counter,
        update=0.0,
        limit=1.01 * max(trace.watts) + 1e-9,
    )
    return Source(f"replayed:{trace.name}", [sensor], "whatever was recorded")
