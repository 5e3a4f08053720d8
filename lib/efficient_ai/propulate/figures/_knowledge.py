"""Figure 2: what each worker knows at a moment, and what is still in the mail."""

from functools import cache

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import OKABE_ITO, figure
from efficient_ai.propulate._clock import Schedule, durations, schedule

_WORKERS, _EVALUATIONS = 4, 40
_UNBORN, _RUNNING, _MAIL, _KNOWN = range(4)
_STATES = {
    _UNBORN: "not yet begun",
    _RUNNING: "being evaluated",
    _MAIL: "evaluated, not yet taken in",
    _KNOWN: "known",
}
_COLOURS = ["rgba(128,128,128,0.12)", OKABE_ITO["yellow"], OKABE_ITO["vermilion"], OKABE_ITO["blue"]]

TIMES = tuple(range(1, 11))
DELAYS = (0.0, 0.5, 1.0, 2.0)


@cache
def _plan() -> Schedule:
    return schedule(durations(_EVALUATIONS, 1.0, np.random.default_rng(5)), _WORKERS, synchronous=False)


def taken_in(plan: Schedule, delay: float) -> np.ndarray:
    """When each worker takes in each individual, shape ``(workers, n)``; ``inf`` if never.

    A worker opens its mail only when it has finished an evaluation of its own; what has travelled for ``delay`` by
    then is taken in. Its own results it knows at once.
    """
    when = np.full((plan.workers, len(plan.worker)), np.inf)
    for worker in range(plan.workers):
        looks = np.sort(plan.finish[plan.worker == worker])
        next_look = np.searchsorted(looks, plan.finish + delay)
        there = next_look < len(looks)
        when[worker, there] = looks[next_look[there]]
        when[worker, plan.worker == worker] = plan.finish[plan.worker == worker]
    return when


def missing_at_birth(plan: Schedule, delay: float) -> float:
    """How many individuals, evaluated by then, a worker did not know of when it bred, on average over all births."""
    when = taken_in(plan, delay)
    missing = [
        np.sum((plan.finish <= start) & (when[worker] > start))
        for worker, start in zip(plan.worker, plan.start, strict=True)
    ]
    return float(np.mean(missing))


def knowledge(time: float, delay: float) -> tuple[go.Figure, str]:
    """The population as each worker sees it at ``time``: one row per worker, one column per individual.

    Args:
        time: on the simulated clock, in mean evaluation times.
        delay: how long a message travels, in mean evaluation times.
    """
    plan, when = _plan(), taken_in(_plan(), delay)
    state = np.full(when.shape, _UNBORN, dtype="int8")
    state[:, plan.start <= time] = _RUNNING
    state[:, plan.finish <= time] = _MAIL
    state[when <= time] = _KNOWN
    fig = figure(x="individual, in the order in which their evaluations began", height=300)
    edges = np.linspace(0, 1, len(_STATES) + 1)
    fig.add_heatmap(
        z=state, zmin=-0.5, zmax=len(_STATES) - 0.5, xgap=2, ygap=4, showscale=False,
        colorscale=[[edge, c] for c, *ends in zip(_COLOURS, edges[:-1], edges[1:], strict=True) for edge in ends],
        hovertemplate="worker %{y}, individual %{x}<extra></extra>",
    )  # fmt: skip
    for state_id, name in _STATES.items():  # a heat map has no legend of its own
        fig.add_scatter(
            x=[None], y=[None], mode="markers", name=name,
            marker=dict(color=_COLOURS[state_id], symbol="square", size=12),
        )  # fmt: skip
    fig.update_yaxes(
        tickvals=list(range(_WORKERS)), ticktext=[f"worker {w}" for w in range(_WORKERS)], showgrid=False
    )
    fig.update_xaxes(range=[-0.5, _EVALUATIONS - 0.5], showgrid=False)
    done = int((plan.finish <= time).sum())
    known = ", ".join(str(int(n)) for n in (when <= time).sum(axis=1))
    return fig, (
        f"At time {time:g}, {done} individuals are evaluated; the workers know {known} of them. "
        f"Over the whole run a worker breeds without {missing_at_birth(plan, delay):.1f} of those evaluated by then."
    )


def knowledge_table() -> dict[str, list]:
    """How many evaluated individuals a worker misses when it breeds, by message delay."""
    return {
        "message delay (mean evaluation times)": list(DELAYS),
        "unknown when breeding (mean)": [f"{missing_at_birth(_plan(), delay):.2f}" for delay in DELAYS],
    }
