"""Figures of measured runs."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import COLOURS, colour, figure
from efficient_ai.propulate._population import Individual
from efficient_ai.propulate._run import Run
from efficient_ai.propulate._space import Space

Runs = dict[str, Run]  # by name of the method


def race(runs: Runs) -> go.Figure:
    """Bars of what every rank really did, one run above the other."""
    fig = figure(x="time (s)", height=380, barmode="overlay", bargap=0.2)
    ticks, offset = {}, 0
    for method, run in runs.items():
        fig.add_bar(
            y=[offset - ind.rank for ind in run.individuals],
            x=[round(ind.seconds, 4) for ind in run.individuals],
            base=[round(ind.started, 4) for ind in run.individuals],
            customdata=[[ind.rank, round(ind.seconds, 3)] for ind in run.individuals],
            hovertemplate="rank %{customdata[0]}: begins at %{base:.2f} s, takes %{customdata[1]} s<extra></extra>",
            orientation="h", showlegend=False, marker=dict(color=colour(method), line_width=1),
        )  # fmt: skip
        ticks[method] = offset - (run.workers - 1) / 2
        offset -= run.workers + 1
    fig.update_yaxes(tickvals=list(ticks.values()), ticktext=list(ticks), showgrid=False)
    return fig


def run_table(runs: Runs) -> dict[str, list]:
    """Evaluations, seconds and utilisation of each run."""
    return {
        "method": list(runs),
        "evaluations": [len(run.individuals) for run in runs.values()],
        "seconds": [run.seconds for run in runs.values()],
        "mean evaluation (s)": [
            float(np.mean([ind.seconds for ind in run.individuals])) for run in runs.values()
        ],
        "spread of evaluation times": [_spread(run) for run in runs.values()],
        "utilisation": [f"{run.utilisation:.1%}" for run in runs.values()],
    }


def reading(runs: Runs) -> str:
    """What the two measured runs say, in a sentence or two."""
    free, waiting = runs["asynchronous"], runs["synchronous"]
    rates = [60 * len(run.individuals) / run.seconds for run in (free, waiting)]
    return (
        f"The asynchronous ranks spent **{free.utilisation:.0%}** of their time in evaluations, the synchronous ones "
        f"**{waiting.utilisation:.0%}**. Evaluation times had a spread of {_spread(free):.2f}. "
        f"Per minute of the clock on the wall the asynchronous run finished {rates[0]:.0f} evaluations, the "
        f"synchronous one {rates[1]:.0f}: {rates[0] / rates[1]:.2f} times as many. "
    )


def straggler_reading(runs: Runs) -> str:
    """How much the fast ranks got done beside a slow one, in a sentence."""
    parts = []
    for method, run in runs.items():
        fast = [ind for ind in run.individuals if ind.rank > 0]
        slow = len(run.individuals) - len(fast)
        rate = len(fast) / (run.workers - 1) / run.seconds
        parts.append(f"{method}: {rate:.1f} evaluations per second and fast rank, {slow} by the slow one")
    return "Fast ranks beside the straggler. " + "; ".join(parts) + "."


def progress_figure(runs: Runs) -> go.Figure:
    """Every candidate as a point over time, and the best loss so far as a line."""
    fig = figure(x="time (s)", y="validation error", height=400)
    for method, run in runs.items():
        add_progress(fig, run.individuals, method)
    return fig


def add_progress(fig: go.Figure, individuals: list[Individual], method: str) -> None:
    """Draw the candidates of one run, and their running best, into ``fig``; failed ones have no loss to draw."""
    ordered = sorted((ind for ind in individuals if np.isfinite(ind.loss)), key=lambda ind: ind.finished)
    times = [round(ind.finished, 3) for ind in ordered]
    losses = [ind.loss for ind in ordered]
    fig.add_scatter(
        x=times, y=losses, mode="markers", showlegend=False, name=f"{method}, each candidate",
        marker=dict(color=colour(method), size=6, opacity=0.45),
    )  # fmt: skip
    fig.add_scatter(
        x=times, y=np.minimum.accumulate(losses).tolist() if losses else [], mode="lines",
        name=f"best so far, {method}", line=dict(color=colour(method), width=3, shape="hv"),
    )  # fmt: skip


def best_table(runs: Runs, space: Space) -> dict[str, list]:
    """The best candidate of each run, gene by gene."""
    columns: dict[str, list] = {"": ["validation error", *space.names]}
    for method, run in runs.items():
        columns[method] = [run.best.loss, *run.best.genes]
    return columns


def accuracy_figure(accuracies: dict[str, list[float]]) -> go.Figure:
    """Test accuracy by method: a point for each training seed, the mean with its interval."""
    fig = figure(x="test accuracy", height=80 + 70 * len(accuracies))
    for method, values in accuracies.items():
        value, low, high = interval(values)
        fig.add_scatter(
            x=values, y=[method] * len(values), mode="markers", showlegend=False, name="one seed",
            marker=dict(color=colour(method), size=7, opacity=0.45),
        )  # fmt: skip
        fig.add_scatter(
            x=[value], y=[method], mode="markers", showlegend=False, name="mean and 95 % interval",
            marker=dict(color=colour(method), size=13, symbol="diamond"),
            error_x=dict(type="data", symmetric=False, array=[high - value], arrayminus=[value - low], thickness=3),
        )  # fmt: skip
    fig.update_yaxes(autorange="reversed", title="")
    return fig


def accuracy_table(accuracies: dict[str, list[float]]) -> dict[str, list]:
    """Mean, interval and number of seeds of each method."""
    rows = [interval(values) for values in accuracies.values()]
    return {
        "method": list(accuracies),
        "mean test accuracy": [row[0] for row in rows],
        "95 % interval": [f"[{row[1]:.4f}, {row[2]:.4f}]" for row in rows],
        "seeds": [len(values) for values in accuracies.values()],
    }


def utilisation_figure(by_method: dict[str, list[float]], predicted_speed_up: float) -> go.Figure:
    """Utilisation of each seed by method, beside what theory predicts for synchronous workers."""
    fig = figure(x="utilisation", height=220)
    for method, values in by_method.items():
        fig.add_scatter(
            x=values, y=[method] * len(values), mode="markers", showlegend=False, name=method,
            marker=dict(color=colour(method), size=9, opacity=0.6),
        )  # fmt: skip
    fig.add_vline(x=1 / predicted_speed_up, line=dict(color=COLOURS["prediction"], dash="dash", width=2))
    fig.update_xaxes(range=[0, 1.05])
    fig.update_yaxes(autorange="reversed", title="")
    return fig


def _spread(run: Run) -> float:
    seconds = np.array([ind.seconds for ind in run.individuals])
    return float(seconds.std() / seconds.mean())
