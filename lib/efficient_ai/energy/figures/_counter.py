"""The counter that wraps, and the zones that contain each other."""

from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from efficient_ai.metering import Series, quantity
from efficient_ai.metering.faketree import SPAN_UJ
from efficient_ai.plotting import INK, OKABE_ITO, figure

SPAN = SPAN_UJ / 1e6
WATTS = [60, 125, 250, 400]
MINUTES = [1, 5, 10, 16, 20, 35]
_HOURS = 2.0


def wrap(watts: float, minutes: float) -> tuple[go.Figure, str]:
    """Two hours of a counter at constant power: what the file shows, and what is made of it.

    Args:
        watts: power of the package.
        minutes: time between two readings.
    """
    fine = np.linspace(0, _HOURS * 60, 481)
    shown = watts * 60 * fine % SPAN
    fine_broken = [None if i and shown[i] < shown[i - 1] else float(round(v, 1)) for i, v in enumerate(shown)]
    times = np.arange(0, _HOURS * 60 + 1e-9, minutes)
    found, wraps = corrected(watts, times)
    true = watts * 60 * times[-1]
    fig = figure(x="time (minutes)", y="energy (kJ)")
    fig.add_scatter(x=fine.round(2).tolist(), y=[None if v is None else v / 1e3 for v in fine_broken], mode="lines",
                    name="energy_uj, as the file shows it", line=dict(color=INK, width=1))  # fmt: skip
    fig.add_scatter(x=times.tolist(), y=(watts * 60 * times % SPAN / 1e3).round(2).tolist(), mode="markers", name="readings",
                    marker=dict(color=OKABE_ITO["blue"], size=6))  # fmt: skip
    fig.add_scatter(x=times.tolist(), y=[v / 1e3 for v in found], mode="lines", name="with wraps added",
                    line=dict(color=OKABE_ITO["blue"], width=3))  # fmt: skip
    fig.add_scatter(x=[0, float(times[-1])], y=[0, true / 1e3], mode="lines", name="truth",
                    line=dict(color=OKABE_ITO["vermilion"], dash="dot"))  # fmt: skip
    lost = true - found[-1]
    missed = round(lost / SPAN)
    verdict = (
        "every wrap was seen"
        if missed == 0
        else f"{missed} wraps were missed, {quantity(lost, 'J')} are lost"
    )
    return fig, (
        f"At {watts} W the counter wraps every {SPAN / watts / 60:.1f} minutes; read every {minutes} minutes it was seen to wrap "
        f"{wraps} times: {verdict}."
    )


def corrected(watts: float, minutes: np.ndarray) -> tuple[list[float], int]:
    """The counter as the instrument unwraps it at these moments, and the number of wraps that it saw."""
    series = Series(True, SPAN)
    for minute in minutes:
        series.add(float(minute) * 60, float(watts * 60 * minute % SPAN))
    return series.unwrapped()[1], sum(b < a for a, b in pairwise(series.values))


def wrap_table() -> dict[str, list]:
    """Minutes until the counter wraps, by power: read more often than that."""
    return {"power (W)": WATTS, "wraps every (minutes)": [SPAN / w / 60 for w in WATTS]}


# What each zone draws in the picture, in watts: the cores and the graphics are parts of the package.
ZONES = {"psys": 90.0, "package": 50.0, "core": 30.0, "uncore": 4.0, "dram": 5.0}
_BOXES = {
    "psys": (0, 0, 10, 6),
    "package": (0.5, 0.5, 6.5, 4.6),
    "core": (0.9, 0.9, 3.9, 3.4),
    "uncore": (4.2, 0.9, 6.1, 3.4),
    "dram": (7.0, 0.5, 9.5, 4.6),
}
CHOICES = {
    "package + dram": ("package", "dram"),
    "package": ("package",),
    "package + core + uncore + dram": ("package", "core", "uncore", "dram"),
    "every file in the folder": ("psys", "package", "core", "uncore", "dram"),
    "psys": ("psys",),
}
_INSIDE = {
    "core": ("package", "psys"),
    "uncore": ("package", "psys"),
    "package": ("psys",),
    "dram": ("psys",),
    "psys": (),
}


def twice(chosen: tuple[str, ...]) -> list[str]:
    """The zones among ``chosen`` that another chosen zone already contains."""
    return [zone for zone in chosen if any(outer in chosen for outer in _INSIDE[zone])]


def domains(choice: str) -> tuple[go.Figure, str]:
    """The zones of one socket as nested boxes; what is summed is filled, what is summed twice is marked.

    Args:
        choice: one of :data:`CHOICES`.
    """
    chosen, doubled = CHOICES[choice], twice(CHOICES[choice])
    fig = figure(height=360)
    for zone, (x0, y0, x1, y1) in _BOXES.items():
        colour = OKABE_ITO["vermilion"] if zone in doubled else OKABE_ITO["blue"] if zone in chosen else INK
        fig.add_scatter(
            x=[x0, x1, x1, x0, x0], y=[y0, y0, y1, y1, y0], mode="lines", showlegend=False, hoverinfo="skip",
            line=dict(color=colour, width=3 if zone in chosen else 1, dash="dash" if zone in doubled else "solid"),
        )  # fmt: skip
        note = " (again)" if zone in doubled else ""
        fig.add_annotation(x=x0 + 0.15, y=y1 - 0.1, text=f"{zone} {ZONES[zone]:g} W{note}", showarrow=False,
                           xanchor="left", yanchor="top", font=dict(color=colour if zone in chosen else None))  # fmt: skip
    fig.update_xaxes(visible=False, range=[-0.2, 10.2])
    fig.update_yaxes(visible=False, range=[-0.2, 6.2])
    total = sum(ZONES[zone] for zone in chosen)
    right = 90.0 if "psys" in chosen and not doubled else 55.0
    of_what = "the whole platform" if right == 90 else "processor and memory"
    if doubled:
        verdict = f"too much by {total - right:g} W: {' and '.join(doubled)} counted twice"
    elif total < right:
        verdict = "the memory is missing"
    else:
        verdict = f"right, for {of_what}"
    return fig, f"{' + '.join(chosen)} = {total:g} W: {verdict}."


def domain_table() -> dict[str, list]:
    """Every choice with its sum."""
    return {
        "summed": list(CHOICES),
        "watts": [sum(ZONES[zone] for zone in zones) for zones in CHOICES.values()],
        "counted twice": [", ".join(twice(zones)) or "nothing" for zones in CHOICES.values()],
    }
