"""Transformer, Informer, Autoformer and FEDformer, with the arguments that the study uses as defaults."""

import numpy as np
import torch
from torch import Tensor, nn

from efficient_ai.forecasters.seq2seq._mixing import (
    Attention,
    AutoCorrelation,
    FourierBlock,
    FourierCross,
    FullAttention,
    ProbSparse,
)
from efficient_ai.forecasters.seq2seq._parts import Sizes, heads_of
from efficient_ai.forecasters.seq2seq._skeleton import Attentive, Decomposing


class Transformer(Attentive):
    """Attention of every step to every other one (Vaswani et al. 2017), all forecast steps at once."""

    def __init__(
        self, channels: int, history: int, horizon: int, label: int | None = None, marks: int = 4,
        width: int = 512, heads: int = 8, hidden: int = 2048, encoders: int = 2, decoders: int = 1,
        dropout: float = 0.05,
    ):  # fmt: skip
        size = heads_of(width, heads)
        super().__init__(
            channels, history, horizon, label, marks, width, heads, hidden, encoders, decoders, dropout,
            lambda causal: Attention(width, heads, FullAttention(size, causal)),
        )  # fmt: skip


class Informer(Attentive):
    """ProbSparse attention, and a sequence that is halved between encoder layers (Zhou et al. 2021).

    Args:
        factor: sampled keys and kept queries, in units of the logarithm of the length.
        seed: of the samples.
    """

    def __init__(
        self, channels: int, history: int, horizon: int, label: int | None = None, marks: int = 4,
        width: int = 512, heads: int = 8, hidden: int = 2048, encoders: int = 2, decoders: int = 1,
        dropout: float = 0.05, factor: int = 3, seed: int = 0,
    ):  # fmt: skip
        size, count = heads_of(width, heads), iter(range(10**6))

        def attention(causal: bool) -> Attention:
            return Attention(width, heads, ProbSparse(size, causal, factor, seed + 7919 * next(count)))

        super().__init__(
            channels, history, horizon, label, marks, width, heads, hidden, encoders, decoders, dropout,
            attention, lambda: Distil(width),
        )  # fmt: skip


class Wrap(nn.Module):
    """Circular padding of a sequence ``(batch, steps, width)``, which may be shorter than the padding."""

    def __init__(self, padding: int):
        super().__init__()
        self.padding = padding

    def forward(self, x: Tensor) -> Tensor:
        steps = x.shape[1]
        return x[:, torch.arange(-self.padding, steps + self.padding, device=x.device) % steps]

    def couple_channels(self, trace, given, value):
        """Surgery: channels pass through."""
        return np.broadcast_to(trace.ties.collapse(given[0], [0, 1]), tuple(value.shape))


class Distil(nn.Module):
    """Convolution, batch norm and pooling that halve the number of steps."""

    def __init__(self, width: int):
        super().__init__()
        self.wrap, self.convolve = Wrap(2), nn.Conv1d(width, width, 3)
        self.norm, self.act = nn.BatchNorm1d(width), nn.ELU()
        self.pool = nn.MaxPool1d(3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.pool(self.act(self.norm(self.convolve(self.wrap(x).transpose(1, 2))))).transpose(1, 2)


class Autoformer(Decomposing):
    """Attention between delays, series split into trend and rest (Wu et al. 2021).

    Args:
        window: of the moving average, its ends repeated.
        factor: delays, in units of the logarithm of the length.
        released: the moving average as in the authors' code of the study.
    """

    def __init__(
        self, channels: int, history: int, horizon: int, label: int | None = None, marks: int = 4,
        width: int = 512, heads: int = 8, hidden: int = 2048, encoders: int = 2, decoders: int = 1,
        dropout: float = 0.05, window: int = 25, factor: float = 3, released: bool = False,
    ):  # fmt: skip
        def attention() -> Attention:
            return Attention(width, heads, AutoCorrelation(factor))

        super().__init__(
            channels, history, horizon, label, marks, width, hidden, dropout,
            [attention() for _ in range(encoders)], [(attention(), attention()) for _ in range(decoders)],
            window, released, idle_first=False,
        )  # fmt: skip


class FEDformer(Decomposing):
    """Attention replaced by products with complex kernels at some random frequencies (Zhou et al. 2022).

    Args:
        modes: frequencies that are kept, at most half as many as steps. They are drawn once and saved with the weights.
        seed: of this draw.
        window, released: as of :class:`Autoformer`.
    """

    def __init__(
        self, channels: int, history: int, horizon: int, label: int | None = None, marks: int = 4,
        width: int = 512, heads: int = 8, hidden: int = 2048, encoders: int = 2, decoders: int = 1,
        dropout: float = 0.05, modes: int = 64, seed: int = 0, window: int = 25, released: bool = False,
    ):  # fmt: skip
        if isinstance(modes, bool) or modes < 1:
            raise ValueError(f"at least one frequency must be kept, not {modes}")
        rng = torch.Generator().manual_seed(seed)
        asked = Sizes(channels, history, horizon, label, marks).label + horizon
        shared = FourierBlock(width, heads, history, modes, rng)  # one for all encoder layers
        own = FourierBlock(width, heads, asked, modes, rng)
        cross = FourierCross(width, heads, asked, history, modes, rng)
        super().__init__(
            channels, history, horizon, label, marks, width, hidden, dropout,
            [Attention(width, heads, shared) for _ in range(encoders)],
            [(Attention(width, heads, own), Attention(width, heads, cross)) for _ in range(decoders)],
            window, released, idle_first=True,
        )  # fmt: skip
