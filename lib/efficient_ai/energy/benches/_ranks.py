"""A job on real ranks that play several hosts, each with a counter of its own."""

from collections.abc import Callable
from typing import Any


def hosts_and_reads(
    comm: Any, job_joules: Callable, names: list[str], watts: dict[str, float]
) -> tuple[Any, int]:
    """Call ``job_joules(comm, host, read, work)`` on this rank; its answer, and how often this rank read a counter.

    ``read()`` gives the joules of the rank's host so far; ``work()`` lets ten seconds pass on all hosts.
    """
    host, passed, reads = names[comm.rank], [0.0], [0]

    def read() -> float:
        reads[0] += 1
        return 1000.0 + watts[host] * passed[0]

    def work() -> None:
        passed[0] += 10.0

    return job_joules(comm, host, read, work), reads[0]
