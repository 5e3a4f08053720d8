"""What was measured in this run: kernels, joules per sample, the cost of measuring, the job."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai.energy.workload import Cost
from efficient_ai.ledger import interval
from efficient_ai.metering import Measurement
from efficient_ai.plotting import INK, OKABE_ITO, figure

_COLOURS = {"inference": OKABE_ITO["blue"], "training": OKABE_ITO["orange"]}

Runs = Mapping[str, Mapping[str, Mapping[int, Sequence[Cost]]]]
"""Costs by network, mode and batch size; one per repeat."""


def kernel_figure(runs: Mapping[str, Sequence[Measurement]]) -> go.Figure:
    """Mean power of kernels of the same length, each repeat a point, with the label of the source."""
    label = next(iter(runs.values()))[0].source
    fig = figure(x="mean power (W)", height=300, title=dict(text=label, font_size=14))
    for name, measured in runs.items():
        value, low, high = interval([m.watts for m in measured])
        fig.add_scatter(x=[m.watts for m in measured], y=[name] * len(measured), mode="markers", showlegend=False,
                        marker=dict(color=INK, size=6, opacity=0.6))  # fmt: skip
        fig.add_scatter(x=[value], y=[name], mode="markers", showlegend=False, marker=dict(color=OKABE_ITO["blue"], size=11),
                        error_x=dict(type="data", array=[high - value], arrayminus=[value - low]))  # fmt: skip
    fig.update_xaxes(rangemode="tozero")
    fig.update_yaxes(autorange="reversed")
    return fig


def kernel_table(runs: Mapping[str, Sequence[Measurement]]) -> dict[str, list]:
    """Seconds, processor seconds and joules of each kernel, means over repeats."""
    mean = {key: [float(np.mean([getattr(m, key) for m in runs[name]])) for name in runs] for key in
            ("seconds", "cpu_seconds", "joules", "watts")}  # fmt: skip
    return {
        "kernel": list(runs),
        "wall time (s)": mean["seconds"],
        "processor time (s)": mean["cpu_seconds"],
        "energy (J)": mean["joules"],
        "power (W)": mean["watts"],
        "of the machine's processor time (%)": [
            100 * float(np.mean([m.cpu_share for m in measured]))
            if all(m.cpu_share is not None for m in measured)
            else "unknown"
            for measured in runs.values()
        ],
        "source": [measured[0].source for measured in runs.values()],
    }


def per_sample(runs: Runs, network: str, kind: str) -> tuple[go.Figure, str]:
    """Joules per sample over batch size, training and inference.

    Args:
        network: a key of ``runs``.
        kind: ``"gross"`` with idle power, ``"net"`` without.
    """
    fig = figure(x="batch size", y=f"energy per sample ({kind}, J)")
    read = {}
    for mode, by_batch in runs[network].items():
        rows = {batch: interval([_value(c, kind) for c in costs]) for batch, costs in by_batch.items()}
        fig.add_scatter(
            x=list(rows), y=[row[0] for row in rows.values()], name=mode, mode="lines+markers",
            line=dict(color=_COLOURS[mode], width=3),
            error_y=dict(type="data", array=[r[2] - r[0] for r in rows.values()], arrayminus=[r[0] - r[1] for r in rows.values()]),
        )  # fmt: skip
        read[mode] = {batch: row[0] for batch, row in rows.items()}
    fig.update_xaxes(type="log", dtick=1)
    fig.update_yaxes(type="log", dtick=1)
    first, last = min(read["inference"]), max(read["inference"])
    source = next(iter(runs[network]["inference"].values()))[0].measurement.source
    parts = [
        f"{mode} {1e3 * values[first]:.3g} mJ at batch {first}, {1e3 * values[last]:.3g} mJ at {last}"
        for mode, values in read.items()
    ]
    return fig, f"{network}, {kind}: " + "; ".join(parts) + f" ({source})."


def per_sample_table(runs: Runs) -> dict[str, list]:
    """Every cost, means over repeats."""
    rows = [(network, mode, batch, costs) for network, modes in runs.items() for mode, by in modes.items() for batch, costs in by.items()]  # fmt: skip
    return {
        "network": [network for network, *_ in rows],
        "mode": [mode for _, mode, *_ in rows],
        "batch": [batch for *_, batch, _ in rows],
        "mJ per sample, gross": [1e3 * _mean(costs, "gross") for *_, costs in rows],
        "net": [1e3 * _mean(costs, "net") for *_, costs in rows],
        "processor ms per sample": [
            1e3 * float(np.mean([c.cpu_seconds for c in costs])) for *_, costs in rows
        ],
        "source": [costs[0].measurement.source for *_, costs in rows],
    }


def _value(cost: Cost, kind: str) -> float:
    net = cost.net_joules
    if kind == "net" and net is None:
        raise ValueError("net energy needs a measured idle power")
    return cost.joules if kind == "gross" else max(net, 1e-12)


def _mean(costs: Sequence[Cost], kind: str) -> float:
    return float(np.mean([_value(cost, kind) for cost in costs]))


def job_figure(ranks: Sequence[tuple[str, float]], total: Measurement) -> go.Figure:
    """Joules of a job: each rank's reading of its host added up, and every host once.

    Args:
        ranks: host and reading of each rank.
        total: of :class:`measure_job`.
    """
    colours = dict(
        zip(total.parts, (OKABE_ITO["blue"], OKABE_ITO["orange"], OKABE_ITO["green"]), strict=False)
    )
    fig = figure(x="energy (J)", height=240, barmode="stack")
    for host, colour in colours.items():
        wrong = sum(joules for name, joules in ranks if name == host)
        fig.add_bar(y=["ranks added", "hosts added"], x=[wrong, total.parts[host]], orientation="h", name=host,
                    marker_color=colour)  # fmt: skip
    fig.update_yaxes(autorange="reversed")
    return fig


def job_table(ranks: Sequence[tuple[str, float]], total: Measurement) -> dict[str, list]:
    """Host and reading of each rank, then the totals."""
    return {
        "rank": [*map(str, range(len(ranks))), "sum over ranks", "sum over hosts"],
        "host (name played)": [host for host, _ in ranks] + ["", ", ".join(total.parts)],
        "energy (J)": [joules for _, joules in ranks] + [sum(j for _, j in ranks), total.joules],
    }
