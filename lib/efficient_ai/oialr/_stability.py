"""How much of a weight is still the same after some steps: its basis, the weight as a whole, the mixing."""

import torch

from efficient_ai import lowrank


def basis(matrix: torch.Tensor) -> torch.Tensor:
    """The orthogonal polar factor ``U Vh`` of a matrix, which no sign or order of singular vectors changes.

    A matrix that has lost rank has a polar factor on its row space only; directions whose singular value is rounding (below
    ``max(m, n) eps`` of the largest) are left out, for there a basis is noise.

    Args:
        matrix: shape ``(m, n)``, tall or wide.

    Returns:
        of the tall form, shape ``(max(m, n), min(m, n))``.
    """
    tall = matrix if matrix.shape[-2] >= matrix.shape[-1] else matrix.mT
    found = lowrank.thin_svd(tall.double().cpu())
    eps = torch.finfo(matrix.dtype).eps * max(matrix.shape)
    found = found.cut(lowrank.rank_above(found.s, eps))
    return found.u @ found.vh


def stability(first: torch.Tensor, second: torch.Tensor) -> float:
    """Stability of the basis between two states of a weight, ``tr(B'^T B) / n``; 1 for the same, 0 expected for strangers.

    For full rank this is the mean cosine of the columns of both bases. With ranks ``k`` and ``k'`` below ``n`` the division is by
    ``sqrt(k k')``, so that a basis is always like itself.

    Args:
        first, second: of one shape, two axes.

    Raises:
        ValueError: two shapes, not two axes, or a matrix of zeros, which has no basis.
    """
    _check(first, second)
    a, b = basis(first), basis(second)
    return float((a * b).sum() / (a.norm() * b.norm()))


def cosine(first: torch.Tensor, second: torch.Tensor) -> float:
    """Cosine of two states of a weight taken as one long vector: what the basis has to be compared with."""
    _check(first, second)
    a, b = first.double(), second.double()
    return float((a * b).sum() / (a.norm() * b.norm()))


def mixing(first: torch.Tensor, second: torch.Tensor) -> float:
    """Cosine of the symmetric parts ``P = B^T W`` of ``W = B P``, less the mean of their diagonal: how the basis is mixed.

    The diagonal's mean is positive for any weight and would make strangers alike. The paper compares triangular factors by a
    distance whose formula could not be read; this is the polar counterpart.
    """
    _check(first, second)
    parts = []
    for matrix in (first, second):
        tall = (matrix if matrix.shape[-2] >= matrix.shape[-1] else matrix.mT).cpu()
        stretch = basis(matrix).mT @ tall.double()
        parts.append(stretch - stretch.diagonal().mean() * torch.eye(len(stretch), dtype=stretch.dtype))
    return cosine(*parts)


def _check(first: torch.Tensor, second: torch.Tensor) -> None:
    if first.shape != second.shape or first.ndim != 2:
        raise ValueError(
            f"two states of one matrix are compared: got {tuple(first.shape)}, {tuple(second.shape)}"
        )
    if not first.any() or not second.any():
        raise ValueError("a matrix of zeros has no basis")
