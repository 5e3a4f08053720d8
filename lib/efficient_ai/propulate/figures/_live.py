"""Watching a search from the notebook while it runs on the ranks."""

import time

from efficient_ai.plotting import Progress, figure, live
from efficient_ai.propulate._population import Individual
from efficient_ai.propulate._run import Run
from efficient_ai.propulate.figures._runs import add_progress


def live_view(job, evaluations: int, *, method: str = "asynchronous", poll: float = 0.3) -> Run:
    """Watch a search until it ends and return the run of rank 0.

    A bar and a sentence follow the population; in JupyterLab a plot grows with it. In the rendered page the bar and
    the sentence stay as they were at the end.

    Args:
        job: a job of ``cluster.submit`` whose ranks publish ``list(population)`` after each evaluation.
        evaluations: the budget, for the bar.
        method: name of the method, for its colour.
        poll: seconds between two looks.
    """
    bar, told = Progress(evaluations, ["evaluated"]), [-1]
    redraw = live(_figure([], method))
    while not job.done:
        _update(bar, told, redraw, job.published(), method)
        time.sleep(poll)
    runs = job.result()
    _update(bar, told, redraw, [run.individuals for run in runs], method)
    return runs[0]


def _update(bar, told, redraw, published: list[list[Individual] | None], method: str) -> None:
    known = [individuals or [] for individuals in published]
    newest = max(known, key=len)
    if len(newest) == told[0]:
        return
    told[0] = len(newest)
    counts = ", ".join(f"{rank} knows {len(individuals)}" for rank, individuals in enumerate(known))
    best = f" Best validation error so far: {min(ind.loss for ind in newest):.3f}." if newest else ""
    bar.update(len(newest), f"Rank {counts}.{best}")
    redraw(_figure(newest, method))


def _figure(individuals: list[Individual], method: str):
    fig = figure(x="time (s)", y="validation error", height=320)
    add_progress(fig, individuals, method)
    return fig
