"""Messages between ranks with nobody waiting: non-blocking sends, and a look into the letter box."""

import pickle
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import count
from typing import Any

_HELLO, _NEWS = 1, 2  # message tags
_PAUSE = 0.0005  # seconds between two looks of a rank that waits
_runs = count()  # numbers the runs of this process
_abandoned: list[Any] = []  # sends to lost ranks: MPI may still read their buffers, so they live on


class Mail:
    """The letter box of one rank for one run.

    A message is a pickled ``(run, kind, payload)``. MPI keeps the order of messages between two ranks; nothing else
    is assumed. A rank that was lost in an earlier run on the same communicator may still speak of that one: what does
    not carry the number with which its sender said hello is dropped.

    Args:
        comm: an mpi4py communicator.
    """

    def __init__(self, comm):
        from mpi4py import MPI  # starts MPI, which only a process that was given a communicator may do

        self.comm, self.rank = comm, comm.rank
        self.others = [rank for rank in range(comm.size) if rank != comm.rank]
        self.run = next(_runs)
        self.announced: dict[int, int] = {}  # the number with which each other rank said hello
        self.heard: dict[int, float] = dict.fromkeys(self.others, 0.0)  # time of the last message of each
        self.outbox = {
            rank: deque() for rank in self.others
        }  # sends under way, each with the buffer it reads from
        self._status = MPI.Status()

    def post(self, kind: str, payload: Any, ranks: Collection[int], tag: int = _NEWS) -> None:
        """Send to ``ranks`` without waiting. The pickle is made once; it must live until its sends complete."""
        if not ranks:
            return
        message = pickle.dumps((self.run, kind, payload), protocol=pickle.HIGHEST_PROTOCOL)
        for rank in ranks:
            under_way = self.outbox[rank]
            under_way.append((self.comm.Isend(message, rank, tag), message))
            while under_way and under_way[0][0].Test():
                under_way.popleft()

    def arrived(self) -> Iterator[tuple[int, str, Any]]:
        """What has come in, as ``(sender, kind, payload)``; ends at once if there is nothing (more)."""
        while self.others and self.comm.iprobe(tag=_NEWS, status=self._status):
            sender = self._status.Get_source()
            run, kind, payload = self.comm.recv(source=sender, tag=_NEWS)
            if run == self.announced[sender]:
                self.heard[sender] = time.monotonic()
                yield sender, kind, payload

    def meet(self, word: str) -> list[str]:
        """Say ``word`` to all and wait for theirs: the words of all ranks, in order. The common start of a run.

        A rank may be late as it likes, for it may have data to load. While it waits a rank sleeps: MPI libraries ask
        again and again, which on a machine with more ranks than cores slows down the very ranks that are waited for.
        """
        self.post("hello", word, self.others, _HELLO)
        words = {self.rank: word}
        for rank in self.others:
            while not self.comm.iprobe(source=rank, tag=_HELLO):
                time.sleep(_PAUSE)
            self.announced[rank], _, words[rank] = self.comm.recv(source=rank, tag=_HELLO)
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
        """Wait until the sends to ``ranks`` are complete. What is not after ``patience`` seconds never will be."""
        end = time.monotonic() + patience
        for rank in ranks:
            for request, _ in self.outbox[rank]:
                while not request.Test() and time.monotonic() < end:
                    time.sleep(_PAUSE)
        for under_way in self.outbox.values():
            _abandoned.extend(send for send in under_way if not send[0].Test())
            under_way.clear()
