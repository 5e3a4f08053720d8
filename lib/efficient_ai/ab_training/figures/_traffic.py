"""Phases of a run and the bytes that go where."""

from collections.abc import Callable, Mapping

import plotly.graph_objects as go

from efficient_ai import plotting
from efficient_ai.ab_training._schedule import PUBLISHED
from efficient_ai.ab_training.experiments import PLAIN, Traffic

_COLOURS = list(plotting.OKABE_ITO.values())
PHASES = {"warm-up": _COLOURS[0], "apart": _COLOURS[1], "together": _COLOURS[2]}
METHODS = (PLAIN, "AB", "local SGD")
TIMELINE_ALT = "A bar along the steps of a run: a long warm-up, then many long stretches apart with thin stretches together between them."
TRAFFIC_ALT = (
    "Bars of the bytes sent between nodes and within nodes, for data parallel training, AB-training and local SGD. Between nodes AB "
    "and local SGD are equally low; within nodes AB is a little lower than the others."
)


def timeline(name: str) -> tuple[go.Figure, str]:
    """The phases of a published run, one bar of steps."""
    schedule = PUBLISHED[name]
    figure, start, seen = plotting.figure(x="finished steps", y=""), 0, set()
    for phase, steps in schedule.segments():
        figure.add_trace(
            go.Bar(
                x=[steps], y=["run"], base=[start], orientation="h", name=phase, legendgroup=phase,
                showlegend=phase not in seen, marker={"color": PHASES[phase], "line": {"width": 0}},
            )
        )  # fmt: skip
        start += steps
        seen.add(phase)
    figure.update_layout(barmode="overlay", height=230)
    share = 100 * schedule.share_at_full_rank
    return (
        figure,
        f"{schedule.total} steps, {share:.1f} % of them at full rank, {len(schedule.merges)} merges.",
    )


def timeline_table() -> dict[str, list]:
    """The nine published schedules."""
    return {
        "run": list(PUBLISHED),
        "steps": [s.total for s in PUBLISHED.values()],
        "warm-up": [s.warmup for s in PUBLISHED.values()],
        "cycle": [s.cycle for s in PUBLISHED.values()],
        "together": [s.together for s in PUBLISHED.values()],
        "at full rank (%)": [round(100 * s.share_at_full_rank, 1) for s in PUBLISHED.values()],
    }


def traffic_figure(found: Mapping[str, Traffic]) -> Callable[[str], tuple[go.Figure, str]]:
    """``draw(name)``: bytes of a published run by method, between nodes and within."""

    def draw(name: str) -> tuple[go.Figure, str]:
        one = found[name]
        figure = plotting.figure(x="", y="terabytes sent by all GPUs")
        for colour, (way, label) in zip(
            _COLOURS, (("between", "between nodes"), ("inside", "within nodes")), strict=False
        ):
            values = [getattr(one.sent[m], way) / 1e12 for m in METHODS]
            figure.add_trace(go.Bar(x=list(METHODS), y=values, name=label, marker={"color": colour}))
        figure.update_layout(barmode="group")
        return figure, f"Between nodes AB saves {one.cut('AB'):.1%}, local SGD {one.cut('local SGD'):.1%}."

    return draw


def traffic_table(found: Mapping[str, Traffic]) -> dict[str, list]:
    """Cuts of the nine runs, in per cent."""

    def inside(one: Traffic) -> float:
        return 1 - one.sent["AB"].inside / one.sent[PLAIN].inside

    return {
        "run": list(found),
        "AB saves between (%)": [round(100 * t.cut("AB"), 1) for t in found.values()],
        "local SGD saves between (%)": [round(100 * t.cut("local SGD"), 1) for t in found.values()],
        "AB saves within (%)": [round(100 * inside(t), 1) for t in found.values()],
    }
