"""Operators of breeding: selection, crossover and mutation (the catalogue of the paper's package).

An operator takes individuals or genes and a private random generator; none holds state or touches a global generator.
``parents`` says how many it takes and ``offspring`` how many it gives, so that a composition can be checked before it runs.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Genes, Space

Propagator = Callable[[Population, Random], Genes]
"""From all a worker knows to the genes of its next candidate."""

ANY = -1
"""Takes any number of parents."""

Individuals = Population | Sequence[Individual]


def _ranked(individuals: Individuals, count: int, worst: bool = False) -> list[Individual]:
    if isinstance(individuals, Population):
        return individuals.worst(count) if worst else individuals.best(count)
    return sorted(individuals, key=lambda ind: (ind.loss, ind.rank, ind.generation), reverse=worst)[:count]


def _only(parent: Genes | Individual | Sequence[Individual]) -> Genes:
    """The genes of the one parent, however it is given."""
    if isinstance(parent, list):
        (parent,) = parent
    return parent.genes if isinstance(parent, Individual) else parent


def _require_probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{name}={value} is not a probability")


class _Operator:
    """What :class:`Compose` asks of an operator."""

    parents: int = 1
    offspring: int = 1
    needs_losses: ClassVar[bool] = False  # works on evaluated individuals, not on bare genes
    keeps_losses: ClassVar[bool] = False  # hands on individuals as they are


class _Selection(_Operator):
    parents = ANY
    needs_losses = keeps_losses = True

    def __post_init__(self):
        if self.count < 1:
            raise ValueError(f"{self} selects nobody: the count must be at least 1")

    @property
    def offspring(self) -> int:
        return self.count

    def _require(self, given: int) -> None:
        if given < self.count:
            raise ValueError(f"{self} was given {given} individuals")

    def __str__(self) -> str:
        return f"{type(self).__name__}({self.count})"


@dataclass(frozen=True)
class SelectMin(_Selection):
    """The ``count`` best of everything given. Raises ``ValueError`` if there are fewer."""

    count: int

    def __call__(self, individuals: Individuals, rng: Random) -> list[Individual]:
        self._require(len(individuals))
        return _ranked(individuals, self.count)


@dataclass(frozen=True)
class SelectMax(_Selection):
    """The ``count`` worst of everything given. Raises ``ValueError`` if there are fewer."""

    count: int

    def __call__(self, individuals: Individuals, rng: Random) -> list[Individual]:
        self._require(len(individuals))
        return _ranked(individuals, self.count, worst=True)


@dataclass(frozen=True)
class SelectUniform(_Selection):
    """``count`` different individuals, drawn uniformly. Raises ``ValueError`` if there are fewer."""

    count: int

    def __call__(self, individuals: Individuals, rng: Random) -> list[Individual]:
        self._require(len(individuals))
        return rng.sample(list(individuals), self.count)


@dataclass(frozen=True)
class CrossoverUniform(_Operator):
    """Each gene from the first parent with probability ``first_share``, else from the second."""

    first_share: float = 0.5
    parents: ClassVar[int] = 2

    def __post_init__(self):
        _require_probability("first_share", self.first_share)

    def __call__(self, parents: list[Individual], rng: Random) -> Genes:
        first, second = parents
        pairs = zip(first.genes, second.genes, strict=True)
        return tuple(a if rng.random() < self.first_share else b for a, b in pairs)


@dataclass(frozen=True)
class CrossoverMultiple(_Operator):
    """Each gene from a parent drawn uniformly among all that are given."""

    parents: ClassVar[int] = ANY

    def __call__(self, parents: Individuals, rng: Random) -> Genes:
        columns = zip(*(parent.genes for parent in parents), strict=True)
        return tuple(rng.choice(values) for values in columns)


@dataclass(frozen=True)
class CrossoverSigmoid(_Operator):
    """Each gene from the better parent with the probability of Boltzmann's rule, else from the other.

    With losses ``f1 <= f2`` that probability is ``1 / (1 + exp((f1 - f2) / temperature))``, at least one half. (The code
    of the authors' package has the opposite sign and keeps the better parent's genes with at most one half.)
    """

    temperature: float = 1.0
    parents: ClassVar[int] = 2
    needs_losses: ClassVar[bool] = True

    def __post_init__(self):
        if not self.temperature > 0:
            raise ValueError(f"temperature={self.temperature} must be positive")

    def share_of_better(self, loss: float, other: float) -> float:
        """Probability with which a gene comes from the parent of smaller loss, in [1/2, 1]."""
        if loss == other:  # also when both evaluations failed: the difference of infinities is no number
            return 0.5
        return 1 / (1 + math.exp(-abs(loss - other) / self.temperature))

    def __call__(self, parents: list[Individual], rng: Random) -> Genes:
        better, worse = _ranked(parents, 2)
        share = self.share_of_better(better.loss, worse.loss)
        pairs = zip(better.genes, worse.genes, strict=True)
        return tuple(a if rng.random() < share else b for a, b in pairs)


@dataclass(frozen=True)
class InitUniform(_Operator):
    """A uniformly random candidate with probability ``probability``, else the one given."""

    space: Space
    probability: float = 1.0
    parents: int = field(init=False)

    def __post_init__(self):
        _require_probability("probability", self.probability)
        object.__setattr__(self, "parents", ANY if self.probability == 1 else 1)

    def __call__(self, parent, rng: Random) -> Genes:
        if parent is None or self.probability == 1 or rng.random() < self.probability:
            return self.space.sample(rng)
        return _only(parent)


@dataclass(frozen=True)
class PointMutation(_Operator):
    """With probability ``probability``, draw ``points`` different genes anew."""

    space: Space
    probability: float = 1.0
    points: int = 1

    def __post_init__(self):
        _require_probability("probability", self.probability)
        _require_points("PointMutation", self.points, self.points, self.space)

    def __call__(self, parent: Genes, rng: Random) -> Genes:
        genes = _only(parent)
        return genes if rng.random() >= self.probability else _redraw(self.space, genes, self.points, rng)


@dataclass(frozen=True)
class RandomPointMutation(_Operator):
    """With probability ``probability``, draw between ``fewest`` and ``most`` different genes anew, all counts as likely."""

    space: Space
    fewest: int
    most: int
    probability: float = 1.0

    def __post_init__(self):
        _require_probability("probability", self.probability)
        _require_points("RandomPointMutation", self.fewest, self.most, self.space)

    def __call__(self, parent: Genes, rng: Random) -> Genes:
        genes = _only(parent)
        if rng.random() >= self.probability:
            return genes
        return _redraw(self.space, genes, rng.randint(self.fewest, self.most), rng)


def _require_points(kind: str, fewest: int, most: int, space: Space) -> None:
    if not 1 <= fewest <= most <= len(space):
        points = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise ValueError(f"{kind} of {points} points in a space of {len(space)} genes")


def _redraw(space: Space, genes: Genes, points: int, rng: Random) -> Genes:
    child = list(genes)
    for i in rng.sample(range(len(child)), points):
        child[i] = space.genes[i].sample(rng)
    return tuple(child)


@dataclass(frozen=True)
class IntervalMutationNormal(_Operator):
    """A normal step of ``sigma`` interval widths on ``points`` different genes; nothing if there is no such gene.

    Args:
        space: the search space.
        sigma: standard deviation in widths of the interval.
        probability: of taking a step at all.
        points: how many genes take one; all of them if there are fewer.
        grids: whether whole numbers and ordinals take steps, too. The paper's package steps along real genes only.
    """

    space: Space
    sigma: float = 0.1
    probability: float = 1.0
    points: int = 1
    grids: bool = False

    def __post_init__(self):
        _require_probability("probability", self.probability)
        if not self.sigma >= 0 or self.points < 1:
            raise ValueError(f"sigma={self.sigma} is negative or points={self.points} is less than 1")

    def __call__(self, parent: Genes, rng: Random) -> Genes:
        genes = _only(parent)
        places = self.space.ordered if self.grids else self.space.stepping
        if not places or rng.random() >= self.probability:
            return genes
        child = list(genes)
        for i in rng.sample(places, min(self.points, len(places))):
            child[i] = self.space.genes[i].step(child[i], self.sigma, rng)
        return tuple(child)


@dataclass(frozen=True)
class Gaussian(_Operator):
    """A normal step of ``scale`` in every direction of the unit cube, see :meth:`Space.to_vector`; clipped to the cube."""

    space: Space
    scale: float = 0.1

    def __post_init__(self):
        if not self.scale > 0:
            raise ValueError(f"scale={self.scale} must be positive")

    def __call__(self, parent: Genes, rng: Random) -> Genes:
        return self.space.from_vector(
            [slot + rng.gauss(0, self.scale) for slot in self.space.to_vector(_only(parent))]
        )
