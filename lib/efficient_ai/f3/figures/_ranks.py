"""Figures of time and memory: who waits for whom, what is kept, what a rank more brings."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from efficient_ai import plotting
from efficient_ai.f3._costs import fit_costs, multiplications, pipeline_seconds
from efficient_ai.f3.experiments import Calibration, Times

KINDS = {
    "forward": plotting.OKABE_ITO["blue"],
    "backward": plotting.OKABE_ITO["vermilion"],
    "update": plotting.OKABE_ITO["green"],
}
SCHEDULED = ("BP", "DFA", "F³", "F³ in a pipeline")


def schedule(method: str, blocks: int, batches: int = 3) -> list[tuple[str, int, int, float, float]]:
    """When each block does what, in units of one forward pass: ``(kind, block, batch, begin, end)``. A drawing, not a measurement."""
    rows, clock = [], 0.0
    for batch in range(batches):
        if method == "F³ in a pipeline":
            for block in range(blocks):
                begin = 2.0 * (batch + block)
                rows += [
                    ("forward", block, batch, begin, begin + 1),
                    ("update", block, batch, begin + 1, begin + 2),
                ]
            continue
        start = clock
        for block in range(blocks):
            begin = start + (2 * block if method == "F³" else block)
            rows.append(("forward", block, batch, begin, begin + 1))
            if method == "F³":
                rows.append(("update", block, batch, begin + 1, begin + 2))
        clock = start + (2 * blocks if method == "F³" else blocks)
        if method == "BP":
            for block in reversed(range(blocks)):
                rows += [
                    ("backward", block, batch, clock, clock + 1),
                    ("update", block, batch, clock + 1, clock + 2),
                ]
                clock += 2
        elif method == "DFA":
            rows += [("update", block, batch, clock, clock + 1) for block in range(blocks)]
            clock += 1
    return rows


def schedule_figure(method: str, blocks: int) -> tuple[go.Figure, str]:
    """Gantt chart of three batches."""
    rows = schedule(method, blocks)
    figure = plotting.figure(x="time (forward passes of a block)", y="block", height=360, barmode="overlay")
    for kind, colour in KINDS.items():
        mine = [r for r in rows if r[0] == kind]
        if mine:
            figure.add_bar(
                orientation="h",
                y=[r[1] + 1 for r in mine],
                base=[r[3] for r in mine],
                x=[r[4] - r[3] for r in mine],
                marker={"color": [plotting.rgba(colour, (0.95, 0.6, 0.3)[r[2]]) for r in mine]},
                name=kind,
            )
    figure.update_yaxes(autorange="reversed", dtick=1)
    figure.update_xaxes(range=[0, 4 * 3 * 3 + 1])
    end = max(r[4] for r in rows)
    wait = next(r[3] for r in rows if r[0] == "update" and r[1] == 0) - 1
    return (
        figure,
        f"{method}, {blocks} blocks: three batches take {end:g}; block 1 waits {wait:g} before its first update.",
    )


def schedule_table(counts: Sequence[int]) -> dict[str, list]:
    """Length of three batches by method and number of blocks."""
    rows: dict[str, list] = {"method": list(SCHEDULED)}
    for n in counts:
        rows[f"{n} blocks"] = [max(r[4] for r in schedule(m, n)) for m in SCHEDULED]
    return rows


MEMORY_COLOUR = {
    "BP": plotting.INK,
    "BP with checkpoints": plotting.OKABE_ITO["orange"],
    "DFA": plotting.OKABE_ITO["sky"],
    "F³": plotting.OKABE_ITO["blue"],
}


def memory_figure(found: Mapping[str, Sequence[int]], depths: Sequence[int]) -> go.Figure:
    """Peak bytes of activations over depth."""
    figure = plotting.figure(x="hidden blocks", y="peak of activations (kB)")
    for name, values in found.items():
        figure.add_trace(
            go.Scatter(
                x=list(depths), y=[v / 1000 for v in values], name=name, mode="lines+markers",
                line={"color": MEMORY_COLOUR[name]},
            )
        )  # fmt: skip
    figure.update_xaxes(type="log", tickvals=list(depths))
    figure.update_yaxes(type="log")
    return figure


def memory_table(found: Mapping[str, Sequence[int]], depths: Sequence[int]) -> dict[str, list]:
    """Kilobytes by depth."""
    return {"hidden blocks": list(depths)} | {
        f"{n} (kB)": [round(v / 1000, 1) for v in vs] for n, vs in found.items()
    }


LOG_COLOURS = {
    "work": plotting.OKABE_ITO["blue"],
    "wait for activations": plotting.OKABE_ITO["orange"],
    "wait for errors": plotting.OKABE_ITO["vermilion"],
    "wait for send": plotting.OKABE_ITO["purple"],
    "wait for end": "#B0B0B0",
}


def gantt_figure(found: Mapping[int, Mapping]) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(ranks)``: what every rank did in the second epoch, as it was measured."""

    def draw(ranks: int) -> tuple[go.Figure, str]:
        logs = found[ranks]["logs"]
        begin = min(e[3] for log in logs for e in log if e[1] == 1 and e[0] == "work")
        end = max(e[4] for log in logs for e in log if e[1] == 1 and e[0] == "work")
        figure = plotting.figure(x="time (ms)", y="rank", height=300, barmode="overlay")
        for kind, colour in LOG_COLOURS.items():
            mine = [
                (r, e)
                for r, log in enumerate(logs)
                for e in log
                if e[0] == kind and e[1] == 1 and e[4] > begin
            ]
            if mine:
                figure.add_bar(
                    orientation="h",
                    name=kind,
                    y=[r for r, _ in mine],
                    base=[round(1e3 * (max(e[3], begin) - begin), 3) for _, e in mine],
                    x=[round(1e3 * (e[4] - max(e[3], begin)), 3) for _, e in mine],
                    marker={"color": colour, "line": {"width": 0}},
                )
        figure.update_yaxes(autorange="reversed", dtick=1)
        sent = int(found[ranks]["traffic"].bytes().sum())
        return figure, (
            f"{ranks} ranks, second epoch, {1e3 * (end - begin):.1f} ms; {sent} bytes in all three epochs, "
            f"{found[ranks]['counted'][0] / found[ranks]['counted'][1]:.3f} of what BP's pipeline sent."
        )

    return draw


def traffic_table(found: Mapping[int, Mapping]) -> dict[str, list]:
    """Bytes counted and by formula."""
    return {
        "ranks": list(found),
        "F³, counted (bytes)": [e["counted"][0] for e in found.values()],
        "F³, formula": [e["formula"][0] for e in found.values()],
        "BP, counted (bytes)": [e["counted"][1] for e in found.values()],
        "F³ / BP": [round(e["counted"][0] / e["counted"][1], 4) for e in found.values()],
        "½ + C/(2n)": [round(0.5 + 4 / (2 * 32), 4) for _ in found],
    }


def speed_table(times: Sequence[Times]) -> dict[str, list]:
    """Mean seconds of an epoch by side, a row a network."""

    def mean(values):
        return round(float(np.mean(values)), 3)

    return {
        "network": [t.speed.name for t in times],
        "serial (s)": [mean(t.serial) for t in times],
        "serial, two threads (s)": [mean(t.two_threads) for t in times],
        "F³ on two ranks (s)": [mean(t.f3) for t in times],
        "delay of 2 (s)": [mean(t.delayed_two) for t in times],
        "BP, GPipe (s)": [mean(t.gpipe) for t in times],
        "wait at the border (ms)": [round(1e3 * t.border, 1) for t in times],
    }


def shares_table(times: Sequence[Times]) -> dict[str, list]:
    """Where the time of each rank of F³ went, in per cent."""
    rows: dict[str, list] = {"network": [], "rank": [], "work (%)": [], "waits (%)": [], "rest (%)": []}
    for t in times:
        for rank, share in enumerate(t.shares):
            waits = sum(v for k, v in share.items() if k.startswith("wait"))
            for key, value in zip(
                rows,
                (
                    t.speed.name,
                    rank,
                    round(100 * share.get("work", 0), 1),
                    round(100 * waits, 1),
                    round(100 * share["rest"], 1),
                ),
                strict=True,
            ):
                rows[key].append(value)
    return rows


def speed_reading(times: Sequence[Times]) -> str:
    """Ratios in words."""
    said = []
    for t in times:
        f3 = np.mean(t.f3)
        said.append(
            f"{t.speed.name}: two ranks are {np.mean(t.serial) / f3:.2f} times as fast as one, against two threads "
            f"{np.mean(t.two_threads) / f3:.2f}, against BP's pipeline {np.mean(t.gpipe) / f3:.2f}."
        )
    return " ".join(said)


def model_figure(
    times: Sequence[Times], calibration: Calibration, blocks: int = 64, batch: int = 64
) -> Callable[[int], tuple[go.Figure, str]]:
    """``draw(width)``: how many times as fast as one rank, by ranks: a model fitted to this run, with its two ranks drawn in."""
    costs = fit_costs(calibration.rows)
    ranks = [r for r in (1, 2, 4, 8, 16, 32, 64) if r <= blocks]

    def draw(width: int) -> tuple[go.Figure, str]:
        figure = plotting.figure(x="ranks", y="times as fast as serial F³")
        model = dict(
            blocks=blocks,
            width=width,
            batch=batch,
            steps=20,
            message=calibration.message,
            byte=calibration.byte,
        )
        one = pipeline_seconds(costs, ranks=1, rule="F³", **model)
        curves = {}
        for rule, colour in (("F³", plotting.OKABE_ITO["blue"]), ("BP", plotting.INK)):
            curves[rule] = [one / pipeline_seconds(costs, ranks=r, rule=rule, **model) for r in ranks]
            y = np.round(curves[rule], 2).tolist()
            figure.add_trace(go.Scatter(x=ranks, y=y, name=f"{rule}, model", line={"color": colour}))
        for t in times:
            y = [round(float(np.mean(t.serial) / np.mean(t.f3)), 2)]
            marker = {"size": 10, "color": plotting.OKABE_ITO["vermilion"]}
            figure.add_trace(
                go.Scatter(x=[2], y=y, mode="markers", name=f"measured, {t.speed.name}", marker=marker)
            )
        figure.update_xaxes(type="log", tickvals=ranks)
        figure.update_yaxes(type="log")
        return figure, (
            f"{blocks} blocks of {width}: on {ranks[-1]} ranks F³ {curves['F³'][-1]:.1f} times, BP's pipeline "
            f"{curves['BP'][-1]:.1f} times as fast. A model: equal ranks, a core each."
        )

    return draw


def model_table(times: Sequence[Times], calibration: Calibration) -> dict[str, list]:
    """Coefficients of the model, how well it fits, and what it says of the networks that were measured on two ranks."""
    costs = fit_costs(calibration.rows)
    fits = [costs.block(n, b, p) / s for n, b, p, s in calibration.rows]
    rows = {
        "calls of a block (µs)": 1e6 * costs.call,
        "10⁹ multiplications (s)": 1e9 * costs.flop,
        "update of 10⁶ weights (ms)": 1e9 * costs.update,
        "a message (µs)": 1e6 * calibration.message,
        "a further MB (µs)": 1e12 * calibration.byte,
        "model over measurement, smallest": min(fits),
        "model over measurement, largest": max(fits),
    }
    for t in times:
        speed = t.speed
        model = dict(blocks=speed.blocks, width=speed.width, batch=speed.batch, steps=speed.steps, rule="F³")
        told = pipeline_seconds(costs, ranks=2, message=calibration.message, byte=calibration.byte, **model)
        rows[f"{speed.name} on two ranks: model over measurement"] = told / float(np.mean(t.f3))
    return {"what": list(rows), "value": [round(v, 3) for v in rows.values()]}


def cost_table(found: Mapping[str, Sequence[float]], sizes: Sequence[int]) -> dict[str, list]:
    """Counted multiplications and measured processor milliseconds of a step."""
    names = list(found)
    counted = [multiplications(sizes, n) for n in names]
    base = np.median(found["BP"])
    return {
        "method": names,
        "forward (10⁶)": [round(c["forward"] / 1e6, 2) for c in counted],
        "signal (10⁶)": [round(c["signal"] / 1e6, 3) for c in counted],
        "weights (10⁶)": [round(c["weights"] / 1e6, 2) for c in counted],
        "measured (ms)": [round(1e3 * float(np.median(found[n])), 2) for n in names],
        "over BP, counted": [round(sum(c.values()) / sum(counted[0].values()), 2) for c in counted],
        "over BP, measured": [round(float(np.median(found[n]) / base), 2) for n in names],
    }
