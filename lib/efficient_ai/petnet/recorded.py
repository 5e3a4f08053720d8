"""What was measured elsewhere and is kept in ``results/benchmarks``: beside snnTorch, on a GPU, and in long trainings."""

from collections.abc import Mapping
from typing import Any

from efficient_ai import records

_MADE_BY = {
    "petnet": "python benchmarks/petnet.py",
    "petnet-driven": "python benchmarks/petnet_driven.py",
    "petnet-gpu": "python benchmarks/petnet_gpu.py  on a machine with a GPU",
    "petnet-trainings": "python hpc/petnet/train.py --record results/benchmarks/petnet-trainings.json",
}

CLOCKS = 9
"""Hidden neurons that rest above the threshold, in the recorded network of the SAFIR-like set; the small one has as many."""


def load(name: str) -> dict[str, Any]:
    """A record by the name of its file.

    Raises:
        FileNotFoundError, ValueError: as :func:`efficient_ai.records.read`.
    """
    return records.read(name, _MADE_BY[name])


def source(record: Mapping[str, Any], name: str = "petnet-trainings") -> str:
    """Where and when a record was made."""
    return f"results/benchmarks/{name}.json: {record['machine']}, {record['date'][:10]}"


def trainings(name: str, samples: int) -> list[dict[str, Any]]:
    """Recorded trainings on a set that saw this number of samples, each with ``machine``, ``date`` and ``judged on``."""
    return [
        training | {key: record[key] for key in ("machine", "date", "judged on")}
        for record in load("petnet-trainings")["records"]
        if record["set"] == name and record["judged on"].endswith("test set")
        for training in record["trainings"]
        if training["recipe"]["updates"] * training["recipe"]["batch"] == samples
    ]


def choices(name: str) -> dict[float, float]:
    """Learning rate to F1 of the short trainings by which the rate for a set was chosen, on the validation samples."""
    return {
        training["recipe"]["rate"]: training["F1"][-1]
        for record in load("petnet-trainings")["records"]
        if record["set"] == name and record["judged on"].endswith("validation set")
        for training in record["trainings"]
    }


def median(row: Mapping[str, Any]) -> float:
    """Microseconds per sample of a row of the record of a GPU."""
    ordered = sorted(row["microseconds"])
    return ordered[len(ordered) // 2]


def gpu_ratios(record: Mapping[str, Any], name: str, implementation: str) -> list[float]:
    """Time of a sorter over that of the network on the GPU at its best batch size, one number per repeat."""
    of_set = [row for row in record["rows"] if row["set"] == name]
    network = [r for r in of_set if r["implementation"] == "network" and r["device"] == "cuda"]
    best = min(network, key=median)["microseconds"]
    (sorter,) = (r["microseconds"] for r in of_set if r["implementation"] == implementation)
    return [a / b for a, b in zip(sorter, best, strict=True)]
