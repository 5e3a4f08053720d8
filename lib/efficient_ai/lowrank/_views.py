"""A weight tensor as matrices."""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class MatrixView:
    """A weight as ``count`` matrices of equal shape, each tall: ``rows >= columns``.

    The first axis of the weight is cut into ``count`` equal parts; within each, the first axis stays and the others become one. A
    wide matrix is turned. A convolution with groups is one matrix per group, for none of its outputs sees another
    group's inputs; a packed attention projection is three.

    Args:
        shape: of the weight.
        count: of the matrices.

    Raises:
        ValueError: the weight has less than two axes, an axis of length 0, or a first axis that cannot be cut so.
    """

    shape: tuple[int, ...]
    count: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        if len(self.shape) < 2 or 0 in self.shape:
            raise ValueError(f"a weight of shape {self.shape} is no matrix")
        if self.count < 1 or self.shape[0] % self.count:
            raise ValueError(f"the first axis of {self.shape} cannot be cut into {self.count} equal parts")

    @property
    def _flat(self) -> tuple[int, int]:
        return self.shape[0] // self.count, math.prod(self.shape[1:])

    @property
    def turned(self) -> bool:
        """Whether the matrices are the transposes of the flattened weight."""
        first, rest = self._flat
        return first < rest

    @property
    def rows(self) -> int:
        """The longer side."""
        return max(self._flat)

    @property
    def columns(self) -> int:
        """The shorter side: the largest possible rank."""
        return min(self._flat)

    def split(self, weight: torch.Tensor) -> torch.Tensor:
        """The matrices of a weight (or of anything shaped like it), shape ``(count, rows, columns)``; no copy if it can be.

        Raises:
            ValueError: another shape than this view's.
        """
        if tuple(weight.shape) != self.shape:
            raise ValueError(f"this view is of a weight of shape {self.shape}, not {tuple(weight.shape)}")
        matrices = weight.reshape(self.count, *self._flat)
        return matrices.mT if self.turned else matrices

    def join(self, matrices: torch.Tensor) -> torch.Tensor:
        """The weight of these matrices: the inverse of :meth:`split`.

        Raises:
            ValueError: not ``count`` matrices of ``rows`` and ``columns``.
        """
        if tuple(matrices.shape) != (self.count, self.rows, self.columns):
            wanted = (self.count, self.rows, self.columns)
            raise ValueError(f"this view has matrices of shape {wanted}, not {tuple(matrices.shape)}")
        return (matrices.mT if self.turned else matrices).reshape(self.shape)
