"""The contest on clothes and the forecaster's curves."""

from collections.abc import Callable, Mapping

import numpy as np
import plotly.graph_objects as go

from efficient_ai import plotting
from efficient_ai.ledger import interval
from efficient_ai.oialr.experiments import VARIANTS, Curve, Run, Runs


def accuracy_figure(found: Runs) -> go.Figure:
    """Test accuracy over what is stored, a point for each seed."""
    fig = plotting.figure(x="stored numbers / dense", y="test accuracy (%)", height=420)
    for name, colour in zip(VARIANTS, list(plotting.OKABE_ITO.values()), strict=False):
        runs = found[name].values()
        fig.add_scatter(
            x=[round(run.counts.stored / run.counts.dense, 4) for run in runs],
            y=[round(run.accuracy, 2) for run in runs],
            mode="markers", name=name, marker={"size": 10, "color": colour},
        )  # fmt: skip
    return fig


def ranks_figure(run: Run) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(update)``: ranks of each layer up to that update of one training."""

    def draw(update: int) -> tuple[go.Figure, str]:
        fig = plotting.figure(x="optimiser step", y="rank", height=380)
        history = run.history[: update + 1]
        for name, colour in zip(run.ranks, list(plotting.OKABE_ITO.values())[1:], strict=False):
            fig.add_scatter(
                x=[step for step, _ in history], y=[ranks[name] for _, ranks in history],
                mode="lines+markers", name=name, line={"color": colour, "shape": "hv", "width": 2.5},
            )  # fmt: skip
        fig.update_xaxes(range=[0, 1.05 * run.history[-1][0]])
        fig.update_yaxes(range=[0, 1.05 * max(run.history[0][1].values())])
        step, ranks = history[-1]
        return fig, f"After step {step}: " + ", ".join(f"{name} {rank}" for name, rank in ranks.items()) + "."

    return draw


def costs_table(found: Runs) -> dict[str, list]:
    """Quality and costs in one table; means over the seeds, intervals for the accuracy."""

    def mean(name: str, count: Callable[[Run], float], digits: int = 0) -> float:
        return round(float(np.mean([count(run) for run in found[name].values()])), digits or None)

    rows: dict[str, list] = {"variant": list(found)}
    rows["test accuracy (%)"] = [
        "{:.1f} [{:.1f}, {:.1f}]".format(*interval([run.accuracy for run in found[name].values()]))
        for name in found
    ]
    rows["trained at the end (%)"] = [
        mean(n, lambda r: 100 * r.counts.trained / r.counts.dense, 1) for n in found
    ]
    rows["stored (%)"] = [mean(n, lambda r: 100 * r.counts.stored / r.counts.dense, 1) for n in found]
    rows["optimiser (kB)"] = [mean(n, lambda r: r.state_bytes / 1000) for n in found]
    rows["processor (s)"] = [mean(n, lambda r: r.seconds, 1) for n in found]
    return rows


def curves_figure(found: Mapping[str, Mapping[int, Curve]]) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(epoch)``: validation error of the forecaster up to that epoch, range of the seeds."""

    def draw(epoch: int) -> tuple[go.Figure, str]:
        fig, told = plotting.figure(x="epoch", y="validation error (mean square)", height=400), []
        top = max(max(run.valid) for runs in found.values() for run in runs.values())
        for (name, runs), colour in zip(found.items(), list(plotting.OKABE_ITO.values())[1:], strict=False):
            curves = np.array([run.valid[:epoch] for run in runs.values()])
            x = list(range(1, curves.shape[1] + 1))
            band = plotting.interval_band(x, curves.min(axis=0).round(4), curves.max(axis=0).round(4), colour)
            fig.add_trace(band.update(mode="lines"))
            fig.add_scatter(x=x, y=curves.mean(axis=0).round(4).tolist(), name=name, mode="lines+markers",
                            line={"color": colour, "width": 2.5})  # fmt: skip
            told.append(f"{name} {curves.mean(axis=0)[-1]:.3f}")
        fig.update_yaxes(range=[0, 1.05 * top])
        return fig, f"After epoch {epoch}: " + ", ".join(told) + "."

    return draw


def curves_table(found: Mapping[str, Mapping[int, Curve]]) -> dict[str, list]:
    """Smallest and last validation error, means over the seeds."""
    runs = found.values()
    return {
        "training": list(found),
        "smallest": [round(float(np.mean([min(c.valid) for c in own.values()])), 3) for own in runs],
        "last": [round(float(np.mean([c.valid[-1] for c in own.values()])), 3) for own in runs],
        "trained at the end (%)": [
            round(100 * float(np.mean([c.trained for c in own.values()])), 1) for own in runs
        ],
    }
