"""The skeleton that Transformer and Informer, and that Autoformer and FEDformer share."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from efficient_ai.forecasters.seq2seq._mixing import Attention
from efficient_ai.forecasters.seq2seq._parts import Decomposition, Embedding, Feed, Sizes


class EncoderLayer(nn.Module):
    """Attention and feed-forward, each added to the stream and followed by a layer norm."""

    def __init__(self, attention: Attention, width: int, hidden: int, dropout: float):
        super().__init__()
        self.attention, self.feed = attention, Feed(width, hidden, dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norms[0](x + self.dropout(self.attention(x, x)))
        return self.norms[1](x + self.feed(x))


class DecoderLayer(nn.Module):
    """As the encoder layer, with attention to the memory in between."""

    def __init__(self, own: Attention, cross: Attention, width: int, hidden: int, dropout: float):
        super().__init__()
        self.own, self.cross, self.feed = own, cross, Feed(width, hidden, dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        x = self.norms[0](x + self.dropout(self.own(x, x)))
        x = self.norms[1](x + self.dropout(self.cross(x, memory)))
        return self.norms[2](x + self.feed(x))


class Attentive(nn.Module):
    """Encoder, decoder and a linear layer; the decoder starts from the last known steps, followed by zeros.

    Args:
        channels, history, horizon: of the samples, see :class:`Sizes`.
        label: known steps that the decoder repeats; half of the history if not given.
        marks: columns of the time marks.
        width, heads, hidden: of the tokens, of each attention, of the feed-forward parts.
        encoders, decoders: layers.
        dropout: after each part.
        attention: ``attention(causal) -> Attention``.
        distil: makes what halves the sequence between two encoder layers.
    """

    def __init__(
        self, channels, history, horizon, label, marks, width, heads, hidden, encoders, decoders, dropout,
        attention: Callable[[bool], Attention], distil: Callable[[], nn.Module] | None = None,
    ):  # fmt: skip
        super().__init__()
        self.sizes = sizes = Sizes(channels, history, horizon, label, marks)
        self.embed_past = Embedding(sizes, width, history, dropout)
        self.embed_asked = Embedding(sizes, width, sizes.label + horizon, dropout)
        self.encoder = nn.ModuleList(
            EncoderLayer(attention(False), width, hidden, dropout) for _ in range(encoders)
        )
        self.distil = nn.ModuleList(distil() for _ in range(encoders - 1)) if distil else None
        self.decoder = nn.ModuleList(
            DecoderLayer(attention(True), attention(False), width, hidden, dropout) for _ in range(decoders)
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.head = nn.Linear(width, channels)

    def forward(self, history: Tensor, marks: Tensor | None = None) -> Tensor:
        """Forecast ``(batch, horizon, channels)``.

        Args:
            history: shape ``(batch, history, channels)``.
            marks: of history and forecast, shape ``(batch, history + horizon, marks)``.
        """
        x, s = self.sizes(history, marks), self.sizes
        past = None if not s.marks else marks[:, : s.history]
        asked = None if not s.marks else marks[:, s.history - s.label :]
        memory = self.embed_past(x, past)
        for i, layer in enumerate(self.encoder):
            memory = layer(memory)
            if self.distil is not None and i < len(self.distil):
                memory = self.distil[i](memory)
        memory = self.norms[0](memory)
        start = nn.functional.pad(x[:, s.history - s.label :], (0, 0, 0, s.horizon))
        tokens = self.embed_asked(start, asked)
        for layer in self.decoder:
            tokens = layer(tokens, memory)
        return self.head(self.norms[1](tokens))[:, s.label :]


class SeasonalLayer(nn.Module):
    """After each part only the rest goes on; the trends are summed and, in the decoder, projected to the channels."""

    def __init__(
        self, parts: list[Attention], width: int, hidden: int, dropout: float,
        split: Callable[[], Decomposition], channels: int,
    ):  # fmt: skip
        super().__init__()
        self.own, self.cross = parts[0], parts[1] if len(parts) > 1 else None
        self.feed = Feed(width, hidden, dropout, bias=False)
        self.splits = nn.ModuleList(split() for _ in range(len(parts) + 1))
        self.dropout = nn.Dropout(dropout)
        self.trend = (
            nn.Conv1d(width, channels, 3, padding=1, padding_mode="circular", bias=False)
            if channels
            else None
        )

    def forward(self, x: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x, found = self.splits[0](x + self.dropout(self.own(x, x)))
        if self.cross is not None:
            x, trend = self.splits[1](x + self.dropout(self.cross(x, memory)))
            found = found + trend
        x, trend = self.splits[-1](x + self.feed(x))
        if self.trend is None:
            return x, None
        return x, self.trend((found + trend).transpose(1, 2)).transpose(1, 2)


class Decomposing(nn.Module):
    """Series are split into trend and rest all the way; no positions. Arguments as :class:`Attentive`, and

    Args:
        attentions: for every encoder layer one, then for every decoder layer two.
        window: of the moving average.
        released: the average as in the authors' code, window 24 between zeros, whatever ``window`` says.
        idle_first: whether the first split of the released form has idle weights, too.
    """

    def __init__(
        self, channels, history, horizon, label, marks, width, hidden, dropout,
        encoder: list[Attention], decoder: list[tuple[Attention, Attention]],
        window: int, released: bool, idle_first: bool,
    ):  # fmt: skip
        super().__init__()
        window = 24 if released else window
        self.sizes = sizes = Sizes(channels, history, horizon, label, marks)
        self.split = Decomposition(window, released, idle_first)
        self.embed_past, self.embed_asked = (Embedding(sizes, width, 0, dropout) for _ in range(2))

        def split() -> Decomposition:
            return Decomposition(window, released)

        self.encoder = nn.ModuleList(
            SeasonalLayer([own], width, hidden, dropout, split, 0) for own in encoder
        )
        self.decoder = nn.ModuleList(
            SeasonalLayer(list(pair), width, hidden, dropout, split, channels) for pair in decoder
        )
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.head = nn.Linear(width, channels)

    def forward(self, history: Tensor, marks: Tensor | None = None) -> Tensor:
        """Forecast ``(batch, horizon, channels)``; arguments as :meth:`Attentive.forward`."""
        x, s = self.sizes(history, marks), self.sizes
        past = None if not s.marks else marks[:, : s.history]
        asked = None if not s.marks else marks[:, s.history - s.label :]
        memory = self.embed_past(x, past)
        for layer in self.encoder:
            memory, _ = layer(memory)
        memory = self._norm(0, memory)
        rest, trend = self.split(x)
        rest = nn.functional.pad(rest[:, s.history - s.label :], (0, 0, 0, s.horizon))
        mean = x.mean(1, keepdim=True).expand(-1, s.horizon, -1)
        trend = torch.cat([trend[:, s.history - s.label :], mean], dim=1)
        rest = self.embed_asked(rest, asked)
        for layer in self.decoder:
            rest, found = layer(rest, memory)
            trend = trend + found
        return (trend + self.head(self._norm(1, rest)))[:, s.label :]

    def trend_only(self, history: Tensor) -> Tensor:
        """What is left of the forecast if the network says nothing: the mean of the history, at every step."""
        return history.mean(1, keepdim=True).expand(-1, self.sizes.horizon, -1)

    def _norm(self, which: int, x: Tensor) -> Tensor:
        x = self.norms[which](x)
        return x - x.mean(1, keepdim=True)  # a norm must not bring a trend back
