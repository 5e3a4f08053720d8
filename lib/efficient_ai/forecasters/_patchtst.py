"""PatchTST: overlapping patches as tokens, every channel on its own (Nie et al., ICLR 2023)."""

import torch
from torch import Tensor, nn


class PatchTST(nn.Module):
    """Patches of a normalised series go through a transformer encoder; one linear layer reads all of them.

    Each window is shifted and scaled by its own mean and standard deviation, which are put back at the end (reversible
    instance normalisation, without learned factors). The last value is repeated ``stride`` times, so that the last patch
    reaches the end. Positions are learned. Norms are batch norms over tokens, as in the paper.

    Args:
        steps: length of the history.
        horizon: length of the forecast.
        patch: steps in a patch.
        stride: steps from one patch to the next.
        width: of the tokens.
        heads: of each attention.
        hidden: width of the feed-forward layers.
        layers: of the encoder.
        dropout: in the encoder.
    """

    def __init__(
        self,
        steps: int,
        horizon: int,
        patch: int = 16,
        stride: int = 8,
        width: int = 32,
        heads: int = 4,
        hidden: int = 64,
        layers: int = 2,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.patch, self.stride = patch, stride
        tokens = (steps - patch) // stride + 2
        self.embed = nn.Linear(patch, width)
        self.position = nn.Parameter(torch.empty(tokens, width).uniform_(-0.02, 0.02))
        self.layers = nn.ModuleList(_Layer(width, heads, hidden, dropout) for _ in range(layers))
        self.head = nn.Linear(tokens * width, horizon)

    def forward(self, x: Tensor) -> Tensor:
        """Forecast ``(batch, horizon, channels)`` from ``x`` ``(batch, steps, channels)``."""
        series = x.transpose(1, 2)
        mean, spread = series.mean(2, keepdim=True), series.std(2, keepdim=True, correction=0) + 1e-5
        scaled = nn.functional.pad((series - mean) / spread, (0, self.stride), mode="replicate")
        patches = scaled.unfold(2, self.patch, self.stride)  # (batch, channels, tokens, patch)
        tokens = (self.embed(patches) + self.position).flatten(0, 1)
        for layer in self.layers:
            tokens = layer(tokens)
        forecast = self.head(tokens.flatten(1)).unflatten(0, series.shape[:2])
        return (forecast * spread + mean).transpose(1, 2)


class _Layer(nn.Module):
    """Attention and feed-forward, each followed by a batch norm over the tokens of the batch."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, dropout, batch_first=True)
        self.feed = nn.Sequential(
            nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, width)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        attended = self.attention(tokens, tokens, tokens, need_weights=False)[0]
        tokens = self._norm(0, tokens + self.dropout(attended))
        return self._norm(1, tokens + self.dropout(self.feed(tokens)))

    def _norm(self, which: int, tokens: Tensor) -> Tensor:
        return self.norms[which](tokens.transpose(1, 2)).transpose(1, 2)
