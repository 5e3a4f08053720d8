"""The network: an encoder and a decoder layer over days (section 3.6 of our notes on the paper)."""

import torch
from torch import Tensor, nn


class ReCycle(nn.Module):
    """A small transformer whose tokens are days, and which forecasts what the profile leaves over.

    ``forecast = profile of the forecast days + head(transformer(history, profile))``, all forecast days in one pass.
    There is no mask and no positional encoding: a day says by its weekday where it stands.

    Args:
        cycle: steps in a day, D.
        metadata: numbers per day from the calendar, m.
        history: historic days H; the rest of the input are forecast days.
        width: W, of the tokens (in the authors' code ``d_model * nheads``).
        heads: of each attention.
        hidden: width of the feed-forward layers.
        layers: encoder layers and decoder layers, each.
        dropout: in front of each linear layer and inside of the transformer.
        quantiles: outputs per step; 1 for a point forecast.
        residual: add the profile to the output.
        zero_head: begin with an output layer of zeros, so that the untrained network forecasts the profile.
    """

    def __init__(
        self,
        cycle: int = 24,
        metadata: int = 9,
        history: int = 21,
        width: int = 32,
        heads: int = 1,
        hidden: int = 32,
        layers: int = 1,
        dropout: float = 0.0,
        quantiles: int = 1,
        residual: bool = True,
        zero_head: bool = False,
    ):
        super().__init__()
        self.cycle, self.history, self.quantiles, self.residual = cycle, history, quantiles, residual
        self.embed_history = _linear(cycle + metadata, width)
        self.embed_future = _linear(cycle + metadata, width)
        self.transformer = _transformer(width, heads, hidden, layers, dropout)
        self.head = _linear(width, cycle * quantiles)
        self.dropout = nn.Dropout(dropout)
        if zero_head:
            if isinstance(self.head, nn.Identity):
                raise ValueError(
                    f"width {width} equals the output, so there is no output layer to set to zero"
                )
            nn.init.zeros_(self.head.weight)
            nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Forecast ``(batch, F, cycle)``, or ``(batch, F, cycle, quantiles)``, from ``x`` ``(batch, H + F, cycle + m)``."""
        past, future = x[:, : self.history], x[:, self.history :]
        encoded = self.embed_history(self.dropout(past))
        asked = self.embed_future(self.dropout(future))
        left_over = self.head(self.dropout(self.transformer(encoded, asked)))
        profile = future[:, :, : self.cycle]
        if self.quantiles > 1:
            left_over = left_over.unflatten(-1, (self.cycle, self.quantiles))
            profile = profile.unsqueeze(-1)
        return left_over + profile if self.residual else left_over


def _transformer(width: int, heads: int, hidden: int, layers: int, dropout: float) -> nn.Transformer:
    """``nn.Transformer`` with its defaults: norms after the additions, ReLU, Xavier weights, a last norm on either side."""
    shape = dict(d_model=width, nhead=heads, dim_feedforward=hidden, dropout=dropout, batch_first=True)
    # Built by hand for one argument alone: without it torch warns that it cannot use nested tensors with one head.
    encoder = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(**shape), layers, nn.LayerNorm(width), enable_nested_tensor=False
    )
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**shape), layers, nn.LayerNorm(width))
    return nn.Transformer(width, heads, custom_encoder=encoder, custom_decoder=decoder, batch_first=True)


def _linear(inputs: int, outputs: int) -> nn.Module:
    """As in the authors' code, a layer that would not change the width is left out."""
    return nn.Identity() if inputs == outputs else nn.Linear(inputs, outputs)


def parameters(model: nn.Module) -> int:
    """How many numbers are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def parameter_formula(
    cycle: int = 24, metadata: int = 9, width: int = 32, hidden: int = 32, layers: int = 1, quantiles: int = 1
) -> int:
    """The count on paper: attentions, feed-forward and norms of the layers, two final norms, embeddings, head."""
    w, attention, feed = width, 4 * width**2 + 4 * width, 2 * width * hidden + width + hidden
    encoder, decoder = attention + feed + 4 * w, 2 * attention + feed + 6 * w
    tokens, outputs = cycle + metadata, cycle * quantiles
    embeddings = 0 if w == tokens else 2 * (tokens * w + w)
    head = 0 if w == outputs else w * outputs + outputs
    return layers * (encoder + decoder) + 4 * w + embeddings + head


class HourlyTwin(nn.Module):
    """The same transformer with one token per step: what the days of :class:`ReCycle` are measured against.

    A token is the value, the metadata of its day, and sine and cosine of the time of day. The input is that of
    :class:`ReCycle`, so both can be trained on the same tensors.
    """

    def __init__(self, cycle: int = 24, metadata: int = 9, history: int = 21, width: int = 32, heads: int = 1,
                 hidden: int = 32, layers: int = 1, dropout: float = 0.0, residual: bool = True):  # fmt: skip
        super().__init__()
        self.cycle, self.history, self.residual = cycle, history, residual
        angle = torch.arange(cycle) * (2 * torch.pi / cycle)
        self.register_buffer("clock", torch.stack([angle.sin(), angle.cos()], dim=1))
        self.embed_history = nn.Linear(1 + metadata + 2, width)
        self.embed_future = nn.Linear(1 + metadata + 2, width)
        self.transformer = _transformer(width, heads, hidden, layers, dropout)
        self.head = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Forecast ``(batch, F, cycle)`` from ``x`` ``(batch, H + F, cycle + m)``."""
        past, future = self._steps(x[:, : self.history]), self._steps(x[:, self.history :])
        steps = self.head(self.transformer(self.embed_history(past), self.embed_future(future)))
        left_over = steps.reshape(len(x), -1, self.cycle)
        return left_over + x[:, self.history :, : self.cycle] if self.residual else left_over

    def _steps(self, days: Tensor) -> Tensor:
        """``(batch, days, cycle + m)`` to ``(batch, days * cycle, 1 + m + 2)``."""
        batch, count, _ = days.shape
        values = days[:, :, : self.cycle].unsqueeze(-1)
        metadata = days[:, :, None, self.cycle :].expand(-1, -1, self.cycle, -1)
        clock = self.clock.expand(batch, count, -1, -1)
        return torch.cat([values, metadata, clock], dim=3).flatten(1, 2)


def attention_scores(history: int, forecast: int) -> dict[str, int]:
    """Scores of one layer and sample, from the tokens of history and forecast: encoder, decoder, cross attention."""
    return {"encoder": history**2, "decoder": forecast**2, "cross": history * forecast}
