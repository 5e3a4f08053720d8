"""The figures of the chapter."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import COLOURS, colour, figure
from efficient_ai.propulate._clock import Schedule, durations, expected_maximum, schedule
from efficient_ai.propulate._evolve import Run
from efficient_ai.propulate._population import Individual

_HOUR = 60  # mean evaluations of one minute each in an hour


def gantt(workers: int, spread: float, *, rounds: int = 6, seed: int = 3) -> tuple[go.Figure, str]:
    """The same evaluations twice, asynchronous above synchronous, as bars over a simulated clock.

    Args:
        workers: number of workers; each evaluates ``rounds`` candidates in the synchronous half.
        spread: standard deviation of the evaluation times over their mean.
        rounds: generations that are drawn. The numbers of the readout come from 4 000 generations.
        seed: of the evaluation times.

    Returns:
        the figure and a sentence with idle shares, evaluations per hour and the prediction of theory.
    """
    times = durations(4000 * workers, spread, np.random.default_rng((seed, workers)))
    fig = figure(x="time (mean evaluation = 1)", y="worker", height=420, barmode="overlay", bargap=0.25)
    shown = times[: rounds * workers]
    for synchronous in (False, True):
        _bars(fig, schedule(shown, workers, synchronous=synchronous), synchronous)
    end = schedule(shown, workers, synchronous=True).makespan
    fig.update_xaxes(range=[0, end * 1.02])
    fig.update_yaxes(tickvals=[-(workers + 1) - workers / 2 + 0.5, -workers / 2 + 0.5], autorange=False)
    fig.update_yaxes(ticktext=["synchronous", "asynchronous"], title="", range=[-2 * workers - 1, 1])
    return fig, _gantt_readout(times, workers, spread)


def _bars(fig: go.Figure, plan: Schedule, synchronous: bool) -> None:
    row = -plan.worker.astype(float) - (plan.workers + 1) * synchronous
    method = "synchronous" if synchronous else "asynchronous"
    fig.add_bar(
        y=row.astype("float32"), x=(plan.finish - plan.start).round(3), base=plan.start.round(3), orientation="h",
        name=method, showlegend=False, marker=dict(color=colour(method), line=dict(width=1, color="#ffffff")),
        hovertemplate="begins at %{base:.2f}, takes %{x:.2f}<extra></extra>",
    )  # fmt: skip
    if synchronous:  # where the generations meet
        ends = [plan.finish[i : i + plan.workers].max() for i in range(0, len(plan.finish), plan.workers)]
        low, high = row.min() - 0.5, row.max() + 0.5
        xs = [x for end in ends for x in (round(float(end), 3), round(float(end), 3), None)]
        fig.add_scatter(
            x=xs, y=[low, high, None] * len(ends), mode="lines", hoverinfo="skip", showlegend=False,
            line=dict(color=COLOURS["idle"], width=1, dash="dot"),
        )  # fmt: skip


def _gantt_readout(times: np.ndarray, workers: int, spread: float) -> str:
    asynchronous, synchronous = (schedule(times, workers, synchronous=flag) for flag in (False, True))
    predicted = expected_maximum(workers, spread)
    measured = synchronous.makespan / asynchronous.makespan
    per_hour = [_HOUR * len(times) / plan.makespan for plan in (asynchronous, synchronous)]
    return (
        f"Idle: {asynchronous.idle_share:.0%} asynchronous, {synchronous.idle_share:.0%} synchronous. "
        f"If an evaluation takes a minute on average: {per_hour[0]:.0f} and {per_hour[1]:.0f} evaluations per hour. "
        f"Speed-up {measured:.2f}, predicted {predicted:.2f}."
    )


def race(runs: dict[str, Run]) -> go.Figure:
    """Bars of what every rank really did in measured runs, by name of the method, one run above the other."""
    fig = figure(x="time (s)", height=380, barmode="overlay", bargap=0.2)
    ticks, offset = [], 0.0
    for method, run in runs.items():
        rows = [offset - ind.rank for ind in run.individuals]
        fig.add_bar(
            y=rows, x=[round(ind.seconds, 4) for ind in run.individuals],
            base=[round(ind.started, 4) for ind in run.individuals], orientation="h", showlegend=False,
            marker=dict(color=colour(method), line=dict(width=1, color="#ffffff")),
            customdata=[ind.rank for ind in run.individuals],
            hovertemplate="rank %{customdata}: begins at %{base:.2f} s, takes %{x:.2f} s<extra></extra>",
        )  # fmt: skip
        ticks.append((offset - (run.workers - 1) / 2, method))
        offset -= run.workers + 1
    fig.update_yaxes(tickvals=[t for t, _ in ticks], ticktext=[name for _, name in ticks])
    return fig


def progress_figure(runs: dict[str, Run]) -> go.Figure:
    """Every candidate of measured runs as a point over time, and the best loss so far as a line, by method."""
    fig = figure(x="time (s)", y="validation error", height=400)
    for method, run in runs.items():
        _add_progress(fig, run.individuals, method)
    return fig


def _add_progress(fig: go.Figure, individuals: list[Individual], method: str) -> None:
    ordered = sorted((ind for ind in individuals if np.isfinite(ind.loss)), key=lambda ind: ind.finished)
    times = [round(ind.finished, 3) for ind in ordered]
    losses = [ind.loss for ind in ordered]
    fig.add_scatter(
        x=times, y=losses, mode="markers", name=f"{method}, each candidate", showlegend=False,
        marker=dict(color=colour(method), size=6, opacity=0.45),
    )  # fmt: skip
    best = np.minimum.accumulate(losses).tolist() if losses else []
    fig.add_scatter(
        x=times, y=best, mode="lines", name=f"best so far, {method}",
        line=dict(color=colour(method), width=3, shape="hv"),
    )  # fmt: skip


def live_view(job, evaluations: int, *, poll: float = 0.3) -> Run:
    """Watch a search grow from the notebook until it ends, and return the run of rank 0.

    Args:
        job: a job of ``cluster.submit`` whose ranks publish ``list(population)`` after each evaluation.
        evaluations: the budget, for the bar.
        poll: seconds between two looks.
    """
    import time

    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.IntProgress(max=evaluations, description="known", layout={"width": "30em"})
    label = ipywidgets.HTML()
    display(ipywidgets.VBox([bar, label]))
    handle = display(go.Figure(), display_id=True) if not _building() else None
    shown = -1
    while True:
        ended = job.done
        known = [len(published or ()) for published in job.published()]
        if sum(known) != shown:
            shown = sum(known)
            newest = job.published()[0] or []
            bar.value = min(max(known), evaluations)
            label.value = _live_label(known, newest)
            if handle is not None:
                fig = figure(x="time (s)", y="validation error", height=320)
                _add_progress(fig, newest, "asynchronous")
                handle.update(fig)
        if ended:
            return job.result()[0]
        time.sleep(poll)


def _live_label(known: list[int], newest: list[Individual]) -> str:
    counts = ", ".join(f"rank {rank}: {n}" for rank, n in enumerate(known))
    best = min((ind.loss for ind in newest), default=float("nan"))
    return f"Individuals known to {counts}. Best validation error so far: {best:.3f}."


def _building() -> bool:
    import os

    return os.environ.get("EFFICIENT_AI_STATIC") == "1"
