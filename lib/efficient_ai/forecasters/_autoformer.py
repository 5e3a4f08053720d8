"""Autoformer: series are split into trend and rest, and attention looks for delays (Wu et al., NeurIPS 2021)."""

import math

import torch
from torch import Tensor, nn


def moving_average(x: Tensor, window: int = 25) -> Tensor:
    """Mean over ``window`` steps around each step, the ends repeated; ``(batch, steps, channels)`` as ``x``."""
    before = (window - 1) // 2
    padded = nn.functional.pad(x.transpose(1, 2), (before, window - 1 - before), mode="replicate")
    return nn.functional.avg_pool1d(padded, window, stride=1).transpose(1, 2)


class AutoCorrelation(nn.Module):
    """Attention between delays: the values are shifted by the delays at which queries and keys agree, and averaged.

    The agreement at every delay is found with the FFT; the ``factor * ln(steps)`` best delays are used, weighted by a
    softmax. In training they are chosen for the batch together, in evaluation for each sample.

    Args:
        width: of the tokens.
        heads: which share delays but not values.
        factor: how many delays.
    """

    def __init__(self, width: int, heads: int = 4, factor: float = 1.0):
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} cannot be shared out to {heads} heads")
        self.heads, self.factor = heads, factor
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """``(batch, steps, width)`` as ``x``; keys and values from ``other``, cut or filled with zeros to its length."""
        steps = x.shape[1]
        other = other[:, :steps]
        if other.shape[1] < steps:
            other = nn.functional.pad(other, (0, 0, 0, steps - other.shape[1]))
        query, key, value = self.query(x), self.key(other), self.value(other)
        spectrum = torch.fft.rfft(query, dim=1) * torch.fft.rfft(key, dim=1).conj()
        agreement = torch.fft.irfft(spectrum, n=steps, dim=1).mean(dim=2)  # (batch, delays)
        count = max(1, int(self.factor * math.log(steps)))
        if self.training:
            shared = agreement.mean(dim=0).topk(count).indices
            weights = agreement[:, shared].softmax(dim=1)
            rolled = [value.roll(-int(delay), 1) for delay in shared]
            mixed = sum(weights[:, i, None, None] * part for i, part in enumerate(rolled))
        else:
            best = agreement.topk(count, dim=1)
            weights = best.values.softmax(dim=1)
            index = (torch.arange(steps, device=x.device)[None, :, None] + best.indices[:, None]) % steps
            rolled = value[torch.arange(len(x), device=x.device)[:, None, None], index]
            mixed = (rolled * weights[:, None, :, None]).sum(dim=2)  # over (batch, steps, delays, width)
        return self.out(mixed)


class _Layer(nn.Module):
    """Auto-correlations and a feed-forward part; after each, only the rest goes on and the trend is set aside."""

    def __init__(
        self, width: int, heads: int, hidden: int, window: int, factor: float, dropout: float, cross: bool
    ):
        super().__init__()
        self.window = window
        self.own = AutoCorrelation(width, heads, factor)
        self.cross = AutoCorrelation(width, heads, factor) if cross else None
        self.feed = nn.Sequential(
            nn.Linear(width, hidden, bias=False),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width, bias=False),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        total = torch.zeros_like(x)
        parts = [lambda x: self.own(x, x), self.feed]
        if self.cross is not None:
            parts.insert(1, lambda x: self.cross(x, memory))
        for part in parts:
            x = x + self.dropout(part(x))
            trend = moving_average(x, self.window)
            x, total = x - trend, total + trend
        return x, total


class Autoformer(nn.Module):
    """Encoder and decoder of auto-correlation layers; the trend is accumulated beside them.

    The decoder starts from the last half of the history: its rest followed by zeros, its trend followed by the mean.

    Args:
        steps: length of the history.
        horizon: length of the forecast.
        channels: series in one sample.
        marks: columns of the calendar features of each step; 0 for none.
        width: of the tokens.
        heads: of each auto-correlation.
        hidden: width of the feed-forward parts.
        encoders, decoders: layers.
        window: of the moving average.
        factor: delays per auto-correlation, in units of ln(steps).
        dropout: after each part.
    """

    def __init__(
        self,
        steps: int,
        horizon: int,
        channels: int = 1,
        marks: int = 0,
        width: int = 32,
        heads: int = 4,
        hidden: int = 64,
        encoders: int = 2,
        decoders: int = 1,
        window: int = 25,
        factor: float = 1.0,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.horizon, self.label, self.window = horizon, steps // 2, window

        def embedding() -> nn.Conv1d:
            return nn.Conv1d(channels, width, 3, padding=1, padding_mode="circular", bias=False)

        def layer(cross: bool) -> _Layer:
            return _Layer(width, heads, hidden, window, factor, dropout, cross)

        self.embed_past, self.embed_asked = embedding(), embedding()
        self.mark_past = nn.Linear(marks, width, bias=False) if marks else None
        self.mark_asked = nn.Linear(marks, width, bias=False) if marks else None
        self.encoder = nn.ModuleList(layer(cross=False) for _ in range(encoders))
        self.decoder = nn.ModuleList(layer(cross=True) for _ in range(decoders))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.trend = nn.Conv1d(width, channels, 3, padding=1, padding_mode="circular", bias=False)
        self.head = nn.Linear(width, channels)

    def forward(self, x: Tensor, marks: Tensor | None = None) -> Tensor:
        """Forecast ``(batch, horizon, channels)``.

        Args:
            x: history, shape ``(batch, steps, channels)``.
            marks: calendar features of history and forecast, shape ``(batch, steps + horizon, marks)``.
        """
        past = marks[:, : x.shape[1]] if marks is not None else None
        asked = marks[:, x.shape[1] - self.label :] if marks is not None else None
        memory = self._embed(self.embed_past, self.mark_past, x, past)
        for layer in self.encoder:
            memory, _ = layer(memory)
        memory = self._norm(0, memory)
        recent = x[:, -self.label :]
        trend = moving_average(recent, self.window)
        rest = nn.functional.pad(recent - trend, (0, 0, 0, self.horizon))
        trend = torch.cat([trend, x.mean(dim=1, keepdim=True).expand(-1, self.horizon, -1)], dim=1)
        rest = self._embed(self.embed_asked, self.mark_asked, rest, asked)
        for layer in self.decoder:
            rest, found = layer(rest, memory)
            trend = trend + self.trend(found.transpose(1, 2)).transpose(1, 2)
        return (trend + self.head(self._norm(1, rest)))[:, -self.horizon :]

    def _norm(self, which: int, x: Tensor) -> Tensor:
        """Layer norm without the mean over the steps, so that a norm brings no trend back."""
        x = self.norms[which](x)
        return x - x.mean(dim=1, keepdim=True)

    @staticmethod
    def _embed(values: nn.Conv1d, marks: nn.Linear | None, x: Tensor, given: Tensor | None) -> Tensor:
        tokens = values(x.transpose(1, 2)).transpose(1, 2)
        return tokens if marks is None or given is None else tokens + marks(given)
