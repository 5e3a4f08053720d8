"""What the benchmark of this chapter measured beside snnTorch."""

import json

from efficient_ai._paths import project_root


def load_benchmark() -> dict:
    """The record of ``benchmarks/petnet.py``.

    Raises:
        FileNotFoundError: outside of the repository, or before the benchmark ran; the message says how to make it.
    """
    root = project_root()
    path = root / "results" / "benchmarks" / "petnet.json" if root else None
    if path is None or not path.exists():
        raise FileNotFoundError(
            "results/benchmarks/petnet.json is not here; make it with: python benchmarks/petnet.py"
        )
    return json.loads(path.read_text(encoding="utf-8"))


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
