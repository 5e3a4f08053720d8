"""Asynchronous and synchronous evaluation on a simulated clock: what waiting costs, without spending the time."""

import heapq
from dataclasses import dataclass
from functools import cache

import numpy as np


@dataclass(frozen=True)
class Schedule:
    """Who evaluated what and when, on a simulated clock.

    Args:
        worker: index of the worker of each evaluation, shape ``(n,)``.
        start: when it began, in units of the durations, shape ``(n,)``.
        finish: when it ended, shape ``(n,)``.
        workers: how many workers there are.
    """

    worker: np.ndarray
    start: np.ndarray
    finish: np.ndarray
    workers: int

    @property
    def makespan(self) -> float:
        """When the last evaluation ended."""
        return float(self.finish.max())

    @property
    def idle_share(self) -> float:
        """Share of the workers' time until the end in which nothing was evaluated, in [0, 1)."""
        return 1 - float((self.finish - self.start).sum()) / (self.workers * self.makespan)


def schedule(seconds: np.ndarray, workers: int, *, synchronous: bool) -> Schedule:
    """Give evaluations to workers in order, each to the one that is free first.

    Args:
        seconds: duration of each evaluation, shape ``(n,)``, positive.
        workers: how many work at once.
        synchronous: True to hand out one evaluation per worker and then wait for the slowest, as a genetic algorithm
            with generations does; False to hand out the next one as soon as a worker is free.

    Raises:
        ValueError: no evaluation, a duration that is not positive and finite, or no worker.
    """
    seconds = np.asarray(seconds, dtype=float)
    if seconds.ndim != 1 or len(seconds) == 0 or not (np.isfinite(seconds) & (seconds > 0)).all():
        raise ValueError("durations must be a list of positive, finite numbers")
    if workers < 1:
        raise ValueError(f"workers={workers}: at least one is needed")
    n = len(seconds)
    if synchronous:
        slowest = np.maximum.reduceat(seconds, np.arange(0, n, workers))  # of each generation
        began = np.concatenate([[0.0], np.cumsum(slowest)[:-1]])
        start = np.repeat(began, workers)[:n]
        return Schedule(np.arange(n) % workers, start, start + seconds, workers)
    worker, start = np.empty(n, dtype=int), np.empty(n)
    free = [(0.0, w) for w in range(workers)]
    for i, duration in enumerate(seconds):
        start[i], worker[i] = heapq.heappop(free)
        heapq.heappush(free, (start[i] + duration, int(worker[i])))
    return Schedule(worker, start, start + seconds, workers)


def durations(n: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """``n`` evaluation times of mean 1 and standard deviation ``spread``, gamma distributed, shape ``(n,)``.

    ``spread = 0`` is constant, ``spread = 1`` exponential; above that a few evaluations take very long.
    """
    if spread < 0:
        raise ValueError(f"spread={spread} is negative")
    return np.ones(n) if spread == 0 else rng.gamma(1 / spread**2, spread**2, n)


def harmonic(workers: int) -> float:
    """The harmonic number ``1 + 1/2 + ... + 1/workers``: the expected slowest of that many exponential times."""
    return sum(1 / k for k in range(1, workers + 1))


@cache
def expected_maximum(workers: int, spread: float) -> float:
    """Expected slowest of ``workers`` times as :func:`durations` draws them: what a synchronous generation costs.

    Computed from ``E[max] = integral of 1 - F(t)^workers``, with ``F`` the gamma distribution function.
    """
    from scipy.integrate import quad
    from scipy.stats import gamma

    if spread == 0:
        return 1.0
    law = gamma(1 / spread**2, scale=spread**2)
    far = float(law.isf(1e-12 / workers))
    return quad(lambda t: -np.expm1(workers * law.logcdf(t)), 0, far, limit=500, points=[1.0])[0]
