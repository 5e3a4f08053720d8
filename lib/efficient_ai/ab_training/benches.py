"""What the exercises measure with."""

import torch

from efficient_ai import lowrank
from efficient_ai.ab_training._factored import balanced
from efficient_ai.ab_training._merge import Mode, merged


def weight(*shape: int) -> torch.Tensor:
    """Numbers 0, 1, 2 ... in this shape, float32."""
    return torch.arange(float(torch.Size(shape).numel())).reshape(shape)


def matrix(m: int, n: int) -> torch.Tensor:
    """A random matrix, the same in every call, float64, shape ``(m, n)``."""
    return torch.randn(m, n, generator=torch.Generator().manual_seed(100 * m + n), dtype=torch.float64)


def best(m: int, n: int, cutoff: float) -> torch.Tensor:
    """:func:`matrix` with its small singular values dropped, shape ``(m, n)``, ``m >= n``."""
    view = lowrank.MatrixView((m, n))
    a, b = balanced(matrix(m, n), view, cutoff)
    return view.join(a @ b)


def steps() -> tuple[torch.Tensor, ...]:
    """Factors and their steps: A0 ``(5, 3)``, B0 ``(3, 4)``, the step of A, the step of B."""
    return matrix(5, 3), matrix(3, 4), 0.1 * matrix(5, 3).flip(0), 0.2 * matrix(3, 4).flip(0)


def product(mode: Mode, learning_a: int) -> torch.Tensor:
    """The merge of :func:`steps` on four ranks of which so many learn A, shape ``(5, 4)``."""
    a0, b0, da, db = steps()
    learns = "a" * learning_a + "b" * (4 - learning_a)
    a = [a0 + da if side == "a" else a0 for side in learns]
    b = [b0 + db if side == "b" else b0 for side in learns]
    return merged(mode, a, b, learns)


def squares(m: int, n: int, k: int) -> torch.Tensor:
    """The second moment of A from squared entries of ``matrix(m, n)`` and ``B = matrix(k, n)``, shape ``(m, k)``."""
    return lowrank.second_moment(matrix(m, n) ** 2, None, matrix(k, n))
