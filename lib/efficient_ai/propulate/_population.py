"""What a worker knows: every individual it evaluated or heard of, the best of them at hand."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sortedcontainers import SortedKeyList


class Individual(NamedTuple):
    """A candidate with its result. Immutable, so that all ranks hold the same one.

    Args:
        genes: one value per gene of the space.
        loss: smaller is better; ``inf`` if the evaluation failed.
        rank: the rank that bred and evaluated it.
        generation: how many that rank had evaluated before. ``(rank, generation)`` names the individual.
        started: when its evaluation began, seconds since the common start of the run.
        finished: when its evaluation ended, on the same clock.
        known: how many individuals its worker knew of when it was bred.
        error: what went wrong, empty if nothing did.
    """

    genes: tuple[Any, ...]
    loss: float
    rank: int
    generation: int
    started: float = 0.0
    finished: float = 0.0
    known: int = 0
    error: str = ""

    @property
    def seconds(self) -> float:
        """How long its evaluation took."""
        return self.finished - self.started


def _by_loss(individual: Individual) -> tuple[float, int, int]:
    return individual.loss, individual.rank, individual.generation


class Population:
    """All individuals known so far, kept in order of loss.

    Adding one and taking the ``k`` best cost O(log n) and O(k): breeding does not slow down as the population grows.
    """

    def __init__(self, individuals: Iterable[Individual] = ()):
        self._ordered = SortedKeyList(individuals, key=_by_loss)

    def add(self, individual: Individual) -> None:
        self._ordered.add(individual)

    def best(self, k: int = 1) -> list[Individual]:
        """The ``k`` individuals of smallest loss, best first; fewer if fewer are known."""
        return list(islice(self._ordered, k))

    def __len__(self) -> int:
        return len(self._ordered)

    def __iter__(self) -> Iterator[Individual]:
        return iter(self._ordered)
