"""From operators to a propagator: one after another, one or the other, now and then; and the paper's default."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import ClassVar

from efficient_ai.propulate._operators import (
    ANY,
    CrossoverUniform,
    InitUniform,
    IntervalMutationNormal,
    PointMutation,
    Propagator,
    SelectMin,
    SelectUniform,
    _Operator,
    _require_probability,
)
from efficient_ai.propulate._population import Population
from efficient_ai.propulate._space import Genes, Space


@dataclass(frozen=True)
class Conditional(_Operator):
    """``then`` once at least ``count`` individuals may breed, ``before`` until then; both are given all of them."""

    count: int
    then: Propagator
    before: Callable[[Population, Random], Genes]
    parents: ClassVar[int] = ANY
    needs_losses: ClassVar[bool] = True

    def __post_init__(self):
        if getattr(self.then, "offspring", 1) != getattr(self.before, "offspring", 1):
            raise ValueError("the two operators of Conditional must give the same number of offspring")

    @property
    def offspring(self) -> int:
        return getattr(self.then, "offspring", 1)

    def __call__(self, population: Population, rng: Random) -> Genes:
        return (self.then if len(population) >= self.count else self.before)(population, rng)


@dataclass(frozen=True)
class Stochastic(_Operator):
    """``operator`` with probability ``probability``, else what was given. It must give as many as it takes."""

    operator: Callable
    probability: float

    def __post_init__(self):
        _require_probability("probability", self.probability)
        if getattr(self.operator, "parents", 1) != getattr(self.operator, "offspring", 1):
            raise ValueError(
                f"Stochastic may leave out its operator, so {_name(self.operator)} must give as many as it takes"
            )

    def __call__(self, value, rng: Random):
        return self.operator(value, rng) if rng.random() < self.probability else value


class Compose(_Operator):
    """Operators one after another: the output of each is the input of the next.

    Args:
        operators: at least one. Plain functions ``(value, rng) -> value`` are welcome, too; they are not checked.

    Raises:
        ValueError: no operator, or two neighbours that do not fit together.
    """

    def __init__(self, *operators: Callable):
        if not operators:
            raise ValueError("Compose needs at least one operator")
        for first, second in pairwise(operators):
            _require_fit(first, second)
        self.operators = operators
        self.parents = getattr(operators[0], "parents", ANY)
        self.offspring = getattr(operators[-1], "offspring", 1)
        self.needs_losses = getattr(operators[0], "needs_losses", False)
        self.keeps_losses = all(getattr(operator, "keeps_losses", False) for operator in operators)

    def __call__(self, value, rng: Random):
        for operator in self.operators:
            value = operator(value, rng)
        return value


def _require_fit(first: Callable, second: Callable) -> None:
    if not (isinstance(first, _Operator) and isinstance(second, _Operator)):
        return
    if second.parents not in (ANY, first.offspring):
        raise ValueError(
            f"{_name(first)} gives {first.offspring}, but {_name(second)} after it takes {second.parents}: "
            "select that many in between"
        )
    if second.needs_losses and not first.keeps_losses:
        raise ValueError(
            f"{_name(second)} compares losses, but what {_name(first)} gives has not been evaluated yet: "
            "put selection first"
        )


def _name(operator: Callable) -> str:
    return getattr(operator, "__name__", type(operator).__name__)


def default_propagator(
    space: Space,
    pool_size: int,
    *,
    first_share: float = 0.7,
    mutation: float = 0.4,
    sigma: float = 0.05,
    random_share: float = 0.1,
    grids: bool = False,
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
        grids: whether whole numbers and ordinals take normal steps, too; the paper's package steps along real genes only.

    Raises:
        ValueError: a pool without two parents, a share that is not a probability, a negative width.
    """
    if pool_size < 2:
        raise ValueError(f"pool_size={pool_size}: two parents are needed")
    for name, value in (("first_share", first_share), ("mutation", mutation), ("random_share", random_share)):
        _require_probability(name, value)
    breed = Compose(
        SelectMin(pool_size),
        SelectUniform(2),
        CrossoverUniform(first_share),
        PointMutation(space, mutation),
        IntervalMutationNormal(space, sigma, grids=grids),
        InitUniform(space, random_share),
    )
    return Conditional(pool_size, then=breed, before=InitUniform(space))
