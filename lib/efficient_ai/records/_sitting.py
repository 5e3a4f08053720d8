"""The runner of a benchmark: what was measured is kept job by job, and becomes a record when all of it is there."""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from efficient_ai import provenance
from efficient_ai._paths import build_dir
from efficient_ai.records._record import path_of

NOTED = ("load", "date", "commit")


class Unfinished(RuntimeError):
    """A record was to be written before all of it was measured."""


class Sitting:
    """One run of a benchmark, from its first job to its record.

    Each finished job is a line of ``build/benchmarks/<name>.jsonl``, with the load of the machine before and after it, the date
    and the commit. A run that was interrupted goes on after its last line, if the commit is the same: a record mixes none.

    Args:
        name: of the record.
        fresh: forget what earlier runs measured.
        below: wait before each job until the load average is below this, at most ``patience`` seconds.
        path: of the record, if not ``results/benchmarks/<name>.json``.
    """

    def __init__(
        self,
        name: str,
        *,
        fresh: bool = False,
        below: float = float("inf"),
        patience: float = 600.0,
        path: Path | None = None,
    ):
        self.name, self.below, self.patience = name, below, patience
        self.path = path or path_of(name)
        self.lines = build_dir() / "benchmarks" / f"{name}.jsonl"
        self.commit, self.began = provenance.commit(), _now()
        self._missing = 0
        if fresh:
            self.lines.unlink(missing_ok=True)

    def run(
        self, jobs: Iterable[Mapping[str, Any]], measure: Callable[[dict], Mapping[str, Any]]
    ) -> list[dict]:
        """Measure each job that has no line yet; the rows of all jobs, in their order.

        Give the repeats interleaved, so that a busy minute does not hit one side only.

        Args:
            jobs: what to measure, each with values that JSON holds; no two alike.
            measure: takes a job and returns what it found. It raises where a run did not finish: such a run is no row.

        Raises:
            ValueError: two jobs are alike, or a job uses a name under which a row notes its run.
        """
        jobs = [dict(job) for job in jobs]
        if taken := {key for job in jobs for key in job} & set(NOTED):
            raise ValueError(
                f"a row notes its run under {', '.join(NOTED)}: rename {', '.join(sorted(taken))}"
            )
        names = [_name(job) for job in jobs]
        if len(set(names)) < len(names):
            raise ValueError("two jobs of a benchmark are alike: number the repeats")
        done = self._kept()
        rows = []
        self._missing += len(jobs)
        for number, (name, job) in enumerate(zip(names, jobs, strict=True), 1):
            if name not in done:
                before = self._calm()
                found = dict(measure(dict(job)))
                load = [round(before, 2), round(os.getloadavg()[0], 2)]
                done[name] = job | found | dict(zip(NOTED, (load, _now(), self.commit), strict=True))
                self._keep(name, done[name])
                print(f"{number} of {len(jobs)}: {name}, load {load[0]:.1f} to {load[1]:.1f}", flush=True)
            self._missing -= 1
            rows.append(done[name])
        return rows

    def write(self, content: Mapping[str, Any]) -> Path:
        """Write the record: ``content`` with machine, date, commit and versions; returns its path.

        Raises:
            Unfinished: a job of :meth:`run` was not measured to its end; the old record stays.
        """
        if self._missing:
            raise Unfinished(
                f"{self._missing} jobs of {self.name} are not measured: the record is not written"
            )
        head = {"machine": provenance.machine(), "date": self.began, "commit": self.commit}
        head["versions"] = provenance.versions()
        if "rows" not in content:
            head["load"] = [round(load, 2) for load in os.getloadavg()[:2]]
        provenance.write_json(self.path, head | dict(content))
        print(self.path)
        return self.path

    def _kept(self) -> dict[str, dict]:
        """The finished lines of this commit by the names of their jobs; a line that was cut off is none."""
        found = {}
        for line in self.lines.read_text(encoding="utf-8").splitlines() if self.lines.exists() else ():
            try:
                kept = json.loads(line)
            except ValueError:
                continue
            if kept["row"]["commit"] == self.commit and not self.commit.endswith(("-modified", "unknown")):
                found[kept["job"]] = kept["row"]
        return found

    def _keep(self, name: str, row: dict) -> None:
        self.lines.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"job": name, "row": row}, allow_nan=False)
        with open(self.lines, "a", encoding="utf-8") as file:
            file.write(("\n" if file.tell() else "") + text)  # a cut line before it does not swallow it
            file.flush()
            os.fsync(file.fileno())

    def _calm(self) -> float:
        """The load, once it is low enough or patience is at its end."""
        limit = time.monotonic() + self.patience
        while (load := os.getloadavg()[0]) >= self.below and time.monotonic() < limit:
            time.sleep(2.0)
        return load


def _name(job: Mapping[str, Any]) -> str:
    return json.dumps(job, sort_keys=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
