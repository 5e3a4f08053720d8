"""How networks learn: losses side by side, and the curve of those that ship."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.petnet import Trained
from efficient_ai.plotting import OKABE_ITO, figure, interval_band

RECIPE_COLOURS = {
    "count": OKABE_ITO["orange"],
    "count, absolute": OKABE_ITO["yellow"],
    "published timing": OKABE_ITO["vermilion"],
    "trace": OKABE_ITO["blue"],
    "trace, no geometry": OKABE_ITO["sky"],
    "per bin": OKABE_ITO["purple"],
}
MEASURES = {"F1": "f1", "precision": "precision", "recall": "recall", "spikes sent per spike wanted": "sent"}

Runs = Mapping[str, Sequence[Trained]]
"""Trainings by recipe, one per seed."""


def _value(score, measure: str) -> float:
    if measure == "sent":
        wanted = score.true + score.missed
        return (score.true + score.false) / wanted if wanted else float("nan")
    return getattr(score, measure)


def final(runs: Sequence[Trained], measure: str) -> list[float]:
    """A measure after the last update, one per seed."""
    return [_value(run.tests[-1][1], measure) for run in runs]


def learning(runs: Runs, measure: str) -> tuple[go.Figure, str]:
    """A measure over the updates, mean and range over seeds, one line a recipe."""
    fig = figure(x="updates", y=measure)
    ends = []
    for name, seeds in runs.items():
        done = [d for d, _ in seeds[0].tests]
        values = np.array([[_value(score, MEASURES[measure]) for _, score in run.tests] for run in seeds])
        values = np.nan_to_num(values)
        hue = RECIPE_COLOURS[name]
        fig.add_trace(interval_band(done, values.min(0), values.max(0), hue))
        fig.add_scatter(x=done, y=values.mean(0), name=name, mode="lines", line=dict(color=hue, width=2))
        ends.append(f"{name} {values[:, -1].mean():.2f}")
    fig.update_yaxes(rangemode="tozero")
    return fig, f"{measure} at the end, mean of the seeds: {', '.join(ends)}."


def learning_table(runs: Runs) -> dict[str, list]:
    """Mean and interval over seeds after the last update."""

    def cell(values: list[float]) -> str:
        finite = [value for value in values if np.isfinite(value)]
        if len(finite) < len(values):
            return "—"
        value, low, high = interval(values)
        return f"{value:.3f} [{low:.3f}, {high:.3f}]"

    return {
        "recipe": list(runs),
        **{name: [cell(final(seeds, key)) for seeds in runs.values()] for name, key in MEASURES.items()},
        "mean gap in time (bins)": [cell(final(seeds, "mean_gap")) for seeds in runs.values()],
        "seeds": [len(seeds) for seeds in runs.values()],
    }


def recorded_curves(trainings: Sequence[Mapping[str, Any]], lines: Mapping[str, float]) -> go.Figure:
    """F1 of recorded trainings over their updates, and the F1 of classical sorters as dashed lines."""
    fig = figure(x="updates", y="F1")
    for training in trainings:
        fig.add_scatter(
            x=training["updates"], y=training["F1"], mode="lines+markers",
            name=f"network, seed {training['seed']}", line=dict(color=OKABE_ITO["blue"], width=1.5),
        )  # fmt: skip
    hues = ("orange", "green", "sky", "purple")
    for (name, value), hue in zip(lines.items(), hues, strict=False):
        fig.add_hline(
            y=value, line=dict(color=OKABE_ITO[hue], dash="dash", width=2),
            annotation_text=name, annotation_position="bottom right",
        )  # fmt: skip
    fig.update_yaxes(range=[0.8, 1.01])
    return fig


def recorded_table(trainings: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, list]:
    """Recorded trainings by set: what they saw, and how good they were at the end."""
    rows = [(name, each) for name, several in trainings.items() for each in several]
    return {
        "set": [name for name, _ in rows],
        "updates x samples": [f"{t['recipe']['updates']} x {t['recipe']['batch']}" for _, t in rows],
        "rate": [f"{t['recipe']['rate']:g}" for _, t in rows],
        "seed": [t["seed"] for _, t in rows],
        "F1": [t["F1"][-1] for _, t in rows],
        "spikes sent per spike wanted": [t["sent per wanted"][-1] for _, t in rows],
        "seconds": [round(t["seconds"]) for _, t in rows],
        "energy (kJ)": [t["energy"]["joules"] / 1e3 for _, t in rows],
        "source": [t["energy"]["source"].replace("measured:", "recorded:") for _, t in rows],
    }


def recorded_sources(trainings: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Where the joules of these trainings come from, and on which machines, for a caption."""
    every = [t for several in trainings.values() for t in several]
    sources, machines = (
        "; ".join(dict.fromkeys(of(t) for t in every))
        for of in (lambda t: t["energy"]["source"], lambda t: f"{t['machine']} ({t['date'][:10]})")
    )
    return f"Recorded on {machines}. Energy: {sources}."
