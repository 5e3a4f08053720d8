"""What a cut-off drops, and from which rank on factors pay."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import torch
from torch import nn

from efficient_ai import lowrank, plotting
from efficient_ai.oialr import dense_cost, factored_cost

CUTOFFS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7)


def _spectra(model: nn.Module) -> dict[str, tuple[lowrank.MatrixView, torch.Tensor]]:
    layers = lowrank.survey(model).layers[:-1]
    return {
        layer.names[0]: (layer.view, lowrank.thin_svd(layer.view.split(layer.weight)).s[0])
        for layer in layers
    }


def spectrum_figure(model: nn.Module) -> Callable[[float], tuple[go.Figure, str]]:
    """``draw(cutoff)``: singular values of each hidden weight of a trained dense model, those that stay drawn full."""
    spectra = _spectra(model)

    def draw(cutoff: float) -> tuple[go.Figure, str]:
        fig = plotting.figure(x="index of the singular value", y="share of the largest", height=400)
        told = []
        for (name, (view, s)), colour in zip(
            spectra.items(), list(plotting.OKABE_ITO.values())[1:], strict=False
        ):
            rank = lowrank.rank_above(s, cutoff)
            share = (s / s[0]).numpy().round(3)
            fig.add_scatter(x=list(range(1, len(s) + 1)), y=share.tolist(), mode="lines", name=name,
                            line={"color": colour})  # fmt: skip
            fig.add_scatter(x=[rank], y=[share[rank - 1]], mode="markers", showlegend=False,
                            marker={"color": colour, "size": 10})  # fmt: skip
            lost = 100 * float(lowrank.dropped(s, rank) ** 2 / s.square().sum())
            stored = 100 * (rank * (view.rows + view.columns) + rank**2) / (view.rows * view.columns)
            told.append(
                f"{name}: rank {rank} of {len(s)}, {lost:.1f} % of the squares dropped, {stored:.0f} % stored"
            )
        fig.add_hline(y=cutoff, line={"color": plotting.INK, "dash": "dash"})
        return fig, "; ".join(told) + "."

    return draw


def spectrum_table(model: nn.Module) -> dict[str, list]:
    """The rank that each cut-off leaves."""
    rows: dict[str, list] = {"cut-off": list(CUTOFFS)}
    for name, (_, s) in _spectra(model).items():
        rows[name] = [lowrank.rank_above(s, cutoff) for cutoff in CUTOFFS]
    return rows


def break_even_figure(rows: int) -> tuple[go.Figure, str]:
    """Counted multiplications of a step and stored numbers, over those of the dense layer, for a square weight of 1 024."""
    view = lowrank.MatrixView((1024, 1024))
    ranks = np.arange(16, 1025, 16)
    dense = 3 * rows * 1024**2
    fig = plotting.figure(x="rank / width", y="share of the dense layer", height=400)
    through = np.array([factored_cost(rows, view, int(r)) for r in ranks]) / dense
    rebuilt = np.array([dense_cost(rows, view, int(r)) for r in ranks]) / dense
    stored = (2 * ranks * 1024 + ranks**2) / 1024**2
    for name, values in (
        ("arithmetic through the factors", through),
        ("arithmetic, weight rebuilt", rebuilt),
        ("stored numbers", stored),
        ("trained numbers", ranks**2 / 1024**2),
    ):
        fig.add_scatter(x=(ranks / 1024).round(3), y=values.round(3), mode="lines", name=name)
    fig.add_hline(y=1, line={"color": plotting.INK, "dash": "dash"})
    fig.update_yaxes(range=[0, 3.1])
    cheap = ranks[through <= rebuilt].max(initial=0)
    pays = ranks[np.minimum(through, rebuilt) <= 1].max(initial=0)
    return fig, (
        f"With {rows} rows a step: the factors are cheaper than rebuilding up to rank {cheap}; up to rank {pays} a step "
        "costs less than a dense one; stored numbers break even at rank 424."
    )


def break_even_table() -> dict[str, list]:
    """Arithmetic of a step over the dense layer's with 512 rows, and stored numbers, for some ranks of a width of 1 024."""
    view, ranks = lowrank.MatrixView((1024, 1024)), [64, 128, 256, 424, 512, 1024]
    dense = 3 * 512 * 1024**2
    return {
        "rank": ranks,
        "through the factors": [round(factored_cost(512, view, r) / dense, 2) for r in ranks],
        "weight rebuilt": [round(dense_cost(512, view, r) / dense, 2) for r in ranks],
        "stored": [round((2 * r * 1024 + r * r) / 1024**2, 2) for r in ranks],
        "trained": [round(r * r / 1024**2, 3) for r in ranks],
    }
