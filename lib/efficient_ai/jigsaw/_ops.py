"""The operations of a WeatherMixer, twice: plain torch for the serial model, hand-written exchanges for the sharded one."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from efficient_ai.jigsaw._functions import ExactLayerNorm, LinearXTW, LinearXW, LinearXWT, Place, Transpose
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.transport import Transport

Tensor = torch.Tensor


class Serial:
    """One process holds everything; autograd does the backward pass."""

    grid, rank = Grid(1, 1), 0

    def xwt(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return F.linear(x, w, b)

    def xtw(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return x.mT @ w + b

    def xw(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return x @ w + b

    def transpose(self, x: Tensor) -> Tensor:
        return x.mT

    def norm(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return F.layer_norm(x, w.shape, w, b, 1e-5)


class GroupedNorm(Serial):
    """The serial model with the LayerNorm of the authors' parallel code: each of ``groups`` parts of the channels by itself."""

    def __init__(self, groups: int):
        self.groups = groups

    def norm(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        parts = x.unflatten(-1, (self.groups, -1))
        return F.layer_norm(parts, parts.shape[-1:], None, None, 1e-5).flatten(-2) * w + b


class Sharded:
    """This rank holds one block of everything (Jigsaw)."""

    def __init__(self, grid: Grid, transport: Transport):
        if transport.size != grid.size:
            raise ValueError(f"{grid.rows} x {grid.cols} needs {grid.size} ranks, not {transport.size}")
        self.grid, self.rank, self.place = grid, transport.rank, Place(grid, transport)

    def xwt(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return LinearXWT.apply(x, w, b, self.place)

    def xtw(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return LinearXTW.apply(x, w, b, self.place)

    def xw(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return LinearXW.apply(x, w, b, self.place)

    def transpose(self, x: Tensor) -> Tensor:
        return Transpose.apply(x, self.place)

    def norm(self, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
        return ExactLayerNorm.apply(x, w, b, 1e-5, self.place)

    def reduce_replicated(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Sum the gradients of what the rows of the grid hold twice (biases, norms) over the rows, in one message each way."""
        from efficient_ai.transport import gather_small

        column = self.grid.column_of(self.rank)
        if len(column) == 1 or not parameters:
            return
        flat = torch.cat([p.grad.reshape(-1) for p in parameters])
        total = sum(gather_small(self.place.transport, flat, column))
        for p, part in zip(parameters, total.split([p.numel() for p in parameters]), strict=True):
            p.grad.copy_(part.reshape(p.shape))
