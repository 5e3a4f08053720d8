"""The search space: which genes there are, how one is drawn, how a step is taken along it, where it lies in the unit cube.

Every gene knows its slots in the unit cube, for optimisers that work with distances: :attr:`width` slots, written by
``to_unit`` and read by ``from_unit``. A point drawn uniformly in the cube is a gene drawn uniformly.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from random import Random
from typing import Any, ClassVar

import numpy as np

Genes = tuple[Any, ...]


def _require_interval(kind: str, low, high) -> None:
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"{kind}({low}, {high}): needs two finite limits, the lower one first")


def _cell(slot: float, cells: int) -> int:
    """Which of ``cells`` equal parts of [0, 1] a number lies in."""
    return min(int(slot * cells), cells - 1)


def _notches(width: float, rng: Random) -> int:
    """A normal step in whole notches, rounded away from zero: a step of none would be no step."""
    step = rng.gauss(0, width)
    return int(math.copysign(max(math.ceil(abs(step)), 1), step))


def _as_floats(gene) -> None:
    """Limits may be given as whole numbers; a value put on the border must still be a float."""
    object.__setattr__(gene, "low", float(gene.low))
    object.__setattr__(gene, "high", float(gene.high))


@dataclass(frozen=True)
class Float:
    """A real number, uniform in ``[low, high]``."""

    low: float
    high: float
    width: ClassVar[int] = 1

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

    def to_unit(self, value: float) -> tuple[float, ...]:
        return ((value - self.low) / (self.high - self.low),)

    def from_unit(self, slots: Sequence[float]) -> float:
        return min(max(self.low + slots[0] * (self.high - self.low), self.low), self.high)


@dataclass(frozen=True)
class LogFloat:
    """A positive real number whose logarithm is uniform: for learning rates and other scales."""

    low: float
    high: float
    width: ClassVar[int] = 1

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

    def to_unit(self, value: float) -> tuple[float, ...]:
        return (math.log(value / self.low) / math.log(self.high / self.low),)

    def from_unit(self, slots: Sequence[float]) -> float:
        if slots[0] == 1:  # the logarithm and back would miss the border by rounding
            return self.high
        return self._clip(self.low * math.exp(slots[0] * math.log(self.high / self.low)))

    def _clip(self, value: float) -> float:
        return min(max(value, self.low), self.high)


def _index(values: Sequence[Any], value: Any) -> int:
    """The place of a value: of the very object, else of one that equals it and is of its type.

    Raises:
        ValueError: there is none.
    """
    for i, each in enumerate(values):
        if each is value:
            return i
    for i, each in enumerate(values):
        if type(each) is type(value) and _equal(each, value):
            return i
    raise ValueError(f"{value!r} is none of {values!r}")


def _equal(one: Any, other: Any) -> bool:
    """Whether two things are equal; arrays and others that answer with more than yes or no are, if all of it is yes."""
    try:
        return bool(np.all(one == other))
    except Exception:  # things that refuse to be compared are different ones
        return False


@dataclass(frozen=True)
class Integer:
    """A whole number from ``low`` to ``high``, both included."""

    low: int
    high: int
    width: ClassVar[int] = 1

    def __post_init__(self):
        _require_interval("Integer", self.low, self.high)
        if int(self.low) != self.low or int(self.high) != self.high:
            raise ValueError(f"Integer({self.low}, {self.high}): the limits must be whole numbers")
        object.__setattr__(self, "low", int(self.low))
        object.__setattr__(self, "high", int(self.high))

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def sample(self, rng: Random) -> int:
        return rng.randint(self.low, self.high)

    def step(self, value: int, sigma: float, rng: Random) -> int:
        """A normal step of ``sigma`` times the width of the interval, at least one; clipped to the limits."""
        return min(max(value + _notches(sigma * (self.high - self.low), rng), self.low), self.high)

    def contains(self, value) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def to_unit(self, value: int) -> tuple[float, ...]:
        """The middle of the value's cell: with one cell per value, the border values get as much room as the others."""
        return ((value - self.low + 0.5) / (self.high - self.low + 1),)

    def from_unit(self, slots: Sequence[float]) -> int:
        return self.low + _cell(slots[0], self.high - self.low + 1)


@dataclass(frozen=True, init=False)
class Ordinal:
    """One of several numbers in ascending order, whole or real: a grid such as 16, 32, 64, 128."""

    values: tuple
    width: ClassVar[int] = 1

    def __init__(self, *values):
        numbers = all(isinstance(value, int | float) and math.isfinite(value) for value in values)
        if len(values) < 2 or not numbers or any(a >= b for a, b in pairwise(values)):
            raise ValueError(f"Ordinal{values}: needs at least two finite numbers in ascending order")
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values)) + " in this order"

    def sample(self, rng: Random):
        return rng.choice(self.values)

    def step(self, value, sigma: float, rng: Random):
        """A normal step along the list, of ``sigma`` times its length, at least one place; clipped to its ends."""
        last = len(self.values) - 1
        return self.values[min(max(self.values.index(value) + _notches(sigma * last, rng), 0), last)]

    def contains(self, value) -> bool:
        return value in self.values

    def to_unit(self, value) -> tuple[float, ...]:
        return ((self.values.index(value) + 0.5) / len(self.values),)

    def from_unit(self, slots: Sequence[float]):
        return self.values[_cell(slots[0], len(self.values))]


@dataclass(frozen=True, init=False)
class Choice:
    """One of several values without an order, of any type: a function or a model, too. Give them in one order everywhere."""

    values: tuple

    def __init__(self, *values):
        same = any(_equal(a, b) for i, a in enumerate(values) for b in values[:i])
        if len(values) < 2 or same:
            raise ValueError(f"Choice{values}: needs at least two different values")
        object.__setattr__(self, "values", values)

    def __str__(self) -> str:
        return "one of " + ", ".join(map(str, self.values))

    def sample(self, rng: Random):
        return rng.choice(self.values)

    def contains(self, value) -> bool:
        try:
            return _index(self.values, value) >= 0
        except ValueError:
            return False

    def index(self, value) -> int:
        """The place of one of the values."""
        return _index(self.values, value)

    @property
    def width(self) -> int:
        return len(self.values)

    def to_unit(self, value) -> tuple[float, ...]:
        """One slot per value, one at the value and zero elsewhere."""
        position = self.index(value)
        return tuple(float(i == position) for i in range(len(self.values)))

    def from_unit(self, slots: Sequence[float]):
        """The value with the largest slot; of equal ones the first."""
        return self.values[max(range(len(slots)), key=slots.__getitem__)]


Gene = Float | LogFloat | Integer | Ordinal | Choice


class Space:
    """Genes by name, in a fixed order.

    Candidates are plain tuples with one value per gene; :meth:`as_dict` names them. Values keep their type, so an
    integer or a category comes back exactly as it went in, through any number of mutations.

    Args:
        genes: name and kind of each gene.

    Attributes:
        names: of the genes, in order.
        genes: their kinds, in order.
        width: slots of the unit cube that :meth:`to_vector` fills.
        stepping: positions of the real genes.
        ordered: positions of all genes but choices.

    Raises:
        ValueError: no gene, or something that is not a gene.
    """

    def __init__(self, genes: Mapping[str, Gene]):
        if not genes:
            raise ValueError("a search space needs at least one gene")
        for name, gene in genes.items():
            if not isinstance(gene, Gene):
                raise ValueError(
                    f"gene {name!r} is {gene!r}; use Float, LogFloat, Integer, Ordinal or Choice"
                )
        self.names = tuple(genes)
        self.genes = tuple(genes.values())
        self.stepping = tuple(i for i, gene in enumerate(self.genes) if isinstance(gene, Float | LogFloat))
        self.ordered = tuple(i for i, gene in enumerate(self.genes) if not isinstance(gene, Choice))
        ends = list(accumulate(gene.width for gene in self.genes))
        self.width = ends[-1]
        self._slots = tuple(slice(end - gene.width, end) for gene, end in zip(self.genes, ends, strict=True))

    def __len__(self) -> int:
        return len(self.genes)

    @property
    def categories(self) -> list[Any]:
        """The values of all choices, one gene after the other."""
        return [value for gene in self.genes if isinstance(gene, Choice) for value in gene.values]

    def fingerprint(self) -> dict[str, str]:
        """The genes by name as texts that are equal in all processes which search the same."""
        pairs = zip(self.names, self.genes, strict=True)
        return {str(name): re.sub(r" at 0x[0-9a-f]+", "", repr(gene)) for name, gene in pairs}

    def sample(self, rng: Random) -> Genes:
        return tuple(gene.sample(rng) for gene in self.genes)

    def as_dict(self, genes: Genes) -> dict[str, Any]:
        return dict(zip(self.names, genes, strict=True))

    def from_dict(self, named: Mapping[str, Any]) -> Genes:
        """A candidate given by the names of its genes.

        Raises:
            ValueError: a gene is missing or unknown, or has a value that the space does not contain.
        """
        if set(named) != set(self.names):
            missing, unknown = set(self.names) - set(named), set(named) - set(self.names)
            raise ValueError(
                f"a candidate names every gene: missing {sorted(missing)}, unknown {sorted(unknown)}"
            )
        for name, gene in zip(self.names, self.genes, strict=True):
            if not gene.contains(named[name]):
                raise ValueError(f"gene {name!r} cannot be {named[name]!r}: it is {gene}")
        return tuple(named[name] for name in self.names)

    def contains(self, genes: Genes) -> bool:
        return len(genes) == len(self) and all(g.contains(v) for g, v in zip(self.genes, genes, strict=True))

    def to_vector(self, genes: Genes) -> np.ndarray:
        """Where a candidate lies in the unit cube, shape ``(width,)``.

        Real numbers, whole numbers and ordinals take one slot each, logarithmic ones by their logarithm; a choice takes one
        slot per value. This embedding lets optimisers that need distances work on any space.
        """
        return np.array([slot for g, v in zip(self.genes, genes, strict=True) for slot in g.to_unit(v)])

    def from_vector(self, vector: Sequence[float]) -> Genes:
        """The candidate at a point of the unit cube; a point outside counts as the nearest one inside.

        Raises:
            ValueError: not ``width`` numbers, or one of them is NaN.
        """
        point = np.asarray(vector, dtype=float)
        if point.shape != (self.width,) or np.isnan(point).any():
            raise ValueError(f"a point of this space is {self.width} numbers, not {vector!r}")
        slots = np.clip(point, 0.0, 1.0).tolist()
        return tuple(g.from_unit(slots[s]) for g, s in zip(self.genes, self._slots, strict=True))
