"""What the chapter measures, and how its claims are read from it.

Functions that take a communicator are called on all ranks. Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's
profile, some of them a cluster, too. The notebook runs them and draws their results; ``python -m efficient_ai.verify propulate
ID`` runs one alone.
"""

from efficient_ai.propulate.experiments._on_ranks import (
    METHODS,
    MIGRATION,
    NAPS,
    RACES,
    SCALING,
    Races,
    conserved,
    consistent,
    efficiency,
    migration_run,
    nap_run,
)
from efficient_ai.propulate.experiments._pool import POOL, POOLS, Pools, search_seconds
from efficient_ai.propulate.experiments._searches import (
    CONTEST,
    FIRST_ISLAND_SEED,
    FUNNELS,
    OVERHEAD,
    QUALITY,
    RIVALS,
    SETTINGS,
    Funnels,
    Losses,
    Rivals,
    mean_wins,
    simulated,
    wins,
)

EXPERIMENTS = (RACES, SCALING, MIGRATION, QUALITY, RIVALS, FUNNELS, OVERHEAD, POOL)

__all__ = [
    "CONTEST",
    "EXPERIMENTS",
    "FIRST_ISLAND_SEED",
    "FUNNELS",
    "METHODS",
    "MIGRATION",
    "NAPS",
    "OVERHEAD",
    "POOL",
    "POOLS",
    "QUALITY",
    "RACES",
    "RIVALS",
    "SCALING",
    "SETTINGS",
    "Funnels",
    "Losses",
    "Pools",
    "Races",
    "Rivals",
    "conserved",
    "consistent",
    "efficiency",
    "mean_wins",
    "migration_run",
    "nap_run",
    "search_seconds",
    "simulated",
    "wins",
]
