"""Messages between ranks with nobody waiting: what one says in a run, on top of letters that reach the busy."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from efficient_ai.propulate._parcel import Parcel
from efficient_ai.transport import Letters

_HELLO, _NEWS = 1, 2  # message tags
_PAUSE = 0.0005  # seconds between two looks of a rank that waits
_runs = count()  # numbers the runs of this process
_hellos: list[Any] = []  # requests of greetings to ranks that were lost: MPI may still read their buffers
_keyval: list[int] = []  # the name under which a communicator keeps the one that our messages use


class Mail:
    """The letter box of one rank for one run.

    A message is a packed ``(run, kind, payload)``. Messages between two ranks keep their order; nothing else is assumed. They
    travel on a duplicate of the reader's communicator, so that no message of the reader's can be taken for ours. A rank that
    was lost in an earlier run may still speak of that one: what does not carry the number with which its sender said
    hello is dropped.

    Args:
        comm: an mpi4py communicator.
        values: categories that may be of any type, see :class:`Parcel`.
    """

    def __init__(self, comm, values: Sequence[Any] = ()):
        self.comm, self.rank = _own(comm), comm.rank
        self.letters = Letters(self.comm, _NEWS)
        self.parcel = Parcel(values)
        self.others, self.most_under_way = self.letters.others, self.letters.unmatched
        self.run = next(_runs)
        self.announced: dict[int, int] = {}  # the number with which each other rank said hello
        self.heard: dict[int, float] = dict.fromkeys(self.others, 0.0)  # time of the last message of each

    def post(self, kind: str, payload: Any, ranks: Collection[int]) -> None:
        """Send to ``ranks`` without waiting."""
        if ranks:
            self.letters.post(self.parcel.pack((self.run, kind, payload)), ranks)

    def arrived(self) -> Iterator[tuple[int, str, Any]]:
        """What has come in, as ``(sender, kind, payload)``; ends at once if there is nothing (more)."""
        for sender, letter in self.letters.arrived():
            run, kind, payload = self.parcel.unpack(letter)
            if run == self.announced.get(sender):
                self.heard[sender] = time.monotonic()
                yield sender, kind, payload

    def meet(self, word: Any) -> list[Any]:
        """Say ``word`` to all and wait for theirs: the words of all ranks, in order. The common start of a run.

        A rank may be late as it likes, for it may have data to load. While it waits a rank sleeps: MPI libraries ask
        again and again, which on a machine with more ranks than cores slows down the very ranks that are waited for.
        """
        _hellos.extend(self.comm.issend((self.run, word), rank, _HELLO) for rank in self.others)
        words = {self.rank: word}
        for rank in self.others:
            while not self.comm.iprobe(source=rank, tag=_HELLO):
                time.sleep(_PAUSE)
            self.announced[rank], words[rank] = self.comm.recv(source=rank, tag=_HELLO)
        _hellos[:] = [request for request in _hellos if not request.Test()]
        return [words[rank] for rank in sorted(words)]

    def wait(self, missing: Callable[[], set[int]], listen: Callable[[], None], patience: float) -> set[int]:
        """Listen until nobody is missing. Returns who still is after ``patience`` seconds without a message."""
        began = time.monotonic()
        while True:
            listen()
            silent_since = time.monotonic() - patience
            still = missing()
            if all(max(self.heard[rank], began) < silent_since for rank in still):
                return still
            time.sleep(_PAUSE)

    def flush(self, ranks: Iterable[int], patience: float) -> None:
        """Wait until ``ranks`` have received everything. What they have not after ``patience`` seconds never comes."""
        self.letters.flush(patience, lambda: list(self.arrived()), list(ranks))
        self.letters.flush(0.0, lambda: None)  # to the others: forgotten at once


def _own(comm):
    """A duplicate of ``comm`` for our messages, made once. Nobody spins while others are late.

    Collective at the first run on a communicator; it lives as long as that.
    """
    from mpi4py import MPI  # starts MPI, which only a process that was given a communicator may do

    if not _keyval:
        _keyval.append(MPI.Comm.Create_keyval())
    made = comm.Get_attr(_keyval[0])
    if made is None:
        made = {}
        comm.Set_attr(_keyval[0], made)
    if type(comm) not in made:  # one that counts is another one, on the same handle
        made[type(comm)], request = comm.Idup()
        while not request.Test():
            time.sleep(_PAUSE)
    return made[type(comm)]
