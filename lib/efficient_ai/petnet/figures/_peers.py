"""What was measured beside snnTorch, and on a GPU."""

from collections.abc import Mapping
from typing import Any

from efficient_ai.petnet.recorded import median


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
