"""What tokens cost: scores and multiplications on paper, milliseconds measured."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import torch

from efficient_ai.plotting import figure
from efficient_ai.recycle._cost import latency, multiplications
from efficient_ai.recycle._network import HourlyTwin, ReCycle
from efficient_ai.recycle.figures._palette import paint

CYCLES = (24, 48, 96)
MODEL_WIDTHS = (16, 32, 128)
_WEEKS = (1, 2, 3, 4, 6, 8, 12, 26, 52)
_FORECAST = 7


def measured(history_days: Sequence[int], repeats: int = 15) -> dict[str, dict[int, float]]:
    """Median milliseconds of one forecast for histories of so many days, hourly and daily tokens, width 32."""
    found: dict[str, dict[int, float]] = {"ReCycle": {}, "hourly tokens": {}}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for days in history_days:
            x = torch.randn(1, days + _FORECAST, 33)
            for name, kind in (("ReCycle", ReCycle), ("hourly tokens", HourlyTwin)):
                found[name][days] = 1e3 * latency(kind(history=days), x, repeats)
    return found


def budget_figure(times: Mapping[str, Mapping[int, float]]):
    """A drawing function over cycle and width for ``plotting.explore``."""

    def draw(cycle: int, width: int) -> tuple[go.Figure, str]:
        days = [7 * weeks for weeks in _WEEKS]
        fig = figure(x="history (days)", y="multiplications of one forecast (millions)", height=420)
        totals = {}
        for name, factor, values in (("hourly tokens", cycle, 12), ("ReCycle", 1, cycle + 9)):
            on_paper = [multiplications(d * factor, _FORECAST * factor, values, width, width) for d in days]
            totals[name] = [(count["attention"] + count["layers"]) / 1e6 for count in on_paper]
            fig.add_scatter(
                x=days, y=totals[name], name=f"{name}, all", line=dict(color=paint(name), width=2.5)
            )
            fig.add_scatter(
                x=days, y=[count["attention"] / 1e6 for count in on_paper], name=f"{name}, attention alone",
                line=dict(color=paint(name), width=1.5, dash="dot"),
            )  # fmt: skip
            if (cycle, width) == (24, 32):
                fig.add_scatter(
                    x=list(times[name]), y=list(times[name].values()), mode="markers", name=f"{name}, measured (ms)",
                    yaxis="y2", marker=dict(color=paint(name), size=9, symbol="diamond"),
                )  # fmt: skip
        fig.update_layout(
            yaxis2=dict(title="measured (ms)", overlaying="y", side="right", type="log", showgrid=False),
            legend=dict(y=1.0, font_size=11), margin=dict(t=96),
        )  # fmt: skip
        fig.update_xaxes(type="log")
        fig.update_yaxes(type="log")
        at = days.index(21)
        ratio = totals["hourly tokens"][at] / totals["ReCycle"][at]
        return fig, (
            f"Three weeks of history, {cycle} steps a day, width {width}: steps as tokens need {cycle**2} times the "
            f"attention scores and {ratio:.0f} times the multiplications of days as tokens."
        )

    return draw


def budget_table(times: Mapping[str, Mapping[int, float]]) -> dict[str, list]:
    """Measured latencies and their ratio, beside that of the multiplications."""
    days = list(times["ReCycle"])
    ratio = []
    for d in days:
        hourly, daily = multiplications(24 * d, 168, 12), multiplications(d, 7, 33)
        ratio.append(sum(hourly.values()) / sum(daily.values()))
    return {
        "history (days)": days,
        **{f"{name} (ms)": [times[name][d] for d in days] for name in times},
        "ratio measured": [times["hourly tokens"][d] / times["ReCycle"][d] for d in days],
        "ratio of multiplications": ratio,
    }
