"""One slider of a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral, Real
from typing import Any


@dataclass(frozen=True)
class Control:
    """One slider of :func:`explore`.

    Args:
        values: the settings, in order; at least two.
        label: what the slider moves, with its unit.
        start: the setting shown first; the first of ``values`` if not given.
        labels: how the settings are written; ``str(value)`` if not given.
    """

    values: Sequence[Any]
    label: str
    start: Any = None
    labels: Sequence[str] | None = None

    def __post_init__(self):
        if len(self.values) < 2:
            raise ValueError(f"control {self.label!r} needs at least two values, got {len(self.values)}")
        if self.start is not None and self.start not in self.values:
            raise ValueError(
                f"control {self.label!r} starts at {self.start!r}, which is not among its values"
            )
        if self.labels is not None and len(self.labels) != len(self.values):
            raise ValueError(
                f"control {self.label!r} has {len(self.values)} values and {len(self.labels)} labels"
            )

    @property
    def texts(self) -> list[str]:
        return [str(text) for text in (self.labels or self.values)]

    @property
    def start_index(self) -> int:
        return 0 if self.start is None else list(self.values).index(self.start)

    @property
    def between(self) -> bool:
        """Whether a setting between two of the values makes sense: numbers, in order, not all of them whole."""
        numbers = all(isinstance(value, Real) and not isinstance(value, bool) for value in self.values)
        if not numbers or all(isinstance(value, Integral) for value in self.values):
            return False
        steps = [b - a for a, b in pairwise(self.values)]
        return all(step > 0 for step in steps) or all(step < 0 for step in steps)

    def at(self, position: float) -> Any:
        """The setting at a position of the slider: one of the values, or what lies between two of them.

        Between values that grow by a factor the place is taken on a logarithmic scale.
        """
        low = min(int(position), len(self.values) - 1)
        share = position - low
        if share == 0 or not self.between:
            return self.values[round(position)]
        a, b = float(self.values[low]), float(self.values[low + 1])
        if min(self.values) > 0 and max(self.values) >= 20 * min(self.values):
            return a * (b / a) ** share
        return a + share * (b - a)
