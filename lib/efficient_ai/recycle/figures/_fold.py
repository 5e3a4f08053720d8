"""Fold it: the same hours with a wrong and with the right number of columns."""

from functools import cache

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from efficient_ai.plotting import LIGHT, OKABE_ITO
from efficient_ai.recycle import sources
from efficient_ai.recycle._network import attention_scores

WIDTHS = (20, 22, 23, 24, 25, 26, 28, 36, 48, 168)
_HOURS = 24 * 7 * 12  # twelve weeks
_HISTORY, _FORECAST = 504, 168


@cache
def hours(country: str = "DE") -> np.ndarray:
    """Twelve weeks of spring 2018 in GW, shape ``(2016,)``, from a Monday's midnight on."""
    days = sources.europe_days()[country]
    first = int(np.searchsorted(days.dates, np.datetime64("2018-04-09")))
    return days.values[first : first + _HOURS // 24].ravel() / 1000


def inside_share(values: np.ndarray, width: int) -> float:
    """Share of the variance that is left inside the columns when ``values`` are folded to ``width``, 0 to 1."""
    folded = values[: len(values) // width * width].reshape(-1, width)
    return float(folded.var(axis=0).mean() / folded.var())


def fold_figure(width: int) -> tuple[go.Figure, str]:
    """Above ten days as a line with a mark where a row ends, below all rows as a heat map."""
    values = hours()
    rows = len(values) // width
    folded = values[: rows * width].reshape(rows, width)
    fig = make_subplots(2, 1, row_heights=[0.35, 0.65], vertical_spacing=0.16)
    shown = 24 * 10
    fig.add_scatter(
        x=np.arange(shown), y=values[:shown].round(1).tolist(), mode="lines", showlegend=False,
        line=dict(color=OKABE_ITO["blue"], width=1.5), row=1, col=1,
    )  # fmt: skip
    for border in range(0, shown + 1, width):
        fig.add_vline(x=border, line=dict(color=OKABE_ITO["vermilion"], width=1, dash="dot"), row=1, col=1)
    fig.add_heatmap(
        z=folded.round(0).astype(int).tolist(), colorscale="Cividis", row=2, col=1,
        colorbar=dict(title="GW", thickness=10, y=0.27, len=0.6), hovertemplate="row %{y}, column %{x}: %{z} GW<extra></extra>",
    )  # fmt: skip
    fig.update_layout(template=LIGHT, height=540)
    fig.update_xaxes(title="hour", row=1, col=1)
    fig.update_yaxes(title="generation (GW)", row=1, col=1)
    fig.update_xaxes(title="column", row=2, col=1)
    fig.update_yaxes(title="row", autorange="reversed", row=2, col=1)
    past, asked = -(-_HISTORY // width), -(-_FORECAST // width)
    scores = sum(attention_scores(past, asked).values())
    single = sum(attention_scores(_HISTORY, _FORECAST).values())
    return fig, (
        f"Rows of {width} hours: {100 * inside_share(values, width):.0f} % of the variance is left inside the columns. "
        f"Three weeks of history become {past} tokens, one week of forecast {asked}; "
        f"{scores} attention scores instead of {single}, {single / scores:.0f} times fewer."
    )


def fold_table() -> dict[str, list]:
    """Variance inside the columns, tokens and scores for every width."""
    past = [-(-_HISTORY // width) for width in WIDTHS]
    asked = [-(-_FORECAST // width) for width in WIDTHS]
    return {
        "hours in a row": list(WIDTHS),
        "variance inside columns (%)": [100 * inside_share(hours(), width) for width in WIDTHS],
        "tokens of history": past,
        "tokens of forecast": asked,
        "attention scores": [sum(attention_scores(p, a).values()) for p, a in zip(past, asked, strict=True)],
    }
