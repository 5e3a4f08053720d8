"""What the chapter measures, and how its claims are read from it.

The notebook runs these and draws their results; ``python -m efficient_ai.verify transplantation ID`` runs one alone.
"""

from efficient_ai.transplantation.experiments._answers import (
    COSTS,
    DISJOINT,
    EXPERIMENTS,
    IDENTITIES,
    MEMBER,
    MEMBERS,
    OTHERS,
    RANKS,
    RATES,
    REDUNDANT,
    TRANSPORT,
    WIDTHS,
    reached,
)
from efficient_ai.transplantation.experiments._jobs import Job, Race, run, run_all
from efficient_ai.transplantation.experiments._ranks import OnRanks

__all__ = [
    "COSTS", "DISJOINT", "EXPERIMENTS", "IDENTITIES", "MEMBER", "MEMBERS", "OTHERS", "RANKS", "RATES", "REDUNDANT", "TRANSPORT",
    "WIDTHS", "Job", "OnRanks", "Race", "reached", "run", "run_all",
]  # fmt: skip
