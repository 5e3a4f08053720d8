"""Parts of a measurement, and functions that are measured: plain ones, coroutines, generators."""

import asyncio
import functools
import inspect
import math
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from efficient_ai.metering._measurement import Measurement
from efficient_ai.metering._sampler import Sweep

if TYPE_CHECKING:
    from efficient_ai.metering._measure import measure


class region:
    """A named part of a measurement: ``with m.region("forward"): ...`` or ``@m.region("forward")``.

    May be entered many times, by several threads or tasks at once. ``spans`` has a pair of sweeps for each time it was entered,
    ``measurements()`` their numbers, ``joules`` the sum; where times overlap the sum counts their joules more than once.
    """

    def __init__(self, meter: "measure", name: str, sync: Callable[[], Any]):
        self.meter, self.name, self.sync, self.spans = meter, name, sync, []
        self._open: dict[tuple, list[Sweep]] = {}
        meter.regions.append(self)

    def __enter__(self) -> "region":
        self.sync()
        self._open.setdefault(_who(), []).append(self.meter.sampler.sweep())
        return self

    def __exit__(self, *_: object) -> None:
        self.sync()
        self.spans.append((self._open[_who()].pop(), self.meter.sampler.sweep()))

    def __call__(self, function: Callable) -> Callable:
        return around(function, lambda: _Span(self))

    def measurements(self) -> list[Measurement]:
        """One for each time the region was entered."""
        return [self.meter._result(self.name, first, last) for first, last in self.spans]

    @property
    def joules(self) -> float:
        return math.fsum(m.joules for m in self.measurements())

    @property
    def seconds(self) -> float:
        return math.fsum(last.began - first.ended for first, last in self.spans)


class _Span(AbstractContextManager):
    """One passage through a region that pairs with itself, whatever else runs meanwhile."""

    def __init__(self, whole: region):
        self.region = whole

    def __enter__(self) -> None:
        self.region.sync()
        self.first = self.region.meter.sampler.sweep()

    def __exit__(self, *_: object) -> None:
        self.region.sync()
        self.region.spans.append((self.first, self.region.meter.sampler.sweep()))


def _who() -> tuple:
    """The thread, and the task if there is one: of these a ``with`` block begins and ends in the same."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return threading.get_ident(), id(task) if task else None


def around(function: Callable, context: Callable[[], AbstractContextManager]) -> Callable:
    """``function`` with its whole run inside of ``context()``: of a coroutine until it returns, of a generator until it ends."""
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def inside(*args, **kwargs):
            with context():
                async for value in function(*args, **kwargs):
                    yield value

    elif inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def inside(*args, **kwargs):
            with context():
                return await function(*args, **kwargs)

    elif inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def inside(*args, **kwargs):
            with context():
                return (yield from function(*args, **kwargs))

    else:

        @functools.wraps(function)
        def inside(*args, **kwargs):
            with context():
                return function(*args, **kwargs)

    return inside
