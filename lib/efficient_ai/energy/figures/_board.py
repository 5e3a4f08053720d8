"""What the counter of a real GPU said: kernels, joules per sample beside a processor, and its two ways to tell power."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.energy.board import Board
from efficient_ai.ledger import interval
from efficient_ai.metering import quantity
from efficient_ai.plotting import INK, OKABE_ITO, figure

CORE_WATTS = [1, 2, 5, 10, 20, 50, 100]
_MODES = ("inference", "training")
_COLOURS = {"inference": OKABE_ITO["blue"], "training": OKABE_ITO["orange"]}


def board_kernels(board: Board) -> go.Figure:
    """Mean power of kernels of the same length on the board, each repeat a point."""
    fig = figure(x="mean power (W)", height=300, title=dict(text=board.label, font_size=14))
    for name, watts in board.kernels.items():
        value, low, high = interval(watts)
        fig.add_scatter(x=watts, y=[name] * len(watts), mode="markers", showlegend=False,
                        marker=dict(color=INK, size=6, opacity=0.6))  # fmt: skip
        fig.add_scatter(x=[value], y=[name], mode="markers", showlegend=False, marker=dict(color=OKABE_ITO["blue"], size=11),
                        error_x=dict(type="data", array=[high - value], arrayminus=[value - low]))  # fmt: skip
    fig.update_xaxes(rangemode="tozero")
    fig.update_yaxes(autorange="reversed")
    return fig


def board_kernels_table(board: Board) -> dict[str, list]:
    """Numbers of :func:`board_kernels`."""
    rows = [interval(watts) for watts in board.kernels.values()]
    return {
        "kernel": list(board.kernels),
        "power (W)": [row[0] for row in rows],
        "interval": [f"{row[1]:.0f} to {row[2]:.0f}" for row in rows],
        "source": [board.label] * len(rows),
    }


def board_trace(board: Board) -> go.Figure:
    """Power from the counter and as the driver tells it, over the same seconds."""
    times, joules = board.trace("counter")
    fig = figure(x="time (s)", y="power of the board (W)")
    fig.add_scatter(
        x=((times[1:] + times[:-1]) / 2).round(3), y=(np.diff(joules) / np.diff(times)).round(1), mode="lines",
        name="from the counter", line=dict(color=OKABE_ITO["blue"], width=2),
    )  # fmt: skip
    times, watts = board.trace("power")
    fig.add_scatter(
        x=times.round(3), y=watts.round(1), mode="lines", name="as the driver tells it",
        line=dict(color=OKABE_ITO["vermilion"], width=2, dash="dash"),
    )  # fmt: skip
    fig.update_yaxes(rangemode="tozero")
    return fig


def board_trace_table(board: Board) -> dict[str, list]:
    """Joules of each phase by the counter and by the trapezoid of the power readings."""
    rows = [(name, end - begin, *board.energy(begin, end)) for name, begin, end in board.phases]
    return {
        "phase": [name for name, *_ in rows],
        "seconds": [seconds for _, seconds, *_ in rows],
        "by the counter (J)": [counted for *_, counted, _ in rows],
        "by the power readings (J)": [summed for *_, summed in rows],
        "off by (%)": [100 * (summed / counted - 1) for *_, counted, summed in rows],
    }


def board_or_core(board: Board, network: str, watts: float) -> tuple[go.Figure, str]:
    """Joules per sample over batch size: the board as measured, and one core at an assumed power for its measured seconds."""
    fig = figure(x="batch size", y="energy per sample (J)")
    batches, read = board.batches, []
    for mode in _MODES:
        gpu = [float(np.mean(board.joules(network, mode, batch))) for batch in batches]
        core = [watts * float(np.mean(board.core_seconds(network, mode, batch))) for batch in batches]
        for name, values, dash in (
            ("GPU board, measured", gpu, "solid"),
            ("one core, assumed", core, "dash"),
        ):
            fig.add_scatter(x=batches, y=values, name=f"{mode}, {name}", mode="lines+markers",
                            line=dict(color=_COLOURS[mode], width=2, dash=dash))  # fmt: skip
        wins = [batch for batch, a, b in zip(batches, gpu, core, strict=True) if a < b]
        read.append(
            f"{mode}: the GPU needs less at "
            + (f"batch {', '.join(map(str, wins))}" if wins else "no batch size")
        )
    fig.update_xaxes(type="log", dtick=1)
    fig.update_yaxes(type="log", dtick=1)
    return fig, f"{network}, a core at {quantity(watts, 'W')}; " + "; ".join(read) + "."


def board_or_core_table(board: Board) -> dict[str, list]:
    """Joules of the board, seconds of a core, and the power of a core at which both cost the same."""
    rows = [
        (network, mode, batch)
        for network in board.networks
        for mode in _MODES
        for batch in board.batches
    ]  # fmt: skip
    return {
        "network": [row[0] for row in rows],
        "mode": [row[1] for row in rows],
        "batch": [row[2] for row in rows],
        "GPU board, measured (mJ per sample)": [1e3 * float(np.mean(board.joules(*row))) for row in rows],
        "one core (ms per sample)": [1e3 * float(np.mean(board.core_seconds(*row))) for row in rows],
        "equal if a core draws (W)": [float(np.mean(board.break_even_watts(*row))) for row in rows],
    }
