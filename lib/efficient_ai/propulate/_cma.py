"""CMA-ES as a propagator: samples around a mean, learns mean, step size and covariance from whatever arrives.

Notation and constants of N. Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772 (Table 1); solutions from
elsewhere as in N. Hansen, "Injecting External Solutions Into CMA-ES", arXiv 1110.4181.
"""

import math
from collections.abc import Sequence
from random import Random
from weakref import WeakKeyDictionary

import numpy as np

from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Choice, Genes, Integer, Ordinal, Space

_SMALLEST = 1e-14  # of the unit cube: below it, neighbouring samples are the same floating point number
_ATTEMPTS = 100  # to sample inside of the box


class _Constants:
    """Weights and learning rates for a dimension and a batch."""

    def __init__(self, dimension: int, batch: int, active: bool):
        n, half = dimension, batch // 2
        raw = math.log((batch + 1) / 2) - np.log(np.arange(1, batch + 1))
        good, bad = raw[:half], raw[half:]
        self.mu = mu = good.sum() ** 2 / (good**2).sum()  # how many equally weighted parents it amounts to
        self.path_c = (4 + mu / n) / (n + 4 + 2 * mu / n)
        self.path_s = (mu + 2) / (n + mu + 5)
        self.damping = 1 + 2 * max(0.0, math.sqrt((mu - 1) / (n + 1)) - 1) + self.path_s
        self.one = 2 / ((n + 1.3) ** 2 + mu)
        self.many = min(1 - self.one, 2 * (0.25 + mu + 1 / mu - 2) / ((n + 2) ** 2 + mu))
        self.weights = np.concatenate([good / good.sum(), np.zeros(batch - half)])
        if active and (bad < 0).any():
            mu_bad = bad.sum() ** 2 / (bad**2).sum()
            mass = min(
                1 + self.one / self.many,
                1 + 2 * mu_bad / (mu + 2),
                (1 - self.one - self.many) / (n * self.many),  # the covariance stays positive definite
            )
            self.weights[half:] = mass * bad / abs(bad.sum())
        self.half = half
        self.length = math.sqrt(n) * (
            1 - 1 / (4 * n) + 1 / (21 * n * n)
        )  # expected length of a normal vector
        self.longest = math.sqrt(n) + 2 * n / (n + 2)  # Hansen 2011: of a step that is learned from


class _State:
    """Mean, step size and covariance after the batches folded so far."""

    def __init__(self, mean: np.ndarray, sigma: float):
        n = len(mean)
        self.mean, self.sigma = mean, sigma
        self.covariance, self.axes, self.scales = np.eye(n), np.eye(n), np.ones(n)
        self.path_c, self.path_s = np.zeros(n), np.zeros(n)
        self.batches = 0

    def whiten(self, steps: np.ndarray) -> np.ndarray:
        """Steps, shape ``(k, n)``, in units in which they are standard normal."""
        return (steps @ self.axes) / self.scales

    def fold(self, points: np.ndarray, k: _Constants) -> None:
        """Learn from a batch, shape ``(batch, n)``, best first."""
        n = len(self.mean)
        steps = (points - self.mean) / self.sigma
        lengths = np.linalg.norm(self.whiten(steps), axis=1)
        # Some were sampled elsewhere or from an older state; far ones would blow up the step size.
        steps *= np.minimum(1, k.longest / np.maximum(lengths, 1e-300))[:, None]
        lengths = np.minimum(lengths, k.longest)
        move = k.weights[: k.half] @ steps[: k.half]
        self.mean = self.mean + self.sigma * move
        whitened = self.axes @ self.whiten(move[None])[0]
        self.path_s += -k.path_s * self.path_s + math.sqrt(k.path_s * (2 - k.path_s) * k.mu) * whitened
        self.batches += 1
        length = np.linalg.norm(self.path_s)
        expected = math.sqrt(1 - (1 - k.path_s) ** (2 * self.batches)) * k.length
        calm = length < (1.4 + 2 / (n + 1)) * expected
        self.path_c += -k.path_c * self.path_c + calm * math.sqrt(k.path_c * (2 - k.path_c) * k.mu) * move
        weights = np.where(k.weights < 0, k.weights * n / np.maximum(lengths**2, 1e-300), k.weights)
        lost = k.one * (1 - calm) * k.path_c * (2 - k.path_c)
        self.covariance = (
            (1 + lost - k.one - k.many * k.weights.sum()) * self.covariance
            + k.one * np.outer(self.path_c, self.path_c)
            + k.many * (steps.T * weights) @ steps
        )
        self.sigma *= math.exp(min(1.0, k.path_s / k.damping * (length / k.length - 1)))
        self._decompose()

    def _decompose(self) -> None:
        self.covariance = (self.covariance + self.covariance.T) / 2
        squares, self.axes = np.linalg.eigh(self.covariance)
        squares = np.maximum(squares, 1e-14 * squares[-1])  # rounding may leave a tiny negative one
        self.scales = np.sqrt(squares)
        self.sigma = max(self.sigma, _SMALLEST / self.scales[-1])


class CMAES:
    """Samples the next candidate, see :func:`cma_es`. What was learned is kept per population, so runs share nothing."""

    def __init__(self, space: Space, batch: int, start: np.ndarray | None, sigma: float, active: bool):
        self.space, self.batch, self.start, self.sigma = space, batch, start, sigma
        self._constants = _Constants(space.width, batch, active)
        self._grid = _cells(space)
        self._real = self._grid == 0
        self._states: WeakKeyDictionary[Population, _State] = WeakKeyDictionary()

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_states": None}  # what was learned stays with the population here

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state, _states=WeakKeyDictionary())

    def __call__(self, population: Population, rng: Random) -> Genes:
        state = self._states.get(population)
        if state is None:
            mean = np.full(self.space.width, 0.5) if self.start is None else self.start
            state = self._states[population] = _State(mean, self.sigma)
        known = population.known
        while len(known) >= (state.batches + 1) * self.batch:
            first = state.batches * self.batch
            self._learn(state, known[first : first + self.batch])
        if state.batches == 0 and self.start is None:
            return self.space.sample(rng)
        # Between grid points there is nothing to learn from: a spread of too small a part of a cell is widened.
        spread = state.sigma * np.sqrt(np.diag(state.covariance))
        widened = np.maximum(1, 0.3 * self._grid / spread)
        for _ in range(_ATTEMPTS):
            normal = np.array([rng.gauss(0, 1) for _ in range(self.space.width)])
            point = state.mean + state.axes @ (state.scales * normal) * state.sigma * widened
            inside = (point >= 0) & (point <= 1)
            if inside[self._real].all():
                break
        return self.space.from_vector(point)

    def _learn(self, state: _State, batch: Sequence[Individual]) -> None:
        ranked = sorted(batch, key=lambda ind: ind.loss)
        if math.isinf(ranked[0].loss):  # all failed: nothing can be told apart
            state.batches += 1
            return
        state.fold(np.array([self.space.to_vector(ind.genes) for ind in ranked]), self._constants)


def _cells(space: Space) -> np.ndarray:
    """Width of the cells of each slot of the unit cube, zero for real genes, shape ``(width,)``."""
    cells = []
    for gene in space.genes:
        if isinstance(gene, Choice):
            cells += [1.0] * gene.width
        elif isinstance(gene, Integer):
            cells.append(1 / (gene.high - gene.low + 1))
        else:
            cells.append(1 / len(gene.values) if isinstance(gene, Ordinal) else 0.0)
    return np.array(cells)


def cma_es(
    space: Space,
    *,
    batch: int | None = None,
    start: Genes | None = None,
    sigma: float | None = None,
    active: bool = True,
) -> CMAES:
    """CMA-ES on the runtime of the paper: nobody waits for a generation to be complete.

    Every worker folds what it knows into mean, step size and covariance, ``batch`` individuals at a time in the order in
    which they arrived, and samples its next candidate from the result. With one worker that is the ordinary CMA-ES. With
    more, some of a batch were sampled from an older state or by another optimiser; their steps are shortened to a length
    that samples of the present state would have. Candidates outside of the box are drawn again; moving them to its border
    would let the covariance collapse there.

    Args:
        space: the search space; samples are drawn in its unit cube. Meant for real genes. Whole numbers, ordinals and
            choices keep a spread of 0.3 of a cell, so that they never freeze.
        batch: individuals that are folded at a time, by default ``4 + floor(3 ln n)`` in ``n`` dimensions. With more workers
            than that, their number is a better choice.
        start: the first mean. By default the first batch is drawn uniformly from the box, and the state begins with the
            mean and the variance of that.
        sigma: the first step size in widths of the box, by default ``1 / sqrt(12)``, the deviation of a uniform number.
        active: whether the covariance also shrinks along the steps of the worst.

    Raises:
        ValueError: a batch of less than four, a step size that is not positive, a start outside of the space.
    """
    if batch is None:
        batch = 4 + int(3 * math.log(space.width))
    if batch < 4:
        raise ValueError(f"batch={batch}: at least four individuals are needed to tell good from bad")
    if sigma is None:
        sigma = math.sqrt(1 / 12)
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma={sigma} must be positive and finite")
    if start is not None and not space.contains(start):
        raise ValueError(f"start={start!r} is not in the search space")
    return CMAES(space, batch, None if start is None else space.to_vector(start), sigma, active)
