"""The recorded benchmark against other ways to share a layer: ``benchmarks/jigsaw.py`` writes it, the chapter reads it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from efficient_ai import records

SIDES = ("DDP", "FSDP2", "DTensor", "Megatron-style", "Jigsaw")


class Record(records.Record):
    """The report of ``benchmarks/jigsaw.py``: one row for each round, side and number of ranks, with the peak bytes and the bytes
    sent of the busiest rank, and seconds per step.
    """

    NAME = "jigsaw"

    @property
    def sizes(self) -> Mapping[str, int]:
        """Of the layer."""
        return self.report["sizes"]

    @property
    def cores(self) -> int:
        """That the ranks shared."""
        return self.report["cores"]

    def of(self, side: str, ranks: int) -> list[Mapping[str, Any]]:
        """The rows of a side, in the order of the rounds."""
        return self.select(side=side, ranks=ranks)

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
