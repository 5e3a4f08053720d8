"""Auto-correlation by hand."""

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai.forecasters.seq2seq import circular_correlation
from efficient_ai.plotting import INK, OKABE_ITO, figure

PERIODS = (8, 12, 16, 24)
COUNTS = (1, 2, 4, 8)


def _series(period: int) -> torch.Tensor:
    t = torch.arange(96)
    rng = torch.Generator().manual_seed(0)
    return torch.sin(2 * torch.pi * t / period) + 0.5 * torch.randn(96, generator=rng)


def best_delays(period: int, count: int) -> list[int]:
    """The delays above 0 at which the series agrees best with itself."""
    x = _series(period)
    found = circular_correlation(x[None, :, None], x[None, :, None])[0, :, 0]
    return (found[1:49].topk(count).indices + 1).tolist()


def delay_figure(period: int, count: int) -> tuple[go.Figure, str]:
    """Agreement of a noisy sine with itself over the delay, the best delays marked."""
    x = _series(period)
    found = (circular_correlation(x[None, :, None], x[None, :, None])[0, :, 0] / 96).numpy().round(3)
    chosen = sorted(best_delays(period, count))
    fig = figure(x="delay", y="agreement", height=320)
    fig.add_scatter(x=list(range(49)), y=found[:49].tolist(), mode="lines", name="R", line=dict(color=INK))
    fig.add_scatter(
        x=chosen, y=found[chosen].tolist(), mode="markers", name="used", marker=dict(size=12, color=OKABE_ITO["vermilion"])
    )  # fmt: skip
    fig.update_yaxes(range=[-1, 1.2])
    return fig, f"Period {period}: the {count} best delays are {', '.join(map(str, chosen))}."


def delay_table() -> dict[str, list]:
    """The best delays for each period."""
    return {"period": list(PERIODS)} | {
        f"best {c}": [", ".join(map(str, np.sort(best_delays(p, c)).tolist())) for p in PERIODS]
        for c in COUNTS[:3]
    }
