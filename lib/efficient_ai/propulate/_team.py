"""Workers of several ranks: one of them optimises, all of them evaluate."""

import time
from collections.abc import Callable
from typing import Any

from efficient_ai.propulate._isolate import Isolated
from efficient_ai.propulate._run import Run
from efficient_ai.propulate._worker import AllFailed

_PAUSE = 0.0005  # seconds between two looks of a rank that waits


def in_teams(search: Callable, *, comm, evaluate: Callable, ranks_per_worker: int, **arguments) -> Run:
    """Run ``search`` on the first of every ``ranks_per_worker`` consecutive ranks; all ranks return its result.

    An evaluation is then a collective call of a team, ``evaluate(genes, team)``; the loss is that of the first rank.
    If any rank of the team raises, the candidate has failed.

    Raises:
        ValueError: the ranks cannot be divided so, or ``evaluate`` is isolated, where there are no other ranks.
    """
    if ranks_per_worker != int(ranks_per_worker) or ranks_per_worker < 1 or comm.size % ranks_per_worker:
        raise ValueError(
            f"{comm.size} ranks cannot be divided into workers of ranks_per_worker={ranks_per_worker}"
        )
    if isinstance(evaluate, Isolated):
        raise ValueError(
            "an isolated evaluation has no other ranks to work with: leave ranks_per_worker at 1"
        )
    team = Team(comm.Split(comm.rank // ranks_per_worker, comm.rank), evaluate)
    leaders = comm.Split(
        team.comm.rank, comm.rank
    )  # the first of each team, and others that have nothing to say
    if team.comm.rank:
        result = team.follow()
    else:
        try:
            result = search(comm=leaders, evaluate=team.evaluate, ranks_per_worker=1, **arguments)
        except BaseException as error:
            told = error if isinstance(error, ValueError | AllFailed) else RuntimeError(repr(error))
            team.order("error", told)
            raise
        team.order("result", result)
    if not result.lost:  # else messages to the lost may still be under way
        for each in (leaders, team.inside, team.comm):
            each.Free()
    return result


class Team:
    """The ranks of one worker. The first gives orders, the others wait for them with their cores left to others."""

    def __init__(self, comm, evaluate: Callable):
        self.comm, self.function = comm, evaluate
        self.inside = comm.Dup()  # for the evaluation, whose messages cannot be taken for orders

    def order(self, kind: str, what: Any) -> None:
        for request in [self.comm.isend((kind, what), rank) for rank in range(1, self.comm.size)]:
            request.wait()

    def evaluate(self, genes: dict[str, Any]) -> float:
        """All ranks evaluate. Returns the loss of the first; raises what it raised, or tells what another one did."""
        self.order("evaluate", genes)
        loss, error = self._attempt(genes)
        errors = {rank: text for rank in range(1, self.comm.size) if (text := self._receive(rank))}
        if error:
            raise error
        for rank, text in errors.items():
            raise RuntimeError(f"rank {rank} of the worker: {text}")
        return loss

    def follow(self) -> Run:
        """What the other ranks do until the first one has a result."""
        while True:
            kind, what = self._receive(0)
            if kind == "result":
                return what
            if kind == "error":
                raise what
            error = self._attempt(what)[1]
            self.comm.send(f"{type(error).__name__}: {error}" if error else "", 0)

    def _attempt(self, genes: dict[str, Any]) -> tuple[Any, Exception | None]:
        try:
            return self.function(genes, self.inside), None
        except Exception as error:
            return None, error

    def _receive(self, rank: int) -> Any:
        while not self.comm.iprobe(source=rank):
            time.sleep(_PAUSE)
        return self.comm.recv(source=rank)
