"""Crossformer: segments of every series as tokens, attention over time and between series (Zhang & Yan, ICLR 2023)."""

import torch
from torch import Tensor, nn

from efficient_ai.forecasters.seq2seq._mixing import Attention, FullAttention
from efficient_ai.forecasters.seq2seq._parts import Sizes, heads_of


def _attention(width: int, heads: int) -> Attention:
    return Attention(width, heads, FullAttention(heads_of(width, heads)))


def _rise(width: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))


class TwoStage(nn.Module):
    """Attention over the segments of each series, then between the series through a few routers.

    Args:
        segments: of a series.
        factor: routers for each segment.
    """

    def __init__(self, segments: int, factor: int, width: int, heads: int, hidden: int, dropout: float):
        super().__init__()
        self.time, self.send, self.receive = (_attention(width, heads) for _ in range(3))
        self.router = nn.Parameter(torch.randn(segments, factor, width))
        self.feeds = nn.ModuleList(_rise(width, hidden) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, segments, width)`` to the same shape."""
        channels, segments = x.shape[1], x.shape[2]
        tokens = x.flatten(0, 1)
        tokens = self.norms[0](tokens + self.dropout(self.time(tokens, tokens)))
        tokens = self.norms[1](tokens + self.dropout(self.feeds[0](tokens)))
        across = tokens.unflatten(0, (-1, channels)).transpose(1, 2)  # (batch, segments, channels, width)
        router = self.router.unsqueeze(0).expand(x.shape[0], -1, -1, -1).flatten(0, 1)
        across = across.flatten(0, 1)
        gathered = self.send(router, across)
        across = self.norms[2](across + self.dropout(self.receive(across, gathered)))
        across = self.norms[3](across + self.dropout(self.feeds[1](across)))
        return across.unflatten(0, (-1, segments)).transpose(1, 2)


class Merge(nn.Module):
    """Two neighbouring segments become one; a last one without neighbour is taken twice."""

    def __init__(self, segments: int, width: int):
        super().__init__()
        self.odd = segments % 2 == 1
        self.norm, self.project = nn.LayerNorm(2 * width), nn.Linear(2 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        if self.odd:
            x = torch.cat([x, x[:, :, -1:]], dim=2)
        return self.project(self.norm(torch.cat([x[:, :, 0::2], x[:, :, 1::2]], dim=-1)))


class CrossDecoder(nn.Module):
    """One decoder layer and what it says about the forecast."""

    def __init__(self, segments, steps, factor, width, heads, hidden, dropout):
        super().__init__()
        self.own = TwoStage(segments, factor, width, heads, hidden, dropout)
        self.cross = _attention(width, heads)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.feed, self.dropout = _rise(width, width), nn.Dropout(dropout)
        self.head = nn.Linear(width, steps)

    def forward(self, x: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        channels = x.shape[1]
        x, memory = self.own(x).flatten(0, 1), memory.flatten(0, 1)
        x = self.norms[0](x + self.dropout(self.cross(x, memory)))
        x = self.norms[1](x + self.feed(x)).unflatten(0, (-1, channels))
        return x, self.head(x)


class Crossformer(nn.Module):
    """Encoder of three scales and a decoder that reads one scale per layer; the layers' forecasts are summed.

    Knows no time marks.

    Args:
        channels, history, horizon: of the samples.
        segment: steps in a token; a history that it does not divide is filled with its first step in front.
        factor: routers for each segment.
        encoders: scales; the decoder has one layer more.
    """

    def __init__(
        self, channels: int, history: int, horizon: int, segment: int = 12, width: int = 256, heads: int = 4,
        hidden: int = 512, encoders: int = 3, factor: int = 10, dropout: float = 0.2,
    ):  # fmt: skip
        super().__init__()
        if isinstance(segment, bool) or segment < 1:
            raise ValueError(f"a segment has at least 1 step, not {segment}")
        self.sizes = Sizes(channels, history, horizon, 0, 0)
        self.before, self.segment = -history % segment, segment
        segments, asked = -(-history // segment), -(-horizon // segment)
        self.embed = nn.Linear(segment, width)
        self.place = nn.Parameter(torch.randn(1, channels, segments, width))
        self.norm = nn.LayerNorm(width)
        self.merges, self.encoder = nn.ModuleList(), nn.ModuleList()
        for scale in range(encoders):
            if scale:
                self.merges.append(Merge(segments, width))
                segments = -(-segments // 2)
            self.encoder.append(TwoStage(segments, factor, width, heads, hidden, dropout))
        self.queries = nn.Parameter(torch.randn(1, channels, asked, width))
        self.decoder = nn.ModuleList(
            CrossDecoder(asked, segment, factor, width, heads, hidden, dropout) for _ in range(encoders + 1)
        )

    def forward(self, history: Tensor, marks: Tensor | None = None) -> Tensor:
        """Forecast ``(batch, horizon, channels)`` of a history ``(batch, history, channels)``."""
        x = self.sizes(history, marks).transpose(1, 2)
        if self.before:
            x = torch.cat([x[:, :, :1].expand(-1, -1, self.before), x], dim=2)
        x = self.norm(self.embed(x.unflatten(2, (-1, self.segment))) + self.place)
        scales = [x]
        for i, layer in enumerate(self.encoder):
            x = layer(x if i == 0 else self.merges[i - 1](x))
            scales.append(x)
        tokens = self.queries.expand(history.shape[0], -1, -1, -1)
        total = None
        for layer, memory in zip(self.decoder, scales, strict=True):
            tokens, said = layer(tokens, memory)
            total = said if total is None else total + said
        return total.flatten(2)[:, :, : self.sizes.horizon].transpose(1, 2)
