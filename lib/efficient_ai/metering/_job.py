"""The energy of an MPI job: every sensor read by one rank, every host counted once, every rank's processor time added."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from efficient_ai.metering._carbon import GERMANY, Intensity
from efficient_ai.metering._cputime import CpuModel, cpu_time
from efficient_ai.metering._ladder import best
from efficient_ai.metering._measure import Measurement, measure
from efficient_ai.metering._sensors import EnergyError, Source


class measure_job:
    """Measure a block on all ranks of a communicator; every rank gets the same total::

        with metering.measure_job(comm, "training") as job:
            train(comm)
        job.joules, job.parts        # sum over hosts, joules by host

    The lowest rank of each host reads the sensors of the host, rank 0 those of the whole batch job, and each rank its own
    processor time where that has to do. The window lies between two barriers, so it includes waiting for the slowest rank.
    If a rank raises, nothing is gathered and the error goes on.

    Args:
        comm: communicator with ``allgather``, ``barrier``, ``rank``.
        host: name of this rank's host; that of the machine if not given.
        make_source: ``make_source(cores) -> Source``, called by one rank of each host with the number of cores that its
            ranks may use; :func:`best` if not given.
        model: of an estimate.
    """

    def __init__(
        self,
        comm: Any,
        name: str,
        *,
        host: str | None = None,
        make_source: Callable[[int], Source] | None = None,
        model: CpuModel | None = None,
        period: float | None = 1.0,
        intensity: Intensity = GERMANY,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self.comm, self.name, self.host = comm, name, host or socket.gethostname()
        self.make_source = make_source or (lambda cores: best(cores=cores, model=model))
        self.model = model
        self.options = {"period": period, "intensity": intensity, "clock": clock}
        self.measurement: Measurement | None = None

    def __enter__(self) -> "measure_job":
        allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
        everyone = self.comm.allgather((self.host, allowed))
        hosts = [host for host, _ in everyone]
        self.owner = hosts.index(self.host) == self.comm.rank
        cores = set().union(*(cores for host, cores in everyone if host == self.host))
        # Only one rank of a host looks for sensors; the others learn whether their processor time is asked for.
        source = self.make_source(len(cores)) if self.owner else None
        asked = self.comm.allgather(
            source is not None and any(s.scope == "processes" for s in source.sensors)
        )
        if source is None:
            source = cpu_time(self.model, cores=0).source
            source = replace(source, sensors=source.sensors if asked[hosts.index(self.host)] else ())
        mine = [sensor for sensor in source.sensors if self._is_mine(sensor.scope)]
        self.meter = measure(self.name, source=replace(source, sensors=mine), **self.options)
        self.comm.barrier()
        self.meter.start()
        return self

    def __exit__(self, kind, *_: object) -> None:
        if kind is not None:  # the others may never arrive: no collective call now
            self.meter.stop()
            return
        self.comm.barrier()
        part = self.meter.stop()
        self.measurement = merge(self.name, self.comm.allgather((self.host, part)))

    def __getattr__(self, name: str):
        if name.startswith("_") or name in ("measurement", "meter"):
            raise AttributeError(name)
        if self.__dict__.get("measurement") is None:
            raise EnergyError(f"{self.name}: the total is there after the block")
        return getattr(self.measurement, name)

    def _is_mine(self, scope: str) -> bool:
        return {"processes": True, "host": self.owner, "job": self.comm.rank == 0}[scope]


def merge(name: str, ranks: list[tuple[str, Measurement]]) -> Measurement:
    """The total of a job from what each rank owns: ``(host, measurement)`` in rank order.

    Joules and processor time are summed, wall time is that of the slowest rank.
    """
    parts: dict[str, float] = {}
    for host, part in ranks:
        parts[host] = parts.get(host, 0.0) + part.joules
    measurements = [part for _, part in ranks]

    def total(key: str):
        return sum(getattr(part, key) for part in measurements)

    owners = [part for part in measurements if part.parts]  # the others had nothing to read
    labels = dict.fromkeys(part.source for part in owners)
    notes = dict.fromkeys(note for part in measurements for note in part.notes)
    return Measurement(
        name=name, joules=total("joules"), low=total("low"), high=total("high"),
        seconds=max(part.seconds for part in measurements), source=" + ".join(labels),
        covers=f"{len(parts)} host(s), {len(ranks)} rank(s); {owners[0].covers}",
        cpu_seconds=total("cpu_seconds"), parts=parts, samples=total("samples"), gaps=total("gaps"),
        wraps=total("wraps"), resets=total("resets"), filled=total("filled"),
        intensity=measurements[0].intensity, notes=tuple(notes), host=", ".join(parts),
    )  # fmt: skip


def attribute(
    joules: float, cpu_seconds: Mapping[str, float], idle_joules: float = 0.0, rule: str = "proportional"
) -> dict[str, float]:
    """A package's energy shared out to processes by their processor time. A convention, not a measurement.

    Args:
        joules: of the package, idle power included.
        cpu_seconds: by process; all that ran, so that the shares sum to one.
        idle_joules: the part that would have been drawn anyway.
        rule: who pays for it: ``"proportional"`` (by processor time), ``"equal"`` (each the same) or ``"none"`` (nobody).

    Raises:
        ValueError: nothing ran, or the idle part exceeds the total.
    """
    everyone = sum(cpu_seconds.values())
    if everyone <= 0 or any(seconds < 0 for seconds in cpu_seconds.values()):
        raise ValueError("no process has used processor time: nothing to share out by")
    if not 0 <= idle_joules <= joules:
        raise ValueError(f"an idle part of {idle_joules} J does not fit into {joules} J")
    fixed = {"proportional": None, "equal": 1 / len(cpu_seconds), "none": 0.0}
    if rule not in fixed:
        raise ValueError(f"rule is one of {', '.join(fixed)}, not {rule!r}")
    shares = {name: seconds / everyone for name, seconds in cpu_seconds.items()}
    idle_of = {name: share if fixed[rule] is None else fixed[rule] for name, share in shares.items()}
    return {
        name: (joules - idle_joules) * share + idle_joules * idle_of[name] for name, share in shares.items()
    }
