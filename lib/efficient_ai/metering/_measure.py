"""``measure``: the energy of a piece of code, with its source, its uncertainty and its grams of CO2."""

import math
import os
import re
import socket
import sys
import time
import warnings
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from efficient_ai.metering._accounts import machine_seconds, usable_cores
from efficient_ai.metering._carbon import GERMANY, Intensity
from efficient_ai.metering._estimate import CpuModel, Estimate
from efficient_ai.metering._integrate import Window, interpolate
from efficient_ai.metering._ladder import best
from efficient_ai.metering._measurement import SHOWN, Measurement, quantity
from efficient_ai.metering._region import around, region
from efficient_ai.metering._sampler import Sampler, Sweep
from efficient_ai.metering._sensors import EnergyError, Sensor, Source

_running: "weakref.WeakSet[measure]" = weakref.WeakSet()
_standing: dict[str, str] = {}  # what no measurement can see, by who told it


class measure:
    """Measure what happens inside a ``with`` block, or each call of a decorated function::

        with metering.measure("training") as m:
            train()
        print(m.joules, m.watts, m.seconds, m.source, m.uncertainty, m.grams)

    All of :class:`Measurement` can be read from ``m``; while the block runs it says what was used so far. As a decorator,
    ``function.measurements`` collects one :class:`Measurement` for each call; a coroutine or a generator is measured from its
    first step to its last. Sensors are looked for when a measurement starts, not before.

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
        if require not in (None, "measured"):
            raise ValueError(f"require is 'measured' or nothing, got {require!r}")
        if period is not None and not period > 0:
            raise ValueError(f"the period must be positive, got {period} s")
        self.name, self.intensity, self.idle_watts, self.clock = name, intensity, idle_watts, clock
        self.sync, self.regions, self.remarks = sync or _wait_for_cuda, [], []
        self._job = False  # one of the ranks of a measure_job
        self._start: Sweep | None = None
        self._final: Measurement | None = None
        if source is not None:
            self._use(source)

    def _use(self, source: Source) -> None:
        period = self._options["period"]
        if self._options["require"] and not source.measured:
            found = "; ".join(source.notes or [source.covers])
            raise EnergyError(f"{self.name}: only {source.label} can be had here. {found}")
        if period is None and not all(sensor.counter for sensor in source.sensors):
            raise EnergyError(f"{source.label} gives power, which needs a period to be summed up")
        for sensor in source.sensors:
            if period is not None and period > sensor.longest_period:
                warnings.warn(
                    f"{sensor.name} may wrap unseen: its range of {sensor.span:.6g} J lasts {sensor.longest_period:.3g} s at "
                    f"{sensor.limit:g} W; take a period below that, not {period:g} s",
                    stacklevel=3,
                )
        self.used, self.sampler = source, Sampler(source.sensors, period, self.clock)

    def start(self) -> "measure":
        """What entering the block does."""
        if self._start is not None:
            raise EnergyError(f"{self.name} has been measured already; make a new one")
        if self._options["source"] is None:
            self._use(best())
        self.sync()
        self._pid, self._machine = os.getpid(), machine_seconds()
        self._start = self.sampler.start()
        _running.add(self)
        self.remarks += _standing.values()
        return self

    def stop(self) -> Measurement:
        """What leaving the block does; the result."""
        self._check()
        if self._final is None:
            try:
                self.sync()
            finally:  # a device that fails must not leave the thread behind
                last = self.sampler.stop()
                _running.discard(self)
            self._final = self._result(self.name, self._start, last, whole=True)
        return self._final

    def _check(self) -> None:
        if self._start is None:
            raise EnergyError(f"{self.name} was not started")
        if self._pid != os.getpid():
            raise EnergyError(
                f"{self.name} was started in process {self._pid}, and this is a copy of it: what runs here is counted there; "
                "stop it there"
            )

    __enter__ = start

    def __exit__(self, *_: object) -> None:
        if self._pid == os.getpid():  # a copy made by fork leaves the block, too: the first process counts it
            self.stop()

    def __call__(self, function: Callable) -> Callable:
        measurements: list[Measurement] = []
        measured = around(function, lambda: _Call(self.name, self._options, measurements))
        measured.measurements = measurements
        return measured

    @property
    def measurement(self) -> Measurement:
        """The result; of a block that still runs, the result so far."""
        if self._final is not None:
            return self._final
        self._check()
        return self._result(self.name, self._start, self.sampler.sweep(), whole=True)

    def __getattr__(self, name: str):
        if name.startswith("_") or name not in SHOWN:
            raise AttributeError(f"a measurement has no {name!r}")
        return getattr(self.measurement, name)

    def __repr__(self) -> str:
        if self._start is None:
            return f"{self.name}: not started"
        return ("" if self._final else "so far, ") + repr(self.measurement)

    def region(self, name: str, sync: Callable[[], Any] | None = None) -> region:
        """A part of this measurement, as a ``with`` block or a decorator; may be entered many times."""
        return region(self, name, sync or self.sync)

    def between(self, name: str, start: float, end: float) -> Measurement:
        """Energy of any window of the record, by two readings of the clock."""
        return self._result(name, Sweep(start, start), Sweep(end, end))

    def power(self) -> tuple[list[float], list[float]]:
        """Power so far, for drawing: seconds since the start, watts summed over sensors (of the first one's stamps)."""
        zero = self._start.ended if self._start is not None else 0.0
        traces = [series.power() for series in self.sampler.series]
        traces = [(times, watts) for times, watts in traces if times]
        if self.used.estimate is not None:
            times, totals = self.sampler.accounts.times, self.sampler.accounts.totals
            joules = [self.used.estimate.joules(t, s) for t, s in zip(times, totals, strict=True)]
            steps = [i for i in range(1, len(times)) if times[i] > times[i - 1]]
            traces.append(
                ([(times[i] + times[i - 1]) / 2 for i in steps],
                 [(joules[i] - joules[i - 1]) / (times[i] - times[i - 1]) for i in steps])
            )  # fmt: skip
        traces = [trace for trace in traces if trace[0]]
        if not traces:
            return [], []
        stamps = traces[0][0]
        return [t - zero for t in stamps], [sum(interpolate(*trace, t) for trace in traces) for t in stamps]

    def _result(self, name: str, first: Sweep, last: Sweep, whole: bool = False) -> Measurement:
        used, seconds = self.used, last.began - first.ended
        notes = [*used.notes, *self.remarks]
        cpu = self.sampler.accounts.between(first.began, last.began)
        windows = list(zip(used.sensors, self.sampler.energy(first, last), strict=True))
        twins = self.sampler.twins()
        notes += [
            f"{windows[i][0].name} shows the counter of {windows[i][0].twin} once more: left out"
            for i in sorted(twins)
        ]
        pairs = [pair for i, pair in enumerate(windows) if i not in twins]
        told = [
            (sensor, window) for sensor, window in pairs if window.joules is not None and not window.still
        ]
        silent = [(sensor, window) for sensor, window in pairs if window.joules is None or window.still]
        notes += [f"{sensor.name}: {note}" for sensor, window in pairs for note in window.notes]
        notes += [f"{name} could not be read: {error}" for name, error in self.sampler.errors.items()]
        label, covers, estimate = used.label, used.covers, used.estimate
        if used.sensors and not told:
            notes.append(
                f"{label} gave no two readings of {', '.join(sensor.name for sensor, _ in silent)} that differ"
            )
            if not whole and estimate is None:
                raise EnergyError(f"{'; '.join(notes)}: a part of the measurement cannot be given")
            estimate = estimate or Estimate(CpuModel(), usable_cores())
            label, covers = "estimated:cpu-time", f"processor cores, assumed: {estimate.model}"
        elif silent:
            covers += f"; without {', '.join(sensor.name for sensor, _ in silent)}"
        parts = {sensor.name: window.joules for sensor, window in told}
        low, high = bounds(told)
        if estimate is not None:
            parts["cores"] = estimate.joules(seconds, cpu)
            low += parts["cores"] / estimate.model.factor
            high += (
                parts["cores"] * estimate.model.factor + estimate.model.busy * self.sampler.accounts.unseen
            )
            notes += self._lost()
        counts = {
            key: sum(getattr(w, key) for _, w in told)
            for key in ("samples", "gaps", "wraps", "resets", "filled")
        }
        if counts["filled"]:
            notes.append(
                f"{quantity(counts['filled'], 'J')} are not covered by readings (mean power assumed)"
            )
        if self.sampler.refused:
            notes.append(f"{self.sampler.refused} reading(s) refused: the clock did not advance")
        if (ranks := ranks_here()) > 1 and not self._job:
            notes.append(
                f"{ranks} MPI ranks share this host and each would count all of it: measure_job is meant"
            )
        return Measurement(
            name=name, joules=math.fsum(parts.values()), low=low, high=high, seconds=seconds,
            source=label, covers=covers, cpu_seconds=cpu, parts=parts,
            cpu_share=self._share(cpu) if whole else None, idle_watts=self.idle_watts, intensity=self.intensity,
            notes=tuple(notes), host=socket.gethostname(), **counts,
        )  # fmt: skip

    def _lost(self) -> list[str]:
        ended, unseen = self.sampler.accounts.ended, self.sampler.accounts.unseen
        if not ended:
            return []
        return [
            f"{ended} process(es) ended unwaited-for: up to {unseen:.3g} s at the end of each are not in the number"
        ]

    def _share(self, cpu: float) -> float | None:
        everyone = machine_seconds()
        if everyone is None or self._machine is None or everyone <= self._machine:
            return None
        return min(cpu / (everyone - self._machine), 1.0)


class _Call:
    """One call of a decorated function."""

    def __init__(self, name: str, options: dict, measurements: list[Measurement]):
        self.meter, self.measurements = measure(name, **options), measurements

    def __enter__(self) -> None:
        self.meter.start()

    def __exit__(self, *_: object) -> None:
        if self.meter._pid == os.getpid():
            self.measurements.append(self.meter.stop())


def remark(note: str, *, of: str | None = None) -> None:
    """A note for all measurements that run now, from code that knows what they cannot see.

    Args:
        note: one sentence.
        of: a name; all measurements that begin later get the note, too, until :func:`withdraw` is called with this name.
    """
    if of is not None:
        _standing[of] = note
    for meter in list(_running):
        if note not in meter.remarks:
            meter.remarks.append(note)


def withdraw(of: str) -> None:
    """The note of this name holds no longer; measurements that have it keep it."""
    _standing.pop(of, None)


def bounds(told: list[tuple[Sensor, Window]]) -> tuple[float, float]:
    """Lowest and highest joules: what the readings allow, and the scale of each sensor."""
    low = math.fsum(window.low * (1 - sensor.gain) for sensor, window in told)
    return low, math.fsum(window.high * (1 + sensor.gain) for sensor, window in told)


def ranks_here(environment: Mapping[str, str] | None = None) -> int:
    """MPI ranks that the launcher started on this host, as it tells each of them; 1 outside of MPI."""
    environment = os.environ if environment is None else environment
    for name in ("OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "PMI_LOCAL_SIZE"):
        if environment.get(name, "").isdigit():
            return int(environment[name])
    tasks = re.match(r"\d+", environment.get("SLURM_STEP_TASKS_PER_NODE", ""))
    return int(tasks[0]) if tasks and "SLURM_PROCID" in environment else 1


def _wait_for_cuda() -> None:
    """Waits for a GPU that torch has in use; no torch, no GPU or an idle one: returns at once."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
