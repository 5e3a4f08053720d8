"""Where the engines will run: this machine, the Slurm allocation around us, or a job of their own."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from ._errors import ClusterError

WHERE = ("auto", "laptop", "allocation", "slurm")


@dataclass(frozen=True)
class Place:
    """``kind``: laptop, allocation or slurm. ``cores``: how many there are for us, in all. ``text``: for the reader."""

    kind: str
    cores: int
    text: str
    nodes: int = 1


def choose(where: str = "auto", environ: Mapping[str, str] = os.environ) -> Place:
    """Decide where engines run.

    ``auto`` takes the allocation if this process is inside one, else Slurm if it answers, else this machine. The
    variable ``EFFICIENT_AI_WHERE`` overrules ``auto``. Raises ClusterError if the place asked for does not exist.
    """
    if where not in WHERE:
        raise ValueError(f"where must be one of {', '.join(WHERE)}, not {where!r}")
    if where == "auto" and environ.get("EFFICIENT_AI_WHERE", "auto") != "auto":
        return choose(environ["EFFICIENT_AI_WHERE"], environ)
    job = environ.get("SLURM_JOB_ID")
    if where == "allocation" or (where == "auto" and job):
        if not job:
            raise ClusterError(
                "not inside a Slurm allocation (SLURM_JOB_ID is not set): start with salloc or sbatch"
            )
        cores = count_cpus(environ.get("SLURM_JOB_CPUS_PER_NODE", "")) or own_cores()
        nodes = int(environ.get("SLURM_JOB_NUM_NODES", "1"))
        return Place("allocation", cores, f"inside Slurm job {job}, {nodes} node{'s' * (nodes > 1)}", nodes)
    if where == "slurm" or where == "auto":
        cores, reason = slurm_cpus()
        if cores:
            return Place("slurm", cores, "as a Slurm job of their own")
        if where == "slurm":
            raise ClusterError(f"Slurm does not answer: {reason}")
    return Place("laptop", own_cores(), "on this machine")


def own_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def count_cpus(text: str) -> int:
    """CPUs of an allocation from Slurm's ``SLURM_JOB_CPUS_PER_NODE``: ``8(x2),4`` means 20. Zero if it is not that."""
    total = 0
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part.strip())
        if not match:
            return 0
        total += int(match[1]) * int(match[2] or 1)
    return total


def slurm_cpus() -> tuple[int, str]:
    """CPUs of all usable nodes of the cluster, and if there are none the reason."""
    if not (shutil.which("sbatch") and shutil.which("sinfo")):
        return 0, "there is no sbatch or no sinfo on PATH"
    try:
        answer = subprocess.run(
            ["sinfo", "--noheader", "--responding", "--format=%C"], capture_output=True, text=True, timeout=10
        )
    except subprocess.TimeoutExpired:
        return 0, "sinfo gave no answer in 10 s"
    if answer.returncode:
        return 0, answer.stderr.strip().splitlines()[0] if answer.stderr.strip() else "sinfo failed"
    # One line a partition: allocated/idle/other/total. Partitions may share nodes, so take the largest.
    counts = [[int(number) for number in line.split("/")] for line in answer.stdout.split()]
    cpus = max((allocated + idle for allocated, idle, _, _ in counts), default=0)
    return cpus, "" if cpus else "no node of the cluster responds"
