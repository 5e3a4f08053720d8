"""What a run writes down as it goes, so that a later one can go on from there.

The folder of a run holds ``run.json``, which says what is searched, and one file ``rank-<i>.jsonl`` per worker with
one line per event: a birth, a departure to another island, the arrival of a copy. A line is only ever appended, so an
evaluation costs the same however many there are. A line is handed to the operating system before anybody is told: what
the others know survives the death of all processes. A line that the end cut short is dropped.
"""

import fcntl
import json
import os
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from efficient_ai import __version__
from efficient_ai._files import write_atomic
from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate._population import Individual, Name
from efficient_ai.propulate._run import Move
from efficient_ai.propulate._space import Choice, Integer, Ordinal, Space


@dataclass
class History:
    """The events of earlier runs in one folder.

    Args:
        births: all that was evaluated, in order of time.
        departures: who left which island for which.
        copies: arrivals of copies, each with the name of the individual that made room.
    """

    births: list[Individual] = field(default_factory=list)
    departures: list[Move] = field(default_factory=list)
    copies: list[tuple[Move, Name]] = field(default_factory=list)


class Checkpoint:
    """One worker's part of the folder of a run.

    Args:
        folder: on a file system that all ranks share.
        space: what is searched; of a choice or an ordinal, the number of the value is written, of all else the
            value itself.
        islands: on how many islands.
        rank, workers: number of this worker, and of workers.
        seed: noted only; a run may go on with another one.
    """

    def __init__(
        self, folder: str | os.PathLike, space: Space, islands: Islands, rank: int, workers: int, seed: int
    ):
        self.folder, self.space, self.islands, self.seed = Path(folder), space, islands, seed
        self.rank, self.workers = rank, workers
        self._file: Any = None
        self._lock: Any = None

    # -- the start ----------------------------------------------------------------------------------------------------

    def prepare(self, resume: bool) -> History:
        """Before the common start: look whether the folder is as expected, and read what is in it.

        Raises:
            ValueError: there is a run and it shall not be resumed, there is none and it shall, or it is another one.
        """
        if self.rank == 0:
            self._take()
        there = (self.folder / "run.json").exists() or any(self.folder.glob("rank-*.jsonl"))
        if resume:
            if not (self.folder / "run.json").exists():
                raise ValueError(f"resume=True, but there is no run in {self.folder}")
            self._compare(json.loads((self.folder / "run.json").read_text()))
            return read(self.folder, self.space)
        if self.rank == 0:  # it alone looks and writes: to the others, its new file would be an old run
            if there:
                raise ValueError(
                    f"{self.folder} holds a run: resume=True goes on with it, another folder starts anew"
                )
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self._description(), indent=1) + "\n"
            write_atomic(self.folder / "run.json", text.encode())
        return History()

    def _take(self) -> None:
        """One run at a time: a lock that the system frees when its holder ends, however it ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.folder / "lock", "a+b")  # held until the run ends
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise ValueError(
                f"another run is writing to {self.folder}: wait for its end, or give this one a folder of its own"
            ) from None

    def begin(self) -> None:
        """After the common start: open the file of this worker at the end of its last whole line."""
        self._file = open(self.folder / f"rank-{self.rank}.jsonl", "a+b", buffering=0)
        self._file.seek(0)
        self._file.truncate(self._file.read().rfind(b"\n") + 1)

    def _description(self) -> dict[str, Any]:
        return {
            "space": self.space.fingerprint(),
            "islands": [len(block) for block in self.islands.blocks(self.workers)],
            "pollination": self.islands.pollination,
            "workers": self.workers,
            "seed": self.seed,
            "version": __version__,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def _compare(self, old: dict[str, Any]) -> None:
        new, where = self._description(), f"the run in {self.folder}"
        for name in {**old["space"], **new["space"]}:
            was, is_now = (each["space"].get(name, "not searched") for each in (old, new))
            if was != is_now:
                raise ValueError(f"{where} has another space: {name!r} was {was} and is now {is_now}")
        if list(old["space"]) != list(new["space"]):
            raise ValueError(f"{where} has its genes in another order: {', '.join(old['space'])}")
        same_workers = old["workers"] == new["workers"]
        if len(old["islands"]) != len(new["islands"]) or (same_workers and old["islands"] != new["islands"]):
            raise ValueError(f"{where} has islands of {old['islands']} workers, not {new['islands']}")
        if old["pollination"] != new["pollination"] and len(new["islands"]) > 1:
            kinds = {True: "pollination", False: "migration"}
            raise ValueError(f"{where} has {kinds[old['pollination']]}, not {kinds[new['pollination']]}")
        if not same_workers and self.rank == 0:
            warnings.warn(
                f"{where} had {old['workers']} workers and goes on with {new['workers']}", stacklevel=2
            )

    # -- events -------------------------------------------------------------------------------------------------------

    def birth(self, individual: Individual) -> None:
        event = individual._asdict() | {"genes": _encode(self.space, individual.genes)}
        self._append({"event": "birth"} | event)

    def departure(self, move: Move) -> None:
        self._append({"event": "departure"} | move._asdict())

    def copy(self, move: Move, replaced: Name) -> None:
        self._append({"event": "copy"} | move._asdict() | {"replaced": replaced})

    def _append(self, event: dict[str, Any]) -> None:
        line = json.dumps(event).encode() + b"\n"
        begin = self._file.seek(0, os.SEEK_END)
        try:
            while line:  # a disk that is nearly full takes a part
                line = line[self._file.write(line) :]
        except OSError:
            self._file.truncate(begin)  # no half line before the next one
            raise

    def close(self) -> None:
        for each in (self._file, self._lock):
            if each is not None:
                each.close()


class NoCheckpoint:
    """A run that is not written down."""

    def prepare(self, resume: bool) -> History:
        if resume:
            raise ValueError("resume=True needs the checkpoint, the folder of the run to go on with")
        return History()

    def _ignore(self, *event) -> None: ...

    begin = birth = departure = copy = close = _ignore


def read(folder: str | os.PathLike, space: Space) -> History:
    """All events in the folder of a run, also of one that is under way or was killed.

    A line that is no event is left out, with a warning that says where it stands: one bad line costs one evaluation.
    """
    history, damaged = History(), []
    for path in sorted(Path(folder).glob("rank-*.jsonl")):
        *lines, _torn = path.read_bytes().split(b"\n")
        for number, line in enumerate(lines, 1):
            try:
                _take_in(history, json.loads(line), space)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                damaged.append(f"line {number} of {path}: {error!r}")
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        warnings.warn(f"{len(damaged)} damaged lines are left out: {damaged[0]}{more}", stacklevel=3)
    history.births.sort(key=lambda individual: individual.finished)
    history.departures.sort(key=lambda move: move.step)
    # The last copies of a run stand in the file of every worker of their island.
    history.copies = list({(move.name, move.target): (move, name) for move, name in history.copies}.values())
    return history


def _take_in(history: History, event: dict[str, Any], space: Space) -> None:
    kind = event.pop("event")
    if kind == "birth":
        history.births.append(Individual(**event | {"genes": _decode(space, event["genes"])}))
        return
    replaced = tuple(event.pop("replaced", ()))
    move = Move(**event | {"name": tuple(event["name"])})
    if kind == "departure":
        history.departures.append(move)
    elif kind == "copy":
        history.copies.append((move, replaced))
    else:
        raise ValueError(f"unknown event {kind!r}")


def _encode(space: Space, genes: tuple) -> list:
    """Values that JSON keeps exactly: Python writes a float with as many digits as it takes to read it back."""
    return [_number(gene, value) for gene, value in zip(space.genes, genes, strict=True)]


def _number(gene, value) -> int | float:
    if isinstance(gene, Choice):
        return gene.index(value)
    if isinstance(gene, Ordinal):
        return gene.values.index(value)
    return int(value) if isinstance(gene, Integer) else float(value)


def _decode(space: Space, numbers: list) -> tuple:
    return tuple(
        gene.values[number] if isinstance(gene, Choice | Ordinal) else number
        for gene, number in zip(space.genes, numbers, strict=True)
    )


def read_checkpoint(folder: str | os.PathLike, space: Space) -> list[Individual]:
    """All individuals that a run has written to its folder so far, in order of time: finished, killed or under way.

    Raises:
        ValueError: there is no run in the folder.
    """
    if not (Path(folder) / "run.json").exists():
        raise ValueError(f"there is no run in {folder}")
    return read(folder, space).births
