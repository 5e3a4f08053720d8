"""The figures of the chapter and the tables under them."""

from efficient_ai.pruning.figures._costs import (
    NORMS,
    channel_table,
    cost_figure,
    cost_table,
    masking_figure,
    masking_table,
    scratch_figure,
    sparse_figure,
    sparse_reading,
    sparse_table,
)
from efficient_ai.pruning.figures._curves import (
    control_table,
    density_figure,
    density_table,
    errors_table,
    threshold_figure,
    threshold_table,
    tuning_table,
)
from efficient_ai.pruning.figures._delays import COUNTS, PERIODS, delay_figure, delay_table
from efficient_ai.pruning.figures._graph import coupling_figure, coupling_table

__all__ = [
    "COUNTS",
    "NORMS",
    "PERIODS",
    "channel_table",
    "control_table",
    "cost_figure",
    "cost_table",
    "coupling_figure",
    "coupling_table",
    "delay_figure",
    "delay_table",
    "density_figure",
    "density_table",
    "errors_table",
    "masking_figure",
    "masking_table",
    "scratch_figure",
    "sparse_figure",
    "sparse_reading",
    "sparse_table",
    "threshold_figure",
    "threshold_table",
    "tuning_table",
]
