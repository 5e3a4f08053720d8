"""Letters between ranks of which any may compute for a long time without looking into its box.

A small non-blocking send "completes" at once, because the library copies it into a pool of cells that both ranks share. A
rank deep in a computation frees no cell. When the pool is empty, its senders cannot send to anybody: one busy rank makes
all the others deaf to each other. So a letter here is sent in synchronous mode, which is complete only when it was
received, and at most ``unmatched`` of them are under way to one rank; the others wait in a queue of ours, in memory that
nobody shares. They are pushed on whenever this rank posts, looks or flushes.
"""

import pickle
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any

_ONE, _MANY = b"\0", b"\1"  # first byte of what travels: a letter, or a list of letters
_PAUSE = 0.0005  # seconds between two looks of a rank that waits
_PROBES = 4  # in vain, before the box is called empty: MPICH finds every second time what has been there all the while
_abandoned: list[
    Any
] = []  # sends that will never complete: MPI may still read their buffers, so they live on


class Letters:
    """The letter box of one rank. Letters of one sender arrive in the order in which they were posted.

    Args:
        comm: an mpi4py communicator; its messages with tag ``tag`` belong to this box alone.
        tag: of all letters.
        unmatched: how many letters to one rank may be under way, at least 1.

    Raises:
        ValueError: ``unmatched`` is less than 1.
    """

    def __init__(self, comm: Any, tag: int = 1, unmatched: int = 4):
        from mpi4py import MPI  # starts MPI, which only a process that was given a communicator may do

        if unmatched < 1:
            raise ValueError(f"at least one letter must be under way: got {unmatched}")
        self.comm, self.tag, self.unmatched = comm, tag, unmatched
        self.others = [rank for rank in range(comm.size) if rank != comm.rank]
        self._waiting: dict[int, deque[bytes]] = {rank: deque() for rank in self.others}
        self._under_way: dict[int, deque[tuple[Any, bytes]]] = {rank: deque() for rank in self.others}
        self._busy: set[int] = set()  # ranks with letters waiting or under way
        self._any, self._status = MPI.ANY_SOURCE, MPI.Status()

    def post(self, letter: bytes, ranks: Collection[int]) -> None:
        """Send ``letter`` to each of ``ranks`` without waiting; it must not be changed afterwards.

        Raises:
            ValueError: a rank is this one, or none of the communicator's; nothing was sent then.
        """
        wrong = [rank for rank in ranks if rank not in self._waiting]
        if wrong:
            raise ValueError(f"no letters to rank {wrong[0]}: the others are {self.others}")
        framed = _ONE + letter  # one copy, however many ranks
        for rank in ranks:
            self._waiting[rank].append(framed)
            self._busy.add(rank)
        self.push()

    def push(self) -> None:
        """Let go what was received, send what waited for that. Call it now and then in a long computation."""
        for rank in list(self._busy):
            under_way, waiting = self._under_way[rank], self._waiting[rank]
            while under_way and under_way[0][0].Test():
                under_way.popleft()
            while waiting and len(under_way) < self.unmatched:
                letter = waiting.popleft()
                under_way.append((self.comm.Issend(letter, rank, self.tag), letter))
            if not under_way:
                self._busy.discard(rank)

    def arrived(self) -> Iterator[tuple[int, bytes]]:
        """What has come in, as ``(sender, letter)``; ends at once if there is nothing (more)."""
        self.push()
        vain = 0
        while self.others and vain < _PROBES:
            if not self.comm.Iprobe(self._any, self.tag, self._status):
                vain += 1
                continue
            vain = 0
            sender, letter = self._status.Get_source(), bytearray(self._status.Get_count())
            self.comm.Recv(letter, sender, self.tag)
            content = bytes(memoryview(letter)[1:])
            for each in [content] if letter[:1] == _ONE else pickle.loads(content):
                yield sender, each
            self.push()

    def unsent(self, rank: int) -> int:
        """How many letters to ``rank`` it has not received yet."""
        return len(self._waiting[rank]) + len(self._under_way[rank])

    def flush(
        self, patience: float, meanwhile: Callable[[], Any], ranks: Collection[int] | None = None
    ) -> dict[int, int]:
        """Wait until ``ranks`` (all others) have received everything; returns who has not, and how many letters.

        Args:
            patience: seconds without any letter received by anybody after which the rest is given up: it is sent all at once,
                and nobody looks whether it arrives.
            meanwhile: is called again and again, and must look into the box (:meth:`arrived`). Two ranks that only flush would
                each wait for the other to receive.
        """
        ranks = self.others if ranks is None else ranks
        left, since = None, time.monotonic()
        while True:
            meanwhile()
            self.push()
            now = {rank: count for rank in ranks if (count := self.unsent(rank))}
            if not now:
                return {}
            if now != left:
                left, since = now, time.monotonic()
            if time.monotonic() - since >= patience:
                for rank in now:
                    self._give_up(rank)
                return now
            time.sleep(_PAUSE)

    def _give_up(self, rank: int) -> None:
        if waiting := [letter[1:] for letter in self._waiting[rank]]:
            # All in one: if the rank comes back, it finds them, and until then they take one cell.
            bundle = _MANY + pickle.dumps(waiting)
            self._under_way[rank].append((self.comm.Issend(bundle, rank, self.tag), bundle))
        _abandoned.extend(self._under_way[rank])
        self._under_way[rank].clear()
        self._waiting[rank].clear()
        self._busy.discard(rank)
