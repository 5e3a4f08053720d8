"""What the chapter measures, and how its claims are read from it.

Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's profile. The notebook runs them and draws their results;
``python -m efficient_ai.verify petnet ID`` runs one alone.
"""

from efficient_ai.petnet.experiments._answers import (
    ABSOLUTE,
    EXPERIMENTS,
    FIGHT,
    LARGER,
    LOSSES,
    LOSSES_COMPARED,
    RATES,
    REPLAY,
    SCALES,
    Fight,
    Larger,
    Losses,
    Replayed,
    strongest,
)
from efficient_ai.petnet.experiments._sorting import (
    BLOCKS,
    SORTERS,
    UNCALIBRATED,
    WINDOWS,
    Sorted,
    baselines,
    best_windows,
    f1_by_block,
    network_by_block,
    scored,
    sorted_pairs,
    window,
)
from efficient_ai.petnet.experiments._speed import DRIVEN, GPU, SPEED, Speed

__all__ = [
    "ABSOLUTE",
    "BLOCKS",
    "DRIVEN",
    "EXPERIMENTS",
    "FIGHT",
    "GPU",
    "LARGER",
    "LOSSES",
    "LOSSES_COMPARED",
    "RATES",
    "REPLAY",
    "SCALES",
    "SORTERS",
    "SPEED",
    "UNCALIBRATED",
    "WINDOWS",
    "Fight",
    "Larger",
    "Losses",
    "Replayed",
    "Sorted",
    "Speed",
    "baselines",
    "best_windows",
    "f1_by_block",
    "network_by_block",
    "scored",
    "sorted_pairs",
    "strongest",
    "window",
]
