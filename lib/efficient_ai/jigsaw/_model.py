"""WeatherMixer: an MLP-Mixer for the globe (Section 3.2), the same code serial and sharded."""

import zlib
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficient_ai.jigsaw._config import MixerConfig, vectors, weights
from efficient_ai.jigsaw._layout import Layout
from efficient_ai.jigsaw._ops import Serial
from efficient_ai.jigsaw._random import index_of, uniform_at


class WeatherMixer(nn.Module):
    """Weather at one time in, weather one step later out.

    Args:
        config: sizes; for a sharded model ``config.padded()``.
        ops: :class:`Serial`, or :class:`Sharded` for this rank's part of a model.
        seed: of the weights. Serial and sharded models with the same seed have the same weights: each number is drawn by its
            position in the whole, so no rank ever holds more than its block.
        dtype: of the parameters.
    """

    def __init__(
        self, config: MixerConfig, ops: Any = None, seed: int = 0, dtype: torch.dtype = torch.float32
    ):
        super().__init__()
        self.config, self.ops, self.seed, self.step = config, ops or Serial(), seed, 0
        config.check(self.ops.grid)
        self.layout = Layout(config, self.ops.grid, self.ops.rank)
        self.params = nn.ParameterDict()
        for name in weights(config):
            self._add(f"{name}.weight", dtype)
        for name in vectors(config):
            self._add(name, dtype)
        self.register_load_state_dict_pre_hook(_same_piece)

    def get_extra_state(self) -> Tensor:
        """Which piece of which grid this is: rows, columns, rank. A ``state_dict`` belongs to one piece."""
        return torch.tensor([self.ops.grid.rows, self.ops.grid.cols, self.ops.rank])

    def set_extra_state(self, state: Tensor) -> None:
        """Nothing to set; another piece was refused before."""

    def _add(self, name: str, dtype: torch.dtype) -> None:
        """Parameter ``name``, uniform within 1 / sqrt(inputs) as torch's layers are; norms begin as the identity."""
        matrix = name.removesuffix(".weight").removesuffix(".bias")
        cols = self.layout.cols(name if matrix not in weights(self.config) or "bias" in name else matrix)
        if "norm" in name:
            value = torch.ones(len(cols)) if name.endswith("weight") else torch.zeros(len(cols))
        else:
            shape = weights(self.config)[matrix]
            inputs = shape[0] if "token" in matrix else shape[1]  # token weights are stored (in, out)
            place = (
                cols
                if name.endswith("bias")
                else index_of(self.layout.rows(matrix), self.layout.cols(matrix), shape[1])
            )
            value = (2 * uniform_at(place, self.seed, zlib.crc32(name.encode())) - 1) / inputs**0.5
        self.params[name.replace(".", "/")] = nn.Parameter(value.to(dtype))

    def get(self, name: str) -> nn.Parameter:
        """The parameter ``name``, for example ``"blocks.0.token1.weight"``."""
        return self.params[name.replace(".", "/")]

    def replicated(self) -> list[nn.Parameter]:
        """Biases and norms that learn: cut along channels or tokens, but equal on all rows of the grid."""
        return [p for p in self.params.values() if p.ndim == 1 and p.requires_grad]

    def forward(self, x: Tensor, rollout: int = 1) -> Tensor:
        """The next state.

        Args:
            x: this rank's part, ``[batch, inputs / cols, lat, lon / rows]``.
            rollout: how often the processor is applied; latent: embedded once, decoded once.

        Returns:
            ``[batch, outputs / cols, lat, lon / rows]``.
        """
        embedded = state = self._linear("embed", self._patches(x))
        for turn in range(rollout):
            for k in range(self.config.blocks):
                state = self._block(f"blocks.{k}", state, turn)
        skip = torch.cat([self._norm("norm", state), embedded], dim=-1)
        recovered = self._fields(self._linear("recover", skip), x.shape)
        points = recovered.permute(0, 2, 3, 1)
        known = x[:, : recovered.shape[1]].permute(0, 2, 3, 1)
        pair = torch.cat([self._norm("norm_out", points), known], dim=-1)
        blended = self._linear("blend", self._norm("norm_blend", pair))
        return blended.permute(0, 3, 1, 2)

    def _block(self, name: str, x: Tensor, turn: int) -> Tensor:
        tokens, width = ("tokens", "hidden"), ("width", "wide")
        u = self.ops.xtw(self._norm(f"{name}.norm1", x), *self._pair(f"{name}.token1"))
        u = self._drop(F.gelu(u), f"{name}.token1", turn, "width", tokens[1])
        u = self.ops.xw(u, *self._pair(f"{name}.token2"))
        u = self._drop(u, f"{name}.token2", turn, "width", tokens[0])
        x = x + self.ops.transpose(u)
        u = self._linear(f"{name}.channel1", self._norm(f"{name}.norm2", x))
        u = self._drop(F.gelu(u), f"{name}.channel1", turn, "tokens", width[1])
        u = self._linear(f"{name}.channel2", u)
        return x + self._drop(u, f"{name}.channel2", turn, "tokens", width[0])

    def _pair(self, name: str) -> tuple[Tensor, Tensor]:
        return self.get(f"{name}.weight"), self.get(f"{name}.bias")

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._pair(name)
        if len(bias) != len(weight) * self.ops.grid.rows // self.ops.grid.cols:  # one bias for all of a patch
            bias = bias.repeat_interleave(self.config.patch)
        return self.ops.xwt(x, weight, bias)

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return self.ops.norm(x, *self._pair(name))

    def _drop(self, x: Tensor, name: str, turn: int, row_axis: str, col_axis: str) -> Tensor:
        """Dropout whose mask is drawn by position: each rank makes its block of the serial model's mask."""
        p = self.config.dropout
        if p == 0 or not self.training:
            return x
        rows = self.layout.axis(row_axis, by_rows=True)
        cols = self.layout.axis(col_axis, by_rows=False)
        place = index_of(rows, cols, 1 << 24).to(x.device)
        keys = (self.seed, self.step, turn, zlib.crc32(name.encode()))
        kept = torch.stack([uniform_at(place, sample, *keys) >= p for sample in range(len(x))])
        return x * (kept.to(x.dtype) / (1 - p))

    def _patches(self, x: Tensor) -> Tensor:
        """``[batch, channels, lat, lon]`` to ``[batch, tokens, channels * patch]``."""
        b, c, lat, lon = x.shape
        p = self.config.patch
        return x.reshape(b, c, lat * lon // p, p).permute(0, 2, 1, 3).reshape(b, -1, c * p)

    def _fields(self, tokens: Tensor, shape: torch.Size) -> Tensor:
        """The inverse of :meth:`_patches`, on the grid of ``shape``."""
        b, _, lat, lon = shape
        p = self.config.patch
        return tokens.reshape(b, lat * lon // p, -1, p).permute(0, 2, 1, 3).reshape(b, -1, lat, lon)


def _same_piece(model: WeatherMixer, state: dict, prefix: str, *_: Any) -> None:
    """Refuse the ``state_dict`` of another piece, whose tensors may have the same shapes, before anything is copied."""
    theirs, ours = state.get(f"{prefix}_extra_state"), model.get_extra_state()
    if theirs is not None and theirs.tolist() != ours.tolist():
        (rows, cols, rank), (r, c, own) = theirs.tolist(), ours.tolist()
        raise ValueError(
            f"this state is of rank {rank} of {rows} x {cols}, and the model is rank {own} of {r} x {c}: "
            "keep models with jigsaw.save and jigsaw.load, which cut them anew"
        )
