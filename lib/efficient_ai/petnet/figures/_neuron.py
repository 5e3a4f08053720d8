"""One neuron, and what the surrogate does to a gradient on its way back."""

from functools import cache

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai.petnet import SpikingNetwork, lif, paper_arctan, released_arctan
from efficient_ai.plotting import INK, OKABE_ITO, figure

LEAKS = [0.5, 0.8, 0.95]
WEIGHTS = [0.3, 0.5, 0.8]
THRESHOLDS = [0.7, 1.0, 1.5]
RESET_COLOURS = {"code": OKABE_ITO["blue"], "paper": OKABE_ITO["orange"]}
_STEPS = 60


@cache
def _input() -> torch.Tensor:
    return (torch.rand(_STEPS, 1, 1, generator=torch.Generator().manual_seed(3)) < 0.4).float()


def neuron(leak: float, weight: float, threshold: float) -> tuple[go.Figure, str]:
    """Membrane of one neuron with both resets; spikes that only one of them sends are marked."""
    fig = figure(x="step", y="membrane", height=380)
    rasters = {}
    for reset in ("code", "paper"):
        spikes, membrane = lif(weight * _input(), leak, threshold=threshold, reset=reset)
        rasters[reset] = spikes[:, 0, 0].bool().numpy()
        fig.add_scatter(
            y=[round(float(v), 3) for v in membrane[:, 0, 0]], mode="lines", name=f"reset of the {reset}",
            line=dict(color=RESET_COLOURS[reset], width=2),
        )  # fmt: skip
    fig.add_hline(y=threshold, line=dict(color=INK, dash="dash", width=1))
    came = np.flatnonzero(_input()[:, 0, 0].numpy())
    fig.add_scatter(
        x=came, y=np.full(len(came), -0.12), mode="markers", name="input",
        marker=dict(symbol="line-ns-open", size=9, color=INK),
    )  # fmt: skip
    differ = np.flatnonzero(rasters["code"] != rasters["paper"])
    for row, (reset, raster) in enumerate(rasters.items()):
        when = np.flatnonzero(raster)
        odd = np.isin(when, differ)
        fig.add_scatter(
            x=when, y=np.full(len(when), -0.3 - 0.15 * row), mode="markers", showlegend=False,
            marker=dict(
                size=8, color=RESET_COLOURS[reset], symbol=["x" if o else "circle" for o in odd],
            ),
        )  # fmt: skip
    fig.update_yaxes(range=[-0.6, 2.6])
    return fig, (
        f"{rasters['code'].sum()} spikes with the reset of the code, {rasters['paper'].sum()} with that of the paper; "
        f"{len(differ)} of {_STEPS} steps differ (crosses)."
    )


def neuron_table() -> dict[str, list]:
    """Spikes of both resets for every leak and weight, threshold 1."""
    rows = []
    for leak in LEAKS:
        for weight in WEIGHTS:
            code, paper = (lif(weight * _input(), leak, reset=reset)[0] for reset in ("code", "paper"))
            rows.append((leak, weight, int(code.sum()), int(paper.sum()), int((code != paper).sum())))
    names = ("leak", "weight", "spikes, code", "spikes, paper", "steps that differ")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


SURROGATES = {"1 / (1 + (πx)²), the code": released_arctan, "that over π, the paper": paper_arctan}
DEPTHS = [1, 2, 3, 4]


def surrogate(depth: int) -> tuple[go.Figure, str]:
    """The step, and what ``depth`` stand-in derivatives multiply to; and the gradient that reaches the first layer."""
    x = np.linspace(-2, 2, 161)
    fig = figure(x="membrane minus threshold", y="value", height=340)
    fig.add_scatter(x=x, y=(x > 0).astype(float), name="spike", line=dict(color=INK, width=2, shape="hv"))
    for (name, function), hue in zip(SURROGATES.items(), ("blue", "orange"), strict=True):
        y = (function(torch.from_numpy(x)).numpy() ** depth).round(4)
        fig.add_scatter(x=x, y=y, name=name, line=dict(color=OKABE_ITO[hue], width=2))
    code, paper = (_first_gradient(depth, function) for function in SURROGATES.values())
    return fig, (
        f"With {depth} spiking layer{'s' if depth > 1 else ''} the gradient of the first weights is {code / paper:.1f} times as "
        f"large with the derivative of the code as with that of the paper; π to the power {depth} is {np.pi**depth:.1f}."
    )


@cache
def _first_gradient(depth: int, function) -> float:
    """Norm of the gradient of the first weights of a network of ``depth`` layers, for a fixed input."""
    network = SpikingNetwork(
        (16,) * (depth + 1), surrogate=function, generator=torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        for linear in network.linear:
            linear.weight *= 3
    spikes = (torch.rand(40, 8, 16, generator=torch.Generator().manual_seed(1)) < 0.3).float()
    network(spikes).sum().backward()
    return float(network.linear[0].weight.grad.norm())


def surrogate_table() -> dict[str, list]:
    """Ratio of the gradients of both derivatives, by depth."""
    ratios = [_first_gradient(d, released_arctan) / _first_gradient(d, paper_arctan) for d in DEPTHS]
    return {"layers": DEPTHS, "code over paper": ratios, "π to the power": [float(np.pi**d) for d in DEPTHS]}
