"""The profile explorer: one week, the mean of the last days of the same type, and what it leaves over."""

from functools import cache

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from efficient_ai.plotting import LIGHT, OKABE_ITO
from efficient_ai.recycle import sources
from efficient_ai.recycle._profiles import VARIANTS as ALL_VARIANTS
from efficient_ai.recycle._profiles import window_profiles
from efficient_ai.recycle.figures._palette import paint

COUNTS = (1, 2, 3, 5, 10)
VARIANTS = ("last", "persistence", "tenday")
TWISTS = (
    "as it was",
    "a holiday on Wednesday, in the calendar",
    "a holiday that no calendar knows",
    "10 % more from Monday on",
)
_ORIGIN = np.datetime64("2018-06-10")  # a Sunday; no public holiday in the week after it


@cache
def _germany() -> tuple[np.ndarray, np.ndarray, int]:
    data = sources.europe()
    i = data.names.index("DE")
    days = data.denormalise(data.days[i][None], np.array([i]))[0] / 1000
    return days, data.types[i], int(np.searchsorted(data.dates, _ORIGIN))


def _twisted(twist: str) -> tuple[np.ndarray, np.ndarray, int]:
    days, types, origin = _germany()
    days, types = days.copy(), types.copy()
    week = slice(origin + 1, origin + 8)
    if "holiday" in twist:
        days[origin + 3] = days[origin]  # Wednesday looks like the Sunday before
        if "calendar" in twist and "no calendar" not in twist:
            types[origin + 3] = 2
    elif "more" in twist:
        days[week] *= 1.1
    return days, types, origin


def left_over(n: int, variant: str, twist: str) -> tuple[np.ndarray, np.ndarray]:
    """The week after the origin and its profile, each ``(7, 24)`` in GW."""
    days, types, origin = _twisted(twist)
    past = (origin - 20 + np.arange(21))[None]
    future = (origin + 1 + np.arange(7))[None]
    return days[future[0]], window_profiles(days, types, past, future, variant, n)[1][0]


def profile_figure(n: int, variant: str, twist: str) -> tuple[go.Figure, str]:
    """Above the week and its profile, below the residual of each hour."""
    week, profile = left_over(n, variant, twist)
    residual = week - profile
    fig = make_subplots(2, 1, shared_xaxes=False, vertical_spacing=0.16, row_heights=[0.55, 0.45])
    for name, line, style in (
        ("measured", week, dict(color=OKABE_ITO["orange"], width=2)),
        ("profile", profile, dict(color=paint("profile"), width=2, dash="dash")),
    ):
        fig.add_scatter(
            x0=0, dx=1 / 24, y=line.ravel().round(1).tolist(), mode="lines", name=name,
            line=style, row=1, col=1,
        )  # fmt: skip
    fig.add_heatmap(
        z=residual.round(1).tolist(), y=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], colorscale="RdBu",
        zmid=0, zmin=-25, zmax=25, colorbar=dict(title="GW", thickness=10, len=0.45, y=0.2), row=2, col=1,
    )  # fmt: skip
    fig.update_layout(template=LIGHT, height=520)
    fig.update_yaxes(title="generation (GW)", row=1, col=1)
    fig.update_xaxes(title="day of the week after the origin", row=1, col=1)
    fig.update_xaxes(title="hour of the day", row=2, col=1)
    fig.update_yaxes(autorange="reversed", row=2, col=1)
    worst = int(np.abs(residual).mean(axis=1).argmax())
    name = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[worst]
    return fig, (
        f"The profile is off by {np.abs(residual).mean():.1f} GW on average (root mean square "
        f"{np.sqrt((residual**2).mean()):.1f} GW), most on {name} with {np.abs(residual[worst]).mean():.1f} GW."
    )


def profile_rows() -> dict[str, list]:
    """Mean absolute residual in GW of the forecast week and of the three weeks before, for every variant and n."""
    days, types, origin = _germany()
    past = (origin - 20 + np.arange(21))[None]
    future = (origin + 1 + np.arange(7))[None]
    rows: dict[str, list] = {
        "variant": [],
        "days in the mean": [],
        "history (GW)": [],
        "forecast week (GW)": [],
    }
    for variant in ALL_VARIANTS:
        for n in COUNTS if variant in ("last", "own", "causal") else (None,):
            before, coming = window_profiles(days, types, past, future, variant, n or 3)
            rows["variant"].append(variant)
            rows["days in the mean"].append("fixed" if n is None else n)
            rows["history (GW)"].append(float(np.abs(days[past] - before).mean()))
            rows["forecast week (GW)"].append(float(np.abs(days[future] - coming).mean()))
    return rows


def clock_table() -> dict[str, list]:
    """What the folding of each country repaired, filled and refused."""
    days = sources.europe_days()
    return {
        "country": list(days),
        "days": [len(d.dates) for d in days.values()],
        "clock changes repaired": [d.changed_clock for d in days.values()],
        "hours filled": [d.filled for d in days.values()],
        "days refused": [d.refused for d in days.values()],
    }
