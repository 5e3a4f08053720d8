"""What the chapter measures, and how its claims are read from it.

The notebook runs these and draws their results; ``python -m efficient_ai.verify pruning ID`` runs one alone.
"""

from collections.abc import Mapping

import numpy as np

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.pruning._method import average, descend
from efficient_ai.pruning.profiles import Profile

RATE = 0.5


def walks(profile: Profile) -> dict[int, np.ndarray]:
    """For each seed a walk, shape ``(steps + 1, 20)``."""
    return {seed: descend(profile.steps, RATE, seed) for seed in profile.seed_list}


def _nearer(found: Mapping[int, np.ndarray]) -> Measured:
    ratios = [np.linalg.norm(average(walk, 0.5)) / np.linalg.norm(walk[-1]) for walk in found.values()]
    return Measured(ratios, list(found), "the last place of the same walk")


def _still(found: Mapping[int, np.ndarray]) -> Measured:
    ends = [np.repeat(walk[-1:], 50, axis=0) for walk in found.values()]
    return Measured([float(np.abs(average(end, 0.5) - end[0]).max()) for end in ends], list(found), "none")


AVERAGING = Experiment("walks and their means", walks, {"C1": _nearer, "P1": _still})

EXPERIMENTS = (AVERAGING,)
