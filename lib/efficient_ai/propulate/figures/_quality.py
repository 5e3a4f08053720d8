"""Figures about quality: does not waiting cost any, and who finds what with how many evaluations."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import COLOURS, colour, figure
from efficient_ai.propulate.experiments import Losses, mean_wins, wins


def wins_figure(losses: Losses, first: str, second: str) -> go.Figure:
    """Share of the seeds in which ``first`` beats ``second``, function by function, with intervals."""
    rows = {name: interval(wins(by[first], by[second])) for name, by in losses.items()}
    rows["all of them"] = interval(mean_wins(losses, first, second))
    fig = figure(x=f"share of seeds in which {first} ends better", height=120 + 26 * len(rows))
    fig.add_scatter(
        x=[row[0] for row in rows.values()], y=list(rows), mode="markers", showlegend=False,
        marker=dict(color=colour(first), size=[9] * (len(rows) - 1) + [14], symbol="diamond"),
        error_x=dict(
            type="data", symmetric=False, thickness=2,
            array=[row[2] - row[0] for row in rows.values()], arrayminus=[row[0] - row[1] for row in rows.values()],
        ),
    )  # fmt: skip
    fig.add_vline(x=0.5, line=dict(color=COLOURS["prediction"], dash="dash", width=2))
    fig.update_xaxes(range=[-0.02, 1.02])
    fig.update_yaxes(autorange="reversed", title="")
    return fig


def wins_table(losses: Losses, first: str, second: str) -> dict[str, list]:
    """Medians and quartiles of both methods, and the p-value of the test of Mann and Whitney, function by function."""
    from scipy.stats import mannwhitneyu

    return {
        "function": list(losses),
        **{
            f"{method}: median [quartiles]": [quartiles(by[method]) for by in losses.values()]
            for method in (first, second)
        },
        "p (Mann-Whitney)": [f"{mannwhitneyu(by[first], by[second]).pvalue:.2f}" for by in losses.values()],
        "seeds": [len(by[first]) for by in losses.values()],
    }


def quartiles(values: Sequence[float]) -> str:
    """``median [lower quartile, upper quartile]`` in three digits."""
    low, middle, high = np.quantile(np.asarray(values, dtype=float), (0.25, 0.5, 0.75))
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"


def wins_reading(losses: Losses, first: str, second: str) -> str:
    """How often ``first`` ends better over all functions, and on which functions the two differ significantly."""
    from scipy.stats import mannwhitneyu

    value, low, high = interval(mean_wins(losses, first, second))
    p = {name: float(mannwhitneyu(by[first], by[second]).pvalue) for name, by in losses.items()}
    different = [name for name, value in p.items() if value <= 0.05]
    which = f"on {len(different)} of {len(p)} functions" + (f" ({', '.join(different)})" if different else "")
    return (
        f"Over all functions the {first} search ends better in {value:.0%} of the seeds [{low:.0%}, {high:.0%}]. "
        f"Function by function the two differ at the 5 % level {which}; without any difference, about "
        f"{0.05 * len(p):.1g} of {len(p)} would be expected to."
    )
