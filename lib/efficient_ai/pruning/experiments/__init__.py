"""What the chapter measures, and how its claims are read from it.

The notebook runs these and draws their results; ``python -m efficient_ai.verify pruning ID`` runs one alone.
"""

from efficient_ai.pruning.experiments._answers import (
    CHANNELS,
    CUT,
    DEAD,
    EXPERIMENTS,
    HALF_WIDTH,
    MASKS,
    TIMES,
    baselines,
    loss,
    speedup,
)
from efficient_ai.pruning.experiments._jobs import TUNED, Found, Job, kind, run, run_all
from efficient_ai.pruning.experiments._timing import Timing, measure

__all__ = [
    "CHANNELS",
    "CUT",
    "DEAD",
    "EXPERIMENTS",
    "HALF_WIDTH",
    "MASKS",
    "TIMES",
    "TUNED",
    "Found",
    "Job",
    "Timing",
    "baselines",
    "kind",
    "loss",
    "measure",
    "run",
    "run_all",
    "speedup",
]
