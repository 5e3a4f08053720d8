"""Figure 4: islands on a landscape with two funnels, and how often they find the right one."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots
from scipy.stats import binomtest

from efficient_ai.plotting import COLOURS, INK, LIGHT, OKABE_ITO
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate.functions import FUNCTIONS, Function
from efficient_ai.propulate.simulation import Simulation, simulate

_ISLANDS, _WORKERS, _SHOWN = 4, 8, 25  # islands, workers in all, individuals drawn per island
_ORIGIN = [OKABE_ITO[name] for name in ("blue", "orange", "green", "purple")]

TOPOLOGIES: dict[str, list[list[int]]] = {
    "all to all": [[int(i != j) for j in range(_ISLANDS)] for i in range(_ISLANDS)],
    "ring": [[int(j == (i + 1) % _ISLANDS) for j in range(_ISLANDS)] for i in range(_ISLANDS)],
}
KINDS = {"pollination": True, "migration": False}


@cache
def _run(topology: str, kind: str, probability: float, evaluations: int) -> Simulation:
    function = FUNCTIONS["bisphere"]
    return simulate(
        function.space, function, default_propagator(function.space, 2 * _WORKERS // _ISLANDS),
        workers=_WORKERS, evaluations=evaluations, seed=1, seconds=lambda genes, worker, rng: rng.expovariate(1),
        islands=Islands(_ISLANDS, TOPOLOGIES[topology], probability, pollination=KINDS[kind]),
    )  # fmt: skip


def archipelago(topology: str, kind: str, probability: float, evaluations: int) -> tuple[go.Figure, str]:
    """Where the best of each island are between the two funnels of ``bisphere``, coloured by the island of their birth.

    Args:
        topology: one of :data:`TOPOLOGIES`.
        kind: one of :data:`KINDS`.
        probability: of an exchange per island and generation.
        evaluations: of all islands together, until now.
    """
    function, run = FUNCTIONS["bisphere"], _run(topology, kind, probability, evaluations)
    fig = make_subplots(
        cols=_ISLANDS + 1, shared_yaxes=False, horizontal_spacing=0.03, column_widths=[1] * _ISLANDS + [0.8],
        subplot_titles=[f"island {i}" for i in range(_ISLANDS)] + ["topology"],
    )  # fmt: skip
    fig.update_layout(template=LIGHT, height=380, showlegend=False)
    foreign = 0
    for island, active in enumerate(run.active):
        best = sorted(active, key=lambda ind: ind.loss)[:_SHOWN]
        foreign += sum(ind.island != island for ind in best)
        fig.add_scatter(
            x=[round(between_funnels(function, ind.genes), 3) for ind in best], y=[round(ind.loss, 1) for ind in best],
            mode="markers", marker=dict(color=[_ORIGIN[ind.island] for ind in best], size=7, opacity=0.7),
            hovertemplate="%{x:.2f}, loss %{y}<extra></extra>", row=1, col=island + 1,
        )  # fmt: skip
        fig.add_vline(
            x=1, line=dict(color=COLOURS["prediction"], dash="dash", width=1), row=1, col=island + 1
        )
    fig.add_heatmap(
        z=TOPOLOGIES[topology][::-1], x=list(range(_ISLANDS)), y=list(range(_ISLANDS))[::-1], showscale=False, xgap=2, ygap=2,
        colorscale=[[0, "rgba(128,128,128,0.15)"], [1, OKABE_ITO["sky"]]], hovertemplate="%{y} to %{x}: %{z}<extra></extra>",
        row=1, col=_ISLANDS + 1,
    )  # fmt: skip
    for col in range(1, _ISLANDS + 1):
        fig.update_xaxes(range=[-0.25, 1.25], tickvals=[0, 1], ticktext=["wrong", "right"], row=1, col=col)
        fig.update_yaxes(
            type="log", range=[1.4, 2.7], showticklabels=col == 1, tickvals=[30, 100, 300], row=1, col=col
        )
    fig.update_yaxes(title="loss", row=1, col=1)
    fig.update_xaxes(title="to", dtick=1, row=1, col=_ISLANDS + 1)
    fig.update_yaxes(title="from", title_standoff=2, dtick=1, row=1, col=_ISLANDS + 1)
    right = [
        function.in_right_funnel(np.array(min(active, key=lambda ind: ind.loss).genes))
        for active in run.active
    ]
    return fig, (
        f"After {evaluations} evaluations: {len(run.moves)} moves between islands; {foreign} of the "
        f"{_SHOWN * _ISLANDS} drawn were born elsewhere; the best of {sum(right)} of {_ISLANDS} islands is in the right funnel; "
        f"smallest loss {run.best.loss:.3g}."
    )


def between_funnels(function: Function, genes: Sequence[float]) -> float:
    """Where a candidate lies along the line from the bottom of the wrong funnel (0) to that of the right one (1)."""
    line = function.minimiser - function.second
    return float((np.asarray(genes) - function.second) @ line / (line @ line))


Successes = Mapping[str, Mapping[str, Sequence[bool]]]
"""Whether a run ended in the right funnel, by function and setting, one per seed."""


def wilson(found: Sequence[bool]) -> tuple[float, float, float]:
    """Success rate with its 95 % interval after Wilson: ``(rate, low, high)``."""
    interval = binomtest(sum(map(int, found)), len(found)).proportion_ci(method="wilson")
    return sum(map(int, found)) / len(found), float(interval.low), float(interval.high)


def success_figure(successes: Successes) -> go.Figure:
    """Success rate of each setting with its interval, one panel per function."""
    fig = make_subplots(
        cols=len(successes), shared_yaxes=True, horizontal_spacing=0.05, subplot_titles=list(successes)
    )
    settings = list(next(iter(successes.values())))
    fig.update_layout(template=LIGHT, height=120 + 34 * len(settings), showlegend=False)
    for col, by_setting in enumerate(successes.values(), start=1):
        rows = [wilson(by_setting[setting]) for setting in settings]
        fig.add_scatter(
            x=[row[0] for row in rows], y=settings, mode="markers",
            marker=dict(size=11, color=[COLOURS["prediction"]] + [COLOURS["asynchronous"]] * (len(settings) - 1)),
            error_x=dict(
                type="data", symmetric=False,
                array=[row[2] - row[0] for row in rows], arrayminus=[row[0] - row[1] for row in rows],
                color=INK,
            ),
            row=1, col=col,
        )  # fmt: skip
        fig.update_xaxes(
            range=[-0.06, 1.06], title="in the right funnel", tickformat=".0%", dtick=0.5, row=1, col=col
        )
    fig.update_yaxes(autorange="reversed", automargin=True)
    return fig


def success_table(
    successes: Successes, losses: Mapping[str, Mapping[str, Sequence[float]]]
) -> dict[str, list]:
    """Success rates with intervals, and the median loss at the end."""
    rows = []
    for function, by_setting in successes.items():
        for setting, found in by_setting.items():
            rate, low, high = wilson(found)
            loss = float(np.median(losses[function][setting]))
            rows.append((function, setting, f"{rate:.0%} [{low:.0%}, {high:.0%}]", loss, len(found)))
    functions, settings, rates, medians, seeds = zip(*rows, strict=True)
    return {
        "function": list(functions),
        "setting": list(settings),
        "right funnel [95 % interval]": list(rates),
        "median loss": list(medians),
        "seeds": list(seeds),
    }


def islands_reading(successes: Successes, losses: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """How often each way of living apart or together ends in the right funnel, and with which median loss."""
    sentences = []
    for function, found in successes.items():
        parts = [
            f"{setting} {sum(map(int, runs))} of {len(runs)} (median loss {np.median(losses[function][setting]):.3g})"
            for setting, runs in found.items()
        ]
        sentences.append(f"*{function}*, runs that end in the right funnel: {', '.join(parts)}.")
    return " ".join(sentences)
