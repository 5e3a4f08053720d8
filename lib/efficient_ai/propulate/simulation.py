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

from efficient_ai.propulate._crew import Crew
from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._population import Individual, by_loss
from efficient_ai.propulate._run import Move
from efficient_ai.propulate._space import Space

Evaluate = Callable[[dict[str, Any]], float | tuple[float, float]]
Seconds = Callable[[dict[str, Any], int, Random], float]


@dataclass(frozen=True)
class Simulation:
    """What a simulated run found, and when.

    Args:
        individuals: all that were evaluated, best first; times are in seconds of the simulated clock.
        workers: how many worked at once.
        active: those that may breed on each island in the end, best first; all, if there is one island.
        moves: who went from which island to which, in order of time.
    """

    individuals: list[Individual]
    workers: int
    active: tuple[tuple[Individual, ...], ...]
    moves: tuple[Move, ...]

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
    islands: Islands | int | None = None,
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
        islands: several populations that exchange individuals now and then, or just their number; they share the budget
            in proportion to their workers. Default one.

    Raises:
        ValueError: no worker, no evaluation, a negative delay, a duration that is not positive and finite, islands that do
            not fit the workers, or islands of synchronous workers.
    """
    if workers < 1 or evaluations < 1:
        raise ValueError(f"workers={workers}, evaluations={evaluations}: at least one of each is needed")
    if not 0 <= delay < math.inf:
        raise ValueError(f"delay={delay}: must be a number of seconds, zero or more")
    islands = (
        Islands(1 if islands is None else islands) if islands is None or isinstance(islands, int) else islands
    )
    if synchronous and islands.count > 1:
        raise ValueError("islands are asynchronous: simulate them without synchronous=True")
    crew = Crew(space, evaluate, propagator, workers, evaluations, seed, seconds, delay, islands)
    (_generations if synchronous else _free_running)(crew, workers)
    crew.settle()
    return Simulation(
        sorted(crew.individuals, key=by_loss),
        workers,
        active=tuple(tuple(island.views[island.ranks[0]].population) for island in crew.archipelago),
        moves=tuple(crew.moves),
    )


def _free_running(crew: Crew, workers: int) -> None:
    """Nobody waits: whoever ends first is handed the next candidate. At equal times, the lower rank goes first."""
    begun = (crew.breed_and_evaluate(rank, 0.0) for rank in range(workers) if crew.has_work(rank))
    running = [(individual.finished, individual.rank, individual) for individual in begun]
    heapq.heapify(running)
    while running:
        now, rank, individual = heapq.heappop(running)
        crew.finish(individual)
        if crew.has_work(rank):
            individual = crew.breed_and_evaluate(rank, now)
            heapq.heappush(running, (individual.finished, rank, individual))


def _generations(crew: Crew, workers: int) -> None:
    """One candidate per worker, then all wait for the slowest and for its message."""
    now = 0.0
    while crew.has_work(0):
        begun = (crew.breed_and_evaluate(rank, now) for rank in range(workers) if crew.has_work(rank))
        generation = sorted(begun, key=lambda individual: individual.finished)
        for individual in generation:
            crew.finish(individual)
        now = generation[-1].finished + (crew.delay if workers > 1 else 0.0)
