"""The optimiser on MPI ranks: asynchronous, as in the paper, and its synchronous twin with a barrier per generation."""

import math
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Genes, Space
from efficient_ai.seeds import seed_for

_INDIVIDUAL = 1  # message tag

Evaluate = Callable[[dict[str, Any]], float]


@dataclass(frozen=True)
class Run:
    """What one rank holds at the end of a run.

    Args:
        individuals: everything this rank knows, best first. All ranks of a run end with the same.
        seconds: from the common start to the moment the last evaluation of any rank ended.
        busy: seconds this rank spent in evaluations.
        workers: number of ranks.
    """

    individuals: list[Individual]
    seconds: float
    busy: float
    workers: int

    @property
    def best(self) -> Individual:
        return self.individuals[0]

    @property
    def utilisation(self) -> float:
        """Share of the ranks' time that went into evaluations, in [0, 1]: at 1, nobody ever waited.

        Counted until the last candidate was handed out. After that, ranks run out of work one by one, in any scheme.
        """
        until = max(ind.started for ind in self.individuals)
        busy = sum(min(ind.finished, until) - ind.started for ind in self.individuals)
        return busy / (self.workers * until)


def ideal_utilisation(run: Run) -> float:
    """The utilisation that a synchronous run could reach with the evaluation times it had, in (0, 1].

    A generation then lasts exactly as long as its slowest evaluation: meeting and exchanging cost nothing. The last
    generation is left out, as in :attr:`Run.utilisation`.

    Raises:
        ValueError: the run has fewer than two generations.
    """
    last = max(ind.generation for ind in run.individuals)
    if last < 1:
        raise ValueError(
            "a run of one generation has no generation that ends before the last candidate is handed out"
        )
    generations = [[ind.seconds for ind in run.individuals if ind.generation == g] for g in range(last)]
    return sum(map(sum, generations)) / (run.workers * sum(map(max, generations)))


class Worker:
    """One rank: its population, its random stream and its mail."""

    def __init__(self, comm, space: Space, evaluate: Evaluate, propagator: Propagator, seed: int):
        self.comm, self.space, self.evaluate, self.propagator = comm, space, evaluate, propagator
        self.rng = Random(seed_for(seed, comm.rank))
        self.population = Population()
        self.generation = 0
        self.others = [rank for rank in range(comm.size) if rank != comm.rank]
        self.outbox: list[tuple[Any, bytes]] = []  # requests under way, each with the buffer it reads from
        self.received = 0
        meet(comm)  # the first of two meetings of all ranks: their clocks start together
        self.start = time.perf_counter()

    def now(self) -> float:
        return time.perf_counter() - self.start

    def breed_and_evaluate(self) -> Individual:
        known = len(self.population)
        genes = self.propagator(self.population, self.rng)
        started = self.now()
        loss, error = _evaluate(self.evaluate, self.space, genes)
        individual = Individual(
            genes, loss, self.comm.rank, self.generation, started, self.now(), known, error
        )
        self.population.add(individual)
        self.generation += 1
        return individual

    def tell(self, individual: Individual) -> None:
        """Send to all others without waiting. The pickle is made once; it must live until its requests complete."""
        message = pickle.dumps(individual)
        self.outbox += [(self.comm.Isend(message, rank, _INDIVIDUAL), message) for rank in self.others]
        self.outbox = [(request, buffer) for request, buffer in self.outbox if not request.Test()]

    def listen(self) -> None:
        """Take in what has arrived; return at once if nothing has."""
        while self.comm.iprobe(tag=_INDIVIDUAL):
            self._receive()

    def settle(self) -> None:
        """Wait for all ranks and receive exactly what was sent to this one: nothing is lost, nothing is left over."""
        meet(self.comm)
        sent = self.comm.allgather(self.generation)
        while self.received < sum(sent) - sent[self.comm.rank]:
            self._receive()
        for request, _ in self.outbox:
            request.Wait()

    def _receive(self) -> None:
        self.population.add(self.comm.recv(tag=_INDIVIDUAL))
        self.received += 1


def evolve(
    comm,
    space: Space,
    evaluate: Evaluate,
    propagator: Propagator,
    *,
    evaluations: int,
    seed: int,
    after: Callable[[Population], None] | None = None,
) -> Run:
    """Minimise ``evaluate`` on all ranks of ``comm`` with nobody waiting for anybody.

    Every rank keeps a copy of the whole population. After each evaluation it tells the others, takes in what has
    arrived, and breeds its next candidate from all it knows at that moment. Collective: call it on every rank.

    The budget is shared: a rank stops as soon as the individuals it knows and the evaluations still running elsewhere
    make up ``evaluations``. News travels while candidates are evaluated, so the total may exceed the budget by a few.

    Args:
        comm: an mpi4py communicator, of any size from one.
        space: the search space.
        evaluate: from the genes by name to a loss. If it raises or returns NaN, the candidate counts as evaluated with
            loss ``inf`` and the run goes on.
        propagator: breeds the next candidate, see :func:`default_propagator`.
        evaluations: budget of all ranks together, at least one per rank.
        seed: with the rank, of the private random stream of each rank.
        after: called with the population after each evaluation, for example to publish it to a live view.

    Raises:
        ValueError: fewer evaluations than ranks.
    """
    _require_budget(comm, evaluations)
    worker = Worker(comm, space, evaluate, propagator, seed)
    running_elsewhere = comm.size - 1
    while len(worker.population) + running_elsewhere < evaluations:
        worker.tell(worker.breed_and_evaluate())
        worker.listen()
        if after is not None:
            after(worker.population)
    worker.settle()
    return _run(worker)


def evolve_generations(
    comm,
    space: Space,
    evaluate: Evaluate,
    propagator: Propagator,
    *,
    evaluations: int,
    seed: int,
    after: Callable[[Population], None] | None = None,
) -> Run:
    """The synchronous twin of :func:`evolve`: the same operators and random streams, a meeting after each generation.

    In every generation each rank breeds and evaluates one candidate, then all exchange their results and wait for the
    slowest. Arguments and errors as for :func:`evolve`; the budget is rounded up to whole generations.
    """
    _require_budget(comm, evaluations)
    worker = Worker(comm, space, evaluate, propagator, seed)
    for _ in range(math.ceil(evaluations / comm.size)):
        worker.tell(worker.breed_and_evaluate())
        worker.settle()
        if after is not None:
            after(worker.population)
    return _run(worker)


def meet(comm, pause: float = 0.0005) -> None:
    """A barrier that leaves the core to others while it waits.

    MPI libraries wait by asking again and again, which on a machine with more ranks than cores slows down the very
    ranks that are waited for. Here a waiting rank sleeps ``pause`` seconds between two looks.
    """
    request = comm.Ibarrier()
    while not request.Test():
        time.sleep(pause)


def _require_budget(comm, evaluations: int) -> None:
    if evaluations < comm.size:
        raise ValueError(
            f"evaluations={evaluations}: each of the {comm.size} ranks evaluates at least one candidate"
        )


def _evaluate(evaluate: Evaluate, space: Space, genes: Genes) -> tuple[float, str]:
    try:
        loss = float(evaluate(space.as_dict(genes)))
    except Exception as error:  # a candidate that cannot be evaluated is a result, not the end of the run
        return math.inf, f"{type(error).__name__}: {error}"
    return (math.inf, "the loss is NaN") if math.isnan(loss) else (loss, "")


def _run(worker: Worker) -> Run:
    individuals = list(worker.population)
    return Run(
        individuals,
        seconds=max(ind.finished for ind in individuals),
        busy=sum(ind.seconds for ind in individuals if ind.rank == worker.comm.rank),
        workers=worker.comm.size,
    )
