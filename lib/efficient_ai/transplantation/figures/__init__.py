"""The figures of the chapter and the tables under them."""

from efficient_ai.transplantation.figures._anatomy import (
    demonstration,
    matrices,
    matrix_figure,
    matrix_table,
    scores_figure,
    scores_table,
    survivors_figure,
    survivors_table,
)
from efficient_ai.transplantation.figures._dials import (
    cost_figure,
    cost_table,
    disjoint_table,
    rate_figure,
    rate_table,
    redundancy_figure,
    redundancy_table,
)
from efficient_ai.transplantation.figures._parallel import SYNC_VIEWS, sync_figure, sync_table, together
from efficient_ai.transplantation.figures._peers import peers, peers_said, peers_table
from efficient_ai.transplantation.figures._races import (
    RIVALS,
    moments,
    opening,
    others_figure,
    others_table,
    race_figure,
    variants_table,
    width_figure,
    width_table,
)

__all__ = [
    "RIVALS", "SYNC_VIEWS", "cost_figure", "cost_table", "demonstration", "disjoint_table", "matrices", "matrix_figure",
    "matrix_table", "moments", "opening", "others_figure", "others_table", "peers", "peers_said", "peers_table", "race_figure", "rate_figure", "rate_table",
    "redundancy_figure", "redundancy_table", "scores_figure", "scores_table", "survivors_figure", "survivors_table",
    "sync_figure", "sync_table", "together", "variants_table", "width_figure", "width_table",
]  # fmt: skip
