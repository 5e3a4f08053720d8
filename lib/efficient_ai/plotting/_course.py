"""How far the run of a chapter in the book's JupyterLab is, and how long it will still take."""

import json
import os
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath

from efficient_ai.plotting._progress import Progress

TIMES = "EFFICIENT_AI_TIMES"
"""Variable with the path of a file: by chapter and profile, the seconds of each cell in the last run of the builder."""

_ENOUGH = 2.0  # seconds of known cells, after which this machine's pace is judged by them
_following: list["Course"] = []


class Course:
    """Cells that have run, as a bar, and the time left.

    Args:
        cells: ids of all code cells.
        seconds: what each took in an earlier run; cells without are not counted in the time left, and with none there is none.
        clock: in seconds.
        ran: ids of cells that have run already.
    """

    def __init__(
        self,
        cells: Collection[str],
        seconds: Mapping[str, float],
        clock: Callable[[], float] = time.monotonic,
        ran: Collection[str] = (),
    ):
        self.cells, self.seconds, self.clock = list(cells), dict(seconds), clock
        self._done: dict[str, float] = dict.fromkeys(ran, 0.0)  # how long each took now
        self._began: float | None = (
            None  # the cell that calls us was begun before: it says nothing of the pace
        )
        self._bar = Progress(max(len(self.cells), 1), ["this chapter"])

    def begin(self) -> None:
        """A cell begins."""
        self._began = self.clock()

    def end(self, cell: str) -> None:
        """The cell with this id has run; others than those of the chapter do not count."""
        if cell in self.cells:
            began, self._began = self._began, None
            if began is None:
                self.seconds.pop(cell, None)
            self._done[cell] = 0.0 if began is None else self.clock() - began
            self._bar.update(len(self._done), self.sentence())

    def left(self) -> float | None:
        """Seconds that the other cells will take at the pace of those that have run; None where nothing is known."""
        if not self.seconds:
            return None
        known = [cell for cell, took in self._done.items() if took and cell in self.seconds]
        expected = sum(self.seconds[cell] for cell in known)
        pace = sum(self._done[cell] for cell in known) / expected if expected > _ENOUGH else 1.0
        return pace * sum(self.seconds.get(cell, 0.0) for cell in self.cells if cell not in self._done)

    def sentence(self) -> str:
        if len(self._done) == len(self.cells):
            return f"all {len(self.cells)} cells have run, in {_duration(sum(self._done.values()))}"
        left = self.left()
        after = f", about {_duration(left)} left" if left is not None else ""
        return f"{len(self._done)} of {len(self.cells)} cells{after}"


def follow(profile: str) -> None:
    """Show the course of this notebook's run, if it is a chapter in the book's JupyterLab; else nothing happens.

    A cell that runs twice counts once. Called again, a new bar takes the place of the old one.
    """
    path, notebook = os.environ.get(TIMES), os.environ.get("JPY_SESSION_NAME", "")
    if not path:
        return
    from IPython import get_ipython

    shell, name = get_ipython(), PurePosixPath(notebook).stem
    try:
        with open(path, encoding="utf-8") as file:
            chapter = json.load(file)[name]
    except (OSError, ValueError, KeyError):
        return  # no chapter, or a copy under another name: it runs all the same
    if shell is None or not hasattr(shell, "get_parent"):
        return
    cells, here = chapter["cells"], _cell(shell)
    before = cells[: cells.index(here)] if here in cells else []  # who runs this cell has run those above
    course = Course(cells, chapter["seconds"].get(profile, {}), ran=before)
    if not _following:
        shell.events.register("pre_run_cell", lambda *_: _following[-1].begin())
        shell.events.register("post_run_cell", lambda *_: _following[-1].end(_cell(shell)))
    _following[:] = [course]


def _cell(shell) -> str:
    return (shell.get_parent() or {}).get("metadata", {}).get("cellId", "")


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
