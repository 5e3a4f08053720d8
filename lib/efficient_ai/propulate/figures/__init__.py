"""The figures of the chapter and the tables under them."""

from efficient_ai.propulate.figures._catalogue import operator_table
from efficient_ai.propulate.figures._defects import defect_table
from efficient_ai.propulate.figures._islands import (
    KINDS,
    TOPOLOGIES,
    archipelago,
    islands_reading,
    success_figure,
    success_table,
    wilson,
)
from efficient_ai.propulate.figures._knowledge import DELAYS, TIMES, knowledge, knowledge_table
from efficient_ai.propulate.figures._live import live_view
from efficient_ai.propulate.figures._method import children, children_table, gantt, idle_table
from efficient_ai.propulate.figures._overhead import (
    FUNCTIONS,
    break_even_reading,
    overhead,
    overhead_table,
    required_table,
)
from efficient_ai.propulate.figures._pool import pool_figure, pool_reading, pool_table
from efficient_ai.propulate.figures._quality import (
    mean_wins,
    quartiles,
    wins,
    wins_figure,
    wins_reading,
    wins_table,
)
from efficient_ai.propulate.figures._replay import replay_table, table_facts, time_to_find
from efficient_ai.propulate.figures._rivals import CONTEST, COSTS, Descent, contest, contest_table, recorded
from efficient_ai.propulate.figures._runs import (
    accuracy_figure,
    accuracy_table,
    best_table,
    progress_figure,
    race,
    reading,
    run_table,
    straggler_reading,
    utilisation_figure,
)
from efficient_ai.propulate.figures._scaling import scaling_figure, scaling_table

__all__ = [
    "CONTEST",
    "COSTS",
    "DELAYS",
    "FUNCTIONS",
    "KINDS",
    "TIMES",
    "TOPOLOGIES",
    "Descent",
    "accuracy_figure",
    "accuracy_table",
    "archipelago",
    "best_table",
    "break_even_reading",
    "children",
    "children_table",
    "contest",
    "contest_table",
    "defect_table",
    "gantt",
    "idle_table",
    "islands_reading",
    "knowledge",
    "knowledge_table",
    "live_view",
    "mean_wins",
    "operator_table",
    "overhead",
    "overhead_table",
    "pool_figure",
    "pool_reading",
    "pool_table",
    "progress_figure",
    "quartiles",
    "race",
    "reading",
    "recorded",
    "replay_table",
    "required_table",
    "run_table",
    "scaling_figure",
    "scaling_table",
    "straggler_reading",
    "success_figure",
    "success_table",
    "table_facts",
    "time_to_find",
    "utilisation_figure",
    "wilson",
    "wins",
    "wins_figure",
    "wins_reading",
    "wins_table",
]
