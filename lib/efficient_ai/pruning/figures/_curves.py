"""Error against density: all models, all seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.forecasters.seq2seq import MODELS
from efficient_ai.ledger import interval
from efficient_ai.plotting import OKABE_ITO, figure
from efficient_ai.pruning.experiments import TUNED, Found, loss
from efficient_ai.pruning.profiles import DENSITIES

PAINT = dict(
    zip(MODELS, (OKABE_ITO[c] for c in ("blue", "orange", "green", "vermilion", "purple")), strict=True)
)
Masked = Mapping[str, Sequence[Found]]


def density_figure(masked: Masked):
    """``draw(density)``: test error over the dense model's by density, thin lines are seeds."""

    def draw(density: float) -> tuple[go.Figure, str]:
        fig = figure(x="nominal density", y="test error over the dense model's", height=430)
        for name in MODELS:
            each = np.array([[loss(f, d) for d in DENSITIES] for f in masked[name]])
            for row in each:
                fig.add_scatter(
                    x=DENSITIES, y=row.round(3).tolist(), mode="lines", line=dict(color=PAINT[name], width=0.7),
                    showlegend=False, hoverinfo="skip", opacity=0.5,
                )  # fmt: skip
            middle = np.exp(np.log(each).mean(0)).round(3)
            near = int(np.argmin(np.abs(np.array(DENSITIES) - density)))
            fig.add_scatter(
                x=DENSITIES, y=middle.tolist(), name=name, mode="lines+markers",
                line=dict(color=PAINT[name], width=2.5),
                marker=dict(size=[12 if i == near else 4 for i in range(len(DENSITIES))]),
            )  # fmt: skip
        fig.add_vline(x=density, line=dict(dash="dot", color="#808080"))
        fig.update_xaxes(type="log", autorange="reversed")
        fig.update_yaxes(type="log")
        near = min(DENSITIES, key=lambda d: abs(d - density))
        worst = max(MODELS, key=lambda n: np.mean([loss(f, near) for f in masked[n]]))
        value = np.exp(np.mean([np.log(loss(f, near)) for f in masked[worst]]))
        share = np.mean([f.total[near] for f in masked["FEDformer"]])
        return fig, (
            f"At {near:.3f} the most sensitive model, {worst}, has {value:.2f} times its dense error; "
            f"of FEDformer {share:.0%} of all parameters are still there."
        )

    return draw


def threshold_figure(masked: Masked):
    """``draw(density)``: histogram of a Transformer's absolute weights, with the threshold of this density."""
    weights = np.sort(np.array(masked["Transformer"][0].weights))
    counts, edges = np.histogram(weights[weights < np.quantile(weights, 0.99)], bins=40)

    def draw(density: float) -> tuple[go.Figure, str]:
        threshold = float(np.quantile(weights, 1 - density))
        fig = figure(x="absolute value of a weight", y="weights in the sample", height=300)
        centres = (edges[1:] + edges[:-1]) / 2
        colours = ["#B0B0B0" if c < threshold else PAINT["Transformer"] for c in centres]
        fig.add_bar(x=centres.round(5).tolist(), y=counts.tolist(), marker=dict(color=colours))
        fig.add_vline(x=threshold, line=dict(dash="dot", color="#808080"))
        fig.update_layout(bargap=0.05, showlegend=False)
        return fig, f"Below {threshold:.4f} a weight becomes zero (grey)."

    return draw


def threshold_table(masked: Masked) -> dict[str, list]:
    """Threshold of each density, in a sample of the weights."""
    weights = np.array(masked["Transformer"][0].weights)
    return {
        "nominal density": [round(d, 3) for d in DENSITIES],
        "threshold": [round(float(np.quantile(weights, 1 - d)), 4) for d in DENSITIES],
    }


def density_table(masked: Masked) -> dict[str, list]:
    """Geometric mean over seeds of the error over the dense one."""
    rows = {"nominal density": [round(d, 3) for d in DENSITIES]}
    for name in MODELS:
        rows[name] = [
            round(float(np.exp(np.mean([np.log(loss(f, d)) for f in masked[name]]))), 2) for d in DENSITIES
        ]
    return rows


def errors_table(masked: Masked, others: Mapping[str, float]) -> dict[str, list]:
    """Test errors of the dense models, and of what needs no network."""
    names = [*MODELS, *others]
    dense = {n: interval([f.curve[1.0][1] for f in masked[n]]) for n in MODELS}
    return {
        "method": names,
        "mean squared error": [round(dense[n][0] if n in dense else others[n], 3) for n in names],
        "95 % interval": [f"{dense[n][1]:.3f} to {dense[n][2]:.3f}" if n in dense else "" for n in names],
        "of all parameters prunable": [_prunable(masked[n][0]) if n in dense else "" for n in names],
    }


def _prunable(found: Found) -> str:
    d = DENSITIES[-1]
    return f"{(1 - found.total[d]) / (1 - d):.0%}"


def tuning_table(masked: Masked) -> dict[str, list]:
    """Errors over that of the dense model that was trained on for as long, before and after further training."""

    def mean(name: str, pruned: str, density: float) -> float:
        ratios = [getattr(f, pruned)[density][1] / f.tuned[1.0][1] for f in masked[name]]
        return round(float(np.exp(np.mean(np.log(ratios)))), 2)

    rows = {"model": list(MODELS)}
    for density in TUNED:
        for words, pruned in (("as pruned", "curve"), ("trained on", "tuned")):
            rows[f"{density:.3f}, {words}"] = [mean(n, pruned, density) for n in MODELS]
    return rows


def control_table(masked: Masked) -> dict[str, list]:
    """FEDformer's controls and the trend-only output, test errors, means over seeds."""
    rows = [
        (name, control, np.mean([f.controls[control][1] for f in masked[name]]))
        for name in ("Autoformer", "FEDformer")
        for control in masked[name][0].controls
    ]
    rows += [(n, "dense", np.mean([f.curve[1.0][1] for f in masked[n]])) for n in ("Autoformer", "FEDformer")]
    return {
        "model": [r[0] for r in rows],
        "version": [r[1] for r in rows],
        "mean squared error": [round(float(r[2]), 3) for r in rows],
    }
