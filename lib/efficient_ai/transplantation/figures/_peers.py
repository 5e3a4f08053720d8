"""Beside other packages, from the recorded benchmark."""

from collections.abc import Mapping

from efficient_ai import records


def peers() -> Mapping:
    """The record of ``benchmarks/transplantation.py``; errors as :func:`efficient_ai.records.read`."""
    return records.read("transplantation")


def peers_said(record: Mapping) -> str:
    """What the rules of the benchmark found, one sentence each."""
    rows = []
    for rule in record["required"]:
        asked = f"at least {rule['at_least']:g}" if "at_least" in rule else f"at most {rule['at_most']:g}"
        rows.append(
            f"* {rule['rule']}: **{rule['value']:.3g}**, asked was {asked}: {'met' if rule['holds'] else 'not met'}."
        )
    odd = [r for r in record["measured"]["parity, sequential"]["rows"] if r["largest difference"]]
    if odd:
        rows.append(
            "* Outside of the rules: in a residual network torch-pruning 1.4.0 visits the groups in the order in which it walks the "
            "graph of gradients, so it cuts other channels than scoring from output to input does."
        )
    return f"Recorded on {record['date'][:10]} ({record['machine']}), one thread:\n\n" + "\n".join(rows)


def peers_table(record: Mapping) -> dict[str, list]:
    """Seconds (fastest) and peak memory of fusion, and of exact plans, by size."""
    rows: dict[str, list] = {"task": [], "peer": [], "ours (ms)": [], "peer (ms)": [], "peer over ours": [], "ours (MB)": [], "peer (MB)": []}  # fmt: skip
    for r in record["measured"]["fusion"]["rows"]:
        peak = r["peak bytes"]
        line = (
            f"fuse 3072-{r['width']}-{r['width']}-10", "torch-pruning", 1e3 * r["seconds"]["ours"], 1e3 * r["seconds"]["torch-pruning"],
            r["ratio"], f"{peak['ours'] / 1e6:.1f}", f"{peak['torch-pruning'] / 1e6:.1f}",
        )  # fmt: skip
        for column, value in zip(rows, line, strict=True):
            rows[column].append(value)
    for r in record["measured"]["transport"]["rows"]:
        line = (
            f"plan {r['from']} to {r['to']}", "POT", 1e3 * r["seconds"]["ours"], 1e3 * r["seconds"]["POT"], r["ratio"], "", "",
        )  # fmt: skip
        for column, value in zip(rows, line, strict=True):
            rows[column].append(value)
    return rows
