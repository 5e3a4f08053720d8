"""When the basis is frozen, how often it is turned, and how much is cut off."""

import math
from dataclasses import dataclass

from efficient_ai import lowrank


@dataclass(frozen=True)
class Schedule:
    """Counted in steps of the optimiser, so that accumulated gradients and evaluation do not advance it.

    Args:
        delay: steps of ordinary training before the basis is frozen; at least 1. The paper's idea needs a basis that has settled.
        every: steps between two updates.
        cutoff: singular values below this share of the largest are cut off, at least 0 and below 1.
        step: share of the layers that each update adds to those whose basis is turned, the last layers first; at least one.
        floor: no rank falls below this share of the shorter side, nor below 1.
        keep: no update leaves less than this share of a rank. The paper's code cuts at most half.
        last: step after which no update comes; ``None`` for no end.

    Raises:
        ValueError: a count that is none, or a share outside of its bounds.
    """

    delay: int
    every: int
    cutoff: float = 0.1
    step: float = 0.1
    floor: float = 0.01
    keep: float = 0.5
    last: int | None = None

    def __post_init__(self) -> None:
        for name in ("delay", "every", *(("last",) if self.last is not None else ())):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is a number of optimiser steps, at least 1: got {value!r}")
        for name in ("cutoff", "step", "floor", "keep"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
                raise ValueError(f"{name} is a share between 0 and 1: got {value!r}")
        if self.cutoff == 1 or self.step == 0:
            raise ValueError(
                "cutoff must lie below 1, and step above 0: otherwise nothing is left, or nothing done"
            )

    def due(self, step: int) -> bool:
        """Whether an update follows this optimiser step; the first comes with the conversion."""
        over = self.last is not None and step > self.last
        return step >= self.delay and (step - self.delay) % self.every == 0 and not over

    def chosen(self, step: int, layers: int) -> range:
        """The indices of the layers that this update turns: the last ones, more with each update, in the end all.

        With ten layers or fewer one is added each time; the paper's code rounds down to none there, and then takes all.
        """
        updates = (step - self.delay) // self.every + 1
        count = min(layers, math.ceil(round(updates * self.step * layers, 9)))
        return range(layers - max(count, min(layers, updates)), layers)

    def rank(self, values, rank: int, columns: int) -> int:
        """The rank that is left of singular values ``values``, shape ``(..., rank)``, falling."""
        floor = max(1, int(self.floor * columns))
        return lowrank.guarded(lowrank.rank_above(values, self.cutoff), rank, floor=floor, share=self.keep)
