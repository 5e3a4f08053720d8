"""The island model: several populations that sometimes send each other individuals.

Who goes where is decided by plain functions without messages, :func:`plan_emigration`, :func:`plan_pollination` and
:func:`plan_replacement`; the ranks and a simulated clock call the same ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from sortedcontainers import SortedKeyList

from efficient_ai.propulate._population import Individual, Name, Population, by_loss

Selection = Callable[[int], Callable[[list[Individual], Random], list[Individual]]]
"""An operator class such as ``SelectMin``: made with a count, it takes individuals and a generator."""


@dataclass(frozen=True)
class Islands:
    """How workers are cut into islands and what travels between them.

    Args:
        sizes: the number of workers of each island; or the number of islands, of equal size as far as possible, the
            first ones taking one more each where it does not divide. Islands are blocks of consecutive workers.
        topology: ``topology[i][j]`` individuals go from island ``i`` to island ``j`` at a time. Default: one from
            each island to each other one.
        probability: of a departure per island and generation; each worker draws with this over the number of workers
            of its island.
        pollination: False: migration, an individual leaves its island and is active on exactly one. True: a copy is
            sent, and each arrival replaces one individual at its target.
        emigrants: who leaves, an operator class made with a count; default the best.
        replaced: who makes room for a copy, an operator class made with a count; default the worst.

    Raises:
        ValueError: an island without workers, a topology that does not fit or has entries on its diagonal, or
            something that is no probability.
    """

    sizes: int | Sequence[int] = 2
    topology: Sequence[Sequence[int]] | None = None
    probability: float = 0.9
    pollination: bool = False
    emigrants: Selection | None = None
    replaced: Selection | None = None

    def __post_init__(self):
        sizes = (self.sizes,) if isinstance(self.sizes, int) else tuple(self.sizes)
        if not sizes or any(int(size) != size or size < 1 for size in sizes):
            raise ValueError(
                f"Islands({self.sizes}): give the number of islands or the workers of each, at least one"
            )
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability={self.probability} is not a probability")
        n, rows = self.count, self.topology
        if rows is None:
            return
        if len(rows) != n or any(len(row) != n for row in rows):
            raise ValueError(f"the topology of {n} islands is a matrix of {n} rows and {n} columns")
        if any(int(entry) != entry or entry < 0 for row in rows for entry in row):
            raise ValueError("the entries of a topology are numbers of individuals: whole and not negative")
        if any(rows[i][i] for i in range(n)):
            raise ValueError("the diagonal of a topology is zero: an island sends nothing to itself")

    @property
    def count(self) -> int:
        return self.sizes if isinstance(self.sizes, int) else len(self.sizes)

    def row(self, island: int) -> list[int]:
        """How many individuals go from ``island`` to each other one at a time."""
        if self.topology is None:
            return [int(other != island) for other in range(self.count)]
        return [int(entry) for entry in self.topology[island]]

    def blocks(self, workers: int) -> list[range]:
        """The workers of each island.

        Raises:
            ValueError: the sizes do not sum to ``workers``, or there are more islands than workers.
        """
        sizes = self.sizes
        if isinstance(sizes, int):
            if sizes > workers:
                raise ValueError(f"{sizes} islands need at least {sizes} workers, there are {workers}")
            sizes = [workers // sizes + (i < workers % sizes) for i in range(sizes)]
        if sum(sizes) != workers:
            raise ValueError(
                f"islands of {list(sizes)} workers need {sum(sizes)} workers, there are {workers}"
            )
        ends = list(accumulate(sizes))
        return [range(end - size, end) for size, end in zip(sizes, ends, strict=True)]


def plan_emigration(
    owned: Sequence[Individual], row: Sequence[int], rng: Random, emigrants: Selection | None = None
) -> dict[int, list[Individual]]:
    """Who leaves for which island: the best of ``owned``, shuffled, every target another piece.

    Args:
        owned: active individuals that this worker may send away, best first.
        row: how many go to each island.
        rng: shuffles, so that no island always gets the best.
        emigrants: chooses instead of "the best".

    Returns:
        a list of individuals per target; nothing if fewer are owned than should leave.
    """
    n = sum(row)
    if not 0 < n <= len(owned):
        return {}
    leaving = _select(owned, n, rng, emigrants)
    rng.shuffle(leaving)
    ends = list(accumulate(row))
    return {
        target: leaving[end - k : end] for target, (k, end) in enumerate(zip(row, ends, strict=True)) if k
    }


def plan_pollination(
    active: Sequence[Individual], row: Sequence[int], rng: Random, emigrants: Selection | None = None
) -> dict[int, list[Individual]]:
    """Of whom copies go to which island: of the best, the same ones to each target that takes as many.

    Arguments and result as for :func:`plan_emigration`, but from all that are ``active`` on the island.
    """
    if not 0 < max(row) <= len(active):
        return {}
    return {target: _select(active, k, rng, emigrants) for target, k in enumerate(row) if k}


def plan_replacement(
    owned: Sequence[Individual], rng: Random, replaced: Selection | None = None
) -> Individual | None:
    """Who makes room for one copy that has arrived: the worst of ``owned`` (best first), the arrival among them."""
    if not owned:
        return None
    return owned[-1] if replaced is None else replaced(1)(list(owned), rng)[0]


def owner(individual: Individual, ranks: range) -> int:
    """The one rank of an island that decides about an individual: where it was born, else one given by its name.

    All know it without asking, so there are never two. (The paper draws an owner at random with each arrival.)
    """
    if individual.rank in ranks:
        return individual.rank
    return ranks[(individual.rank + individual.generation) % len(ranks)]


def _select(individuals, count: int, rng: Random, selection: Selection | None) -> list[Individual]:
    if selection is None:
        return list(individuals[:count])
    return list(selection(count)(list(individuals), rng))


def as_islands(islands: "Islands | int | None") -> Islands:
    """Islands, or how many of them; None is one.

    Raises:
        ValueError: neither.
    """
    if islands is None:
        return Islands(1)
    if isinstance(islands, Islands):
        return islands
    if isinstance(islands, bool) or not isinstance(islands, int):
        raise ValueError(f"islands={islands!r}: give the number of islands, or Islands(...)")
    return Islands(islands)


class Residents:
    """Who lives on an island, as one of its workers sees it, in whatever order the news comes in.

    The phase of an individual here is ``2 * steps``, one more once it has left or was replaced; ``steps`` counts the
    moves of its life. News only ever raise it. So a departure that overtakes its arrival waits in the phase (the
    paper keeps a list for that), and an old one cannot undo a later return.

    Args:
        rank: this worker.
        ranks: the workers of the island.
        only_island: whether there is no other.
    """

    def __init__(self, rank: int, ranks: range, *, only_island: bool = False):
        self.only_island = only_island
        self.ranks = ranks
        self.population = Population(rank=rank)
        self.owned = SortedKeyList(key=by_loss)  # the active ones that this worker decides about
        self.known: dict[Name, Individual] = {}
        self.phase: dict[Name, int] = {}

    def welcome(self, individual: Individual) -> None:
        """Take in one that was born here. On the only island nobody ever leaves, and there is nothing to keep track of."""
        if self.only_island:
            self.population.add(individual)
        else:
            self.learn(individual.name, 0, individual)

    def is_active(self, name: Name) -> bool:
        return name in self.known and self.phase[name] % 2 == 0

    def steps(self, name: Name) -> int:
        return self.phase[name] // 2

    def learn(self, name: Name, phase: int, individual: Individual | None = None) -> None:
        """Take in that an individual has reached ``phase``; with the individual itself, if it came along."""
        before = self.is_active(name)
        self.phase[name] = max(phase, self.phase.get(name, 0))
        if individual is not None and name not in self.known:
            self.known[name] = individual
            self.population.add(individual, active=False)
        if (now := self.is_active(name)) != before:
            individual = self.known[name]
            (self.population.activate if now else self.population.deactivate)(individual)
            if owner(individual, self.ranks) == self.population.rank:
                (self.owned.add if now else self.owned.remove)(individual)
