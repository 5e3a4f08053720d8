"""What the chapter measures: trainings and timings, and how its claims are read from them.

Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's profile. The notebook runs them and draws their results;
``python -m efficient_ai.verify recycle ID`` runs one alone.
"""

from efficient_ai.recycle.experiments._answers import (
    CONTEST,
    COSTS,
    EDGE,
    EXPERIMENTS,
    FEW_DAYS,
    HOUSEHOLD,
    SILENT,
    TOKENS,
    Contest,
    Costs,
    gains,
    short_days,
)
from efficient_ai.recycle.experiments._trainings import (
    CONTROLLED,
    COUNTRIES,
    DAY_TOKENS,
    LINEAR,
    SLOW,
    all_others,
    chosen_on_validation,
    contest,
    controlled,
    few_days,
    path,
    profile_quantiles,
    second_series,
    train_tree,
    without_network,
)

__all__ = [
    "CONTEST",
    "CONTROLLED",
    "COSTS",
    "COUNTRIES",
    "DAY_TOKENS",
    "EDGE",
    "EXPERIMENTS",
    "FEW_DAYS",
    "HOUSEHOLD",
    "LINEAR",
    "SILENT",
    "SLOW",
    "TOKENS",
    "Contest",
    "Costs",
    "all_others",
    "chosen_on_validation",
    "contest",
    "controlled",
    "few_days",
    "gains",
    "path",
    "profile_quantiles",
    "second_series",
    "short_days",
    "train_tree",
    "without_network",
]
