"""Figures about the number of workers: parallel efficiency on real ranks, and time to a result on a simulated clock."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import COLOURS, OKABE_ITO, figure

Scaling = Mapping[str, Mapping[int, Sequence[float]]]
"""Efficiencies by kind of scaling and number of workers, one per seed."""

_KINDS = {"strong": OKABE_ITO["blue"], "weak": OKABE_ITO["sky"]}


def scaling_figure(scaling: Scaling) -> go.Figure:
    """Parallel efficiency over the number of ranks, with intervals over seeds."""
    fig = figure(x="ranks", y="parallel efficiency", height=320)
    for kind, of_workers in scaling.items():
        rows = {workers: interval(values) for workers, values in of_workers.items()}
        fig.add_scatter(
            x=list(rows), y=[row[0] for row in rows.values()], name=f"{kind} scaling", mode="lines+markers",
            line=dict(color=_KINDS[kind], width=3, dash="solid" if kind == "strong" else "dot"), marker_size=9,
            error_y=dict(
                type="data", symmetric=False,
                array=[row[2] - row[0] for row in rows.values()], arrayminus=[row[0] - row[1] for row in rows.values()],
            ),
        )  # fmt: skip
    fig.add_hline(y=1, line=dict(color=COLOURS["prediction"], dash="dash", width=2))
    fig.update_xaxes(type="log", tickvals=list(next(iter(scaling.values()))))
    fig.update_yaxes(range=[0, 1.08])
    return fig


def scaling_table(scaling: Scaling) -> dict[str, list]:
    """The numbers of :func:`scaling_figure`."""
    rows = [
        (kind, w, *interval(values), len(values)) for kind, of in scaling.items() for w, values in of.items()
    ]
    kinds, workers, means, lows, highs, seeds = zip(*rows, strict=True)
    return {
        "scaling": list(kinds),
        "ranks": list(workers),
        "efficiency": list(means),
        "95 % interval": [f"[{low:.3f}, {high:.3f}]" for low, high in zip(lows, highs, strict=True)],
        "seeds": list(seeds),
    }
