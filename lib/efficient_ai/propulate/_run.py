"""What a run leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from efficient_ai.propulate._population import Individual, Name


class Move(NamedTuple):
    """An individual went from one island to another, or a copy of it did.

    Args:
        name: whose move it is.
        origin, target: numbers of the islands.
        time: seconds since the start, on the clock of the rank that sent it.
        step: how often it had moved before; the route of an individual is its moves in order of ``step``.
    """

    name: Name
    origin: int
    target: int
    time: float
    step: int = 0


@dataclass(frozen=True)
class Run:
    """What one rank holds at the end of a run.

    Args:
        individuals: everything this rank knows, best first: all that was evaluated on its island or came to it. All
            ranks of an island end with the same.
        seconds: from the common start to the moment the last evaluation that this rank knows of ended.
        busy: seconds this rank spent in evaluations.
        workers: number of workers of this island.
        island: the number of the island.
        active: those of ``individuals`` that may breed on this island, best first; the others have left it or have
            been replaced. All, if there is one island.
        champion: the best of all islands.
        reason: which criterion ended the run: ``"evaluations"``, ``"seconds"`` or ``"target"``; ``"lost"`` if a
            synchronous run ended because a rank fell silent.
        lost: ranks that fell silent before they said farewell; the run went on without them.
        moves: who went from which island to which, in order of time.
    """

    individuals: list[Individual]
    seconds: float
    busy: float
    workers: int
    island: int = 0
    active: Sequence[Individual] = ()
    champion: Individual | None = None
    reason: str = ""
    lost: tuple[int, ...] = ()
    moves: tuple[Move, ...] = ()

    def __repr__(self) -> str:  # the default would write thousands of individuals into a cell
        champion = f", champion {self.champion.loss:.6g}" if self.champion is not None else ""
        return (
            f"<Run of {self.workers} workers, island {self.island}: {len(self.individuals)} individuals known{champion}, "
            f"{self.seconds:.3g} s, ended by {self.reason or 'nothing'}>"
        )

    @property
    def best(self) -> Individual:
        """The best individual of all islands."""
        return self.individuals[0] if self.champion is None else self.champion

    @property
    def utilisation(self) -> float:
        """Share of the workers' time that went into evaluations, in [0, 1]: at 1, nobody ever waited.

        Counted for this island until its last candidate was handed out. After that, ranks run out of work one by one,
        in any scheme.
        """
        born_here = [ind for ind in self.individuals if ind.island == self.island]
        until = max(ind.started for ind in born_here)
        busy = sum(min(ind.finished, until) - ind.started for ind in born_here)
        return busy / (self.workers * until)


def ideal_utilisation(run: Run) -> float:
    """The utilisation that a synchronous run could reach with the evaluation times it had, in (0, 1].

    A generation then lasts exactly as long as its slowest evaluation: meeting and exchanging cost nothing. The last
    generation is left out, as in :attr:`Run.utilisation`.

    Raises:
        ValueError: the run has fewer than two generations.
    """
    last = max(ind.generation for ind in run.individuals)
    if last < 1:
        raise ValueError(
            "a run of one generation has no generation that ends before the last candidate is handed out"
        )
    generations = [[ind.seconds for ind in run.individuals if ind.generation == g] for g in range(last)]
    return sum(map(sum, generations)) / (run.workers * sum(map(max, generations)))
