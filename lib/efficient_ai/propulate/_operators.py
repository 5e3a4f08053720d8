"""Breeding: small operators that are composed into a propagator (Section 3.3 and 3.4 of the chapter's notation).

An operator takes genes or individuals and a private random generator; none holds state or touches a global generator.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from efficient_ai.propulate._population import Individual, Population
from efficient_ai.propulate._space import Genes, Space

Propagator = Callable[[Population, Random], Genes]
"""From all a worker knows to the genes of its next candidate."""


@dataclass(frozen=True)
class InitUniform:
    """A uniformly random candidate with probability ``probability``, else the one given."""

    space: Space
    probability: float = 1.0

    def __call__(self, genes: Genes | None, rng: Random) -> Genes:
        if genes is None or rng.random() < self.probability:
            return self.space.sample(rng)
        return genes


@dataclass(frozen=True)
class SelectMin:
    """The ``count`` best of everything known."""

    count: int

    def __call__(self, population: Population, rng: Random) -> list[Individual]:
        chosen = population.best(self.count)
        if len(chosen) < self.count:
            raise ValueError(f"SelectMin({self.count}) was given {len(chosen)} individuals")
        return chosen


@dataclass(frozen=True)
class SelectUniform:
    """``count`` different individuals, drawn uniformly."""

    count: int

    def __call__(self, individuals: list[Individual], rng: Random) -> list[Individual]:
        if len(individuals) < self.count:
            raise ValueError(f"SelectUniform({self.count}) was given {len(individuals)} individuals")
        return rng.sample(individuals, self.count)


@dataclass(frozen=True)
class CrossoverUniform:
    """Each gene from the first parent with probability ``first_share``, else from the second."""

    first_share: float

    def __call__(self, parents: list[Individual], rng: Random) -> Genes:
        first, second = parents
        pairs = zip(first.genes, second.genes, strict=True)
        return tuple(a if rng.random() < self.first_share else b for a, b in pairs)


@dataclass(frozen=True)
class PointMutation:
    """With probability ``probability``, draw ``points`` different genes anew."""

    space: Space
    probability: float
    points: int = 1

    def __post_init__(self):
        if not 1 <= self.points <= len(self.space):
            raise ValueError(f"PointMutation of {self.points} points in a space of {len(self.space)} genes")

    def __call__(self, genes: Genes, rng: Random) -> Genes:
        if rng.random() >= self.probability:
            return genes
        child = list(genes)
        for i in rng.sample(range(len(child)), self.points):
            child[i] = self.space.genes[i].sample(rng)
        return tuple(child)


@dataclass(frozen=True)
class IntervalMutationNormal:
    """A normal step of ``sigma`` interval widths on ``points`` different real genes; nothing if there is no such gene."""

    space: Space
    sigma: float
    probability: float = 1.0
    points: int = 1

    def __call__(self, genes: Genes, rng: Random) -> Genes:
        stepping = self.space.stepping
        if not stepping or rng.random() >= self.probability:
            return genes
        child = list(genes)
        for i in rng.sample(stepping, min(self.points, len(stepping))):
            child[i] = self.space.genes[i].step(child[i], self.sigma, rng)
        return tuple(child)


@dataclass(frozen=True)
class Conditional:
    """``then`` once at least ``count`` individuals are known, ``before`` until then."""

    count: int
    then: Propagator
    before: Callable[[None, Random], Genes]

    def __call__(self, population: Population, rng: Random) -> Genes:
        return self.then(population, rng) if len(population) >= self.count else self.before(None, rng)


class Compose:
    """Operators one after another: the output of each is the input of the next."""

    def __init__(self, *operators: Callable):
        if not operators:
            raise ValueError("Compose needs at least one operator")
        self.operators = operators

    def __call__(self, value, rng: Random):
        for operator in self.operators:
            value = operator(value, rng)
        return value


def default_propagator(
    space: Space,
    pool_size: int,
    *,
    first_share: float = 0.7,
    mutation: float = 0.4,
    sigma: float = 0.05,
    random_share: float = 0.1,
) -> Propagator:
    """The propagator of the paper's package, with its defaults.

    Random candidates until ``pool_size`` individuals are known. After that: two different parents out of the
    ``pool_size`` best, uniform crossover, one gene redrawn with probability ``mutation``, a normal step on one real
    gene, and with probability ``random_share`` all of that is thrown away for a random candidate.

    Args:
        space: the search space.
        pool_size: how many of the best may breed; at least two. Twice the number of workers is customary.
        first_share: share of the genes taken from the first parent. The package calls this argument
            ``crossover_prob``; crossover itself always happens.
        mutation: probability to redraw one gene.
        sigma: width of the normal step in units of the interval.
        random_share: share of random candidates.
    """
    if pool_size < 2:
        raise ValueError(f"pool_size={pool_size}: two parents are needed")
    for name, value in (("first_share", first_share), ("mutation", mutation), ("random_share", random_share)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}={value} is not a probability")
    breed = Compose(
        SelectMin(pool_size),
        SelectUniform(2),
        CrossoverUniform(first_share),
        PointMutation(space, mutation),
        IntervalMutationNormal(space, sigma),
        InitUniform(space, random_share),
    )
    return Conditional(pool_size, then=breed, before=InitUniform(space))
