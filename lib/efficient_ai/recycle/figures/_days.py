"""Which history days does a forecast day look at?"""

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai.plotting import figure
from efficient_ai.recycle._calendar import weekdays
from efficient_ai.recycle._network import ReCycle
from efficient_ai.recycle._windows import Panel, Windows

NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@torch.no_grad()
def attention(model: ReCycle, x: torch.Tensor) -> torch.Tensor:
    """Weights of the cross attention, forecast days by history days, shape ``(batch, F, H)``, mean over heads."""
    model.eval()
    found: list[torch.Tensor] = []
    layer = model.transformer.decoder.layers[-1]

    def keep(module, args, kwargs, output):
        _, weights = module.__class__.forward(module, *args, **(kwargs | {"need_weights": True}))
        found.append(weights)

    handle = layer.multihead_attn.register_forward_hook(keep, with_kwargs=True)
    try:
        model(x)
    finally:
        handle.remove()
    return found[0]


def by_weekday(model: ReCycle, cut: Windows, data: Panel) -> dict[int, np.ndarray]:
    """Mean attention ``(F, H)`` of the windows whose first forecast day is this weekday."""
    first = weekdays(data.dates[cut.origin + 1])
    return {
        day: torch.cat([attention(model, x) for x in cut.x[first == day].split(256)]).mean(dim=0).numpy()
        for day in range(7)
        if (first == day).any()
    }


def attention_figure(means: dict[int, np.ndarray]):
    """A drawing function over the weekday of the first forecast day."""

    def draw(first: int) -> tuple[go.Figure, str]:
        weights = means[first]
        asked = [f"{NAMES[(first + lead) % 7]} (day {lead + 1})" for lead in range(weights.shape[0])]
        age = np.arange(weights.shape[1], 0, -1)
        shown = [f"{NAMES[(first - a) % 7]} −{a}" for a in age]
        fig = figure(x="day of the history", height=400)
        fig.add_heatmap(
            z=weights.round(3).tolist(), x=shown, y=asked, colorscale="Cividis", zmin=0,
            zmax=float(max(m.max() for m in means.values())), colorbar=dict(title="weight", thickness=10),
        )  # fmt: skip
        fig.update_yaxes(autorange="reversed", title="")
        fig.update_xaxes(tickangle=-60)
        sunday = (6 - first) % 7
        same = [(first - a) % 7 == 6 for a in age]
        share = float(weights[sunday][same].sum())
        return fig, (
            f"The forecast Sunday (day {sunday + 1}) gives {100 * share:.0f} % of its attention to the three Sundays of "
            f"the history; even attention would give {100 * np.mean(same):.0f} %."
        )

    return draw


def attention_table(means: dict[int, np.ndarray]) -> dict[str, list]:
    """How much each forecast weekday gives to history days of its own weekday, and to the last three days."""
    rows: dict[str, list] = {
        "forecast day": [],
        "own weekday (%)": [],
        "even attention (%)": [],
        "last three days (%)": [],
    }
    for name in range(7):
        own, recent = [], []
        for first, weights in means.items():
            lead = (name - first) % 7
            age = np.arange(weights.shape[1], 0, -1)
            own.append(weights[lead][(first - age) % 7 == name].sum())
            recent.append(weights[lead][-3:].sum())
        rows["forecast day"].append(NAMES[name])
        rows["own weekday (%)"].append(100 * float(np.mean(own)))
        rows["even attention (%)"].append(100 * 3 / weights.shape[1])
        rows["last three days (%)"].append(100 * float(np.mean(recent)))
    return rows
