"""Figures of the benchmark: what the optimiser itself costs per evaluation."""

import plotly.graph_objects as go

from efficient_ai.plotting import COLOURS, INK, OKABE_ITO, figure
from efficient_ai.propulate.peers import NAMES, Record

_CURVES = (  # side, processes, colour, dash
    ("ours", 2, COLOURS["asynchronous"], "solid"),
    ("ours-checkpoint", 2, COLOURS["asynchronous"], "dash"),
    ("propulate", 2, COLOURS["asynchronous"], "dot"),
    ("random-memory", 1, INK, "solid"),
    ("tpe-memory", 1, OKABE_ITO["green"], "solid"),
    ("tpe-journal", 2, OKABE_ITO["green"], "dash"),
    ("tpe-sqlite", 2, OKABE_ITO["green"], "dot"),
)
FUNCTIONS = {"sphere": "sphere, 2 variables", "rastrigin": "rastrigin, 20 variables"}


def overhead(record: Record, function: str) -> tuple[go.Figure, str]:
    """Milliseconds per evaluation over the number of known individuals, both on logarithmic axes.

    Args:
        record: of the benchmark.
        function: ``"sphere"`` or ``"rastrigin"``; both cost microseconds, so that all the time is overhead.
    """
    fig = figure(x="individuals known", y="overhead per evaluation (ms)", height=440)
    read = {}
    for side, processes, colour, dash in _CURVES:
        curve = record.growth(side, function, processes)
        if not curve:
            continue
        fig.add_scatter(
            x=list(curve), y=list(curve.values()), mode="lines+markers", name=NAMES[side],
            line=dict(color=colour, dash=dash, width=3),
        )  # fmt: skip
        read[side] = curve
    fig.update_xaxes(type="log", dtick=1)
    fig.update_yaxes(type="log", dtick=1)
    ours = read["ours"]
    parts = [
        f"{NAMES['ours']} {ours[min(ours)]:.2g} ms at {min(ours)}, {ours[max(ours)]:.2g} ms at {max(ours)}"
    ]
    for side in ("propulate", "tpe-sqlite"):
        if side in read:
            parts.append(f"{NAMES[side]} {read[side][max(read[side])]:.2g} ms at {max(read[side])}")
    return fig, FUNCTIONS[function] + ": " + "; ".join(parts) + "."


def overhead_table(record: Record, evaluations: int = 4000) -> dict[str, list]:
    """Every peer at ``evaluations``: overhead, how many times ours, and from which cost of an evaluation it is irrelevant.

    The last two columns say how long one evaluation must take for the total times to differ by less than 10 % and 1 %.
    """
    rows = [row for row in record.report["ratios"] if row["evaluations"] == evaluations]
    rows.sort(key=lambda row: (row["function"], row["processes"], row["ratio"]))
    milliseconds = [
        record.row(row["side"], row["function"], row["evaluations"], row["processes"])["ms"] for row in rows
    ]
    return {
        "function": [row["function"] for row in rows],
        "processes": [row["processes"] for row in rows],
        "compared with": [NAMES[row["side"]] for row in rows],
        "its overhead (ms)": milliseconds,
        "times ours": [row["ratio"] for row in rows],
        "times ours with results on disk": [row["ratio_checkpoint"] for row in rows],
        "times ours, processor time": [row["cpu_ratio"] for row in rows],
        "10 % from (s)": [row["break_even_s"]["10%"] for row in rows],
        "1 % from (s)": [row["break_even_s"]["1%"] for row in rows],
    }


def required_table(record: Record) -> dict[str, list]:
    """What the book asks of its own optimiser, and what was measured."""
    rules = record.report["required"]
    return {
        "rule": [rule["rule"] for rule in rules],
        "asked": [
            f"at most {rule['at_most']:g}" if "at_most" in rule else f"at least {rule['at_least']:g}"
            for rule in rules
        ],
        "measured": [rule["value"] for rule in rules],
        "holds": ["yes" if rule["holds"] else "no" for rule in rules],
    }


def break_even_reading(record: Record, function: str = "rastrigin", evaluations: int = 400) -> str:
    """From which price of an evaluation the overhead stops to matter, in a sentence or two."""
    rows = {
        row["side"]: row
        for row in record.report["ratios"]
        if (row["function"], row["evaluations"], row["processes"]) == (function, evaluations, 2)
    }
    parts = [
        f"{NAMES[side]} {rows[side]['ratio']:.0f} times ours, less than 1 % of the total from "
        f"{rows[side]['break_even_s']['1%']:.2g} s per evaluation"
        for side in ("propulate", "tpe-journal", "tpe-sqlite")
        if side in rows
    ]
    return f"{FUNCTIONS[function]}, {evaluations} evaluations: " + "; ".join(parts) + "."
