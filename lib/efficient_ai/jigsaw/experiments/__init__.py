"""What the chapter measures, and how its claims are read from it.

Functions that take a communicator are called on all ranks. Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's
profile, most of them a cluster, too. The notebook runs them and draws their results; ``python -m efficient_ai.verify jigsaw ID``
runs one alone.
"""

from efficient_ai.jigsaw.experiments._counted import (
    CAPS,
    COUNTS,
    EQUALITY,
    GRIDS,
    GROWTH,
    KINDS,
    MEMORY,
    PEAKS,
    PRODUCTS,
    TRAFFIC,
    WAYS,
    Memory,
)
from efficient_ai.jigsaw.experiments._forecasts import (
    BATCHED,
    FORECASTS,
    Forecasts,
    judge_forecasts,
    learn_batches,
    learning_jobs,
    scores,
)
from efficient_ai.jigsaw.experiments._on_ranks import (
    SMALL,
    Equality,
    block,
    calibrate,
    counted_step,
    equality,
    field_block,
    first_ranks,
    holdings,
    learn_many,
    learn_sharded,
    max_op,
    product_errors,
    shared_read,
    simulate_members,
    step_seconds,
    with_width,
)
from efficient_ai.jigsaw.experiments._timed import PEERS, STRONG, WEAK, Strong, read_blocks

EXPERIMENTS = (
    COUNTS, GROWTH, CAPS, PEAKS, PRODUCTS, EQUALITY, TRAFFIC, MEMORY, WEAK, STRONG, FORECASTS, BATCHED, PEERS,
)  # fmt: skip

__all__ = [
    "BATCHED",
    "CAPS",
    "COUNTS",
    "EQUALITY",
    "EXPERIMENTS",
    "FORECASTS",
    "GRIDS",
    "GROWTH",
    "KINDS",
    "MEMORY",
    "PEAKS",
    "PEERS",
    "PRODUCTS",
    "SMALL",
    "STRONG",
    "TRAFFIC",
    "WAYS",
    "WEAK",
    "Equality",
    "Forecasts",
    "Memory",
    "Strong",
    "block",
    "calibrate",
    "counted_step",
    "equality",
    "field_block",
    "first_ranks",
    "holdings",
    "judge_forecasts",
    "learn_batches",
    "learn_many",
    "learn_sharded",
    "learning_jobs",
    "max_op",
    "product_errors",
    "read_blocks",
    "scores",
    "shared_read",
    "simulate_members",
    "step_seconds",
    "with_width",
]
