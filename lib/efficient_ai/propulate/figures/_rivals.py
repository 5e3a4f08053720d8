"""Figure 5: what the optimisers find with equal evaluations, and what they find in equal time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from efficient_ai.plotting import LIGHT, colour, interval_band
from efficient_ai.propulate.experiments import CONTEST as CONTEST
from efficient_ai.propulate.figures._quality import quartiles
from efficient_ai.propulate.peers import Record

COSTS = (0.0, 0.001, 0.01, 0.1, 1.0, 10.0)

# What is drawn: the side whose quality was recorded, and the side with two processes whose overhead is paid.
_SIDES = {
    "asynchronous": ("ours", "ours"),
    "TPE": ("tpe-memory", "tpe-journal"),
    "CMA-ES": ("cmaes-memory", "cmaes-journal"),
    "random search": ("random-memory", "random-journal"),
}
_LABELS = {
    "asynchronous": "Propulate (this chapter)",
    "TPE": "TPE (Optuna)",
    "CMA-ES": "CMA-ES (Optuna)",
    "random search": "random (Optuna)",
    "differential evolution": "differential evolution (SciPy, this run)",
}
PROCESSES = 2
RECORDED_EVALUATIONS = 400


@dataclass(frozen=True)
class Descent:
    """How one optimiser came down on one function.

    Args:
        n: numbers of evaluations, shape ``(k,)``.
        best: smallest loss until then, one row per seed, shape ``(seeds, k)``.
        overhead: seconds per evaluation beside the evaluation itself, wall time of :data:`PROCESSES` processes.
    """

    n: np.ndarray
    best: np.ndarray
    overhead: float


def recorded(record: Record, function: str) -> dict[str, Descent]:
    """What the benchmark recorded of one function of :data:`CONTEST`, by method."""
    free = "sphere" if function == "sphere" else "rastrigin"  # the free objective with as many variables
    return {
        method: Descent(
            *record.best(side, function),
            overhead=record.row(paid, free, RECORDED_EVALUATIONS, PROCESSES)["ms"] / 1000,
        )
        for method, (side, paid) in _SIDES.items()
    }


def contest(descents: Mapping[str, Descent], cost: float) -> tuple[go.Figure, str]:
    """Smallest loss so far, on the left over evaluations, on the right over the time of two processes.

    Time is modelled from measured overheads: ``n`` evaluations take ``n (cost / 2 + overhead)``.

    Args:
        descents: by method, see :func:`recorded`.
        cost: seconds that one evaluation takes.
    """
    fig = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.05)
    fig.update_layout(template=LIGHT, height=430)
    reached = {}
    for method, descent in descents.items():
        n = descent.n
        low, middle, high = (_short(np.quantile(descent.best, q, axis=0)) for q in (0.25, 0.5, 0.75))
        seconds = _short(n * (cost / PROCESSES + descent.overhead))
        fig.add_trace(interval_band(n.tolist(), low, high, colour(method)), row=1, col=1)
        line = dict(color=colour(method), width=3)
        fig.add_scatter(x=n.tolist(), y=middle, mode="lines", name=_LABELS[method], line=line, row=1, col=1)
        fig.add_scatter(x=seconds, y=middle, mode="lines", showlegend=False, line=line, row=1, col=2)
        reached[method] = middle[-1], seconds[-1]
    fig.update_xaxes(
        title="evaluations", range=[0, RECORDED_EVALUATIONS], tickvals=[0, 100, 200, 300], row=1, col=1
    )
    fig.update_xaxes(title="time (s)", type="log", dtick=1, row=1, col=2)
    fig.update_yaxes(title="smallest loss so far", type="log", row=1, col=1, exponentformat="power")
    fig.update_yaxes(type="log", row=1, col=2)
    text = "; ".join(
        f"{_LABELS[m]} {loss:.2g} after {seconds:.3g} s" for m, (loss, seconds) in reached.items()
    )
    return fig, f"Median loss at the end of each line: {text}."


def contest_table(live: Mapping[str, Mapping[str, Sequence[float]]], record: Record) -> dict[str, list]:
    """Median and quartiles of the loss after the whole budget: optimisers of this run, and TPE from the record.

    Args:
        live: losses at the end by function and name of the rival, one per seed.
        record: of the benchmark.
    """
    columns = {"function": list(live)}
    for rival in next(iter(live.values())):
        columns[rival] = [quartiles(by[rival]) for by in live.values()]
    columns["TPE (Optuna, recorded)"] = [
        quartiles(record.best("tpe-memory", name)[1][:, -1]) for name in live
    ]
    return columns


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.3g}") for value in values]
