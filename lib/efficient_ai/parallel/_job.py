"""A function that runs on the engines of a cluster: watched while it runs, explained if it fails."""

import pickle
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ._errors import ClusterError, Hang, Interrupted, RankError
from ._notes import first_death, unpack

_GRACE = 2.0  # seconds that the other ranks get to finish by themselves after one has failed


class Engines(Protocol):
    """What a job needs of the cluster it runs on."""

    n: int
    folder: Path

    @property
    def alive(self) -> bool:
        """Whether the processes of all ranks are there."""

    def stacks(self) -> dict[int, str]:
        """Where each rank stands right now."""

    def send(self, number: int, ranks: Sequence[int] | None = None) -> None:
        """Send a signal to the processes of all or some ranks."""

    def restart_after(self, what: str) -> str:
        """New engines because of ``what``; one sentence for the reader."""


class Job:
    """A call under way on all ranks, made by ``Cluster.submit``."""

    def __init__(self, cluster: Engines, replies: list[Any], limit: float):
        self._cluster, self._replies, self._limit = cluster, replies, limit  # one AsyncResult a rank
        self._deadline = time.monotonic() + limit
        self._outcome: list | Exception | None = None
        self._answers: dict[int, bytes] = {}  # (ok, result) pickles of the ranks that have answered
        self._failed_at: float | None = None

    @property
    def done(self) -> bool:
        """Whether ``result()`` answers at once: all ranks finished, or one failed, died or ran out of time."""
        return self._outcome is not None or self._over() is not None

    def published(self) -> list:
        """The newest object that each rank gave to ``publish``, in rank order; None for a rank that gave none."""
        return [pickle.loads(reply.data["value"]) if reply.data else None for reply in self._replies]

    @property
    def stdout(self) -> list[str]:
        """What each rank has printed up to now, in rank order."""
        return [reply.stdout for reply in self._replies]

    def result(self) -> list:
        """Wait for all ranks and return their results in rank order; what they printed is printed in rank order.

        Raises RankError (a rank raised or died) or Hang (time is up, with the stack of each unfinished rank). If
        ranks hang, wait for one that failed, or are dead, a new set of engines is up when this raises. Asked again, it answers the same.
        An interrupt (the stop button, Ctrl-C) stops the ranks, too, and raises Interrupted.
        """
        if self._outcome is None:
            try:
                while (why := self._over()) is None:
                    self._wait_a_little()
            except KeyboardInterrupt:
                raise self._interrupted() from None
            try:
                self._outcome = self._settle(why)
            except (RankError, Hang, ClusterError) as error:
                self._outcome = error
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def abandon(self) -> None:
        """Called by the cluster when its ranks go away: a job that is under way will have no result."""
        if self._outcome is None:
            self._outcome = ClusterError("the ranks were stopped or restarted while this job was running")

    def _interrupted(self) -> Interrupted:
        """Stop the ranks: in their Python code, where their memory outlives it, or else as processes."""
        cluster = self._cluster
        cluster.send(signal.SIGINT, [rank for rank, reply in enumerate(self._replies) if not reply.ready()])
        end = time.monotonic() + _GRACE
        while any(not reply.ready() for reply in self._replies) and time.monotonic() < end:
            time.sleep(0.05)
        how = "the ranks stopped where they were, and keep what they hold in memory."
        if any(not reply.ready() for reply in self._replies):
            how = f"the ranks stood in a call that cannot be interrupted. {cluster.restart_after('the interrupt')}"
        self._outcome = ClusterError(f"this job was interrupted: {how}")
        return Interrupted(f"Interrupted: {how}")

    def _wait_a_little(self) -> None:
        pending = [reply for rank, reply in enumerate(self._replies) if rank not in self._answers]
        pending[0].wait(0.05)

    def _over(self) -> str | None:
        """Why waiting has an end: answered, dead, failed, late; None while it has none."""
        for rank, reply in enumerate(self._replies):
            if rank not in self._answers and reply.ready() and reply.successful():
                self._answers[rank] = reply.get(0)
                if not pickle.loads(self._answers[rank])[0] and self._failed_at is None:
                    self._failed_at = time.monotonic()
        if len(self._answers) == self._cluster.n:
            return "answered"
        if not self._cluster.alive:
            return "dead"
        if self._failed_at is not None and time.monotonic() > self._failed_at + _GRACE:
            return "failed"
        return "late" if time.monotonic() > self._deadline else None

    def _settle(self, why: str) -> list:
        """The results, or an exception; new engines where the old ones are of no more use."""
        cluster = self._cluster
        if why == "answered":
            for reply in self._replies:
                reply.wait_for_output(5)
            self._print()
            return unpack(self._answers, cluster.n)
        stacks = cluster.stacks() if why == "late" else {}
        death = first_death(cluster.folder)
        self._print()
        if why == "late":
            waiting = {rank: text for rank, text in stacks.items() if rank not in self._answers}
            raise Hang(self._limit, waiting, sorted(self._answers), cluster.restart_after("the hang"))
        if why == "failed":
            note = cluster.restart_after("the error, which left other ranks waiting")
            return unpack(self._answers, cluster.n, note)
        note = cluster.restart_after("the death, with which MPI ended all ranks,")
        if death is None:
            raise ClusterError(f"the engines are gone without a trace.\n{note}")
        raise RankError(death[0], "", death[1], note)

    def _print(self) -> None:
        for reply in self._replies:
            sys.stdout.write(reply.stdout)
        for reply in self._replies:
            sys.stderr.write(reply.stderr)
