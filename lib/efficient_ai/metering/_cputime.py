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

from efficient_ai.metering._sensors import Sensor, Source, Status

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class CpuModel:
    """Assumed powers, in watts per core. Nobody measured them on this machine.

    The defaults are 7.1 W for a busy core, the nominal power of a large server processor over its cores as general
    knowledge has it; two of them are drawn by an idle core too. Laptops and other servers differ: ``factor`` bounds the
    truth above and below.
    """

    idle: float = 2.0
    busy: float = 5.1
    factor: float = 3.0

    def __str__(self) -> str:
        return f"{self.idle:g} W per core, {self.busy:g} W more while busy, right within a factor of {self.factor:g}"


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
    """Processor seconds of each living descendant, with those of its children that it has waited for.

    Most kernels list the children of a process, so only those are read; else all processes are, which takes a few
    milliseconds per hundred.
    """
    pid = os.getpid()
    if os.path.exists(f"{root}/{pid}/task/{pid}/children"):
        waiting = _children(root, pid)
        while waiting:
            child = waiting.pop()
            waiting += _children(root, child)
            if (found := _stat(root, child)) is not None:
                yield found[1]
        return
    parents: dict[int, list[tuple[int, float]]] = {}
    for name in os.listdir(root) if root.is_dir() else ():
        if name.isdigit() and (found := _stat(root, int(name))) is not None:
            parents.setdefault(found[0], []).append((int(name), found[1]))
    waiting = [pid]
    while waiting:
        for child, seconds in parents.get(waiting.pop(), ()):
            waiting.append(child)
            yield seconds


def _children(root: Path, pid: int) -> list[int]:
    found: list[int] = []
    try:
        for thread in os.listdir(f"{root}/{pid}/task"):
            with open(f"{root}/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                found += map(int, file.read().split())
    except OSError:  # it ended meanwhile
        pass
    return found


def _stat(root: Path, pid: int) -> tuple[int, float] | None:
    """Parent of a process, and its user and system time with that of its ended children; ``None`` if it is gone."""
    try:  # raw reads: this is what a sampler of the estimate spends its time on
        with open(f"{root}/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
        return int(fields[1]), sum(int(fields[i]) for i in (11, 12, 13, 14)) / _TICK
    except (OSError, IndexError, ValueError):
        return None


def machine_seconds(root: Path = Path("/proc")) -> float | None:
    """Processor seconds that all processes of this machine have used, ``None`` where that cannot be read."""
    try:
        fields = (root / "stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) / _TICK
