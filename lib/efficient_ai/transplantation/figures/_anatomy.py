"""Where neurons come from, and what a hidden matrix looks like before, after the cut and after fine-tuning."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai.plotting import OKABE_ITO, figure
from efficient_ai.transplantation import _training as t
from efficient_ai.transplantation._fuse import Fused, concatenate, fuse
from efficient_ai.transplantation.experiments import Race
from efficient_ai.transplantation.figures._palette import MEMBERS


def matrices(seed: int, recipe: t.Recipe, width: int = 16) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The second hidden matrix of two small perceptrons side by side, cut, and after epochs of fine-tuning.

    Returns:
        Matrices by stage, and which entries of the cut one connect neurons of different members.
    """
    pair = [t.member("perceptron", width, recipe, seed, i) for i in range(2)]
    data = t.data_of("perceptron", recipe)
    wide = concatenate(pair, data.train[0][:2])
    fused = fuse(pair, data.train[0][:2])
    stages = {"side by side": wide.get_parameter("layers.1.weight").detach().numpy().copy()}
    epochs = []
    t.train(
        fused.model, data.train, recipe, recipe.tune, seed,
        after=lambda m: epochs.append(m.layers[1].weight.detach().numpy().copy()),
    )  # fmt: skip
    stages |= {"cut": epochs[0]} | {f"epoch {e}": epochs[e] for e in sorted({1, 3, len(epochs) - 1})}
    origin = [fused.kept[f"layers.{i}"][:, 0] for i in range(2)]
    return stages, origin[1][:, None] != origin[0][None, :]


def matrix_figure(stages: Mapping[str, np.ndarray], cross: np.ndarray):
    """``draw(stage)``: the matrix as a heat map."""
    top = float(np.quantile(np.abs(stages["cut"]), 0.99))

    def draw(stage: str) -> tuple[go.Figure, str]:
        w = stages[stage]
        fig = figure(x="neuron before", y="neuron", height=460)
        fig.add_heatmap(
            z=w.round(3).tolist(), colorscale="RdBu", zmin=-top, zmax=top, colorbar=dict(title="weight")
        )
        fig.update_yaxes(autorange="reversed", scaleanchor="x", constrain="domain")
        fig.update_xaxes(constrain="domain")
        zero = 100 * float((w == 0).mean())
        if stage == "side by side":
            return (
                fig,
                f"Shape {w.shape[0]} x {w.shape[1]}; {zero:.0f} % of the weights are exactly zero: two blocks.",
            )
        norms = (np.linalg.norm(w[cross]), np.linalg.norm(w[~cross]))
        return fig, (
            f"Shape {w.shape[0]} x {w.shape[1]}; {zero:.0f} % are exactly zero; the weights between neurons of different members "
            f"have {norms[0] / norms[1]:.2f} of the norm of the others."
        )

    return draw


def matrix_table(stages: Mapping[str, np.ndarray], cross: np.ndarray) -> dict[str, list]:
    rows: dict[str, list] = {"stage": list(stages), "zeros (%)": [], "cross over own norm": []}
    for w in stages.values():
        rows["zeros (%)"].append(f"{100 * (w == 0).mean():.1f}")
        wide = w.shape != cross.shape
        rows["cross over own norm"].append(
            "0" if wide else f"{np.linalg.norm(w[cross]) / np.linalg.norm(w[~cross]):.3f}"
        )
    return rows


def survivors_figure(races: Mapping[int, Sequence[Race]]):
    """``draw(k)``: for each layer, which share of its neurons came from which member; first seed."""

    def draw(k: int) -> tuple[go.Figure, str]:
        shares = races[k][0].shares
        fig = figure(x="hidden layer", y="share of the neurons (%)", height=380, barmode="stack")
        for m in range(k):
            fig.add_bar(
                x=list(shares), y=[round(100 * s[m], 1) for s in shares.values()], name=f"member {m}",
                marker_color=MEMBERS[m % len(MEMBERS)], showlegend=k <= 8,
            )  # fmt: skip
        ends = [min(min(s) for s in shares.values()), max(max(s) for s in shares.values())]
        return (
            fig,
            f"{k} members: the shares lie between {100 * ends[0]:.0f} and {100 * ends[1]:.0f} %; even would be {100 / k:.0f} %.",
        )

    return draw


def survivors_table(races: Mapping[int, Sequence[Race]]) -> dict[str, list]:
    rows: dict[str, list] = {"members": [], "layer": [], "smallest share (%)": [], "largest share (%)": []}
    for k, found in races.items():
        for layer, s in found[0].shares.items():
            for key, value in zip(
                rows, (k, layer, round(100 * min(s), 1), round(100 * max(s), 1)), strict=True
            ):
                rows[key].append(value)
    return rows


def scores_figure(fused: Fused, layer: str) -> go.Figure:
    """Scores of one layer by member, sorted, with the cut."""
    fig = figure(x="rank among all members", y="score: squared norms", height=360)
    every = np.concatenate(fused.scores[layer])
    owner = np.concatenate([np.full(len(s), m) for m, s in enumerate(fused.scores[layer])])
    order = np.argsort(-every, kind="stable")
    for m in range(len(fused.weights)):
        mine = np.flatnonzero(owner[order] == m)
        fig.add_scatter(
            x=(mine + 1).tolist(), y=every[order][mine].round(4).tolist(), mode="markers", name=f"member {m}",
            marker=dict(color=MEMBERS[m], size=6),
        )  # fmt: skip
    fig.add_vline(
        x=len(fused.kept[layer]) + 0.5,
        line=dict(color=OKABE_ITO["vermilion"], dash="dash"),
        annotation_text="cut",
    )
    return fig


def scores_table(fused: Fused) -> dict[str, list]:
    return {
        "layer": list(fused.kept),
        "neurons of all members": [sum(len(s) for s in fused.scores[g]) for g in fused.kept],
        "kept": [len(rows) for rows in fused.kept.values()],
        "from each member": [", ".join(map(str, np.bincount(r[:, 0], minlength=len(fused.weights)))) for r in fused.kept.values()],
    }  # fmt: skip


def demonstration(recipe: t.Recipe, width: int) -> tuple[list[torch.nn.Module], torch.Tensor]:
    """Two trained perceptrons and a few images."""
    pair = [t.member("perceptron", width, recipe, 0, i) for i in range(2)]
    return pair, t.data_of("perceptron", recipe).train[0][:2]
