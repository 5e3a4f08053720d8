"""A ring scanner as the network sees it: numbered crystals, and who stands opposite whom."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from efficient_ai.petnet import _valid


@dataclass(frozen=True)
class Detector:
    """Crystals on a cylinder; crystal ``ring * per_ring + column``.

    Args:
        rings: number of rings along the axis.
        per_ring: crystals around one ring, an even number.

    Raises:
        ValueError: no crystals, or an odd ring, in which no crystal has an opposite one.
    """

    rings: int
    per_ring: int

    def __post_init__(self):
        _valid.count("rings", self.rings)
        _valid.count("per_ring", self.per_ring)
        if self.rings < 1 or self.per_ring < 2 or self.per_ring % 2:
            raise ValueError(
                f"{self.rings} rings of {self.per_ring} crystals: give at least one ring of an even number"
            )

    @property
    def crystals(self) -> int:
        return self.rings * self.per_ring

    def place(self, crystal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``(ring, column)`` of each crystal."""
        return np.divmod(
            np.asarray(crystal, dtype=np.int64), self.per_ring
        )  # a narrow type could not subtract

    def opposite(self, first: np.ndarray, second: np.ndarray, spread: int) -> np.ndarray:
        """Whether two crystals lie within ``spread`` columns and rings of being opposite; the arrays broadcast.

        Opposite means half a turn around the ring, and the mirrored ring along the axis: a line through the middle of
        the scanner.
        """
        _valid.count("spread", spread)
        (ring1, column1), (ring2, column2) = self.place(first), self.place(second)
        half = self.per_ring // 2
        around = (column2 - column1 - half) % self.per_ring
        around = np.minimum(around, self.per_ring - around)
        along = np.abs(ring2 - (self.rings - 1 - ring1))
        return (around <= spread) & (along <= spread)

    @cached_property
    def _everybody(self) -> np.ndarray:
        return np.arange(self.crystals)

    def window(self, spread: int) -> np.ndarray:
        """The rectangular window of each crystal as a matrix of 0 and 1, shape ``(crystals, crystals)``.

        Row ``c`` marks the crystals that lie opposite ``c``.
        """
        return self.opposite(self._everybody[:, None], self._everybody[None, :], spread).astype(np.float32)
