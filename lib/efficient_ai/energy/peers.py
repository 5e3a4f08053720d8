"""What the benchmark of this chapter measured: our instrument, perun and CodeCarbon around the same load.

``benchmarks/energy.py`` writes ``results/benchmarks/energy.json``; the chapter reads that file.
"""

from collections.abc import Mapping
from typing import Any

from efficient_ai import records

LOADS = {"steady": "steady", "ramp": "ramp", "burst": "burst at the end", "square": "switching"}


class Record(records.Record):
    """The report of ``benchmarks/energy.py``."""

    NAME = "energy"

    def of(self, part: str, **wanted: Any) -> list[Mapping[str, Any]]:
        """What was found in all repeats of a part whose job has these settings."""
        return [row["record"] for row in self.select(part=part, **wanted)]

    def tree(self, load: str, wrap: bool | None = None) -> list[Mapping[str, Any]]:
        """All repeats of one load on the fake powercap tree."""
        return self.of("tree", pattern=load, wrap=wrap)

    def errors(self, tool: str, load: str, wrap: bool | None = None) -> list[float]:
        """Relative errors of a tool against the true energy of packages and memory, one per repeat.

        CodeCarbon's is that of its own total, in which the memory is a model; ``"codecarbon packages"`` is what it read from
        the counters against the true energy of the packages.
        """
        errors = []
        for record in self.tree(load, wrap):
            if tool == "codecarbon packages":
                errors.append(record["codecarbon"]["cpu"] / record["true_packages"] - 1)
            elif tool == "codecarbon":
                errors.append(record["codecarbon"]["total"] / record["true"] - 1)
            else:
                errors.append(record[tool] / record["true"] - 1)
        return errors

    def bias(self, load: str) -> list[tuple[float, float]]:
        """For each repeat: what perun reports over its own counter readings minus one, and what its formula makes of them."""
        from efficient_ai.energy.sampling import doubled_first

        pairs = []
        for record in self.tree(load):
            sensors = record["perun_sensors"]
            counted = sum(sensor["counter"] for sensor in sensors)
            predicted = sum(doubled_first(sensor["times"], sensor["readings"]) for sensor in sensors)
            pairs.append((record["perun"] / counted - 1, predicted / counted - 1))
        return pairs
