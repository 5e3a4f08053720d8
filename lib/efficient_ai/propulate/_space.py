"""The search space: which genes there are, how one is drawn, and how a Gaussian step is taken along it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

Genes = tuple[Any, ...]


def _require_interval(kind: str, low, high) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{kind}({low}, {high}): needs two finite limits, the lower one first")


def _as_floats(gene) -> None:
    """Limits may be given as whole numbers; a value put on the border must still be a float."""
    object.__setattr__(gene, "low", float(gene.low))
    object.__setattr__(gene, "high", float(gene.high))


@dataclass(frozen=True)
class Float:
    """A real number, uniform in ``[low, high]``."""

    low: float
    high: float

    def __post_init__(self):
        _require_interval("Float", self.low, self.high)
        _as_floats(self)

    def __str__(self) -> str:
        return f"a real number from {self.low:g} to {self.high:g}"

    def sample(self, rng: Random) -> float:
        return rng.uniform(self.low, self.high)

    def step(self, value: float, sigma: float, rng: Random) -> float:
        """Add a normal step of ``sigma`` times the width of the interval; what leaves it is put on its border."""
        return min(max(value + rng.gauss(0, sigma * (self.high - self.low)), self.low), self.high)

    def contains(self, value) -> bool:
        return isinstance(value, float | int) and self.low <= value <= self.high


@dataclass(frozen=True)
class LogFloat:
    """A positive real number whose logarithm is uniform: for learning rates and other scales."""

    low: float
    high: float

    def __post_init__(self):
        _require_interval("LogFloat", self.low, self.high)
        if self.low <= 0:
            raise ValueError(f"LogFloat({self.low}, {self.high}): a logarithm needs positive limits")
        _as_floats(self)

    def __str__(self) -> str:
        return f"a real number from {self.low:g} to {self.high:g}, uniform on the logarithm"

    def sample(self, rng: Random) -> float:
        return self._clip(math.exp(rng.uniform(math.log(self.low), math.log(self.high))))

    def step(self, value: float, sigma: float, rng: Random) -> float:
        """A normal step of ``sigma`` times the width of the interval, taken on the logarithm."""
        return self._clip(value * math.exp(rng.gauss(0, sigma * math.log(self.high / self.low))))

    def contains(self, value) -> bool:
        return isinstance(value, float | int) and self.low <= value <= self.high

    def _clip(self, value: float) -> float:
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Integer:
    """A whole number from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __post_init__(self):
        _require_interval("Integer", self.low, self.high)
        if int(self.low) != self.low or int(self.high) != self.high:
            raise ValueError(f"Integer({self.low}, {self.high}): the limits must be whole numbers")

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def sample(self, rng: Random) -> int:
        return rng.randint(self.low, self.high)

    def contains(self, value) -> bool:
        return isinstance(value, int) and self.low <= value <= self.high


@dataclass(frozen=True, init=False)
class Choice:
    """One of several values without an order; they may be of any type that can be sent between processes."""

    values: tuple

    def __init__(self, *values):
        if len(values) < 2 or len(set(values)) != len(values):
            raise ValueError(f"Choice{values}: needs at least two different values")
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values))

    def sample(self, rng: Random):
        return rng.choice(self.values)

    def contains(self, value) -> bool:
        return value in self.values


Gene = Float | LogFloat | Integer | Choice


class Space:
    """Genes by name, in a fixed order.

    Candidates are plain tuples with one value per gene; :meth:`as_dict` names them. Values keep their type, so an
    integer or a category comes back exactly as it went in, through any number of mutations.

    Args:
        genes: name and kind of each gene.

    Raises:
        ValueError: no gene, or something that is not a gene.
    """

    def __init__(self, genes: Mapping[str, Gene]):
        if not genes:
            raise ValueError("a search space needs at least one gene")
        for name, gene in genes.items():
            if not isinstance(gene, Gene):
                raise ValueError(f"gene {name!r} is {gene!r}; use Float, LogFloat, Integer or Choice")
        self.names = tuple(genes)
        self.genes = tuple(genes.values())
        self.stepping = tuple(i for i, gene in enumerate(self.genes) if isinstance(gene, Float | LogFloat))

    def __len__(self) -> int:
        return len(self.genes)

    def sample(self, rng: Random) -> Genes:
        return tuple(gene.sample(rng) for gene in self.genes)

    def as_dict(self, genes: Genes) -> dict[str, Any]:
        return dict(zip(self.names, genes, strict=True))

    def contains(self, genes: Genes) -> bool:
        return len(genes) == len(self) and all(g.contains(v) for g, v in zip(self.genes, genes, strict=True))
