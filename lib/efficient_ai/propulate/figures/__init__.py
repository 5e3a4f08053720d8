"""The figures of the chapter and the tables under them."""

from efficient_ai.propulate.figures._catalogue import operator_table
from efficient_ai.propulate.figures._knowledge import knowledge, knowledge_table
from efficient_ai.propulate.figures._live import live_view
from efficient_ai.propulate.figures._method import children, children_table, gantt, idle_table
from efficient_ai.propulate.figures._quality import mean_wins, quartiles, wins, wins_figure, wins_table
from efficient_ai.propulate.figures._runs import (
    accuracy_figure,
    accuracy_table,
    best_table,
    progress_figure,
    race,
    reading,
    run_table,
    utilisation_figure,
)

__all__ = [
    "accuracy_figure",
    "accuracy_table",
    "best_table",
    "children",
    "children_table",
    "gantt",
    "idle_table",
    "knowledge",
    "knowledge_table",
    "live_view",
    "mean_wins",
    "operator_table",
    "progress_figure",
    "quartiles",
    "race",
    "reading",
    "run_table",
    "utilisation_figure",
    "wins",
    "wins_figure",
    "wins_table",
]
