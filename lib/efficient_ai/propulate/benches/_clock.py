"""The clock that jumps: evaluation times, and how much longer one way of waiting takes than the other."""

import random
from collections.abc import Callable


def exponential_times(n: int) -> list[float]:
    """``n`` exponential times of mean 1, always the same ones."""
    rng = random.Random(1)
    return [rng.expovariate(1.0) for _ in range(n)]


def slower_by(synchronous: Callable, asynchronous: Callable, seconds: list[float], workers: int) -> float:
    """How many times as long the first takes as the second, each until its last ``finish``."""
    first, second = (
        max(finish for _, finish, _ in simulate(seconds, workers)) for simulate in (synchronous, asynchronous)
    )
    return first / second
