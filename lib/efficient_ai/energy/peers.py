"""What the benchmark of this chapter measured: our instrument, perun and CodeCarbon around the same load.

``benchmarks/energy.py`` writes ``results/benchmarks/energy.json``; the chapter reads that file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficient_ai._paths import project_root

LOADS = {"steady": "steady", "ramp": "ramp", "burst": "burst at the end", "square": "switching"}


@dataclass(frozen=True)
class Record:
    """The report of ``benchmarks/energy.py``."""

    report: Mapping[str, Any]

    @property
    def where(self) -> str:
        """Machine and date, for captions."""
        return f"{self.report['machine']}, {self.report['date'][:10]}"

    @property
    def origin(self) -> str:
        """For the ledger: file, machine and date."""
        return f"results/benchmarks/energy.json, {self.where}"

    @property
    def versions(self) -> Mapping[str, str]:
        return self.report["versions"]

    def rows(self, part: str, **wanted: Any) -> list[Mapping[str, Any]]:
        """The records of all repeats of a part whose job has these settings."""
        return [
            row["record"]
            for row in self.report["rows"]
            if row["part"] == part and all(row.get(key) == value for key, value in wanted.items())
        ]

    def loads(self) -> float:
        """The highest load average while something was measured."""
        return max(max(row["load_average"]) for row in self.report["rows"])

    def tree(self, load: str, wrap: bool | None = None) -> list[Mapping[str, Any]]:
        """All repeats of one load on the fake powercap tree."""
        return self.rows("tree", load=load, wrap=wrap)

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


def load(path: Path | None = None) -> Record:
    """The record of this checkout.

    Raises:
        FileNotFoundError: there is none; the message says how to make one.
    """
    path = path or (project_root() or Path.cwd()) / "results" / "benchmarks" / "energy.json"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is not there: run  python benchmarks/energy.py  (or get it by  git checkout)"
        )
    return Record(json.loads(path.read_text(encoding="utf-8")))
