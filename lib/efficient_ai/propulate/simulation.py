"""The optimiser on a simulated clock: the real propagators, as many workers as one likes, no time spent waiting.

Everything a worker does is what :func:`efficient_ai.propulate.evolve` does on an MPI rank, with the same random streams;
only the clock and the mail are simulated. So runs of any width repeat exactly, and one worker gives what one rank gives.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Space
from efficient_ai.seeds import seed_for

Evaluate = Callable[[dict[str, Any]], float | tuple[float, float]]
Seconds = Callable[[dict[str, Any], int, Random], float]


@dataclass(frozen=True)
class Simulation:
    """What a simulated run found, and when.

    Args:
        individuals: all that were evaluated, best first; times are in seconds of the simulated clock.
        workers: how many worked at once.
    """

    individuals: list[Individual]
    workers: int

    @property
    def best(self) -> Individual:
        return self.individuals[0]

    @property
    def seconds(self) -> float:
        """When the last evaluation ended."""
        return max(ind.finished for ind in self.individuals)

    @property
    def utilisation(self) -> float:
        """Share of the workers' time that went into evaluations, in [0, 1], until the last candidate was handed out."""
        until = max(ind.started for ind in self.individuals)
        if until == 0:  # nobody evaluated more than one
            return 1.0
        busy = sum(min(ind.finished, until) - ind.started for ind in self.individuals)
        return busy / (self.workers * until)

    def progress(self) -> tuple[np.ndarray, np.ndarray]:
        """When each evaluation ended, ascending, and the smallest loss until then, both of shape ``(n,)``."""
        order = sorted(self.individuals, key=lambda ind: ind.finished)
        losses = np.minimum.accumulate([ind.loss for ind in order])
        return np.array([ind.finished for ind in order]), losses

    def seconds_to(self, target: float) -> float:
        """When a loss of at most ``target`` was first known, in seconds; ``inf`` if never."""
        return min((ind.finished for ind in self.individuals if ind.loss <= target), default=math.inf)


def simulate(
    space: Space,
    evaluate: Evaluate,
    propagator: Propagator,
    *,
    workers: int,
    evaluations: int,
    seed: int,
    seconds: Seconds | None = None,
    synchronous: bool = False,
    delay: float = 0.0,
) -> Simulation:
    """Minimise ``evaluate`` with simulated workers that follow the paper's algorithm.

    A worker that is free breeds from all it knows at that moment and evaluates; ``delay`` seconds after the end, the
    others know the result. ``synchronous`` workers wait for the slowest of each generation instead.

    Args:
        space: the search space.
        evaluate: from the genes by name to a loss, or to a loss and the seconds it takes. An exception or NaN counts as a
            loss of ``inf``, as on MPI ranks.
        propagator: breeds the next candidate, see :func:`~efficient_ai.propulate.default_propagator`.
        workers: how many work at once.
        evaluations: how many candidates are evaluated in all.
        seed: with the worker, of the private random stream of each worker.
        seconds: how long an evaluation takes, from the genes by name, the worker, and a random generator that is not the
            one for breeding. Overrides what ``evaluate`` says; without either, every evaluation takes one second.
        synchronous: whether workers meet after each generation.
        delay: seconds until a message arrives. Zero is fast for any number of workers, since all then know the same;
            otherwise each keeps a population of its own, which costs ``workers * evaluations`` insertions.

    Raises:
        ValueError: no worker, no evaluation, a negative delay, or a duration that is not positive and finite.
    """
    if workers < 1 or evaluations < 1:
        raise ValueError(f"workers={workers}, evaluations={evaluations}: at least one of each is needed")
    if not 0 <= delay < math.inf:
        raise ValueError(f"delay={delay}: must be a number of seconds, zero or more")
    crew = _Crew(space, evaluate, propagator, seconds, range(workers), seed, delay)
    (_generations if synchronous else _free_running)(crew, evaluations)
    return Simulation(sorted(crew.log, key=lambda ind: (ind.loss, ind.rank, ind.generation)), workers)


class _Crew:
    """Workers that share what they find, and the mail between them."""

    def __init__(self, space, evaluate, propagator, seconds, ranks, seed, delay):
        self.space, self.evaluate, self.propagator, self.seconds = space, evaluate, propagator, seconds
        self.ranks, self.delay = ranks, delay
        self.streams = {rank: Random(seed_for(seed, rank)) for rank in ranks}
        self.clocks = {rank: Random(seed_for(seed, 2**32 + rank)) for rank in ranks}
        self.generation = dict.fromkeys(ranks, 0)
        self.log: list[Individual] = []  # in order of finishing, so that mail is read from the front
        self.read = dict.fromkeys(ranks, 0)  # how much of the log each worker has seen
        shared = Population()
        self.populations = {rank: Population(rank=rank) if delay else shared for rank in ranks}

    def breed_and_evaluate(self, rank: int, now: float) -> Individual:
        """The next candidate of a worker; it is known to nobody before it is :meth:`finish`-ed."""
        population = self._known_to(rank, now)
        genes = self.propagator(population, self.streams[rank])
        loss, duration, error = self._measure(genes, rank)
        individual = Individual(
            genes, loss, rank, self.generation[rank], now, now + duration, len(population), error
        )
        self.generation[rank] += 1
        return individual

    def finish(self, individual: Individual) -> None:
        self.log.append(individual)
        self.populations[individual.rank].add(individual)

    def _known_to(self, rank: int, now: float) -> Population:
        population = self.populations[rank]
        population.rank = rank
        if self.delay:
            while self.read[rank] < len(self.log):
                message = self.log[self.read[rank]]
                if message.finished + self.delay > now:
                    break
                if message.rank != rank:
                    population.add(message)
                self.read[rank] += 1
        return population

    def _measure(self, genes, rank: int) -> tuple[float, float, str]:
        named, duration, error = self.space.as_dict(genes), 1.0, ""
        try:
            result = self.evaluate(named)
            loss, duration = result if isinstance(result, tuple) else (result, duration)
            loss = float(loss)
        except Exception as failure:  # as on MPI ranks: a candidate that cannot be evaluated is a result
            loss, error = math.inf, f"{type(failure).__name__}: {failure}"
        if math.isnan(loss):
            loss, error = math.inf, "the loss is NaN"
        if self.seconds is not None:
            duration = self.seconds(named, rank, self.clocks[rank])
        if not 0 < duration < math.inf:
            raise ValueError(f"an evaluation takes {duration} seconds: must be positive and finite")
        return loss, float(duration), error


def _free_running(crew: _Crew, evaluations: int) -> None:
    """Nobody waits: whoever ends first is handed the next candidate. At equal times, the lower rank goes first."""
    first = list(crew.ranks)[:evaluations]
    running = [
        (ind.finished, ind.rank, ind) for ind in (crew.breed_and_evaluate(rank, 0.0) for rank in first)
    ]
    heapq.heapify(running)
    for _ in range(evaluations - len(first)):
        now, rank, individual = running[0]
        crew.finish(individual)
        individual = crew.breed_and_evaluate(rank, now)
        heapq.heapreplace(running, (individual.finished, rank, individual))
    for _, _, individual in sorted(running):
        crew.finish(individual)


def _generations(crew: _Crew, evaluations: int) -> None:
    """One candidate per worker, then all wait for the slowest and for its message."""
    now = 0.0
    for begun in range(0, evaluations, len(crew.ranks)):
        members = list(crew.ranks)[: evaluations - begun]
        generation = [crew.breed_and_evaluate(rank, now) for rank in members]
        for individual in sorted(generation, key=lambda ind: ind.finished):
            crew.finish(individual)
        now = max(ind.finished for ind in generation) + (crew.delay if len(members) > 1 else 0.0)
