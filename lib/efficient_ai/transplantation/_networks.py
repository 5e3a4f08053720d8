"""The networks of the chapter: a perceptron, a small residual network, a small vision transformer."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn


class Perceptron(nn.Module):
    """Linear layers with ReLU between them; inputs of any shape are flattened.

    Args:
        inputs: numbers in an input.
        hidden: widths of the hidden layers.
        classes: outputs.
        bias: whether layers have biases; the paper's perceptrons have none.
    """

    def __init__(self, inputs: int, hidden: Sequence[int], classes: int, bias: bool = False):
        super().__init__()
        sizes = (inputs, *hidden, classes)
        self.layers = nn.ModuleList(nn.Linear(a, b, bias) for a, b in pairwise(sizes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits, shape ``(n, classes)``."""
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = torch.relu(layer(x))
        return self.layers[-1](x)


class _Block(nn.Module):
    """Two convolutions with batch norm and a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut = nn.Identity()
        if stride > 1 or inputs != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(inner)) + self.shortcut(x))


class SmallResNet(nn.Module):
    """A stem and three residual blocks for images of one channel.

    Args:
        width: channels of the first block; the others have twice as many.
        classes: outputs.
    """

    def __init__(self, width: int, classes: int):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.blocks = nn.Sequential(
            _Block(width, width, 1), _Block(width, 2 * width, 2), _Block(2 * width, 2 * width, 2)
        )
        self.head = nn.Linear(2 * width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits; ``x`` has shape ``(n, height, width)`` or ``(n, 1, height, width)``."""
        x = x.flatten(0, -3).unsqueeze(1)
        return self.head(self.blocks(torch.relu(self.stem(x))).mean(dim=(2, 3)))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, tokens, width = x.shape
        packed = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
        scores = query @ key.transpose(-2, -1) * (width // self.heads) ** -0.5
        return self.out((scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(n, tokens, width))


class _Layer(nn.Module):
    """Attention and a perceptron, each behind a layer norm and beside a shortcut."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), _Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class MiniViT(nn.Module):
    """A vision transformer with a class token and learned positions, both bare parameters.

    Args:
        side: of the square images, in pixels, a multiple of ``patch``.
        patch: side of a patch.
        width: of the stream, a multiple of ``heads``.
        heads: of attention, at least 2.
        depth: layers.
        classes: outputs.
    """

    def __init__(self, side: int, patch: int, width: int, heads: int, depth: int, classes: int):
        super().__init__()
        tokens = (side // patch) ** 2 + 1
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.positions = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.patches = nn.Conv2d(1, width, patch, patch)
        self.layers = nn.Sequential(*(_Layer(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits; ``x`` has shape ``(n, side, side)`` or ``(n, 1, side, side)``."""
        x = self.patches(x.flatten(0, -3).unsqueeze(1)).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions
        return self.head(self.norm(self.layers(x))[:, 0])
