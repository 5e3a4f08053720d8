"""The energy of an MPI job: every sensor read by one rank, every host counted once, every rank's processor time added."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from efficient_ai.metering._accounts import quota
from efficient_ai.metering._carbon import GERMANY, Intensity
from efficient_ai.metering._estimate import CpuModel, Estimate, cpu_time
from efficient_ai.metering._ladder import best
from efficient_ai.metering._measure import measure
from efficient_ai.metering._measurement import Measurement
from efficient_ai.metering._sensors import EnergyError, Source


class measure_job:
    """Measure a block on all ranks of a communicator; every rank gets the same total::

        with metering.measure_job(comm, "training") as job:
            train(comm)
        job.joules, job.parts        # sum over hosts, joules by host

    The lowest rank of each host reads the sensors of the host, and each rank its own processor time where that has to do. If
    the source of one rank speaks for the whole batch job, nobody else adds anything. The window lies between two barriers, so it includes waiting for the slowest rank.
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
        make_source: Callable[[float], Source] | None = None,
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
        self.ranks = self.comm.allgather((self.host, allowed, quota()))
        self.hosts = [host for host, *_ in self.ranks]
        self.owner = self.hosts.index(self.host) == self.comm.rank
        # Only one rank of a host looks for sensors; the others learn whether their processor time is asked for.
        source = self.make_source(self._cores()) if self.owner else None
        told = self.comm.allgather(
            (False, False)
            if source is None
            else (any(s.scope == "job" for s in source.sensors), source.estimate is not None)
        )
        self.speaker = next((rank for rank, (whole_job, _) in enumerate(told) if whole_job), None)
        mine = Source("", (), "")
        if self.speaker is not None:  # it speaks for the whole job: nobody else adds
            if self.comm.rank == self.speaker:
                mine = replace(source, sensors=[s for s in source.sensors if s.scope == "job"], estimate=None)
        elif source is not None:
            mine = source
        elif told[self.hosts.index(self.host)][1]:
            mine = cpu_time(self.model, cores=0).source
        self.meter = measure(self.name, source=mine, **self.options)
        self.meter._job = True
        self.comm.barrier()
        self.meter.start()
        return self

    def __exit__(self, kind, *_: object) -> None:
        if kind is not None:  # the others may never arrive: no collective call now
            self.meter.stop()
            return
        self.comm.barrier()
        part = self.meter.stop()
        answers = self.comm.allgather((part, self._estimated(part), self.meter.used.label))
        fell = [bool(label) and part.source != label for part, _, label in answers]
        ranks = []
        for rank, (part, estimated, _) in enumerate(answers):
            host = self.hosts[rank]
            alone = self.speaker is not None and fell[self.speaker]
            if alone or any(fell[r] for r in range(len(fell)) if self.hosts[r] == host):
                part = replace(estimated, notes=tuple(dict.fromkeys([*part.notes, *estimated.notes])))
            whole = rank == self.speaker and not alone
            ranks.append((", ".join(dict.fromkeys(self.hosts)) if whole else host, part))
        self.measurement = merge(self.name, ranks, hosts=len(set(self.hosts)))

    def _cores(self) -> float:
        """That the ranks of this host may use together: the union of theirs, or the quotas of their containers."""
        here = [(allowed, group) for host, allowed, group in self.ranks if host == self.host]
        union = set().union(*(allowed for allowed, _ in here))
        return min(float(len(union)), sum(dict(group for _, group in here).values()))

    def _estimated(self, part: Measurement) -> Measurement:
        """This rank's part by the model, for the case that the sensors told nothing."""
        model = self.model or CpuModel()
        joules = Estimate(model, self._cores() if self.owner else 0).joules(part.seconds, part.cpu_seconds)
        return replace(
            part, joules=joules, low=joules / model.factor, high=joules * model.factor, source="estimated:cpu-time",
            covers=f"processor cores, assumed: {model}", parts={"cores": joules}, filled=0.0, wraps=0, resets=0,
        )  # fmt: skip

    def __getattr__(self, name: str):
        if name.startswith("_") or name in ("measurement", "meter"):
            raise AttributeError(name)
        if self.__dict__.get("measurement") is None:
            raise EnergyError(f"{self.name}: the total is there after the block")
        return getattr(self.measurement, name)


def merge(name: str, ranks: list[tuple[str, Measurement]], hosts: int | None = None) -> Measurement:
    """The total of a job from what each rank owns: ``(host, measurement)`` in rank order.

    Joules and processor time are summed, wall time is that of the slowest rank.

    Args:
        hosts: how many there are; as many as are named if not given.
    """
    measurements = [part for _, part in ranks]
    owners = [(host, part) for host, part in ranks if part.parts]  # the others had nothing to read
    parts: dict[str, float] = {}
    for host, part in owners:
        parts[host] = parts.get(host, 0.0) + part.joules

    def total(key: str):
        return sum(getattr(part, key) for part in measurements)

    labels = dict.fromkeys(part.source for _, part in owners)
    covers = dict.fromkeys(part.covers for _, part in owners)
    notes = dict.fromkeys(note for part in measurements for note in part.notes)
    return Measurement(
        name=name, joules=total("joules"), low=total("low"), high=total("high"),
        seconds=max(part.seconds for part in measurements), source=" + ".join(labels),
        covers=f"{hosts or len({host for host, _ in ranks})} host(s), {len(ranks)} rank(s); {' / '.join(covers)}",
        cpu_seconds=total("cpu_seconds"), parts=parts, samples=total("samples"), gaps=total("gaps"),
        wraps=total("wraps"), resets=total("resets"), filled=total("filled"),
        intensity=measurements[0].intensity, notes=tuple(notes), host=", ".join(dict.fromkeys(h for h, _ in ranks)),
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
