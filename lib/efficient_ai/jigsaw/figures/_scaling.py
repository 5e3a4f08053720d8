"""Roofline, weak scaling, and the way to 256 GPUs."""

from dataclasses import replace

import numpy as np

from efficient_ai.jigsaw import costs, published
from efficient_ai.jigsaw._config import MixerConfig, forward_flops
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.ledger import interval
from efficient_ai.plotting import INK, OKABE_ITO, Control, figure

WAYS = {1: OKABE_ITO["vermilion"], 2: OKABE_ITO["sky"], 4: OKABE_ITO["blue"]}
DISKS = [0.5e9, 1.17e9, 2.3e9, 10e9]
NETWORKS = [10e9, 50e9, 200e9]
RATES = [15.7e12, 66.6e12, 156e12]
ROOFLINE_CONTROLS = {
    "disk": Control(DISKS, "disk per rank (GB/s)", 1.17e9, [f"{d / 1e9:g}" for d in DISKS]),
    "network": Control(NETWORKS, "messages (GB/s)", 50e9, [f"{n / 1e9:g}" for n in NETWORKS]),
    "rate": Control(RATES, "arithmetic (TFLOP/s)", 66.6e12, [f"{r / 1e12:g}" for r in RATES]),
}
_WIDTHS = (256, 512, 1024, 2048, 4096, 8192)


def roofline(disk: float, network: float, rate: float):
    """Throughput per rank over work per rank for 1-, 2- and 4-way models: reading limits on the left."""
    fig = figure(x="forward TFLOP per rank", y="TFLOP/s per rank", height=360)
    machine = costs.Machine(flops=rate, latency=10e-6, bandwidth=network, read=disk)
    found = {}
    for ways, colour in WAYS.items():
        grid, xs, ys = Grid.ways(ways), [], []
        for width in _WIDTHS:
            config = MixerConfig(width=width, token_fraction=0.25).padded()
            work = forward_flops(config) / 1e12
            xs.append(work / ways)
            ys.append(3 * work / ways / costs.step_time(config, grid, machine).step)
        fig.add_scatter(
            x=xs, y=ys, name=f"{ways}-way", mode="lines+markers", line=dict(color=colour, width=3)
        )
        found[ways] = xs, ys
    fig.add_hline(y=rate / 1e12, line=dict(color=INK, dash="dash"))
    fig.update_xaxes(type="log")
    fig.update_yaxes(type="log", range=[0, 2.4])
    at = found[1][0][0]
    one, four = (np.exp(np.interp(np.log(at), np.log(found[w][0]), np.log(found[w][1]))) for w in (1, 4))
    told = f"At {at:.2g} TFLOP per rank, a rank of the 4-way model does {four / one:.1f} times the operations per second"
    return fig, f"{told} of the 1-way model."


def roofline_table() -> dict[str, list]:
    """The authors' measured throughput."""
    rows = {"forward TFLOP per GPU": list(published.THROUGHPUT)}
    for index, ways in enumerate((1, 2, 4)):
        rows[f"{ways}-way (TFLOP/s, paper's log)"] = [v[index] for v in published.THROUGHPUT.values()]
    return rows


YARDSTICKS = {"alone": "one instance alone on its node", "eight": "the same model on 8 GPUs"}
SCHEDULES = {"paper": "the paper's (3.0 at most)", "balanced": "balanced (4.0 at most)"}


def to_256(yardstick: str, schedule: str):
    """Efficiency over the number of GPUs: logged values as marks, the cost model as lines."""
    fig = figure(x="GPUs", y="weak scaling efficiency", height=380)
    summed, said = costs.fit_gradient_sum(), []
    for series in published.SCALING:
        colour, ways = WAYS[series.ways], series.ways
        first = ways if yardstick == "alone" else 8
        gpus = [g for g in series.minutes if g >= first]
        logged = [series.minutes[first] / series.minutes[g] for g in gpus]
        modelled = _modelled(series, summed, schedule)
        base = _modelled(series, summed, "paper")[first]
        line = [base / modelled[g] for g in gpus]
        fig.add_scatter(
            x=gpus, y=line, mode="lines", line=dict(color=colour, width=2, dash="dot"), showlegend=False
        )
        fig.add_scatter(
            x=gpus, y=logged, mode="markers", marker=dict(color=colour, size=10), name=f"{ways}-way, logged"
        )
        said.append(f"{ways}-way logged {logged[-1]:.2f}, model {line[-1]:.2f}")
    fig.update_xaxes(type="log", tickvals=[1, 2, 4, 8, 16, 32, 64, 128, 256])
    fig.update_yaxes(range=[0, 1.5])
    return fig, f"At 256 GPUs, against {YARDSTICKS[yardstick]}: " + "; ".join(said) + "."


def _modelled(series: published.Series, summed: float, schedule: str) -> dict[int, float]:
    """Minutes of the model; the balanced schedule takes 3/4 of the products' time of the busiest rank of a 4-way instance."""
    alone = series.minutes[series.ways]
    lifted = replace(series, minutes=series.minutes | {series.ways: alone * 0.75})
    chosen = lifted if schedule == "balanced" and series.ways == 4 else series
    return {
        g: costs.logged_minutes(chosen, g, summed) if g > series.ways else min(chosen.minutes.values())
        for g in series.minutes
    }


def to_256_table() -> dict[str, list]:
    """Logged minutes and those of the model."""
    summed = costs.fit_gradient_sum()
    rows: dict[str, list] = {
        "model": [],
        "GPUs": [],
        "logged (min)": [],
        "cost model (min)": [],
        "off by (%)": [],
    }
    for series in published.SCALING:
        for gpus, minutes in series.minutes.items():
            found = costs.logged_minutes(series, gpus, summed)
            for column, value in zip(
                rows, (f"{series.ways}-way", gpus, minutes, found, 100 * (found / minutes - 1)), strict=True
            ):
                rows[column].append(value)
    return rows


def weak_figure(times: dict[str, dict[int, list[float]]]):
    """Measured weak scaling efficiency over the number of ranks, throttled and not, with intervals."""
    fig = figure(x="ranks", y="weak scaling efficiency", height=340)
    looks = {
        "throttled disk": (OKABE_ITO["blue"], "circle"),
        "data in memory": (OKABE_ITO["orange"], "square"),
    }
    for kind, by_ranks in times.items():
        rows = {n: interval(efficiencies(by_ranks, n), "geometric mean") for n in by_ranks}
        fig.add_scatter(
            x=list(rows), y=[r[0] for r in rows.values()], name=kind, mode="lines+markers",
            line=dict(color=looks[kind][0], width=3), marker=dict(size=10, symbol=looks[kind][1]),
            error_y=dict(
                type="data", symmetric=False, array=[r[2] - r[0] for r in rows.values()],
                arrayminus=[r[0] - r[1] for r in rows.values()],
            ),
        )  # fmt: skip
    fig.add_scatter(
        x=list(published.WEAK_IO), y=list(published.WEAK_IO.values()), mode="markers", name="paper's log, with loading",
        marker=dict(color=INK, size=11, symbol="diamond-open"),
    )  # fmt: skip
    fig.add_hline(y=1, line=dict(color=INK, dash="dash"))
    fig.update_xaxes(tickvals=[1, 2, 4])
    fig.update_yaxes(rangemode="tozero")
    return fig


def efficiencies(by_ranks: dict[int, list[float]], n: int) -> list[float]:
    """Time of one rank over that of ``n`` with ``n`` times the work, repeat by repeat."""
    return [one / many for one, many in zip(by_ranks[1], by_ranks[n], strict=True)]


def weak_table(times: dict[str, dict[int, list[float]]]) -> dict[str, list]:
    """The numbers of :func:`weak_figure`."""
    rows: dict[str, list] = {"data": [], "ranks": [], "step (ms)": [], "efficiency": [], "95 % interval": []}
    for kind, by_ranks in times.items():
        for n, seconds in by_ranks.items():
            value, low, high = interval(efficiencies(by_ranks, n), "geometric mean")
            for column, entry in zip(
                rows,
                (kind, n, 1000 * interval(seconds, "median")[0], value, f"[{low:.2f}, {high:.2f}]"),
                strict=True,
            ):
                rows[column].append(entry)
    return rows
