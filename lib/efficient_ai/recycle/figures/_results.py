"""All methods on the same origins: error against cost, error by lead day, and what it is worth in per cent."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import COLOURS, INK, OKABE_ITO, figure
from efficient_ai.recycle._runs import Plain, Result
from efficient_ai.recycle.figures._palette import paint

Methods = Mapping[str, Sequence[Result] | Plain]


def values(found: Sequence[Result] | Plain) -> list[float]:
    """MASE of each seed, all lead days together."""
    return [float(found.mase.mean())] if isinstance(found, Plain) else [float(r.mase.mean()) for r in found]


def better_by(found: Sequence[Result], other: Sequence[Result] | Plain) -> list[float]:
    """Per cent by which each seed of ``found`` is below the same seed of ``other`` (or below its one value)."""
    against = values(other)
    against = against * len(found) if len(against) == 1 else against
    return [100 * (1 - mine / theirs) for mine, theirs in zip(values(found), against, strict=True)]


def _cpu(found) -> float:
    return found.cpu_seconds if isinstance(found, Plain) else float(np.mean([r.cpu_seconds for r in found]))


def _parameters(found) -> int:
    return found.parameters if isinstance(found, Plain) else found[0].parameters


def cost_figure(panels: Mapping[str, Methods]):
    """A drawing function over the data set for ``plotting.explore``: MASE over processor seconds of the training."""

    def draw(data: str) -> tuple[go.Figure, str]:
        methods = panels[data]
        fig = figure(x="CPU seconds of one training", y="MASE (test)", height=460)
        around = (
            "top center",
            "middle right",
            "bottom center",
            "middle left",
        )  # neighbours must not cover each other
        order = sorted(methods.items(), key=lambda item: np.mean(values(item[1])))
        for place, (name, found) in enumerate(order):
            middle, low, high = interval(values(found))
            size = 8 + 4 * np.log10(max(_parameters(found), 1))
            detail = (
                ""
                if isinstance(found, Plain)
                else "<br>seeds: " + ", ".join(f"{v:.3f}" for v in values(found))
            )
            fig.add_scatter(
                x=[max(_cpu(found), 0.01)], y=[round(middle, 4)], mode="markers+text", text=[name], showlegend=False,
                textposition=around[place % 4], textfont_size=11, marker=dict(size=size, color=paint(name), opacity=0.8),
                error_y=dict(type="data", symmetric=False, array=[high - middle], arrayminus=[middle - low]),
                hovertemplate=f"{name}: MASE {middle:.3f}, {_parameters(found)} parameters{detail}<extra></extra>",
            )  # fmt: skip
        fig.update_xaxes(type="log", range=[-2.4, 2.6])
        fig.update_yaxes(type="log")
        best = min(methods, key=lambda name: np.mean(values(methods[name])))
        ours = [name for name in methods if name.startswith("ReCycle")]
        mine = min(ours, key=lambda name: np.mean(values(methods[name])))
        return fig, (
            f"{data}: the smallest error has {best} ({np.mean(values(methods[best])):.3f}); the best ReCycle variant is "
            f"{mine!r} ({np.mean(values(methods[mine])):.3f}), the profile alone {np.mean(values(methods['profile'])):.3f}."
        )

    return draw


def results_table(methods: Methods) -> dict[str, list]:
    """MASE with interval, MAE, parameters, processor seconds and joules of a training, seeds; best first."""
    order = sorted(methods, key=lambda name: np.mean(values(methods[name])))
    rows: dict[str, list] = {
        key: []
        for key in ("method", "MASE [95 %]", "MASE day 1", "MASE day 7", "MAE (min-max)", "parameters",
                    "CPU s per training", "J per training", "source of J", "seeds")
    }  # fmt: skip
    for name in order:
        found = methods[name]
        middle, low, high = interval(values(found))
        days = found.mase if isinstance(found, Plain) else np.mean([r.mase for r in found], axis=0)
        errors = found.mae if isinstance(found, Plain) else np.mean([r.mae for r in found], axis=0)
        plain = isinstance(found, Plain)
        row = (
            name, f"{middle:.3f}" + ("" if plain else f" [{low:.3f}, {high:.3f}]"), float(days[0]), float(days[-1]),
            float(errors.mean()), _parameters(found), round(_cpu(found), 2),
            "" if plain else float(np.mean([r.joules for r in found])), "" if plain else found[0].energy_source,
            "no randomness" if plain else len(found),
        )  # fmt: skip
        for key, value in zip(rows, row, strict=True):
            rows[key].append(value)
    return rows


def lead_figure(methods: Methods, chosen: Sequence[str]) -> go.Figure:
    """MASE by lead day."""
    fig = figure(x="lead day", y="MASE (test)", height=400)
    for name in chosen:
        found = methods[name]
        days = found.mase if isinstance(found, Plain) else np.mean([r.mase for r in found], axis=0)
        fig.add_scatter(
            x=list(range(1, len(days) + 1)), y=days.round(4).tolist(), name=name, mode="lines+markers",
            line=dict(color=paint(name), width=2.5, dash="dash" if isinstance(found, Plain) else "solid"),
        )  # fmt: skip
    return fig


def lead_table(methods: Methods, chosen: Sequence[str]) -> dict[str, list]:
    """The numbers of :func:`lead_figure`."""
    days = {
        name: (found.mase if isinstance(found, Plain) else np.mean([r.mase for r in found], axis=0))
        for name, found in methods.items()
        if name in chosen
    }
    return {"lead day": list(range(1, 8)), **{name: row.tolist() for name, row in days.items()}}


def path_figure(steps: Mapping[str, Sequence[float]]) -> go.Figure:
    """Per cent below the profile for every recipe, one dot per seed and the interval."""
    fig = figure(x="% below the profile", height=120 + 34 * len(steps))
    for name, gains in steps.items():
        middle, low, high = interval(gains)
        fig.add_scatter(
            x=list(gains), y=[name] * len(gains), mode="markers", showlegend=False,
            marker=dict(size=7, color=INK, opacity=0.6),
        )  # fmt: skip
        fig.add_scatter(
            x=[middle], y=[name], mode="markers", showlegend=False, marker=dict(size=11, symbol="diamond", color=OKABE_ITO["blue"]),
            error_x=dict(type="data", symmetric=False, array=[high - middle], arrayminus=[middle - low], thickness=2),
        )  # fmt: skip
    fig.add_vline(x=0, line=dict(color=COLOURS["prediction"], dash="dash"))
    fig.update_yaxes(autorange="reversed", title="", automargin=True)
    return fig


def path_table(steps: Mapping[str, Sequence[float]]) -> dict[str, list]:
    rows = [interval(gains) for gains in steps.values()]
    return {
        "recipe": list(steps),
        "below the profile (%)": [row[0] for row in rows],
        "95 % interval": [f"{row[1]:.2f} to {row[2]:.2f}" for row in rows],
        "seeds": [len(gains) for gains in steps.values()],
    }
