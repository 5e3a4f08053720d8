"""Figures of recorded trainings that are replayed on a simulated clock."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import colour, figure
from efficient_ai.propulate.simulation import Simulation
from efficient_ai.propulate.tables import Table

Replays = Mapping[str, Mapping[int, Sequence[Simulation]]]
"""Runs by method and number of workers, one per seed."""

_HOUR = 3600


def table_facts(tables: Mapping[str, Table]) -> dict[str, list]:
    """How large the tables are and how much the training times vary."""
    return {
        "search space": list(tables),
        "candidates": [table.losses.size for table in tables.values()],
        "genes": [len(table.space) for table in tables.values()],
        "smallest loss": [table.best for table in tables.values()],
        "median loss": [float(np.median(table.losses)) for table in tables.values()],
        "mean training time (s)": [float(table.seconds.mean()) for table in tables.values()],
        "spread of training times": [
            float(table.seconds.std() / table.seconds.mean()) for table in tables.values()
        ],
    }


def time_to_find(replays: Replays, table: Table, share: float) -> tuple[go.Figure, str]:
    """Simulated hours until a candidate among the best ``share`` of the table is known, over the number of workers.

    Args:
        replays: of this table.
        table: the recorded trainings.
        share: of the table, in (0, 1).
    """
    target = float(np.quantile(table.losses, share))
    fig = figure(x="workers", y="simulated time (h)", height=420)
    read = []
    for method, of_workers in replays.items():
        hours = {workers: _hours(runs, target) for workers, runs in of_workers.items()}
        middle = {workers: float(np.median(values)) for workers, values in hours.items()}
        fig.add_scatter(
            x=list(middle), y=list(middle.values()), mode="lines+markers", name=method,
            line=dict(color=colour(method), width=3), marker_size=9,
            error_y=dict(
                type="data", symmetric=False,
                array=[max(hours[w]) - middle[w] for w in hours], arrayminus=[middle[w] - min(hours[w]) for w in hours],
            ),
        )  # fmt: skip
        missed = sum(run.seconds_to(target) == np.inf for runs in of_workers.values() for run in runs)
        widest = max(of_workers)
        read.append(
            f"{method} {middle[min(middle)]:.3g} h with {min(middle)} workers, {middle[widest]:.3g} h with {widest}, "
            f"busy {np.mean([run.utilisation for run in of_workers[widest]]):.0%}"
            + (f" ({missed} runs found none)" if missed else "")
        )
    fig.update_xaxes(type="log", tickvals=list(next(iter(replays.values()))))
    fig.update_yaxes(type="log", dtick=1)
    return fig, "; ".join(read) + "."


def replay_table(
    replays: Mapping[str, Replays], tables: Mapping[str, Table], share: float = 0.001
) -> dict[str, list]:
    """Median simulated hours to a candidate among the best ``share``, and utilisation, of every case."""
    rows = []
    for name, by_method in replays.items():
        target = float(np.quantile(tables[name].losses, share))
        for method, of_workers in by_method.items():
            for workers, runs in of_workers.items():
                busy = float(np.mean([run.utilisation for run in runs]))
                rows.append((name, method, workers, float(np.median(_hours(runs, target))), f"{busy:.0%}"))
    names, methods, workers, hours, busy = zip(*rows, strict=True)
    return {
        "search space": list(names),
        "method": list(methods),
        "workers": list(workers),
        f"hours to the best {share:.1%}": list(hours),
        "utilisation": list(busy),
    }


def _hours(runs: Sequence[Simulation], target: float) -> list[float]:
    return [min(run.seconds_to(target), run.seconds) / _HOUR for run in runs]
