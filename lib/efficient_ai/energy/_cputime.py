"""The last resort: processor time multiplied by an assumed power. An estimate, and labelled as one.

    E = P_idle n_cores T + P_core t_cpu

``t_cpu`` is the processor time of this process, its threads and all its children, dead or alive.
"""

import os
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from efficient_ai.energy._sensors import Sensor, Source, Status

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuModel:
    """Assumed powers, in watts per core. Nobody measured them on this machine.

    The defaults are 7.1 W for a busy core, the 270 W of a processor of the paper's nodes over its 38 cores, two of them
    also drawn by an idle one. Laptops and other servers differ: ``factor`` bounds the truth above and below.
    """

    idle: float = 2.0
    busy: float = 5.1
    factor: float = 3.0

    def __str__(self) -> str:
        return f"{self.idle:g} W per core and second, {self.busy:g} W more while busy, right within a factor of {self.factor:g}"


def cpu_time(
    model: CpuModel | None = None, clock: Callable[[], float] = time.perf_counter, cores: int | None = None
) -> Status:
    """The estimator as a source; it is always there.

    Args:
        cores: of which the idle power is counted, all that this process may use if not given; 0 for a rank on a host
            where another rank counts them.
    """
    model = model or CpuModel()
    idle_watts = model.idle * (usable_cores() if cores is None else cores)

    def read() -> float:
        return idle_watts * clock() + model.busy * tree_seconds()

    sensor = Sensor("cores", read, update=0.01, limit=float("inf"), scope="processes", factor=model.factor)
    source = Source("estimated:cpu-time", [sensor], f"processor cores, assumed: {model}")
    return Status("cpu-time", "ok", str(model), source)


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tree_seconds(root: Path = Path("/proc")) -> float:
    """Processor seconds of this process, its ended children and, on Linux, its living descendants.

    A child that ended and was waited for is in its parent's account; one that lives is read from ``/proc``. What a
    descendant used after it left the tree (a daemon) is not seen.
    """
    for _ in range(3):  # a child that is waited for between the two accounts would be in neither, or in both
        before = _rusage(resource.RUSAGE_CHILDREN)
        living = sum(_living(root))
        if _rusage(resource.RUSAGE_CHILDREN) == before:
            break
    return _rusage(resource.RUSAGE_SELF) + before + living


def _rusage(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _living(root: Path) -> Iterator[float]:
    """Processor seconds of each living descendant, with those of its children that it has waited for."""
    parents: dict[int, list[tuple[int, float]]] = {}
    for name in os.listdir(root) if root.is_dir() else ():
        if name.isdigit():
            try:
                fields = (root / name / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it ended meanwhile
                continue
            seconds = sum(int(fields[i]) for i in (11, 12, 13, 14)) / _TICK
            parents.setdefault(int(fields[1]), []).append((int(name), seconds))
    waiting = [os.getpid()]
    while waiting:
        for pid, seconds in parents.get(waiting.pop(), ()):
            waiting.append(pid)
            yield seconds


def machine_seconds(root: Path = Path("/proc")) -> float | None:
    """Processor seconds that all processes of this machine have used, ``None`` where that cannot be read."""
    try:
        fields = (root / "stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) / _TICK
