"""Reads sensors on the monotonic clock and keeps the raw readings with their actual time stamps."""

import math
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import NamedTuple

from efficient_ai.metering._accounts import Accounts
from efficient_ai.metering._integrate import Series, Window
from efficient_ai.metering._sensors import Sensor

LOOK_S = 0.1  # between two looks at the processes in the background


class Sweep(NamedTuple):
    """One round of readings: when it began and when it had ended, in seconds of the sampler's clock."""

    began: float
    ended: float


class Sampler:
    """The readings of some sensors over time, and the processor seconds of this process and its children.

    The clock is ``time.perf_counter``, which nobody can set back; a stamp that does not lie after the one before is
    refused all the same, and counted in ``refused``. A sensor that raises has failed to be read; ``errors`` keeps the last
    error of each.

    Args:
        sensors: read one after the other in each sweep, each with a stamp of its own.
        period: seconds between two sweeps of the background thread; ``None`` for no thread, only calls of :meth:`sweep`.
        clock: seconds.
    """

    def __init__(
        self,
        sensors: Sequence[Sensor],
        period: float | None = 1.0,
        clock: Callable[[], float] = time.perf_counter,
    ):
        if period is not None and not period > 0:
            raise ValueError(f"the period must be positive, got {period} s")
        self.sensors, self.period, self.clock = list(sensors), period, clock
        self.series = [Series(s.counter, s.span, s.limit, s.update) for s in self.sensors]
        self.accounts, self.errors = Accounts(), {}
        self.sweeps = self.refused = 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> Sweep:
        """Sweep once and start the thread."""
        first = self.sweep()
        if self.period is not None and self._thread is None:
            # The thread holds no strong reference: a sampler that is forgotten ends, and does not read on for ever.
            arguments = weakref.ref(self), self.period, self._stop, self.clock
            self._thread = threading.Thread(target=_loop, args=arguments, daemon=True, name="energy")
            weakref.finalize(self, self._stop.set)
            self._thread.start()
        return first

    def sweep(self, background: bool = False) -> Sweep:
        """Read all sensors now; in the background those alone that are due."""
        with self._lock:
            began = self.clock()
            if not (background and self.accounts.times and began - self.accounts.times[-1] < LOOK_S):
                self.accounts.look(began)
            for sensor, series in zip(self.sensors, self.series, strict=True):
                before = self.clock()
                if background and series.times and before - series.times[-1] < sensor.pace:
                    continue
                value = self._read(sensor)
                after = self.clock()
                stamp = (before + after) / 2
                series.late = max(series.late, after - before)
                if series.times and stamp <= series.times[-1]:
                    self.refused += 1
                else:
                    series.add(stamp, value)
            self.sweeps += 1
            return Sweep(began, self.clock())

    def _read(self, sensor: Sensor) -> float | None:
        try:
            value = sensor.read()
            if value is None or math.isfinite(value):
                return value
            raise ValueError(f"read {value}")
        except (
            Exception
        ) as error:  # of whatever driver or tool: a reading that failed, not the end of a training
            self.errors[sensor.name] = f"{type(error).__name__}: {error}"
            return None

    def stop(self) -> Sweep:
        """End the thread and sweep a last time."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)
        return self.sweep()

    def energy(self, first: Sweep, last: Sweep) -> list[Window]:
        """Energy of every sensor from its reading in one sweep to its reading in another one."""
        return [
            series.energy(series.stamp_in(first, first.ended), series.stamp_in(last, last.began))
            for series in self.series
        ]

    def twins(self) -> set[int]:
        """Numbers of the sensors that showed nothing but what their twin showed."""
        names = {sensor.name: i for i, sensor in enumerate(self.sensors)}
        found = set()
        for i, sensor in enumerate(self.sensors):
            if sensor.twin in names and _alike(self.series[names[sensor.twin]], self.series[i]):
                found.add(i)
        return found


def _alike(one: Series, other: Series) -> bool:
    """True if two counters that were read one after the other are the same counter."""
    pairs = [
        (a, b, abs(s - t))
        for a, b, s, t in zip(one.values, other.values, one.times, other.times, strict=False)
        if a is not None and b is not None
    ]
    between = max(one.update, other.update)
    return bool(pairs) and all(
        min(abs(a - b), abs((one.span or math.inf) - abs(a - b))) <= one.limit * (between + apart)
        for a, b, apart in pairs
    )


def _loop(reference, period: float, stop: threading.Event, clock: Callable[[], float]) -> None:
    began, tick = clock(), 1
    while not stop.wait(max(began + tick * period - clock(), 0.0)):
        sampler = reference()
        if sampler is None:
            return
        sampler.sweep(background=True)
        del sampler
        tick = max(
            tick + 1, math.ceil((clock() - began) / period)
        )  # multiples of the period, so nothing drifts
