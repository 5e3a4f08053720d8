"""A weight as ``U S Vh``: the two bases stand still, the square matrix between them is trained.

Section 3 of the paper: the gradient of ``S`` is ``U^T G Vh^T``, so the weight moves within the span of both bases only.
"""

import torch
from torch import nn
from torch.nn import functional

from efficient_ai import lowrank


class Factored(nn.Module):
    """One weight in factors. Several modules may share it, as they shared the weight.

    Args:
        view: the weight as ``c`` tall matrices of ``m`` rows and ``n`` columns.
        factors: of those matrices, ranks of at most ``n``.

    Attributes:
        u: left basis, orthonormal columns, shape ``(c, m, r)``; a buffer, so no optimiser sees it.
        s: what is trained, all of it and not only its diagonal, shape ``(c, r, r)``.
        vh: right basis, orthonormal rows, shape ``(c, r, n)``; a buffer.
    """

    def __init__(self, view: lowrank.MatrixView, factors: lowrank.Factors):
        super().__init__()
        self.view = view
        self.register_buffer("u", factors.u.detach().contiguous())
        self.register_buffer("vh", factors.vh.detach().contiguous())
        self.s = nn.Parameter(torch.diag_embed(factors.s.detach()).contiguous())

    @property
    def rank(self) -> int:
        """The present rank ``r``."""
        return self.s.shape[-1]

    @property
    def stored(self) -> int:
        """How many numbers the factors hold, ``c (r (m + n) + r²)``."""
        return self.u.numel() + self.s.numel() + self.vh.numel()

    def weight(self) -> torch.Tensor:
        """The weight itself, in the shape of the layer; its gradient reaches ``s``."""
        return self.view.join(self.u @ self.s @ self.vh)

    def sides(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``L, X, R`` with ``W = L X R`` for the weight as it stands, not turned: ``(c, out, r)``, ``(c, r, r)``, ``(c, r, in)``."""
        if self.view.turned:
            return self.vh.mT, self.s.mT, self.u.mT
        return self.u, self.s, self.vh

    def cheaper(self, rows: int) -> bool:
        """Whether multiplying by the factors takes fewer operations in a training step than rebuilding the weight.

        Counted, with ``p = m n``: three products with the weight (forward, gradient of the input, gradient of the weight) and
        building it and projecting its gradient, against two passes through the factors and the gradient of ``S``.

        Args:
            rows: vectors that are multiplied: samples times tokens or positions.
        """
        return factored_cost(rows, self.view, self.rank) <= dense_cost(rows, self.view, self.rank)

    def linear(self, x: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        """``x W^T + bias`` for ``x`` of shape ``(..., in)``, by the cheaper way.

        Through the factors autograd keeps ``x R^T``, ``r`` numbers a row, and not ``x``.
        """
        if not self.cheaper(x.numel() // max(1, x.shape[-1])):
            return functional.linear(x, self.weight(), bias)
        left, core, right = (part[0] for part in self.sides())
        return functional.linear(functional.linear(functional.linear(x, right), core), left, bias)


def factored_cost(rows: int, view: lowrank.MatrixView, rank: int) -> int:
    """Multiplications of a training step through the factors, per weight."""
    m, n = view.rows, view.columns
    return view.count * rows * (2 * rank * (m + n) + 3 * rank**2)


def dense_cost(rows: int, view: lowrank.MatrixView, rank: int) -> int:
    """Multiplications of a training step that rebuilds the weight and projects its gradient, per weight."""
    m, n = view.rows, view.columns
    return view.count * (3 * rows * m * n + 2 * (rank**2 * n + rank * m * n))
