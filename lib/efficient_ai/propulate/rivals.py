"""Optimisers side by side: the same function, the same number of evaluations, one answer to read.

Every rival is called ``rival(function, evaluations, seed)`` and returns the losses in the order of evaluation, shape
``(evaluations,)``. Those of this package run on a simulated clock with their real propagators.
"""

from random import Random

import numpy as np

from efficient_ai.propulate._cma import cma_es
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate._operators import Propagator
from efficient_ai.propulate._swarm import pso
from efficient_ai.propulate.functions import Function
from efficient_ai.propulate.simulation import simulate
from efficient_ai.seeds import seed_for

WORKERS = 8
"""Simulated workers of the genetic algorithms; their evaluations take exponential times of mean 1."""

PARTICLES = 10
"""Simulated workers of the swarm, one particle each; every evaluation takes as long."""


def random_search(function: Function, evaluations: int, seed: int) -> np.ndarray:
    """Uniform in the box."""
    rng = np.random.default_rng(seed_for(seed))
    return function(rng.uniform(-function.bound, function.bound, (evaluations, function.dimension)))


def differential_evolution(
    function: Function, evaluations: int, seed: int, *, members: int = 20
) -> np.ndarray:
    """SciPy's implementation with its default strategy, stopped at exactly that many evaluations.

    ``members`` begin uniformly in the box. The package's own 15 per variable would be 300 in 20 dimensions: at a few
    hundred evaluations nearly all would go into the first generation.
    """
    from scipy import optimize

    losses: list[float] = []

    def counted(x: np.ndarray) -> float:
        if len(losses) == evaluations:
            raise _Spent
        losses.append(function(x))
        return losses[-1]

    rng = np.random.default_rng(seed_for(seed))
    box = [(-function.bound, function.bound)] * function.dimension
    first = rng.uniform(-function.bound, function.bound, (members, function.dimension))
    try:
        while True:  # it may find itself converged, and then begins again
            optimize.differential_evolution(
                counted, box, init=first, rng=rng, polish=False, maxiter=evaluations, tol=0.0
            )
            first = rng.uniform(-function.bound, function.bound, first.shape)
    except _Spent:
        return np.array(losses)


class _Spent(Exception):
    """The budget is used up."""


def cma(function: Function, evaluations: int, seed: int) -> np.ndarray:
    """Ours with one worker, which is the ordinary CMA-ES; the first batch is uniform in the box."""
    return _searched(function, cma_es(function.space), evaluations, seed, workers=1)


def swarm(function: Function, evaluations: int, seed: int) -> np.ndarray:
    """Ours with :data:`PARTICLES` particles and inertia."""
    return _searched(function, pso(function.space), evaluations, seed, workers=PARTICLES)


def genetic(
    function: Function, evaluations: int, seed: int, *, workers: int = WORKERS, synchronous: bool = False
) -> np.ndarray:
    """The paper's: default propagator, twice as many parents as workers, nobody waits."""
    breed = default_propagator(function.space, 2 * workers)
    return _searched(
        function, breed, evaluations, seed, workers=workers, synchronous=synchronous, varied=True
    )


def genetic_with_generations(function: Function, evaluations: int, seed: int) -> np.ndarray:
    """Its synchronous twin: all wait for the slowest of each generation."""
    return genetic(function, evaluations, seed, synchronous=True)


def _searched(
    function: Function,
    propagator: Propagator,
    evaluations: int,
    seed: int,
    *,
    workers: int,
    synchronous: bool = False,
    varied: bool = False,
) -> np.ndarray:
    run = simulate(
        function.space, function, propagator, workers=workers, evaluations=evaluations, seed=seed,
        seconds=_exponential if varied else None, synchronous=synchronous,
    )  # fmt: skip
    return np.array([ind.loss for ind in sorted(run.individuals, key=lambda ind: (ind.finished, ind.rank))])


def _exponential(genes: dict, worker: int, rng: Random) -> float:
    return rng.expovariate(1.0)


RIVALS = {
    "asynchronous": genetic,
    "synchronous": genetic_with_generations,
    "CMA-ES": cma,
    "particle swarm": swarm,
    "differential evolution": differential_evolution,
    "random search": random_search,
}
"""By the name that figures and tables show."""
