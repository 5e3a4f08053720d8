"""What a worker knows: every individual it evaluated or heard of, the best of the active ones at hand."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sortedcontainers import SortedList

Name = tuple[int, int]
"""Rank of birth and number there: what identifies an individual everywhere."""


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
        island: the island on which it was born.
    """

    genes: tuple[Any, ...]
    loss: float
    rank: int
    generation: int
    started: float = 0.0
    finished: float = 0.0
    known: int = 0
    error: str = ""
    island: int = 0

    @property
    def name(self) -> Name:
        return self.rank, self.generation

    @property
    def seconds(self) -> float:
        """How long its evaluation took."""
        return self.finished - self.started


def by_loss(individual: Individual) -> tuple[float, int, int]:
    return individual.loss, individual.rank, individual.generation


class Population:
    """All individuals known so far. The active ones may breed and are kept in order of loss.

    Length, iteration, :meth:`best` and :meth:`worst` are about the active ones. Adding one and taking the ``k`` best cost
    O(log n) and O(k): breeding does not slow down as the population grows.

    Args:
        individuals: to begin with.
        rank: the worker that breeds from this population; swarms ask for its own individuals.
    """

    def __init__(self, individuals: Iterable[Individual] = (), *, rank: int = 0):
        self.rank = rank
        self.known: list[Individual] = []  # active or not, in order of arrival; only ever appended to
        self._active = (
            SortedList()
        )  # (*by_loss, individual): tuples are compared in C, faster than with a key
        self._newest: dict[int, Individual] = {}
        self._best_of: dict[int, Individual] = {}
        for individual in individuals:
            self.add(individual)

    def add(self, individual: Individual, *, active: bool = True) -> None:
        self.known.append(individual)
        if active:
            self.activate(individual)
        rank = individual.rank
        newest, best = self._newest.get(rank), self._best_of.get(rank)
        if newest is None or individual.generation > newest.generation:
            self._newest[rank] = individual
        if best is None or (individual.loss <= best.loss and by_loss(individual) < by_loss(best)):
            self._best_of[rank] = individual

    def activate(self, individual: Individual) -> None:
        """Let an individual breed (again) that is known and not active."""
        self._active.add((*by_loss(individual), individual))

    def deactivate(self, individual: Individual) -> None:
        """It stays known, but breeds no more. Raises ``ValueError`` if it is not active."""
        self._active.remove((*by_loss(individual), individual))

    def best(self, k: int = 1) -> list[Individual]:
        """The ``k`` active individuals of smallest loss, best first; fewer if fewer are active."""
        return [entry[-1] for entry in islice(self._active, k)]

    def worst(self, k: int = 1) -> list[Individual]:
        """The ``k`` active individuals of largest loss, worst first; fewer if fewer are active."""
        return [entry[-1] for entry in islice(reversed(self._active), k)]

    def newest(self, rank: int) -> Individual | None:
        """The last known individual that ``rank`` evaluated, active or not."""
        return self._newest.get(rank)

    def best_of(self, rank: int) -> Individual | None:
        """The best known individual that ``rank`` evaluated, active or not."""
        return self._best_of.get(rank)

    def __len__(self) -> int:
        return len(self._active)

    def __iter__(self) -> Iterator[Individual]:
        return (entry[-1] for entry in self._active)
