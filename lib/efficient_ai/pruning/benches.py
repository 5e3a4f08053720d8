"""What the exercises measure with."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from efficient_ai.forecasters import seq2seq
from efficient_ai.pruning._masks import global_l1


def weights(seed: int = 0) -> list[np.ndarray]:
    """Three matrices of very different scale."""
    rng = np.random.default_rng(seed)
    return [scale * rng.standard_normal(shape) for scale, shape in ((1, (5, 4)), (0.1, (3, 5)), (3, (2, 3)))]


def masks(matrices: list[np.ndarray], density: float) -> list[np.ndarray]:
    """What the library keeps."""
    found = global_l1({str(i): torch.from_numpy(m) for i, m in enumerate(matrices)}, density)
    return [mask.numpy() for mask in found.keep.values()]


def numbers(channels: int, width: int, hidden: int) -> int:
    """Parameters of the Transformer of the book, counted."""
    with torch.device("meta"):
        model = seq2seq.Transformer(channels, 96, 96, width=width, heads=4, hidden=hidden)
    return sum(p.numel() for p in model.parameters())


def feed(seed: int = 0, width: int = 6, hidden: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``w1 (hidden, width)``, ``b1 (hidden,)``, ``w2 (width, hidden)``."""
    rng = np.random.default_rng(seed)
    return (
        rng.standard_normal((hidden, width)),
        rng.standard_normal(hidden),
        rng.standard_normal((width, hidden)),
    )


def feed_output(w1: np.ndarray, b1: np.ndarray, w2: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``relu(x w1ᵀ + b1) w2ᵀ``."""
    return np.maximum(x @ w1.T + b1, 0) @ w2.T


def masked_feed_output(w1, b1, w2, keep, x: np.ndarray) -> np.ndarray:
    """The same with all other hidden units zeroed."""
    kept = np.zeros(len(b1))
    kept[list(keep)] = 1
    return feed_output(w1 * kept[:, None], b1 * kept, w2 * kept, x)


class Gate(nn.Module):
    """One layer is used, one never, and the result of one is multiplied by zero."""

    def __init__(self):
        super().__init__()
        self.used, self.unused, self.muted = (nn.Linear(3, 3) for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.used(x) + 0 * self.muted(x)


def fedformer() -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    """A small FEDformer in evaluation mode, and inputs for it."""
    torch.manual_seed(0)
    model = seq2seq.FEDformer(3, 24, 12, width=16, heads=8, hidden=24, modes=4).eval()
    return model, (torch.randn(2, 24, 3), torch.rand(2, 36, 4))


def layer_errors(layers: int = 5, seed: int = 0) -> Callable[[tuple[int, ...]], float]:
    """``error(kept)``: of a made-up network of which only some layers are left; pairs of layers matter, too."""
    rng = np.random.default_rng(seed)
    alone, together = rng.random(layers), 2 * rng.random((layers, layers))

    def error(kept: tuple[int, ...]) -> float:
        pairs = sum(together[a, b] for a in kept for b in kept if a < b)
        return float(10 - sum(alone[list(kept)]) - pairs)

    return error
