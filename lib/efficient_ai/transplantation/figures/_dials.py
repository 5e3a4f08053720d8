"""One dial each: transplantation rate, redundancy, disjoint data, cost."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from efficient_ai.ledger import interval
from efficient_ai.plotting import OKABE_ITO, figure
from efficient_ai.transplantation.costs import Cost, slope
from efficient_ai.transplantation.figures._palette import paint


def rate_figure(found: Mapping[int, Mapping[float, list[float]]]):
    """``draw(rate)``: a drawing of one layer, and accuracy before and after fine-tuning by rate."""
    rates = list(next(iter(found.values())))
    curves = np.array([[f[r] for r in rates] for f in found.values()])  # seeds, rates, epochs

    def draw(rate: float) -> tuple[go.Figure, str]:
        fig = figure(y="test accuracy (%)", height=400)
        for epoch, name, dash in ((0, "before fine-tuning", "dot"), (-1, "after", "solid")):
            fig.add_scatter(
                x=[100 * r for r in rates], y=curves[:, :, epoch].mean(0).round(2).tolist(), name=name, mode="lines+markers",
                line=dict(color=paint("NT"), dash=dash, width=2.5),
            )  # fmt: skip
        fig.add_vline(x=100 * rate, line=dict(color=OKABE_ITO["vermilion"]))
        fig.add_scatter(
            x=[100 * (i + 0.5) / 16 for i in range(16)], y=[float(curves.min()) - 3] * 16, mode="markers", showlegend=False,
            marker=dict(size=14, color=[paint("optimal transport") if i < 16 * (1 - rate) else paint("NT") for i in range(16)]),
            hoverinfo="skip",
        )  # fmt: skip
        fig.update_xaxes(title="from the second network (%)")
        fig.update_yaxes(range=[float(curves.min()) - 6, float(curves.max()) + 3])
        i = rates.index(rate)
        return fig, (
            f"{100 * rate:.1f} % transplanted: {curves[:, i, 0].mean():.1f} % right away, {curves[:, i, -1].mean():.1f} % after "
            f"{curves.shape[2] - 1} epochs of fine-tuning (mean of {len(found)} seeds)."
        )

    return draw


def rate_table(found: Mapping[int, Mapping[float, list[float]]]) -> dict[str, list]:
    rates = list(next(iter(found.values())))
    return {
        "transplanted (%)": [100 * r for r in rates],
        "before": [float(np.mean([f[r][0] for f in found.values()])) for r in rates],
        "after fine-tuning": [float(np.mean([f[r][-1] for f in found.values()])) for r in rates],
    }


def redundancy_figure(found: Mapping[int, Mapping[float, Mapping[str, list[float]]]]):
    """``draw(moment)``: points above the member trained on, by noise on the copy."""
    noises = list(next(iter(found.values())))
    names = ["independent" if np.isinf(n) else "itself" if n == 0 else f"noise {n:g}" for n in noises]
    last = len(found[min(found)][noises[0]]["NT"]) - 1

    def draw(moment: str) -> tuple[go.Figure, str]:
        epoch = 0 if moment == "before fine-tuning" else last
        fig = figure(x="second network", y="points", height=400)
        middles = {}
        for method in ("NT", "NT, diverse"):
            rows = [
                interval([f[n][method][epoch] - f[n]["member trained on"][-1] for f in found.values()])
                for n in noises
            ]
            middle, low, high = np.array(rows).T
            middles[method] = middle
            fig.add_scatter(
                x=names, y=middle.round(2).tolist(), name=method, mode="lines+markers", line=dict(color=paint(method), width=2.5),
                error_y=dict(type="data", symmetric=False, array=(high - middle).tolist(), arrayminus=(middle - low).tolist()),
            )  # fmt: skip
        fig.add_hline(y=0, line=dict(color=paint("member trained on"), dash="dash"))
        return fig, (
            f"{moment.capitalize()}: fused with itself {middles['NT'][0]:+.1f} points, with an independent network "
            f"{middles['NT'][-1]:+.1f}; with the diverse score {middles['NT, diverse'][0]:+.1f} and {middles['NT, diverse'][-1]:+.1f}."
        )

    return draw


def redundancy_table(found) -> dict[str, list]:
    rows: dict[str, list] = {"second network": [], "score": [], "before": [], "last epoch": []}
    for n in next(iter(found.values())):
        for method in ("NT", "NT, diverse"):
            curves = np.array([f[n][method] for f in found.values()])
            name = "independent" if np.isinf(n) else f"copy with noise {n:g}"
            for key, value in zip(
                rows, (name, method, float(curves[:, 0].mean()), float(curves[:, -1].mean())), strict=True
            ):
                rows[key].append(value)
    return rows


def disjoint_table(found) -> dict[str, list]:
    """Members that saw disjoint halves of the images or of the classes."""
    rows: dict[str, list] = {
        "halves of": [],
        "method": [],
        "before": [],
        "after 1 epoch": [],
        "last epoch": [],
    }
    for name, methods in next(iter(found.values())).items():
        for method in methods:
            each = [f[name][method] for f in found.values()]
            if isinstance(each[0], float):
                entries = [f"{np.mean(each):.1f}", "", ""]
            else:
                entries = [f"{np.mean([c[e] for c in each]):.1f}" for e in (0, 1, -1)]
            for key, value in zip(rows, (name, method, *entries), strict=True):
                rows[key].append(value)
    return rows


def cost_figure(costs: Mapping[int, Mapping[str, Cost]]):
    """``draw(what)``: processor seconds or peak bytes of a fusion, by width."""

    def draw(what: str) -> tuple[go.Figure, str]:
        seconds = what == "time"
        fig = figure(x="width", y="processor seconds" if seconds else "peak memory (MB)", height=400)
        for method in costs[min(costs)]:
            widths = [w for w in costs if method in costs[w]]
            values = [
                np.median(costs[w][method].seconds) if seconds else costs[w][method].peak / 1e6
                for w in widths
            ]
            fig.add_scatter(
                x=widths, y=[float(f"{v:.4g}") for v in values], name=method, mode="lines+markers",
                line=dict(color=paint(method), width=2.5),
            )  # fmt: skip
        fig.update_xaxes(type="log", tickvals=list(costs), ticktext=[str(w) for w in costs])
        fig.update_yaxes(type="log")
        top = costs[max(costs)]
        if seconds:
            ratio = np.median(top["OT"].seconds) / np.median(top["NT"].seconds)
            grows = {m: slope(list(costs), [c[m].seconds for c in costs.values()]) for m in ("NT", "OT")}
            return fig, (
                f"At width {max(costs)} optimal transport takes {ratio:.1f} times as long; time grows with width to the power "
                f"{grows['NT']:.1f} (transplantation) and {grows['OT']:.1f} (optimal transport)."
            )
        return fig, (
            f"At width {max(costs)}: transplantation {top['NT'].peak / 1e6:.1f} MB, optimal transport with an n x n cost "
            f"{top['OT'].peak / 1e6:.1f} MB; the naive cost matrix grows with the cube of the width."
        )

    return draw


def cost_table(costs: Mapping[int, Mapping[str, Cost]]) -> dict[str, list]:
    rows: dict[str, list] = {"width": [], "method": [], "seconds (median)": [], "peak (MB)": []}
    for width, methods in costs.items():
        for name, cost in methods.items():
            for key, value in zip(
                rows, (width, name, float(np.median(cost.seconds)), cost.peak / 1e6), strict=True
            ):
                rows[key].append(value)
    return rows
