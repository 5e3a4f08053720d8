"""What the benchmark of this chapter measured beside the package neuralforecast.

``benchmarks/recycle.py`` writes ``results/benchmarks/recycle.json``; the chapter reads that file.
"""

import numpy as np

from efficient_ai import records


class Record(records.Record):
    """The report of ``benchmarks/recycle.py``."""

    NAME = "recycle"

    @property
    def version(self) -> str:
        """Of neuralforecast."""
        return next(row["version"] for row in self.rows if "version" in row)

    @property
    def profile(self) -> float:
        """Test MASE of the profile, mean over lead days."""
        return float(np.mean(self.report["profile"]["mase"]))

    def sides(self) -> list[tuple[str, str]]:
        """Who and what was trained, the smallest mean MASE first."""
        found = {(row["side"], row["method"]) for row in self.rows}
        return sorted(found, key=lambda side: np.mean(self.mase(*side)))

    def mase(self, side: str, method: str) -> list[float]:
        """Test MASE, mean over lead days, one number per seed."""
        return [float(np.mean(row["mase"])) for row in self.select(side=side, method=method)]

    def median(self, side: str, method: str, key: str) -> float:
        """Of a cost over the seeds: ``cpu_seconds``, ``steps``, ``parameters``, ``latency_ms``, ``peak_mb``."""
        return float(np.median([row[key] for row in self.select(side=side, method=method)]))

    def table(self) -> dict[str, list]:
        """Errors and costs of all sides, in the order of :meth:`sides`; MASE as mean and range of the seeds."""
        sides = self.sides()
        errors = [self.mase(*side) for side in sides]
        return {
            "network": [method if side == "this book" else f"{method}, {side}" for side, method in sides],
            "MASE (range)": [f"{np.mean(each):.3f} ({min(each):.3f} to {max(each):.3f})" for each in errors],
            "steps": [int(self.median(*side, "steps")) for side in sides],
            "training (CPU s)": [round(self.median(*side, "cpu_seconds"), 1) for side in sides],
            "parameters": [int(self.median(*side, "parameters")) for side in sides],
            "forecast (CPU ms)": [round(self.median(*side, "latency_ms"), 2) for side in sides],
            "peak (MB)": [round(self.median(*side, "peak_mb")) for side in sides],
        }

    def reading(self) -> str:
        """The result in two sentences."""
        ours, theirs = (
            next(side for side in self.sides() if side[0] == package)
            for package in ("this book", "neuralforecast")
        )
        ahead = [side for side in self.sides() if np.mean(self.mase(*side)) < self.profile]
        return (
            f"Best of the package: {theirs[1]} with MASE {np.mean(self.mase(*theirs)):.3f}; best of this book's: {ours[1]} with "
            f"{np.mean(self.mase(*ours)):.3f}; the profile alone has {self.profile:.3f}. {len(ahead)} of {len(self.sides())} "
            "are better than the profile after this training."
        )
