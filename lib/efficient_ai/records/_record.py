"""Reading a record: one place for the folder, the messages, and what every record says of itself."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from efficient_ai._paths import project_root


def path_of(name: str) -> Path:
    """Where the record ``name`` lies in this checkout."""
    return (project_root() or Path.cwd()) / "results" / "benchmarks" / f"{name}.json"


def read(name: str, made_by: str = "", path: Path | None = None) -> dict[str, Any]:
    """The content of a record.

    Args:
        name: of the file, without ``.json``.
        made_by: the command that writes it; by default ``python benchmarks/<name>.py``.
        path: another file in the same format.

    Raises:
        FileNotFoundError: there is none; the message says how to make one.
        ValueError: the file is broken, or holds no measurement.
    """
    path = path or path_of(name)
    remedy = f"get it by  git checkout, or run  {made_by or f'python benchmarks/{name}.py'}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{path} is not there: {remedy}") from None
    except ValueError as error:
        raise ValueError(f"{path} is broken ({error}): {remedy}") from None
    if not isinstance(content, dict) or not any(content.values()) or content.get("rows", True) in ([], None):
        raise ValueError(f"{path} is empty: {remedy}")
    return content


@dataclass(frozen=True)
class Record:
    """A record as chapters use it; a chapter's own class adds what is particular to its benchmark.

    Args:
        report: the content of the file.
    """

    report: Mapping[str, Any]

    NAME = ""  # of the file, for a chapter's own class
    MADE_BY = ""

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The record of this checkout, or of another file; errors as :func:`read`."""
        return cls(read(cls.NAME, cls.MADE_BY, path))

    @property
    def origin(self) -> str:
        """For the ledger: file, machine, date and load."""
        return f"results/benchmarks/{self.NAME}.json: {self.where}"

    @property
    def rows(self) -> list[Mapping[str, Any]]:
        """One for each measurement."""
        return list(self.report.get("rows", ()))

    def select(self, **wanted: Any) -> list[Mapping[str, Any]]:
        """The rows with these values, in the order in which they were measured."""
        return [row for row in self.rows if all(row.get(key) == value for key, value in wanted.items())]

    @property
    def versions(self) -> Mapping[str, str]:
        """Of the packages that were compared and of what they ran on."""
        return self.report.get("versions", {})

    @property
    def commit(self) -> str:
        """The commit that was measured; ``-modified`` if files differed from it."""
        return self.report.get("commit", "unknown")

    @cached_property
    def loads(self) -> tuple[float, float] | None:
        """Least and highest load average of the machine while it was measured; ``None`` if it was not noted."""
        found: list[float] = []
        for noted in (self.report, *self.rows, *self.report.get("runs", ())):
            load = noted.get("load", ())
            found += load if isinstance(load, (list, tuple)) else [load]
        return (min(found), max(found)) if found else None

    @property
    def where(self) -> str:
        """Machine, date, and the load where it was noted: for captions."""
        day = datetime.fromisoformat(self.report["date"]).date().isoformat()
        words = f"{self.report['machine']}, {day}"
        if self.loads is None:
            return words
        low, high = (f"{load:.1f}" for load in self.loads)
        return f"{words}, load average {low}" + (f" to {high}" if high != low else "")
