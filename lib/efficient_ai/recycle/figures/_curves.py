"""Curves: the error while training, with few days, and between the profile and the network."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import torch

from efficient_ai.ledger import interval
from efficient_ai.plotting import INK, figure, interval_band
from efficient_ai.recycle._runs import Result
from efficient_ai.recycle._scores import errors, per_series
from efficient_ai.recycle._windows import Panel, Windows
from efficient_ai.recycle.figures._palette import paint
from efficient_ai.recycle.figures._results import values


def learning_figure(runs: Mapping[str, Sequence[Result]]):
    """A drawing function over the last epoch shown: validation error over that of the profile, range of the seeds."""

    def draw(epochs: int) -> tuple[go.Figure, str]:
        fig = figure(x="epoch (0: untrained)", y="validation error / profile's", height=400)
        told = []
        for name, results in runs.items():
            length = min(min(len(r.curve) for r in results), epochs + 1)
            ratios = np.array([np.array(r.curve[:length]) / r.profile_curve for r in results])
            x = list(range(length))
            band = interval_band(x, ratios.min(axis=0).round(4), ratios.max(axis=0).round(4), paint(name))
            fig.add_trace(band.update(mode="lines"))
            fig.add_scatter(
                x=x, y=ratios.mean(axis=0).round(4).tolist(), name=name, mode="lines+markers",
                line=dict(color=paint(name), width=2.5),
            )  # fmt: skip
            told.append(f"{name} {ratios.mean(axis=0)[-1]:.2f}")
        fig.add_hline(y=1, line=dict(color=INK, dash="dash"))
        fig.update_yaxes(type="log")
        return fig, f"After epoch {epochs}, error over that of the profile: " + "; ".join(told) + "."

    return draw


def epochs_shown(runs: Mapping[str, Sequence[Result]]) -> list[int]:
    """Settings of the slider: a few epochs, up to the length of the shortest training."""
    longest = max(min(len(r.curve) for r in results) for results in runs.values()) - 1
    return [0, *sorted({1, 2, 3, 5, longest} & set(range(1, longest + 1)))]


def learning_table(runs: Mapping[str, Sequence[Result]]) -> dict[str, list]:
    """Error over that of the profile, mean of the seeds, at the start, after one epoch, at best; and the worst of all."""

    def ratio(results: Sequence[Result], at) -> float:
        return float(np.mean([at(np.array(r.curve)) / r.profile_curve for r in results]))

    return {
        "network": list(runs),
        "untrained": [ratio(results, lambda c: c[0]) for results in runs.values()],
        "after one epoch": [ratio(results, lambda c: c[1]) for results in runs.values()],
        "best": [ratio(results, min) for results in runs.values()],
        "worst of all epochs": [ratio(results, max) for results in runs.values()],
    }


def worst_ratio(results: Sequence[Result]) -> list[float]:
    """Per seed the largest validation error of all epochs over that of the profile."""
    return [float(max(r.curve) / r.profile_curve) for r in results]


def few_days_figure(runs: Mapping[str, Mapping[int, Sequence[Result]]]) -> go.Figure:
    """MASE over the number of training days with intervals over seeds; the profile needs none."""
    fig = figure(x="training days", y="MASE (test)", height=420)
    for name, by_days in runs.items():
        rows = np.array([interval(values(results)) for results in by_days.values()])
        band = interval_band(list(by_days), rows[:, 1].round(4), rows[:, 2].round(4), paint(name))
        fig.add_trace(band.update(mode="lines"))
        fig.add_scatter(
            x=list(by_days), y=rows[:, 0].round(4).tolist(), name=name, mode="lines+markers",
            line=dict(color=paint(name), width=2.5),
        )  # fmt: skip
    profile = [np.mean([r.profile_mase.mean() for r in results]) for results in by_days.values()]
    fig.add_scatter(
        x=list(by_days),
        y=np.round(profile, 4).tolist(),
        name="profile",
        line=dict(color=paint("profile"), dash="dash"),
    )
    fig.update_xaxes(type="log", tickvals=list(by_days), ticktext=[str(d) for d in by_days])
    return fig


def few_days_table(runs: Mapping[str, Mapping[int, Sequence[Result]]]) -> dict[str, list]:
    """MASE with intervals, and in how many of the seeds the first network is above the profile."""
    first = next(iter(runs.values()))
    rows: dict[str, list] = {"training days": list(first)}
    for name, by_days in runs.items():
        rows[name] = [
            "{:.3f} [{:.3f}, {:.3f}]".format(*interval(values(results))) for results in by_days.values()
        ]
    rows["profile"] = [float(np.mean([r.profile_mase.mean() for r in results])) for results in first.values()]
    for name, by_days in runs.items():
        rows[f"{name}: seeds above the profile"] = [
            f"{sum(r.mase.mean() > r.profile_mase.mean() for r in results)} of {len(results)}"
            for results in by_days.values()
        ]
    return rows


ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)


def fallback_figure(
    trained: torch.Tensor, untrained: torch.Tensor, cut: Windows, data: Panel, country: str, window: int
):
    """A drawing function over alpha and the network: profile + alpha * (forecast - profile), and its error by lead day.

    Args:
        trained, untrained: forecasts of all windows, shape ``(windows, F, cycle)``.
        cut: the windows.
        data: their panel.
        country: whose week is drawn.
        window: which of its windows.
    """
    i = data.names.index(country)
    own = np.flatnonzero(cut.series == i)
    mine = own[min(window, len(own) - 1)]

    def draw(alpha: float, network: str) -> tuple[go.Figure, str]:
        forecast = trained if network == "trained" else untrained
        mixed = cut.profile + alpha * (forecast - cut.profile)
        week = [
            data.denormalise(t[mine : mine + 1].numpy(), np.array([i])).ravel() / 1000
            for t in (cut.y, cut.profile, mixed)
        ]
        fig = figure(x="day", y=f"generation of {country} (GW)", height=420)
        styles = (
            dict(color="#E69F00", width=2),
            dict(color=INK, dash="dash", width=2),
            dict(color=paint("ReCycle"), width=2.5),
        )
        for name, line, style in zip(("measured", "profile", "forecast"), week, styles, strict=True):
            fig.add_scatter(x0=0, dx=1 / 24, y=line.round(1).tolist(), name=name, mode="lines", line=style)
        own = per_series(errors(mixed, cut), cut).mean(axis=0)
        base = per_series(errors(cut.profile, cut), cut).mean(axis=0)
        return fig, (
            f"Error over that of the profile, all test windows: day 1 {own[0] / base[0]:.2f}, day 4 {own[3] / base[3]:.2f}, "
            f"day 7 {own[6] / base[6]:.2f}; all days {own.mean() / base.mean():.3f}."
        )

    return draw


def fallback_table(trained: torch.Tensor, untrained: torch.Tensor, cut: Windows) -> dict[str, list]:
    """Error over that of the profile for every alpha."""
    base = per_series(errors(cut.profile, cut), cut).mean()
    rows: dict[str, list] = {"alpha": list(ALPHAS)}
    for name, forecast in (("trained", trained), ("untrained", untrained)):
        mixed = [cut.profile + alpha * (forecast - cut.profile) for alpha in ALPHAS]
        rows[name] = [float(per_series(errors(m, cut), cut).mean() / base) for m in mixed]
    return rows
