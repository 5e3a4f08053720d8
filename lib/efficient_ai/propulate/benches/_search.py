"""The loop of a worker that never waits, watched on real MPI ranks."""

import random
import time
from collections import Counter
from collections.abc import Callable

from efficient_ai import checks


def watched(
    search: Callable, ranks: int, generations: int, patience: float, unbuffered: bool = False
) -> list[dict]:
    """Run ``search(comm, generations, breed, evaluate)`` on MPI ranks; what each of them saw, in rank order.

    Rank 0 is held in its first evaluation until all others are through with theirs, or ``patience`` seconds have passed.
    A deadlock ends after three times ``patience``. With ``unbuffered``, a send completes only when it is received.

    Returns:
        per rank ``population``, what the search returned; ``finished``, on rank 0, how many evaluations each other rank
        reported meanwhile; ``shown``, for each call of ``breed``, how many individuals of each rank it was given.
    """
    return checks.on_ranks(_watch, ranks, search, generations, patience, unbuffered, timeout=3 * patience)


def _watch(comm, search: Callable, generations: int, patience: float, unbuffered: bool) -> dict:
    rng = random.Random(comm.rank)
    reports_comm = comm.Dup()  # our reports travel apart from the reader's messages
    finished, shown, reports, losses = Counter(), [], [], []

    def breed(population):
        shown.append(Counter(individual[0] for individual in population))
        start = (0, 0, rng.uniform(-5, 5), 0)
        return min(population, key=lambda individual: individual[3], default=start)[2] + rng.gauss(0, 1)

    def evaluate(candidate):
        losses.append(candidate**2)
        if comm.rank > 0:
            reports.append(reports_comm.isend(comm.rank, dest=0))
        elif len(losses) == 1:
            _hold(reports_comm, finished, (comm.size - 1) * generations, patience)
        return losses[-1]

    reports_comm.Barrier()  # all processes are up: slow starters are not taken for waiting workers
    population = search(_without_buffers(comm) if unbuffered else comm, generations, breed, evaluate)
    return {"population": population, "finished": finished, "shown": shown}


def _hold(comm, finished: Counter, until: int, patience: float) -> None:
    """Take in reports until there are ``until`` of them or ``patience`` seconds have passed."""
    end = time.monotonic() + patience
    while finished.total() < until and time.monotonic() < end:
        while comm.iprobe():
            finished[comm.recv()] += 1
        time.sleep(0.001)


def _without_buffers(comm):
    from mpi4py import MPI

    class Unbuffered(MPI.Intracomm):
        """A send completes only when the message is received. MPI may behave like this at any time."""

        def send(self, obj, dest, tag=0):
            self.ssend(obj, dest, tag)

        def isend(self, obj, dest, tag=0):
            return self.issend(obj, dest, tag)

    return Unbuffered(comm)


def everyone_knows_everyone(runs: list[dict], generations: int) -> None:
    """Each rank must have returned all individuals, each once, and the same ones as rank 0."""
    for rank, run in enumerate(runs):
        checks.equal(f"the type of the result of rank {rank}", type(run["population"]).__name__, "list")
    pairs = [(rank, generation) for rank in range(len(runs)) for generation in range(generations)]
    for rank, run in enumerate(runs):
        found = [tuple(individual[:2]) for individual in run["population"]]
        checks.same_items(f"the list of rank {rank}, as pairs (rank, generation),", found, pairs)
        beside = f"the list of rank {rank}, beside that of rank 0,"
        checks.same_items(beside, run["population"], runs[0]["population"])
