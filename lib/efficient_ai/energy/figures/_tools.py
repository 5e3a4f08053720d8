"""The benchmark: our instrument, perun and CodeCarbon around the same load."""

import numpy as np
import plotly.graph_objects as go

from efficient_ai.energy.peers import LOADS, Record
from efficient_ai.plotting import OKABE_ITO, figure

TOOLS = {
    "ours": ("this chapter", OKABE_ITO["blue"]),
    "perun": ("perun", OKABE_ITO["vermilion"]),
    "codecarbon packages": ("CodeCarbon, packages only", OKABE_ITO["sky"]),
    "codecarbon": ("CodeCarbon with modelled memory", OKABE_ITO["green"]),
}


def tools_figure(record: Record) -> go.Figure:
    """Relative error of each tool on each load with a known energy; every repeat a point."""
    fig = figure(x="error (%)", height=420)
    for place, (tool, (name, colour)) in enumerate(TOOLS.items()):
        x, y = [], []
        for i, load in enumerate(LOADS):
            errors = record.errors(tool, load)
            x += [round(100 * e, 4) for e in errors]
            y += [i + 0.18 * (place - 1.5)] * len(errors)
        fig.add_scatter(x=x, y=y, mode="markers", name=name, marker=dict(color=colour, size=9))
    fig.update_yaxes(tickvals=list(range(len(LOADS))), ticktext=list(LOADS.values()), autorange="reversed")
    fig.update_xaxes(zeroline=True)
    return fig


def tools_table(record: Record) -> dict[str, list]:
    """Median error in per cent of each tool on each load, and the load whose counter wraps."""
    cases = [(load, None, text) for load, text in LOADS.items()] + [("steady", True, "steady, one wrap")]
    return {"load": [text for *_, text in cases]} | {
        f"{name} (%)": [100 * float(np.median(record.errors(tool, load, wrap))) for load, wrap, _ in cases]
        for tool, (name, _) in TOOLS.items()
    }


def estimate_table(record: Record) -> dict[str, list]:
    """No sensor: what each tool makes of the same loop on one core, medians over repeats."""
    rows = record.of("estimated")

    def median(read) -> float:
        return float(np.median([read(row) for row in rows]))

    return {
        "tool": ["this chapter", "CodeCarbon, machine mode", "CodeCarbon, process mode", "perun"],
        "processor (J)": [
            median(lambda row: row["ours"]),
            *(median(lambda row, m=m: row[f"codecarbon {m}"]["cpu"]) for m in ("machine", "process")),
            "no energy reported",
        ],
        "memory (J)": ["not estimated", *(median(lambda row, m=m: row[f"codecarbon {m}"]["ram"]) for m in ("machine", "process")), ""],
        "total (J)": [
            median(lambda row: row["ours"]),
            *(median(lambda row, m=m: row[f"codecarbon {m}"]["total"]) for m in ("machine", "process")),
            "",
        ],
        "says of itself": ["estimated:cpu-time, factor 3", "nothing in the number", "nothing in the number", "nothing"],
    }  # fmt: skip


def estimate_spread(record: Record) -> list[float]:
    """For each repeat, the largest over the smallest of the three estimates of the processor's part; memory has only two."""
    spreads = []
    for row in record.of("estimated"):
        values = [row["ours"], row["codecarbon machine"]["cpu"], row["codecarbon process"]["cpu"]]
        spreads.append(max(values) / min(values))
    return spreads


def overhead_table(record: Record) -> dict[str, list]:
    """Processor time of measuring, in per cent of one core, medians over repeats."""
    sides = [("ours", 1), ("ours", 10), ("ours", 100), ("ours-estimate", 1), ("ours-estimate", 10), ("ours-estimate", 100),
             ("perun", 1), ("codecarbon", 1)]  # fmt: skip
    names = {"ours": "this chapter, six counters", "ours-estimate": "this chapter, processor-time estimate", "perun": "perun", "codecarbon": "CodeCarbon"}  # fmt: skip
    rows = [record.of("overhead", tool=tool, hertz=hertz) for tool, hertz in sides]
    return {
        "tool": [names[tool] for tool, _ in sides],
        "readings per second": [hertz for _, hertz in sides],
        "% of one core": [100 * float(np.median([r["share"] for r in row])) for row in rows],
        "to start, processor s": [float(np.median([r["start"] for r in row])) for row in rows],
    }
