"""The method: the 20 to 60 lines that are the paper."""

import numpy as np


def descend(steps: int, rate: float, seed: int, noise: float = 1.0, dimension: int = 20) -> np.ndarray:
    """Gradient descent in the bowl ``|x|² / 2`` with a noisy slope.

    Args:
        steps: how many steps are taken.
        rate: length of a step, above 0 and below 2.
        seed: of the noise.
        noise: standard deviation of each component of the slope.
        dimension: of the bowl.

    Returns:
        every place on the way, shape ``(steps + 1, dimension)``; it starts at ones, and the minimum lies at 0.

    Raises:
        ValueError: no step, or a rate with which nothing converges.
    """
    if steps < 1:
        raise ValueError(f"a path needs at least one step, not {steps}")
    if not 0 < rate < 2:
        raise ValueError(f"with a rate of {rate} nothing converges: take one between 0 and 2")
    random = np.random.default_rng(seed)
    path = np.ones((steps + 1, dimension))
    for step in range(steps):
        slope = path[step] + noise * random.normal(size=dimension)
        path[step + 1] = path[step] - rate * slope
    return path


def average(path: np.ndarray, share: float) -> np.ndarray:
    """Mean of the last ``share`` of a path.

    Args:
        path: places, shape ``(n, dimension)``.
        share: above 0, at most 1; at least one place is taken.

    Returns:
        shape ``(dimension,)``

    Raises:
        ValueError: a share that is none.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share lies above 0 and is at most 1, not {share}")
    return path[-max(1, round(share * len(path))) :].mean(axis=0)
