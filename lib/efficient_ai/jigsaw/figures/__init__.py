"""The figures of the chapter and the tables under them."""

from efficient_ai.jigsaw.figures._blocks import LAYOUTS, OPS, STEPS, blocks, blocks_table, history
from efficient_ai.jigsaw.figures._live import live_view
from efficient_ai.jigsaw.figures._maps import (
    KINDS,
    SHARES,
    batch_figure,
    batch_table,
    forecast_map,
    lead_figure,
    lead_table,
    ownership,
    token_table,
)
from efficient_ai.jigsaw.figures._memory import RANKS, WIDTHS, holdings_table, memory_bars, memory_table
from efficient_ai.jigsaw.figures._peers import MEASURES, peers_bars, peers_table
from efficient_ai.jigsaw.figures._scaling import (
    ROOFLINE_CONTROLS,
    SCHEDULES,
    YARDSTICKS,
    efficiencies,
    roofline,
    roofline_table,
    to_256,
    to_256_table,
    weak_figure,
    weak_table,
)
from efficient_ai.jigsaw.figures._token import STAGES, TOKENS, follow, follow_table

__all__ = [
    "KINDS",
    "LAYOUTS",
    "MEASURES",
    "OPS",
    "RANKS",
    "ROOFLINE_CONTROLS",
    "SCHEDULES",
    "SHARES",
    "STAGES",
    "STEPS",
    "TOKENS",
    "WIDTHS",
    "YARDSTICKS",
    "batch_figure",
    "batch_table",
    "blocks",
    "blocks_table",
    "efficiencies",
    "follow",
    "follow_table",
    "forecast_map",
    "history",
    "holdings_table",
    "lead_figure",
    "lead_table",
    "live_view",
    "memory_bars",
    "memory_table",
    "ownership",
    "peers_bars",
    "peers_table",
    "roofline",
    "roofline_table",
    "to_256",
    "to_256_table",
    "token_table",
    "weak_figure",
    "weak_table",
]
