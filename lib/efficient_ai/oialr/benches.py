"""What the exercises measure with: made-up weights, factors and moments."""

import torch

from efficient_ai import lowrank


def weights(rows: int = 12, columns: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two unrelated weights in float64, each of shape ``(rows, columns)``."""
    rng = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, rows, columns, generator=rng, dtype=torch.float64)
    return first, second


def bases(rows: int = 12, columns: int = 5, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The polar factors of both, with orthonormal columns."""
    found = [lowrank.thin_svd(weight) for weight in weights(rows, columns, seed)]
    return found[0].u @ found[0].vh, found[1].u @ found[1].vh


def trained(rank: int = 4, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bases ``u`` (12, rank) and ``vh`` (rank, 8), and between them a square ``s`` that training has left full."""
    first, second = weights(12, 8, seed)
    found = lowrank.thin_svd(first).cut(rank)
    return found.u, torch.diag(found.s) + second[:rank, :rank], found.vh


def filters(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """A convolution of 6 channels to 10, 3 x 5 pixels, and an input of shape ``(2, 6, 9, 9)``."""
    rng = torch.Generator().manual_seed(seed)
    return (
        torch.randn(10, 6, 3, 5, generator=rng, dtype=torch.float64),
        torch.randn(2, 6, 9, 9, generator=rng, dtype=torch.float64),
    )


def moments(seed: int = 0, size: int = 6) -> tuple[torch.Tensor, ...]:
    """Mean and mean square of 500 gradients of unequal spread, and two rotations; each ``(size, size)``."""
    rng = torch.Generator().manual_seed(seed)
    spread = torch.rand(size, size, generator=rng, dtype=torch.float64) + 0.1
    gradients = spread * torch.randn(500, size, size, generator=rng, dtype=torch.float64)
    turns = torch.randn(2, size, size, generator=rng, dtype=torch.float64)
    left, right = (torch.linalg.qr(turn).Q for turn in turns)
    return gradients.mean(0), gradients.square().mean(0), left, right


def inside(u: torch.Tensor, vh: torch.Tensor) -> torch.Tensor:
    """A gradient that lies within the span of both bases."""
    core = torch.arange(1.0, u.shape[1] * vh.shape[0] + 1, dtype=u.dtype).reshape(u.shape[1], vh.shape[0])
    return u @ core @ vh
