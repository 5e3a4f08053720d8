"""Quantile forecasts as a fan, and whether they hold what they promise."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai.plotting import OKABE_ITO, figure, rgba
from efficient_ai.recycle._scores import pinball, quantile_levels
from efficient_ai.recycle._windows import Panel, Windows
from efficient_ai.recycle.figures._palette import paint


def fan_figure(fans: Mapping[str, torch.Tensor], cut: Windows, data: Panel, country: str):
    """A drawing function over the forecast and the test window of a country.

    Args:
        fans: nine quantiles of all windows by name, shape ``(windows, F, cycle, 9)``.
        cut: the windows.
        data: their panel.
        country: which one is drawn.
    """
    i = data.names.index(country)
    mine = np.flatnonzero(cut.series == i)

    def own(values: torch.Tensor) -> np.ndarray:
        return data.denormalise(values.numpy()[None], np.array([i]))[0] / 1000

    def draw(name: str, week: int) -> tuple[go.Figure, str]:
        k = mine[min(week, len(mine) - 1)]
        quantiles = own(fans[name][k]).reshape(-1, fans[name].shape[-1]).round(1)
        truth = own(cut.y[k]).ravel()
        fig = figure(x="day", y=f"generation of {country} (GW)", height=400)
        hours = (np.arange(len(truth)) / 24).round(2)
        x = np.concatenate([hours, hours[::-1]]).tolist()
        for low, high, alpha, label in ((0, 8, 0.18, "0.1 to 0.9"), (2, 6, 0.35, "0.3 to 0.7")):
            fig.add_scatter(
                x=x, y=np.concatenate([quantiles[:, high], quantiles[::-1, low]]).tolist(), fill="toself", name=label,
                fillcolor=rgba(paint("ReCycle"), alpha), line=dict(width=0), hoverinfo="skip",
            )  # fmt: skip
        fig.add_scatter(
            x=hours.tolist(),
            y=quantiles[:, 4].tolist(),
            name="median",
            line=dict(color=paint("ReCycle"), width=2),
        )
        fig.add_scatter(
            x=hours.tolist(),
            y=truth.round(1).tolist(),
            name="measured",
            line=dict(color=OKABE_ITO["orange"], width=2),
        )
        inside = np.mean((truth >= quantiles[:, 0]) & (truth <= quantiles[:, 8]))
        first = data.dates[cut.origin[k] + 1]
        return (
            fig,
            f"From {first}: {100 * inside:.0f} % of the hours lie between the levels 0.1 and 0.9; promised are 80 %.",
        )

    return draw


def coverage_table(fans: Mapping[str, torch.Tensor], cut: Windows) -> dict[str, list]:
    """Pinball loss, share of the hours below each level, and how often the quantiles cross."""
    levels = quantile_levels(next(iter(fans.values())).shape[-1])
    rows: dict[str, list] = {
        "level": [f"{level:.1f}" for level in levels] + ["pinball loss (min-max)", "crossings (%)"]
    }
    for name, fan in fans.items():
        below = (cut.y.unsqueeze(-1) <= fan).float().mean(dim=(0, 1, 2))
        crossing = 100 * (fan.diff(dim=-1) < 0).float().mean()
        rows[f"hours below, {name}"] = [
            *[f"{share:.3f}" for share in below.tolist()], f"{pinball(fan, cut.y):.5f}", f"{crossing:.2f}",
        ]  # fmt: skip
    return rows
