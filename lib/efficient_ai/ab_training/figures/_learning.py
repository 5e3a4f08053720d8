"""Merges, spectra, and what the trainings came to."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai import ledger, plotting
from efficient_ai.ab_training._merge import MODES, merged
from efficient_ai.ab_training._runs import Outcome
from efficient_ai.ab_training.experiments import Contest

_COLOURS = list(plotting.OKABE_ITO.values())
RANKS_OF_A = (1, 2, 3)
CUTOFFS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6)
WAYS = ("between", "inside")
MERGE_ALT = (
    "Points in the plane of the first two entries of a weight: before, after A's step, after B's step, and after each of four merges. "
    "The merge of those who learned lies farthest out; the means lie half as far."
)
SPECTRUM_ALT = "Falling singular values of a trained layer on a logarithmic axis, and a line at the cut-off; those below are dropped."
CONTEST_ALT = "Test accuracy over bytes sent, a point and an interval for each method."
COMPRESSION_ALT = (
    "Test accuracy over compression for each cut-off, one point a seed, beside data parallel training."
)
TIMES_ALT = (
    "Seconds of the same forty steps on a slow link and on one machine, by method, a point for each repeat."
)

_A0 = torch.tensor([[2.0, 0], [0, 1], [0, 0]], dtype=torch.float64)
_B0 = torch.diag(torch.tensor([2.0, 1], dtype=torch.float64))


def _example(learning_a: int) -> dict[str, torch.Tensor]:
    learns = "a" * learning_a + "b" * (4 - learning_a)
    a = [_A0 + 0.1 if side == "a" else _A0 for side in learns]
    b = [_B0 + 0.2 if side == "b" else _B0 for side in learns]
    points = {"before": _A0 @ _B0, "A's step": a[0] @ _B0, "B's step": _A0 @ b[-1]}
    only_b = {"only-b": merged("only-b", [_A0], [_B0 + 0.2], "b")}
    return points | {m: merged(m, a, b, learns) for m in MODES if m != "only-b"} | only_b


def merge_figure(learning_a: int) -> tuple[go.Figure, str]:
    """Where the four merges lie, with so many of four ranks that learn A."""
    points = _example(learning_a)
    figure = plotting.figure(x="first entry of the weight", y="second entry")
    for i, (name, matrix) in enumerate(points.items()):
        x, y = matrix[0].tolist()
        figure.add_trace(
            go.Scatter(x=[x], y=[y], mode="markers", name=name, marker={"size": 13, "color": _COLOURS[i % len(_COLOURS)]})
        )  # fmt: skip
    figure.update_xaxes(range=[3.9, 4.8])
    figure.update_yaxes(range=[-0.05, 0.65])
    mixed = float((points["with-stale"] - points["full"])[0, 0])
    return (
        figure,
        f"{learning_a} of 4 ranks learn A. with-stale and full differ by {mixed:.4f} in every entry.",
    )


def merge_table() -> dict[str, list]:
    """First rows of the merged weight with two of four ranks on each side."""
    points = _example(2)
    return {
        "merge": list(points),
        "first entry": [round(float(m[0, 0]), 3) for m in points.values()],
        "second entry": [round(float(m[0, 1]), 3) for m in points.values()],
    }


def spectrum_figure(s: Sequence[float]) -> Callable[[float], tuple[go.Figure, str]]:
    """``draw(cutoff)``: which of these singular values stay."""
    s = np.asarray(s)

    def draw(cutoff: float) -> tuple[go.Figure, str]:
        kept = max(1, int((s > cutoff * s[0]).sum()))
        figure = plotting.figure(x="number", y="singular value over the largest")
        for part, label, colour in (
            (slice(0, kept), "stay", _COLOURS[0]),
            (slice(kept, None), "dropped", _COLOURS[1]),
        ):
            x = np.arange(1, len(s) + 1)[part]
            figure.add_trace(
                go.Scatter(x=x, y=s[part] / s[0], mode="markers", name=label, marker={"color": colour})
            )
        figure.add_hline(y=cutoff, line_dash="dot")
        figure.update_yaxes(type="log")
        return (
            figure,
            f"{kept} of {len(s)} stay: {2 * kept / len(s):.2f} times the values of the whole weight.",
        )

    return draw


def spectrum_table(s: Sequence[float]) -> dict[str, list]:
    """Ranks by cut-off."""
    s = np.asarray(s)
    kept = [max(1, int((s > c * s[0]).sum())) for c in CUTOFFS]
    return {
        "cut-off": list(CUTOFFS),
        "rank": kept,
        "A and B over W": [round(2 * k / len(s), 2) for k in kept],
    }


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and half the width of its 95 % interval."""
    mean, low, high = ledger.interval(values)
    return mean, (high - low) / 2


def contest_figure(found: Contest) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(way)``: accuracy of every method over its bytes between groups or inside."""

    def draw(way: str) -> tuple[go.Figure, str]:
        figure = plotting.figure(
            x=f"megabytes {way} groups" if way == "between" else "megabytes inside groups",
            y="test accuracy (%)",
        )
        for i, (name, outcomes) in enumerate(found.results.items()):
            mean, half = _spread([o.test for o in outcomes])
            sent = float(np.mean([getattr(o, way) for o in outcomes])) / 1e6
            figure.add_trace(
                go.Scatter(
                    x=[sent], y=[mean], mode="markers", name=name, error_y={"type": "data", "array": [half]},
                    marker={"size": 11, "color": _COLOURS[i % len(_COLOURS)], "symbol": "circle" if i < 8 else "square"},
                )
            )  # fmt: skip
        best = max(found.results, key=lambda m: float(found.test(m).mean()))
        return figure, f"The most accurate on the test images is {best}."

    return draw


def contest_table(found: Contest) -> dict[str, list]:
    """Every method at its own rate, means over seeds."""
    rows = found.results.values()
    return {
        "method": list(found.results),
        "learning rate": [found.rates[m] for m in found.results],
        "test (%)": ["{:.1f} ± {:.1f}".format(*_spread([o.test for o in r])) for r in rows],
        "MB between": [round(float(np.mean([o.between for o in r])) / 1e6, 2) for r in rows],
        "MB inside": [round(float(np.mean([o.inside for o in r])) / 1e6, 2) for r in rows],
        "seconds": [round(float(np.mean([o.seconds for o in r])), 2) for r in rows],
    }


def compression_figure(found: Mapping[str, Sequence[Outcome]]) -> tuple[go.Figure, str]:
    """Accuracy over compression, a point a seed."""
    figure = plotting.figure(x="compression at the last merge", y="test accuracy (%)")
    for i, (name, outcomes) in enumerate(found.items()):
        figure.add_trace(
            go.Scatter(x=[o.compression for o in outcomes], y=[o.test for o in outcomes], mode="markers", name=name,
                       marker={"size": 10, "color": _COLOURS[i % len(_COLOURS)]})
        )  # fmt: skip
    most = max(o.compression for outcomes in found.values() for o in outcomes)
    return figure, f"The largest compression is {most:.1f}."


def outcome_table(found: Mapping[str, Sequence[Outcome]]) -> dict[str, list]:
    """Accuracies and compression, means over seeds."""
    return {
        "training": list(found),
        "train (%)": ["{:.1f} ± {:.1f}".format(*_spread([o.train for o in r])) for r in found.values()],
        "test (%)": ["{:.1f} ± {:.1f}".format(*_spread([o.test for o in r])) for r in found.values()],
        "compression": [round(float(np.mean([o.compression for o in r])), 2) for r in found.values()],
    }


def batch_table(found: Mapping[int, Mapping[str, Sequence[Outcome]]]) -> dict[str, list]:
    """Test accuracy by batch and method."""
    methods = list(next(iter(found.values())))
    return {"samples per rank": list(found)} | {
        m: ["{:.1f} ± {:.1f}".format(*_spread([o.test for o in one[m]])) for one in found.values()]
        for m in methods
    }


def times_figure(
    found: Mapping[str, Mapping[str, Sequence[float]]],
) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(link)``: seconds by method."""

    def draw(link: str) -> tuple[go.Figure, str]:
        figure = plotting.figure(x="", y="seconds for forty steps")
        for colour, (name, seconds) in zip(_COLOURS, found[link].items(), strict=False):
            figure.add_trace(go.Scatter(x=[name] * len(seconds), y=list(seconds), mode="markers", name=name,
                                        marker={"size": 10, "color": colour}))  # fmt: skip
        figure.update_yaxes(rangemode="tozero")
        quickest = min(found[link], key=lambda m: float(np.median(found[link][m])))
        return figure, f"{link}: the quickest is {quickest}."

    return draw


def times_table(found: Mapping[str, Mapping[str, Sequence[float]]]) -> dict[str, list]:
    """Median seconds by link and method."""
    methods = list(next(iter(found.values())))
    return {"link": list(found)} | {
        m: [round(float(np.median(t[m])), 3) for t in found.values()] for m in methods
    }
