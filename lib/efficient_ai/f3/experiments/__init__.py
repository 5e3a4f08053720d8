"""What the chapter measures, and how its claims are read from it.

Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's profile, two of them a cluster, too. The notebook runs them and
draws their results; ``python -m efficient_ai.verify f3 ID`` runs one alone.
"""

from efficient_ai.f3.experiments._answers import (
    ANGLES,
    CONTEST,
    COSTS,
    EQUALITY,
    EXPERIMENTS,
    IDENTITIES,
    MEMORY,
    PAPER_RATE,
    SPEEDS,
    TRANSFORMER,
    VARIATIONS,
)
from efficient_ai.f3.experiments._contest import (
    CLASS_TASKS,
    PLAUSIBLE,
    RULES,
    STORED_BITS,
    Column,
    angle_curves,
    gap_reduction,
    variations,
)
from efficient_ai.f3.experiments._ranks import (
    Calibration,
    Times,
    calibrate,
    epoch_seconds,
    pipeline_runs,
    serial_state,
)

__all__ = [
    "ANGLES",
    "CLASS_TASKS",
    "CONTEST",
    "COSTS",
    "EQUALITY",
    "EXPERIMENTS",
    "IDENTITIES",
    "MEMORY",
    "PAPER_RATE",
    "PLAUSIBLE",
    "RULES",
    "SPEEDS",
    "STORED_BITS",
    "TRANSFORMER",
    "VARIATIONS",
    "Calibration",
    "Column",
    "Times",
    "angle_curves",
    "calibrate",
    "epoch_seconds",
    "gap_reduction",
    "pipeline_runs",
    "serial_state",
    "variations",
]
