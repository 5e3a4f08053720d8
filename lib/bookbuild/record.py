"""Keeps the full runs of a build as the record of the book, and the same data as one table."""

from collections.abc import Sequence
from pathlib import Path

from bookbuild import scoreboard
from bookbuild.layout import BuildError, Layout
from efficient_ai import ledger
from efficient_ai._files import write_atomic


def record(layout: Layout, names: Sequence[str] = ()) -> list[Path]:
    """Copy full runs from ``build/results/full`` to ``results/`` and write ``results/claims.csv`` and ``claims.json``.

    Args:
        names: chapters; every full run that is there if none is named.

    Returns:
        the files that were written

    Raises:
        BuildError: a run that is missing, no full one, or of files that no commit has.
    """
    folder = layout.results("full", "any").parent
    names = list(names) or sorted(path.stem for path in folder.glob("*.json"))
    runs = {}
    for name in names:
        path = layout.results("full", name)
        try:
            run = ledger.load(path)
        except ledger.LedgerError as error:
            raise BuildError(f"{error}; make it with  make book PROFILE=full") from None
        if run["profile"] != "full" or run["chapter"] != name:
            raise BuildError(
                f"{path} is a run of {run['chapter']} in profile {run['profile']}, not a full run of {name}"
            )
        if not run["commit"] or run["commit"].endswith("-modified") or run["commit"] == "unknown":
            raise BuildError(
                f"{path} was made with files that no commit has ({run['commit']}): commit them, run it again"
            )
        runs[name] = path.read_bytes()
    written = []
    for name, content in runs.items():
        written.append(layout.root / "results" / f"{name}.json")
        write_atomic(written[-1], content)
    return [*written, *write_tables(layout)]


def write_tables(layout: Layout) -> list[Path]:
    """All recorded claims in one table, as CSV and as JSON."""
    rows = scoreboard.table(layout)
    written = []
    for suffix, as_bytes in (("csv", scoreboard.as_csv), ("json", scoreboard.as_json)):
        written.append(layout.root / "results" / f"claims.{suffix}")
        write_atomic(written[-1], as_bytes(rows))
    return written
