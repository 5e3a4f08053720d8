"""What the chapter measures, and how its claims are read from it.

Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's profile, most of them a cluster, too. The notebook runs them and
draws their results; ``python -m efficient_ai.verify ab_training ID`` runs one alone.
"""

from efficient_ai.ab_training.experiments._answers import (
    AB,
    BATCHES,
    CASES,
    COMPRESSION,
    CONTEST,
    COUNTED,
    EXPERIMENTS,
    LOCAL,
    MERGES,
    PLAIN,
    RESTARTS,
    SMALL,
    TIMED,
    TIMES,
    TRAFFIC,
    Contest,
    Traffic,
    methods,
)
from efficient_ai.ab_training.experiments._on_ranks import SHORT, counted, merge_errors, trainings

__all__ = [
    "AB",
    "BATCHES",
    "CASES",
    "COMPRESSION",
    "CONTEST",
    "COUNTED",
    "EXPERIMENTS",
    "LOCAL",
    "MERGES",
    "PLAIN",
    "RESTARTS",
    "SHORT",
    "SMALL",
    "TIMED",
    "TIMES",
    "TRAFFIC",
    "Contest",
    "Traffic",
    "counted",
    "merge_errors",
    "methods",
    "trainings",
]
