"""The scanner: photons in the ring, and what its rates do when the activity grows."""

from functools import cache

import numpy as np
import plotly.graph_objects as go

from efficient_ai.petnet import (
    KINDS,
    MOUSE,
    Phantom,
    Physics,
    Scanner,
    Window,
    coincidences,
    scan,
)
from efficient_ai.petnet.physics import counted, widest_angle
from efficient_ai.plotting import INK, OKABE_ITO, figure

ACTIVITIES = [1e6, 1e7, 1e8, 1e9]
ACTIVITY_LABELS = ["1 MBq", "10 MBq", "100 MBq", "1 GBq"]
MATTER = {
    "none: straight lines": Physics(attenuation=False),
    "stops photons": Physics(scatter=False),
    "stops and scatters them": Physics(),
}
WINDOW = 4e-9  # seconds: wide, so that randoms can be seen
KIND_COLOURS = dict(zip(KINDS, (OKABE_ITO["blue"], OKABE_ITO["orange"], OKABE_ITO["vermilion"]), strict=True))
_BODY = Phantom(radius=35.0, length=70.0, rods=((0.0, 0.0, 20.0, 1.0),), rod_length=70.0)


@cache
def _coincidences(activity: float, matter: str):
    scanner = Scanner()
    seen = scan(scanner, _BODY, activity=activity, seconds=60_000 / activity, seed=5, physics=MATTER[matter])
    return coincidences(seen, scanner.detector, Window(WINDOW))


def ring(activity: float, matter: str, shown: int = 90) -> tuple[go.Figure, str]:
    """Lines between crystals that hit together, coloured by what they really are."""
    scanner, found = Scanner(), _coincidences(activity, matter)
    x, y, _ = scanner.centres().T
    fig = figure(x="x (mm)", y="y (mm)", height=430)
    turn = np.linspace(0, 2 * np.pi, 73)
    fig.add_scatter(
        x=scanner.radius * np.cos(turn), y=scanner.radius * np.sin(turn), mode="lines", showlegend=False,
        line=dict(color=INK, width=5), hoverinfo="skip",
    )  # fmt: skip
    fig.add_scatter(
        x=_BODY.radius * np.cos(turn), y=_BODY.radius * np.sin(turn), mode="lines", showlegend=False,
        line=dict(color=INK, width=1, dash="dot"), hoverinfo="skip",
    )  # fmt: skip
    first, second, kind = (each[:shown] for each in (found.first, found.second, found.kind))
    for number, name in enumerate(KINDS):
        a, b = first[kind == number], second[kind == number]
        gap = np.full(len(a), np.nan)
        line_x, line_y = (np.column_stack([c[a], c[b], gap]).ravel() for c in (x, y))
        fig.add_scatter(
            x=_rounded(line_x), y=_rounded(line_y), mode="lines", name=name, hoverinfo="skip",
            line=dict(color=KIND_COLOURS[name], width=1 if name == "true" else 2),
        )  # fmt: skip
    fig.update_xaxes(range=[-62, 62], constrain="domain")
    fig.update_yaxes(range=[-62, 62], scaleanchor="x")
    rates = found.rates()
    total = max(len(found), 1)
    shares = [f"{(found.kind == number).sum() / total:.0%} {name}" for number, name in enumerate(KINDS)]
    return fig, (
        f"{len(found)} coincidences of 60 000 decays: {', '.join(shares)}. Scatter fraction "
        f"{rates['scatter fraction']:.0%}; {found.multiples} windows with three or more hits."
    )


def ring_table() -> dict[str, list]:
    """Shares of the kinds for every setting of :func:`ring`."""
    rows = [
        (label, matter, _coincidences(activity, matter))
        for activity, label in zip(ACTIVITIES, ACTIVITY_LABELS, strict=True)
        for matter in MATTER
    ]
    return {
        "activity": [row[0] for row in rows],
        "matter": [row[1] for row in rows],
        "coincidences": [len(row[2]) for row in rows],
        **{
            f"{name} (%)": [100 * float((row[2].kind == number).mean()) for row in rows]
            for number, name in enumerate(KINDS)
        },
    }


def _rounded(values: np.ndarray) -> list:
    return [None if np.isnan(value) else round(float(value), 1) for value in values]


# -- rates ------------------------------------------------------------------------------------------------------------

RATE_ACTIVITIES = np.geomspace(2e6, 5e9, 9)
DEAD_TIMES = [0.0, 2e-7, 1e-6]
DEAD_LABELS = ["none", "0.2 µs", "1 µs"]


def rate_curves(decays: int) -> dict:
    """Rates of the mouse phantom over the activity, for each dead time and kind of it: one scan each.

    Returns:
        ``(dead time, paralysable)`` to a list of rates, one per activity.
    """
    curves = {}
    for dead_time in DEAD_TIMES:
        for paralysable in (False, True):
            scanner = Scanner(dead_time=dead_time, share=15, paralysable=paralysable)
            curves[dead_time, paralysable] = [
                coincidences(
                    scan(scanner, MOUSE, activity=activity, seconds=decays / activity, seed=7),
                    scanner.detector,
                    Window(5e-10),
                ).rates()
                for activity in RATE_ACTIVITIES
            ]
    return curves


def rates(curves: dict, dead_time: float, paralysable: bool) -> tuple[go.Figure, str]:
    """Trues, scattered, randoms and the noise-equivalent rate over the activity."""
    rows = curves[dead_time, paralysable]
    fig = figure(x="activity (MBq)", y="rate (1/s)")
    for name in (*KINDS, "NECR"):
        values = [row[name] if row[name] > 0 else None for row in rows]
        fig.add_scatter(
            x=RATE_ACTIVITIES / 1e6, y=values, name=name, mode="lines+markers",
            line=dict(color=KIND_COLOURS.get(name, OKABE_ITO["green"]), width=3 if name == "NECR" else 2),
        )  # fmt: skip
    fig.update_xaxes(type="log")
    fig.update_yaxes(type="log", exponentformat="power")
    best = int(np.argmax([row["NECR"] for row in rows]))
    kind = "prolonged by every hit" if paralysable else "of fixed length"
    return fig, (
        f"Dead time {DEAD_LABELS[DEAD_TIMES.index(dead_time)]}, {kind}: the noise-equivalent rate is highest at "
        f"{RATE_ACTIVITIES[best] / 1e6:.0f} MBq, {rows[best]['NECR'] / 1e3:.0f} thousand per second."
    )


def rates_table(curves: dict) -> dict[str, list]:
    """Rates without dead time."""
    rows = curves[0.0, False]
    return {
        "activity (MBq)": list(RATE_ACTIVITIES / 1e6),
        **{f"{name} (1/s)": [row[name] for row in rows] for name in (*KINDS, "multiple", "NECR")},
        "scatter fraction": [row["scatter fraction"] for row in rows],
    }


def dead_time_table() -> dict[str, list]:
    """What a crystal counts of a true rate, by both formulas."""
    rate = np.array([1e4, 1e5, 1e6, 5e6])
    return {
        "true rate (1/s)": rate.tolist(),
        "counted, fixed 1 µs": counted(rate, 1e-6, False).tolist(),
        "counted, prolonged 1 µs": counted(rate, 1e-6, True).tolist(),
    }


def energy_table() -> dict[str, list]:
    """How far a photon may have been scattered and still pass an energy cut, without any blur."""
    cuts = [350.0, 391.0, 425.0, 450.0]
    return {
        "cut (keV)": cuts,
        "largest accepted angle (degrees)": [float(np.degrees(widest_angle(cut))) for cut in cuts],
    }
