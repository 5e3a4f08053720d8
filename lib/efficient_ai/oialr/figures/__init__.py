"""The figures of the chapter and the tables under them."""

from efficient_ai.oialr.figures._contest import (
    accuracy_figure,
    costs_table,
    curves_figure,
    curves_table,
    ranks_figure,
)
from efficient_ai.oialr.figures._opening import opening
from efficient_ai.oialr.figures._plane import PLANE, plane_figure, plane_table
from efficient_ai.oialr.figures._settling import settling_figure, settling_table
from efficient_ai.oialr.figures._spectrum import (
    CUTOFFS,
    break_even_figure,
    break_even_table,
    spectrum_figure,
    spectrum_table,
)

__all__ = [
    "CUTOFFS",
    "PLANE",
    "accuracy_figure",
    "break_even_figure",
    "break_even_table",
    "costs_table",
    "curves_figure",
    "curves_table",
    "opening",
    "plane_figure",
    "plane_table",
    "ranks_figure",
    "settling_figure",
    "settling_table",
    "spectrum_figure",
    "spectrum_table",
]
