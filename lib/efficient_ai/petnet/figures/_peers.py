"""What was measured beside snnTorch, and on a GPU."""

from collections.abc import Mapping
from typing import Any

from efficient_ai.petnet.recorded import CLOCKS, median


def peers_table(record: dict) -> dict[str, list]:
    """Milliseconds of a training step of both, their ratio, and what differs."""
    rows = record["neurons"]
    return {
        "network": [f"{row['size']}: {'-'.join(map(str, row['layers']))}" for row in rows],
        "steps x batch": [f"{row['steps']} x {row['batch']}" for row in rows],
        "ours (ms)": [1e3 * row["seconds"]["ours"] for row in rows],
        "snnTorch (ms)": [1e3 * row["seconds"]["snnTorch"] for row in rows],
        "snnTorch over ours": [row["ratio"] for row in rows],
        "spikes": [row["spikes"] for row in rows],
        "spikes that differ": [row["spikes_that_differ"] for row in rows],
        "relative difference of the gradients": [f"{row['gradient_difference']:.0e}" for row in rows],
    }


def gpu_table(record: Mapping[str, Any]) -> dict[str, list]:
    """Microseconds per sample of the network on a GPU at its best batch size and alone, and of the window on its host."""
    rows: dict[str, list] = {
        "set": [], "network, batch 1 (µs)": [], "network, best batch (µs)": [], "batch": [],
        "Python loop (µs)": [], "compiled (µs)": [], "Python loop over network": [],
    }  # fmt: skip
    for name in dict.fromkeys(row["set"] for row in record["rows"]):
        of_set = [row for row in record["rows"] if row["set"] == name]
        network = {
            r["batch"]: median(r)
            for r in of_set
            if r["implementation"] == "network" and r["device"] == "cuda"
        }
        window = {r["implementation"]: median(r) for r in of_set if r["implementation"] != "network"}
        best = min(network, key=network.get)
        cells = (name, network[1], network[best], best, window["Python loop"], window["compiled"],
                 window["Python loop"] / network[best])  # fmt: skip
        for column, cell in zip(rows.values(), cells, strict=True):
            column.append(cell)
    return rows


def driven_table(record: Mapping[str, Any]) -> dict[str, list]:
    """The network driven by events beside the same over all bins, and windows on the same samples, by set."""
    rows = record["rows"]
    return {
        "set": [row["set"] for row in rows],
        "rest above": [row["resting above"][0] for row in rows],
        "bins computed": [f"{row['computed'][0]:.1%}" for row in rows],
        "all bins (µs)": [round(row["median"]["over all bins"]) for row in rows],
        "by events (µs)": [round(row["median"]["driven by events"]) for row in rows],
        "times faster": [row["ratio"] for row in rows],
        "window as loop over bins (µs)": [round(row["sorters"]["loop over bins"]) for row in rows],
        "spikes that differ": [row["differ"] for row in rows],
    }


def driven_ratio(record: Mapping[str, Any]) -> float:
    """How many times faster on the SAFIR-like set, with as many neurons that rest above the threshold as claimed."""
    (ratio,) = (r["ratio"] for r in record["rows"] if r["set"] == "SAFIR" and r["clocks"] == CLOCKS)
    return ratio


def driven_spikes(record: Mapping[str, Any]) -> int:
    """Output spikes that were compared, all sets."""
    return sum(row["output"] for row in record["rows"])


def driven_differ(record: Mapping[str, Any]) -> int:
    """Output spikes that only one of both ways sends, in float64, all sets."""
    return sum(row["differ"] for row in record["rows"])
