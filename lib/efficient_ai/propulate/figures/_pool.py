"""How the size of the breeding pool decides how long a search takes."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.plotting import colour, figure
from efficient_ai.propulate.experiments import Pools


def pool_figure(found: Pools, table: str) -> tuple[go.Figure, str]:
    """Median simulated hours until one of the best is known, over the workers: a line for each pool, and random search."""
    by_workers = found.seconds[table]
    fig = figure(x="workers", y="simulated time (h)", height=420)
    widest, read = found.most_workers, []
    for pool in by_workers[widest]:
        hours = {workers: np.array(by[pool]) / 3600 for workers, by in by_workers.items()}
        middle = {workers: float(np.median(values)) for workers, values in hours.items()}
        fig.add_scatter(
            x=list(middle), y=list(middle.values()), mode="lines+markers", marker_size=9,
            name=pool if not pool[0].isdigit() else f"pool of {pool}",
            line=dict(color=_COLOURS[pool], width=3, dash="dot" if pool == "random search" else "solid"),
        )  # fmt: skip
        lost = found.given_up[table, widest, pool]
        read.append(f"{pool}: {middle[widest]:.3g} h" + (f" ({lost} given up)" if lost else ""))
    fig.update_xaxes(type="log", tickvals=list(by_workers))
    fig.update_yaxes(type="log", dtick=1)
    return fig, f"With {widest} workers, " + "; ".join(read) + "."


_COLOURS = {
    "4": colour("TPE"),
    "16": colour("asynchronous"),
    "64": colour("CMA-ES"),
    "twice the workers": colour("synchronous"),
    "random search": colour("random search"),
}


def pool_table(found: Pools) -> dict[str, list]:
    """Median hours of every case, and how many searches were given up."""
    rows = [
        (table, workers, pool, float(np.median(seconds)) / 3600, found.given_up[table, workers, pool])
        for table, by_workers in found.seconds.items()
        for workers, by_pool in by_workers.items()
        for pool, seconds in by_pool.items()
    ]
    names = ("search space", "workers", "pool", "hours, median", "given up")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def pool_reading(found: Pools) -> str:
    """What the pool is worth with the most workers, in a sentence with numbers."""

    def told(pool: str, than: str) -> str:
        values = found.earlier(pool, than)
        return f"{np.exp(np.mean(np.log(values))):.2f}"

    return (
        f"**Claims H1 and H2.** With {found.most_workers} workers random search takes {told('16', 'random search')} times as long as a pool of 16, "
        f"and the usual pool of {2 * found.most_workers} takes {told('16', 'twice the workers')} times as long "
        f"(geometric mean over {len(found.seconds)} search spaces); a pool of 4 takes {told('16', '4')} times as long as one of 16, "
        f"one of 64 {told('16', '64')} times."
    )
