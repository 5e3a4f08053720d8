"""Sorters: what a window does to a raster, and which width is best."""

from dataclasses import replace
from functools import cache

import numpy as np
import plotly.graph_objects as go

from efficient_ai.petnet import (
    SMALL,
    Hits,
    Recording,
    Score,
    Window,
    generate,
    sort_compiled,
)
from efficient_ai.petnet.experiments import scored
from efficient_ai.plotting import INK, OKABE_ITO, figure

WIDTHS = [0, 1, 2, 3, 5, 8, 12]
SCAN_WIDTHS = list(range(0, 16))
FIRST_SAMPLE, SHOWN = 10, 4
COLOURS = {
    "plain window": OKABE_ITO["orange"],
    "with geometry": OKABE_ITO["green"],
    "multiples resolved": OKABE_ITO["sky"],
    "self-calibrated": OKABE_ITO["vermilion"],
    "calibrated": OKABE_ITO["purple"],
    "network": OKABE_ITO["blue"],
    "copy of the input": INK,
}


@cache
def _few() -> Recording:
    """Some samples in a row, one after the other on one axis of time."""
    return generate(SMALL, 400, seed=1)


def raster_view(width: int, geometry: bool) -> tuple[go.Figure, str]:
    """Hits, wanted hits and what a window accepts, for some samples side by side."""
    recording, settings = _few(), SMALL
    chosen = (recording.hits.sample >= FIRST_SAMPLE) & (recording.hits.sample < FIRST_SAMPLE + SHOWN)
    hits = recording.hits[chosen]
    window = Window(width, settings.spread if geometry else None)
    pairs = sort_compiled(hits, settings.detector, window)
    wanted = recording.pairs.hits
    wanted = wanted[(wanted.sample >= FIRST_SAMPLE) & (wanted.sample < FIRST_SAMPLE + SHOWN)]
    fig = figure(x="time (bins), sample by sample", y="crystal", height=420)

    def when(some: Hits) -> np.ndarray:
        return some.time + (some.sample - FIRST_SAMPLE) * settings.steps

    fig.add_scatter(
        x=when(hits), y=hits.crystal, mode="markers", name="hit",
        marker=dict(color=INK, size=8, symbol="circle"),
    )  # fmt: skip
    fig.add_scatter(
        x=when(wanted), y=wanted.crystal, mode="markers", name="wanted (at the time of the decay)",
        marker=dict(color=OKABE_ITO["blue"], size=11, symbol="circle-open", line=dict(width=2)),
    )  # fmt: skip
    shift = (pairs.sample - FIRST_SAMPLE) * settings.steps
    x = np.column_stack([pairs.time[:, 0] + shift, pairs.time[:, 1] + shift, np.full(len(pairs), np.nan)])
    y = np.column_stack([pairs.first, pairs.second, np.full(len(pairs), np.nan)])
    fig.add_scatter(
        x=[None if np.isnan(v) else float(v) for v in x.ravel()],
        y=[None if np.isnan(v) else float(v) for v in y.ravel()],
        mode="lines", name="accepted pair", line=dict(color=OKABE_ITO["orange"], width=2),
    )  # fmt: skip
    for edge in range(1, SHOWN):
        fig.add_vline(x=edge * settings.steps, line=dict(color=INK, width=1, dash="dot"))
    fig.update_xaxes(range=[0, SHOWN * settings.steps])
    fig.update_yaxes(range=[-1, settings.detector.crystals])
    score = _score_few(width, geometry)
    return fig, (
        f"Over {recording.samples} samples this window has precision {score.precision:.2f}, recall "
        f"{score.recall:.2f}, F1 {score.f1:.2f}."
    )


@cache
def _score_few(width: int, geometry: bool) -> Score:
    recording = _few()
    window = Window(width, SMALL.spread if geometry else None)
    return scored(recording, window)


def raster_table() -> dict[str, list]:
    """Scores of the windows of :func:`raster_view`."""
    rows = [(width, geometry, _score_few(width, geometry)) for geometry in (False, True) for width in WIDTHS]
    return {
        "width (bins)": [row[0] for row in rows],
        "geometry cut": ["yes" if row[1] else "no" for row in rows],
        "precision": [row[2].precision for row in rows],
        "recall": [row[2].recall for row in rows],
        "F1": [row[2].f1 for row in rows],
    }


# -- which width ------------------------------------------------------------------------------------------------------

DELAYS = {"delays up to 2": (2, 1), "up to 8": (8, 4), "up to 20": (20, 10)}


@cache
def _scan(spread: str, activity: float, samples: int) -> tuple[list[Score], float]:
    longest, mean = DELAYS[spread]
    settings = replace(SMALL, delay_max=longest, delay_mean=mean, activity=activity, inferred=())
    recording = generate(settings, samples, seed=2)
    # Singles per bin of time in which decays happen; all pairs of hits of different decays within w: S^2 (2 w + 1) / 2.
    rate = len(recording.hits) / samples / settings.steps
    return [scored(recording, Window(width)) for width in SCAN_WIDTHS], rate * settings.steps * rate


def width_scan(spread: str, activity: float, samples: int) -> tuple[go.Figure, str]:
    """F1 of the plain window over its width, and the random pairs that theory predicts."""
    scores, randoms = _scan(spread, activity, samples)
    f1 = [score.f1 for score in scores]
    best = int(np.argmax(f1))
    fig = figure(x="width of the window (bins)", y="F1, random pairs per sample")
    fig.add_scatter(
        x=SCAN_WIDTHS, y=f1, name="F1 of the plain window", mode="lines+markers",
        line=dict(color=COLOURS["plain window"]),
    )  # fmt: skip
    fig.add_scatter(
        x=[SCAN_WIDTHS[best]], y=[f1[best]], mode="markers", name="best", marker=dict(size=14, symbol="star", color=OKABE_ITO["blue"]),
    )  # fmt: skip
    predicted = [randoms * (2 * width + 1) / 2 for width in SCAN_WIDTHS]
    fig.add_scatter(
        x=SCAN_WIDTHS, y=predicted, name="random pairs per sample, predicted", mode="lines",
        line=dict(color=OKABE_ITO["vermilion"], dash="dash"),
    )  # fmt: skip
    fig.update_yaxes(range=[0, 1.02])
    return fig, (
        f"The best width is {SCAN_WIDTHS[best]} bins with F1 {f1[best]:.2f}; at that width "
        f"{predicted[best]:.2f} random pairs per sample are expected."
    )


def width_table(samples: int) -> dict[str, list]:
    """The best width for each spread of delays and activity."""
    rows = [
        (spread, activity, _scan(spread, activity, samples)[0]) for spread in DELAYS for activity in (1, 2, 5)
    ]
    best = [int(np.argmax([score.f1 for score in scores])) for _, _, scores in rows]
    return {
        "delays": [row[0] for row in rows],
        "activity (decays per sample)": [row[1] for row in rows],
        "best width (bins)": [SCAN_WIDTHS[b] for b in best],
        "F1 there": [row[2][b].f1 for row, b in zip(rows, best, strict=True)],
        "F1 at 8 bins": [row[2][8].f1 for row in rows],
    }


def score_table(scores: dict[str, Score]) -> dict[str, list]:
    """Precision, recall and F1 by name."""
    return {
        "sorter": list(scores),
        "precision": [score.precision for score in scores.values()],
        "recall": [score.recall for score in scores.values()],
        "F1": [score.f1 for score in scores.values()],
        "mean gap in time (bins)": [score.mean_gap for score in scores.values()],
    }
