"""What the benchmark of this chapter measured: our overhead and quality beside the package ``propulate`` and Optuna.

The peers live in an environment of their own, so ``benchmarks/propulate.py`` runs them and writes
``results/benchmarks/propulate.json``; the chapter reads that file. Every number carries its machine and date.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from efficient_ai import records

NAMES = {
    "ours": "this chapter",
    "ours-checkpoint": "this chapter, every result on disk",
    "propulate": "package propulate",
    "propulate-nodump": "package propulate, no checkpoints",
    "tpe-memory": "Optuna TPE, in memory",
    "cmaes-memory": "Optuna CMA-ES, in memory",
    "random-memory": "Optuna random, in memory",
    "tpe-journal": "Optuna TPE, journal file",
    "cmaes-journal": "Optuna CMA-ES, journal file",
    "random-journal": "Optuna random, journal file",
    "tpe-sqlite": "Optuna TPE, SQLite",
    "cmaes-sqlite": "Optuna CMA-ES, SQLite",
    "random-sqlite": "Optuna random, SQLite",
    "cma": "package cma",
    "nevergrad": "package nevergrad",
    "pymoo": "package pymoo",
}
"""How the sides of the benchmark are called on the page."""


class Record(records.Record):
    """The report of ``benchmarks/propulate.py``."""

    NAME = "propulate"

    def row(self, side: str, function: str, evaluations: int, processes: int) -> Mapping[str, Any]:
        """Overhead of one side: ``ms`` per evaluation, its spread, ``windows``, and the single repeats.

        Raises:
            KeyError: this case was not measured.
        """
        for row in self.report["overhead"]:
            key = row["side"], row["function"], row["evaluations"], row["processes"]
            if key == (side, function, evaluations, processes) and row["part"] == "overhead":
                return row
        raise KeyError(
            f"{side} on {function}, {evaluations} evaluations, {processes} processes: not in the record"
        )

    def milliseconds(self, side: str, function: str, evaluations: int, processes: int) -> list[float]:
        """Overhead per evaluation of every repeat, wall time, shape ``(repeats,)``."""
        repeats = self.row(side, function, evaluations, processes)["repeats"]
        return [1000 * run["seconds"] / run["done"] for run in repeats]

    def ratios(self, side: str, function: str, evaluations: int, processes: int) -> list[float]:
        """Overhead of every repeat of ``side`` over our median with as many processes, shape ``(repeats,)``.

        A side that keeps its evaluations in files is compared with ours doing the same.
        """
        keeps = side.endswith(("-journal", "-sqlite")) or side == "propulate"
        ours = self.milliseconds("ours-checkpoint" if keeps else "ours", function, evaluations, processes)
        return [
            float(ms / np.median(ours)) for ms in self.milliseconds(side, function, evaluations, processes)
        ]

    def growth(self, side: str, function: str, processes: int) -> dict[int, float]:
        """Milliseconds of wall time per evaluation by how many individuals are known, from the longest run measured.

        Empty if this case was not measured.
        """
        key = side, function, processes
        rows = [
            row for row in self.report["overhead"] if (row["side"], row["function"], row["processes"]) == key
        ]
        windows = max(rows, key=lambda row: row["evaluations"])["windows"] if rows else {}
        return {int(n): ms for n, ms in windows.items()}

    @property
    def defects(self) -> Mapping[str, float]:
        """What the package ``propulate`` was measured to do where it says something else.

        ``better_parent_share``: share of genes that sigmoid crossover takes from the better parent, losses 0 and 3,
        temperature 1. ``misread_categories``: share of changes of a category that are lost in the vector form.
        """
        return self.report["defects"]

    def best(self, side: str, function: str) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of evaluations, shape ``(k,)``, and the smallest loss until then, one row per seed ``(seeds, k)``.

        Raises:
            KeyError: this case was not measured.
        """
        kept = self.report["quality"][function][side]
        return np.asarray(kept["n"]), np.asarray(kept["best"], dtype=float)
