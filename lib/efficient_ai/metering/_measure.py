"""``measure``: the energy of a piece of code, with its source, its uncertainty and its grams of CO2."""

import functools
import math
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from efficient_ai.metering._carbon import GERMANY, JOULES_PER_KWH, Intensity
from efficient_ai.metering._cputime import CpuModel, machine_seconds, tree_seconds, usable_cores
from efficient_ai.metering._integrate import Window
from efficient_ai.metering._ladder import best
from efficient_ai.metering._sampler import Sampler, Sweep
from efficient_ai.metering._sensors import EnergyError, Sensor, Source


@dataclass(frozen=True)
class Measurement:
    """One number of joules with everything that belongs to it.

    Args:
        name: of what was measured.
        joules: all energy of the source between start and end, idle power included (gross).
        low, high: the uncertainty: sensor scale, edges of the window, gaps; a factor for an estimate.
        seconds: wall time.
        source: label, see :class:`Source`.
        covers: what is in the number.
        cpu_seconds: processor time of this process and its children.
        parts: joules by sensor (of one process) or by host (of a job).
        samples, gaps, wraps, resets: readings that were good and that failed, counters that wrapped and were reset.
        filled: joules that no reading covers, at mean power.
        cpu_share: our part of all processor time of the machine meanwhile; ``None`` where that cannot be read.
        idle_watts: power of the same source with nothing running, if it was measured.
        intensity: grams per kilowatt-hour with place and date.
        notes: what a reader of the number must know, among it why no better source was used.
        host: name of the machine.
    """

    name: str
    joules: float
    low: float
    high: float
    seconds: float
    source: str
    covers: str = ""
    cpu_seconds: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    samples: int = 0
    gaps: int = 0
    wraps: int = 0
    resets: int = 0
    filled: float = 0.0
    cpu_share: float | None = None
    idle_watts: float | None = None
    intensity: Intensity = GERMANY
    notes: tuple[str, ...] = ()
    host: str = ""

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules / self.seconds if self.seconds > 0 else 0.0

    @property
    def uncertainty(self) -> float:
        """Half the width of the interval from ``low`` to ``high``, in joules."""
        return (self.high - self.low) / 2

    @property
    def net_joules(self) -> float | None:
        """Without the idle power of the machine; ``None`` if that was not measured."""
        return None if self.idle_watts is None else self.joules - self.idle_watts * self.seconds

    @property
    def kwh(self) -> float:
        return self.joules / JOULES_PER_KWH

    @property
    def grams(self) -> float:
        """Grams of CO2 equivalents at the stated intensity."""
        return self.intensity.grams(self.joules)

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        derived = {"watts": self.watts, "grams_co2e": self.grams, "net_joules": self.net_joules}
        return asdict(self) | derived | {"notes": list(self.notes)}

    def __str__(self) -> str:
        return (
            f"{self.name}: {quantity(self.joules, 'J')} ({quantity(self.low, 'J')} to {quantity(self.high, 'J')}) in "
            f"{quantity(self.seconds, 's')}, {quantity(self.watts, 'W')}, {self.source}; "
            f"{quantity(self.grams, 'g')} CO2e at {self.intensity}"
        )


class measure:
    """Measure what happens inside a ``with`` block, or each call of a decorated function::

        with metering.measure("training") as m:
            train()
        print(m.joules, m.watts, m.seconds, m.source, m.uncertainty, m.grams)

    All of :class:`Measurement` can be read from ``m``; while the block runs it says what was used so far.
    As a decorator, ``function.measurements`` collects one :class:`Measurement` for each call.

    Args:
        name: of what is measured.
        source: where joules come from; the best one of this machine if not given.
        period: seconds between two readings in the background; ``None`` for readings at the edges alone, which misses
            the wraps of a counter and does not do for a power sensor.
        intensity: of the CO2.
        idle_watts: power of the source with nothing running, see :func:`idle`; gives ``net_joules``.
        require: ``"measured"`` refuses to go on with anything but sensors of this machine.
        sync: called at both edges, so that work of an asynchronous device is inside; CUDA in use by torch is waited for
            without being told.
        clock: seconds.

    Raises:
        EnergyError: what is required is not there; the message says what was found.
    """

    def __init__(
        self,
        name: str,
        *,
        source: Source | None = None,
        period: float | None = 1.0,
        intensity: Intensity = GERMANY,
        idle_watts: float | None = None,
        require: str | None = None,
        sync: Callable[[], Any] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._options = dict(
            source=source, period=period, intensity=intensity, idle_watts=idle_watts,
            require=require, sync=sync, clock=clock,
        )  # fmt: skip
        self.name, self.intensity, self.idle_watts, self.clock = name, intensity, idle_watts, clock
        if require not in (None, "measured"):
            raise ValueError(f"require is 'measured' or nothing, got {require!r}")
        self.used = source or best()
        self.notes = tuple(self.used.notes)
        if require and not self.used.measured:
            raise EnergyError(
                f"{name}: only {self.used.label} can be had here. "
                + "; ".join(self.notes or [self.used.covers])
            )
        if period is None and not all(sensor.counter for sensor in self.used.sensors):
            raise EnergyError(f"{self.used.label} gives power, which needs a period to be summed up")
        self.sampler = Sampler(self.used.sensors, period, clock)
        self.sync = sync or _wait_for_cuda
        self.regions: list[region] = []
        self._start: Sweep | None = None
        self._final: Measurement | None = None

    def start(self) -> "measure":
        """What entering the block does."""
        if self._start is not None:
            raise EnergyError(f"{self.name} has been measured already; make a new one")
        self.sync()
        self._machine, self._cpu = machine_seconds(), tree_seconds()
        self._start = self.sampler.start()
        return self

    def stop(self) -> Measurement:
        """What leaving the block does; the result."""
        if self._start is None:
            raise EnergyError(f"{self.name} was not started")
        if self._final is None:
            self.sync()
            self._final = self._result(self.name, self._start, self.sampler.stop(), whole=True)
        return self._final

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __call__(self, function: Callable) -> Callable:
        measurements: list[Measurement] = []

        @functools.wraps(function)
        def measured(*args, **kwargs):
            meter = measure(self.name, **self._options)
            try:
                with meter:
                    return function(*args, **kwargs)
            finally:
                measurements.append(meter.measurement)

        measured.measurements = measurements
        return measured

    @property
    def measurement(self) -> Measurement:
        """The result; of a block that still runs, the result so far."""
        if self._final is not None:
            return self._final
        if self._start is None:
            raise EnergyError(f"{self.name} was not started")
        return self._result(self.name, self._start, self.sampler.sweep(), whole=True)

    def __getattr__(self, name: str):
        if name.startswith("_") or name not in _SHOWN:
            raise AttributeError(f"a measurement has no {name!r}")
        return getattr(self.measurement, name)

    def region(self, name: str, sync: Callable[[], Any] | None = None) -> "region":
        """A part of this measurement, as a ``with`` block or a decorator; may be entered many times."""
        return region(self, name, sync or self.sync)

    def between(self, name: str, start: float, end: float) -> Measurement:
        """Energy of any window of the record, by two readings of the clock."""
        return self._result(name, Sweep(start, start), Sweep(end, end))

    def power(self) -> tuple[list[float], list[float]]:
        """Power so far, for drawing: seconds since the start, watts summed over sensors (of the first one's stamps)."""
        from efficient_ai.metering._integrate import interpolate

        zero = self._start.ended if self._start is not None else 0.0
        traces = [series.power() for series in self.sampler.series]
        traces = [(times, watts) for times, watts in traces if times]
        if not traces:
            return [], []
        stamps = traces[0][0]
        return [t - zero for t in stamps], [sum(interpolate(*trace, t) for trace in traces) for t in stamps]

    def _result(self, name: str, first: Sweep, last: Sweep, whole: bool = False) -> Measurement:
        windows = self.sampler.energy(first, last)
        seconds, notes = last.began - first.ended, list(self.notes)
        cpu = tree_seconds() - self._cpu if whole else 0.0
        pairs = list(zip(self.used.sensors, windows, strict=True))
        label, covers = self.used.label, self.used.covers
        blind = [sensor.name for sensor, window in pairs if window.joules is None]
        if blind:  # the sensor went away at once; say so, and say what stands in its place
            notes.append(f"{label} gave no two readings of {', '.join(blind)}")
            pairs, label, covers = self._estimate(seconds, cpu, whole, notes)
        low, high = bounds(pairs)
        counts = {
            key: sum(getattr(w, key) for _, w in pairs)
            for key in ("samples", "gaps", "wraps", "resets", "filled")
        }
        if counts["filled"]:
            notes.append(
                f"{quantity(counts['filled'], 'J')} are not covered by readings (mean power assumed)"
            )
        if counts["resets"]:
            notes.append(f"{counts['resets']} counter step(s) too large for a wrap: counter was reset")
        if self.sampler.refused:
            notes.append(f"{self.sampler.refused} reading(s) refused: the clock did not advance")
        return Measurement(
            name=name, joules=math.fsum(w.joules for _, w in pairs), low=low, high=high, seconds=seconds,
            source=label, covers=covers, cpu_seconds=cpu, parts={s.name: w.joules for s, w in pairs},
            cpu_share=self._share(cpu) if whole else None, idle_watts=self.idle_watts, intensity=self.intensity,
            notes=tuple(notes), host=socket.gethostname(), **counts,
        )  # fmt: skip

    def _estimate(self, seconds: float, cpu: float, whole: bool, notes: list[str]):
        if not whole:
            raise EnergyError(f"{notes[-1]}: a part of the measurement cannot be given")
        model = CpuModel()
        joules = model.idle * usable_cores() * seconds + model.busy * cpu
        sensor = Sensor("cores", lambda: None, factor=model.factor)
        return (
            [(sensor, Window(joules, samples=2))],
            "estimated:cpu-time",
            f"processor cores, assumed: {model}",
        )

    def _share(self, cpu: float) -> float | None:
        everyone = machine_seconds()
        if everyone is None or self._machine is None or everyone <= self._machine:
            return None
        return min(cpu / (everyone - self._machine), 1.0)


class region:
    """A named part of a measurement: ``with m.region("forward"): ...`` or ``@m.region("forward")``.

    ``spans`` has a pair of sweeps for each time it was entered, ``measurements()`` their numbers, ``joules`` the sum.
    """

    def __init__(self, meter: measure, name: str, sync: Callable[[], Any]):
        self.meter, self.name, self.sync, self.spans = meter, name, sync, []
        self._open: list[Sweep] = []
        meter.regions.append(self)

    def __enter__(self) -> "region":
        self.sync()
        self._open.append(self.meter.sampler.sweep())
        return self

    def __exit__(self, *_: object) -> None:
        self.sync()
        self.spans.append((self._open.pop(), self.meter.sampler.sweep()))

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def inside(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return inside

    def measurements(self) -> list[Measurement]:
        """One for each time the region was entered."""
        return [self.meter._result(self.name, first, last) for first, last in self.spans]

    @property
    def joules(self) -> float:
        return math.fsum(m.joules for m in self.measurements())

    @property
    def seconds(self) -> float:
        return math.fsum(last.began - first.ended for first, last in self.spans)


def idle(seconds: float = 5.0, source: Source | None = None, period: float = 0.1) -> Measurement:
    """Power of the source while this process sleeps: the baseline of ``net_joules``.

    Only a machine on which nobody else works has one; the notes say what share of the processor time was others'.
    """
    with measure("idle", source=source, period=period) as meter:
        time.sleep(seconds)
    return meter.measurement


def bounds(pairs: Sequence[tuple[Sensor, Window]]) -> tuple[float, float]:
    """Lowest and highest joules: scale and edges of the sensors and what was filled in, then the factors of estimates."""
    total = math.fsum(w.joules for _, w in pairs if w.joules)
    scale = sum(sensor.gain * w.joules for sensor, w in pairs)
    edges = sum(w.edge_watts * sensor.update for sensor, w in pairs if sensor.factor == 1)
    spread = math.sqrt(scale**2 + edges**2 + sum(w.filled for _, w in pairs) ** 2)
    below = sum(w.joules * (1 - 1 / sensor.factor) for sensor, w in pairs)
    above = sum(w.joules * (sensor.factor - 1) for sensor, w in pairs)
    return max(total - spread - below, 0.0), total + spread + above


def quantity(value: float | None, unit: str) -> str:
    """Three digits with a prefix: ``2.41 kJ``."""
    if value is None:
        return "unknown"
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ")):
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"


_SHOWN = {*Measurement.__dataclass_fields__, "watts", "uncertainty", "net_joules", "kwh", "grams", "as_dict"}


def _wait_for_cuda() -> None:
    """Waits for a GPU that torch has in use; no torch, no GPU or an idle one: returns at once."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
