"""The recorded benchmark against other ways to share a layer: ``benchmarks/jigsaw.py`` writes it, the chapter reads it."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from efficient_ai._paths import project_root

SIDES = ("DDP", "FSDP2", "DTensor", "Megatron-style", "Jigsaw")


@dataclass(frozen=True)
class Record:
    """What the benchmark measured.

    Args:
        rows: one for each round, side and number of ranks: peak bytes and bytes sent of the busiest rank, seconds per step.
        where: machine, cores and date, in words.
        sizes: of the layer.
    """

    rows: list[dict]
    where: str
    sizes: dict[str, int]
    cores: int

    def of(self, side: str, ranks: int) -> list[dict]:
        """The rows of a side, in the order of the rounds."""
        return [row for row in self.rows if row["side"] == side and row["ranks"] == ranks]

    def peak(self, side: str, ranks: int) -> float:
        """Median over rounds of the peak bytes of tensors of the rank that has most."""
        return float(np.median([row["peak"] for row in self.of(side, ranks)]))

    def sent(self, side: str, ranks: int) -> float:
        """Bytes that a rank sends per step."""
        return float(np.median([row["sent"] for row in self.of(side, ranks)]))

    def seconds(self, side: str, ranks: int) -> float:
        """Median over rounds of the median step."""
        return float(np.median([np.median(row["seconds"]) for row in self.of(side, ranks)]))

    def slower_by(self, side: str, ranks: int) -> list[float]:
        """Step time of Jigsaw over that of ``side``, round by round."""
        pairs = zip(self.of("Jigsaw", ranks), self.of(side, ranks), strict=True)
        return [float(np.median(ours["seconds"]) / np.median(theirs["seconds"])) for ours, theirs in pairs]

    def memory_ratios(self) -> list[float]:
        """Peak of Jigsaw over the least of the others, on 2 and on 4 ranks."""
        return [self.peak("Jigsaw", n) / min(self.peak(side, n) for side in SIDES[:-1]) for n in (2, 4)]


def load(path: Path | None = None) -> Record:
    """The record in ``results/benchmarks/jigsaw.json``.

    Raises:
        FileNotFoundError: there is none; the message says how to make one.
        ValueError: it has no rows.
    """
    path = path or (project_root() or Path.cwd()) / "results" / "benchmarks" / "jigsaw.json"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: python benchmarks/jigsaw.py writes it")
    found = json.loads(path.read_text())
    if not found["rows"]:
        raise ValueError(f"{path} is empty: python benchmarks/jigsaw.py writes it")
    loads = [row["load"] for row in found["rows"]]
    where = f"{found['machine']}, {found['date'][:10]}, load average {min(loads):.1f} to {max(loads):.1f}"
    return Record(found["rows"], where, found["sizes"], found["cores"])
