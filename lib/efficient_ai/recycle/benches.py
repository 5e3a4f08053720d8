"""What the exercises measure with: ramps, made-up series with known cycles, drift, and networks that mind the order."""

from collections.abc import Callable

import numpy as np
import torch

from efficient_ai import checks
from efficient_ai.recycle import sources
from efficient_ai.recycle._network import ReCycle


def ramp(days: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Day l has the value l in every hour, ``(days, 24)``; types from a Monday on, ``(days,)``."""
    kinds = np.array([0, 0, 0, 0, 0, 1, 2])[np.arange(days) % 7]
    return np.repeat(np.arange(float(days))[:, None], 24, axis=1), kinds


def wave(cycle: int, rows: int = 40, noise: float = 0.3, seed: int = 0) -> np.ndarray:
    """A series with a shape of its own that repeats every ``cycle`` steps, and noise; shape ``(rows * cycle,)``."""
    rng = np.random.default_rng(seed)
    shape = np.cumsum(rng.normal(size=cycle))
    shape = (shape - shape.mean()) / shape.std()
    return np.tile(shape, rows) + noise * rng.normal(size=rows * cycle)


def network(seed: int = 0) -> ReCycle:
    """An untrained network in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ReCycle().eval()


def inputs(seed: int = 0) -> torch.Tensor:
    """Four windows of 21 + 7 days, shape ``(4, 28, 33)``."""
    return torch.randn(4, 28, 33, generator=torch.Generator().manual_seed(seed))


def first_day(x: torch.Tensor) -> torch.Tensor:
    """A network that minds the order: it repeats the first historic day."""
    return x[:, :1, :24].expand(-1, 7, -1)


def drifting(seed: int, days: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """A load that grows by 0.3 % a day, with three types of days: ``(days, 24)`` and ``(days,)``."""
    data = sources.synthetic(seed, days=days, weather=0.02, holidays=False)
    values = data.denormalise(data.days[0][None], np.array([0]))[0]
    season = 1 + 0.12 * np.cos(2 * np.pi * np.arange(days) / 365.25)
    return values / season[:, None] * (1.003 ** np.arange(days))[:, None], data.types[0]


def habit(days: np.ndarray, types: np.ndarray, future: np.ndarray) -> np.ndarray:
    """The profile of the chapter: mean of the last three days of the type, ``(F, 24)``."""
    return np.stack([days[types == kind][-3:].mean(axis=0) for kind in future])


def error(profile: Callable, seeds: range, horizon: int = 7) -> float:
    """Mean absolute error of ``profile(days, types, future)`` on drifting series, over many origins."""
    found = []
    for seed in seeds:
        days, types = drifting(seed)
        for origin in range(60, len(days) - horizon, 5):
            past, coming = days[:origin].copy(), types[origin : origin + horizon].copy()
            forecast = np.asarray(profile(past, types[:origin].copy(), coming))
            checks.equal("the shape of a forecast", forecast.shape, (horizon, days.shape[1]))
            found.append(np.abs(forecast - days[origin : origin + horizon]).mean())
    return float(np.mean(found))
