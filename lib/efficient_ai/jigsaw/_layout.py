"""Which rows and columns of the serial model's tensors a rank holds, in which order.

Inside a token, channels are in order. Two axes are permuted against the serial model (Section 3.3): tokens are sorted by
the rank row that has their longitudes first, and an axis made by concatenation has the halves of both parts side by side.
"""

from dataclasses import dataclass

import torch

from efficient_ai.jigsaw._config import MixerConfig
from efficient_ai.jigsaw._grid import Grid


@dataclass(frozen=True)
class Layout:
    """The part of a model that rank ``rank`` of ``grid`` holds; all indices are positions in the serial model."""

    config: MixerConfig
    grid: Grid
    rank: int

    def rows(self, name: str) -> torch.Tensor:
        """Rows of weight matrix ``name`` that this rank holds."""
        return self._chunk(self._axes(name)[0], by_rows=True)

    def cols(self, name: str) -> torch.Tensor:
        """Columns of weight matrix ``name``, or entries of vector ``name``, that this rank holds."""
        return self._chunk(self._axes(name)[-1], by_rows=False)

    def axis(self, kind: str, by_rows: bool) -> torch.Tensor:
        """The part of an axis (``"tokens"``, ``"width"``, ...) that this rank holds of a matrix that has it as rows or as columns."""
        return self._chunk(self._order(kind), by_rows)

    def _chunk(self, order: torch.Tensor, by_rows: bool) -> torch.Tensor:
        i, j = self.grid.place(self.rank)
        parts, number = (self.grid.rows, i) if by_rows else (self.grid.cols, j)
        length = len(order) // parts
        return order[number * length : (number + 1) * length]

    def _axes(self, name: str) -> list[torch.Tensor]:
        base = name.split(".")
        kind = base[2] if base[0] == "blocks" else base[0]
        both = {
            "embed": ("width", "features"), "token1": ("tokens", "hidden"), "token2": ("hidden", "tokens"),
            "channel1": ("wide", "width"), "channel2": ("width", "wide"), "recover": ("outputs", "double"),
            "blend": ("channels", "pairs"), "norm": ("width",), "norm1": ("width",), "norm2": ("width",),
            "norm_out": ("channels",), "norm_blend": ("pairs",),
        }[kind]  # fmt: skip
        if base[-1] == "bias" and len(both) == 2:  # a bias belongs to the columns of the result
            both = (both[1],) if kind in ("token1", "token2") else (both[0],)
            if kind == "recover" and self.config.shared_bias:
                both = ("channels",)
        return [self._order(axis) for axis in both]

    def _order(self, axis: str) -> torch.Tensor:
        c = self.config
        if axis == "tokens":
            here = torch.arange(c.tokens).reshape(c.lat, self.grid.rows, -1)
            return here.permute(1, 0, 2).reshape(-1)
        if axis in ("double", "pairs"):
            half = c.width if axis == "double" else c.outputs
            return torch.arange(2 * half).reshape(2, self.grid.cols, -1).permute(1, 0, 2).reshape(-1)
        lengths = {
            "width": c.width,
            "wide": c.channel_hidden,
            "hidden": c.token_hidden,
            "channels": c.outputs,
        }
        lengths |= {"features": c.inputs * c.patch, "outputs": c.outputs * c.patch}
        return torch.arange(lengths[axis])
