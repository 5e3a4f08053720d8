"""Reads what ranks left in their folder: how they ended, which world they saw, where they stand."""

import linecache
import pickle
import re
import signal
from pathlib import Path

from ._errors import ClusterError, RankError

_BELOW = {"_worker.py", "interactiveshell.py"}  # who calls the reader's function, or the code of a cell


def read(file: Path) -> str:
    """Text of a file, empty if there is none."""
    return file.read_text(errors="replace") if file.exists() else ""


def refuse_wrong_world(folder: Path, n: int, launcher: str) -> None:
    """ClusterError if some rank found itself in a world that has not ``n`` ranks."""
    worlds = [file.read_text() for file in folder.glob("world-*")]
    if worlds:
        size, version = worlds[0].split("\n", 1)
        raise ClusterError(
            f"asked for {n} ranks in one world, but each saw a world of size {size}. {launcher} does not belong to the "
            f"MPI library that mpi4py loads ({version}). Use the launcher of that library."
        )


def first_death(folder: Path) -> tuple[int, str] | None:
    """(rank, how) of the rank that died first; those that its MPI took down with it do not count."""
    notes = sorted((float(note.read_text().split()[0]), note) for note in folder.glob("status-*"))
    if not notes:
        return None
    code = int(notes[0][1].read_text().split()[1])
    rank = int(notes[0][1].name.removeprefix("status-"))
    return (
        rank,
        f"died by signal {-code} ({signal.Signals(-code).name})"
        if code < 0
        else f"left with exit status {code}",
    )


def stack_text(dump: str, main_thread: int, cell: str = "") -> str:
    """The main thread's part of a fault handler dump: innermost call first, each with its source line.

    The frames below the reader's function, which called it, are left out. ``cell`` is the code that a cell sent to
    the ranks: its lines are known nowhere else.
    """
    part = next((part for part in dump.split("hread 0x") if part[:16] == f"{main_thread:016x}"), "")
    lines = []
    for file, number, name in re.findall(r'File "(.*)", line (\d+) in (.*)', part):
        if Path(file).name in _BELOW:
            return "\n".join(lines)
        source = linecache.getline(file, int(number)).strip()
        if not source and name == "<module>" and int(number) <= len(cell.splitlines()):
            source = cell.splitlines()[int(number) - 1].strip()
        lines += [f'  File "{file}", line {number}, in {name}'] + [f"    {source}"] * bool(source)
    return "  (not inside a function of yours)"


def unpack(answers: dict[int, bytes], n: int, note: str = "") -> list:
    """Results in rank order from (ok, result) pickles; RankError, with ``note``, for the lowest rank that failed."""
    opened = {rank: pickle.loads(answers[rank]) for rank in sorted(answers)}
    for rank, (ok, result) in opened.items():
        if not ok:
            raise RankError(rank, result, note=note)
    return [opened[rank][1] for rank in range(n)]
