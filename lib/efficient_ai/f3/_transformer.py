"""The small transformer of the paper's code on patches of an image: its blocks learn without a way back, too."""

import torch
from torch import Tensor, nn

from efficient_ai.f3._blocks import Dense, seeded


class _Embed(nn.Module):
    """Image to tokens: one linear map of the whole image, read as ``tokens`` rows of ``width`` numbers."""

    def __init__(self, inputs: int, tokens: int, width: int):
        super().__init__()
        self.tokens, self.width = tokens, width
        self.linear = nn.Linear(inputs, tokens * width)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x.flatten(1)).unflatten(1, (self.tokens, self.width))


class _Layer(nn.Module):
    """Attention and a small network, each behind a layer norm and beside a way around it."""

    def __init__(self, width: int, heads: int, head_width: int, hidden: int):
        super().__init__()
        self.heads = heads
        self.before_attention, self.before_hidden = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.gather = (
            nn.Linear(width, 3 * heads * head_width),
            nn.Linear(heads * head_width, width),
        )
        self.hidden = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, width))

    def forward(self, h: Tensor) -> Tensor:
        parts = self.project(self.before_attention(h)).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        h = h + self.gather(seen.transpose(1, 2).flatten(2))
        return h + self.hidden(self.before_hidden(h))


class _Flat(nn.Module):
    def forward(self, h: Tensor) -> Tensor:
        return h.flatten(1)


def patch_transformer(
    inputs: int,
    classes: int,
    *,
    tokens: int = 16,
    width: int = 32,
    layers: int = 4,
    heads: int = 8,
    head_width: int = 64,
    hidden: int = 128,
    seed: int = 0,
) -> list[nn.Module]:
    """Blocks {embedding and layer 1}, layer 2 ... layer ``layers``, head 1, head 2; the defaults are the paper's code's.

    Args:
        inputs: pixels of an image.
        classes: outputs; they are logits.
        tokens, width: what the embedding makes of an image.
        layers, heads, head_width, hidden: of the transformer.
        seed: of the weights.
    """

    def first():
        return nn.Sequential(_Embed(inputs, tokens, width), _Layer(width, heads, head_width, hidden))

    flat = tokens * width
    makers = [first, *[lambda: _Layer(width, heads, head_width, hidden)] * (layers - 1)]
    makers += [
        lambda: nn.Sequential(_Flat(), nn.Linear(flat, flat), nn.Tanh()),
        lambda: Dense(flat, classes, "linear"),
    ]
    return [seeded(seed, number, make) for number, make in enumerate(makers)]


def cross_entropy(output: Tensor, target: Tensor) -> Tensor:
    """Softmax cross-entropy of logits and one-hot targets, a mean over the batch."""
    return torch.nn.functional.cross_entropy(output, target)
