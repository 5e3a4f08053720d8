"""Figures that explain the method: the simulated clock and the cloud of children."""

from functools import cache
from random import Random

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import COLOURS, INK, colour, figure
from efficient_ai.propulate._clock import Schedule, durations, expected_maximum, schedule
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Float, Space

_ROUNDS, _GENERATIONS = 6, 2000  # drawn, and counted in the readout
_MINUTES = 60  # evaluations per hour if the mean evaluation takes a minute

_SQUARE = Space({"x": Float(0, 1), "y": Float(0, 1)})
_PARENTS = ((0.25, 0.65), (0.45, 0.2), (0.6, 0.8), (0.85, 0.4))
_CHILDREN, _DRAWN = 2000, 1000  # counted, and drawn


@cache
def _simulated(workers: int, spread: float) -> tuple[np.ndarray, Schedule, Schedule]:
    times = durations(_GENERATIONS * workers, spread, np.random.default_rng((3, workers)))
    return times, schedule(times, workers, synchronous=False), schedule(times, workers, synchronous=True)


def gantt(workers: int, spread: float) -> tuple[go.Figure, str]:
    """The same evaluations twice, asynchronous above synchronous, as bars over a simulated clock.

    Args:
        workers: number of workers.
        spread: standard deviation of the evaluation times over their mean.

    Returns:
        the figure and a sentence with idle shares, evaluations per hour and the prediction of theory.
    """
    times, free, waiting = _simulated(workers, spread)
    fig = figure(x="time in mean evaluations", height=420, barmode="overlay", bargap=0.2)
    shown = times[: _ROUNDS * workers]
    for synchronous in (False, True):
        _bars(fig, schedule(shown, workers, synchronous=synchronous), synchronous)
    fig.update_xaxes(range=[0, schedule(shown, workers, synchronous=True).makespan * 1.02])
    middle = (1 - workers) / 2
    fig.update_yaxes(
        tickvals=[middle, middle - workers - 1], ticktext=["asynchronous", "synchronous"], showgrid=False,
        range=[-2 * workers - 0.7, 0.7],
    )  # fmt: skip
    per_hour = [_MINUTES * len(times) / plan.makespan for plan in (free, waiting)]
    return fig, (
        f"Idle: {free.idle_share:.0%} asynchronous, {waiting.idle_share:.0%} synchronous. "
        f"If the mean evaluation takes a minute: {per_hour[0]:.0f} and {per_hour[1]:.0f} evaluations per hour. "
        f"Speed-up {waiting.makespan / free.makespan:.2f}, predicted {expected_maximum(workers, spread):.2f}."
    )


def idle_table(workers=(2, 4, 8, 16), spreads=(0.0, 0.5, 1.0, 2.0)) -> dict[str, list]:
    """Idle share of synchronous workers, simulated, one column for each spread."""
    columns: dict[str, list] = {"workers": list(workers)}
    for spread in spreads:
        columns[f"idle when synchronous, spread {spread:g}"] = [
            f"{_simulated(w, spread)[2].idle_share:.1%}" for w in workers
        ]
    return columns


def _bars(fig: go.Figure, plan: Schedule, synchronous: bool) -> None:
    row = -plan.worker - (plan.workers + 1) * synchronous
    method = "synchronous" if synchronous else "asynchronous"
    fig.add_bar(
        y=row.astype("int8"), x=(plan.finish - plan.start).astype("float32"), base=plan.start.astype("float32"),
        orientation="h", name=method, showlegend=False, marker=dict(color=colour(method), line_width=1),
        hovertemplate="begins at %{base:.2f}, takes %{customdata:.2f}<extra></extra>",
        customdata=(plan.finish - plan.start).astype("float32"),
    )  # fmt: skip
    if synchronous:  # a dotted line where a generation ends
        ends = np.maximum.reduceat(plan.finish, np.arange(0, len(plan.finish), plan.workers))
        fig.add_scatter(
            x=[x for end in ends for x in (round(float(end), 3), round(float(end), 3), None)],
            y=[row.min() - 0.5, row.max() + 0.5, None] * len(ends),
            mode="lines", hoverinfo="skip", showlegend=False, line=dict(color=INK, width=1, dash="dot"),
        )  # fmt: skip


def children(first_share: float, mutation: float, sigma: float, random_share: float) -> tuple[go.Figure, str]:
    """Children of four parents in the unit square under the default propagator.

    Args:
        first_share: probability that a gene comes from the first parent.
        mutation: probability to redraw a gene.
        sigma: width of the normal step over that of the interval.
        random_share: share of random candidates.

    Returns:
        the figure and a sentence with the share of children that stayed on the grid of their parents.
    """
    born = _born(first_share, mutation, sigma, random_share)
    fig = figure(x="first gene", y="second gene", height=460)
    # Thousandths as two bytes each: a page holds many settings of this cloud.
    x, y = np.rint(1000 * born[:_DRAWN].T).astype("int16")
    fig.add_scatter(
        x=x, y=y, mode="markers", name="children",
        marker=dict(color=colour("asynchronous"), size=4, opacity=0.5), hoverinfo="skip",
    )  # fmt: skip
    fig.add_scatter(
        x=[1000 * x for x, _ in _PARENTS], y=[1000 * y for _, y in _PARENTS], mode="markers", name="parents",
        marker=dict(color=COLOURS["prediction"], size=14, line_width=1),
    )  # fmt: skip
    ticks = dict(tickvals=[0, 250, 500, 750, 1000], ticktext=["0", "0.25", "0.5", "0.75", "1"])
    fig.update_xaxes(range=[-20, 1020], **ticks)
    fig.update_yaxes(range=[-20, 1020], scaleanchor="x", **ticks)
    return (
        fig,
        f"Of {_CHILDREN} children {_one_gene_inherited(born):.0%} share at least one gene exactly with a parent.",
    )


def children_table() -> dict[str, list]:
    """Share of children that inherit a gene unchanged, for some settings of :func:`children`."""
    settings = [(0.7, 0.0, 0.05, 0.0), (0.7, 0.4, 0.05, 0.1), (0.7, 0.8, 0.05, 0.1), (0.7, 0.4, 0.05, 0.5)]
    return {
        "share of the first parent": [s[0] for s in settings],
        "probability to redraw": [s[1] for s in settings],
        "width of step": [s[2] for s in settings],
        "random share": [s[3] for s in settings],
        "inherit a gene exactly": [f"{_one_gene_inherited(_born(*s)):.0%}" for s in settings],
    }


def _born(first_share: float, mutation: float, sigma: float, random_share: float) -> np.ndarray:
    population = Population(Individual(genes, 0.0, 0, i) for i, genes in enumerate(_PARENTS))
    breed = default_propagator(
        _SQUARE,
        len(_PARENTS),
        first_share=first_share,
        mutation=mutation,
        sigma=sigma,
        random_share=random_share,
    )
    rng = Random(0)
    return np.array([breed(population, rng) for _ in range(_CHILDREN)])


def _one_gene_inherited(born: np.ndarray) -> float:
    parents = np.array(_PARENTS)
    return float((born[:, None, :] == parents[None]).any(axis=(1, 2)).mean())
