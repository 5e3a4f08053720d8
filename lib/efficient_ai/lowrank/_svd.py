"""The thin singular value decomposition, with one sign convention and no silent nonsense."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Factors:
    """``M = u diag(s) vh``, for one matrix or a batch of them; ``u`` and ``vh`` have orthonormal columns and rows.

    Args:
        u: shape ``(..., rows, rank)``.
        s: shape ``(..., rank)``, falling, not negative.
        vh: shape ``(..., rank, columns)``.
    """

    u: torch.Tensor
    s: torch.Tensor
    vh: torch.Tensor

    @property
    def rank(self) -> int:
        """How many singular values there are."""
        return self.s.shape[-1]

    def matrix(self) -> torch.Tensor:
        """The matrices, put together again."""
        return (self.u * self.s.unsqueeze(-2)) @ self.vh

    def cut(self, rank: int) -> "Factors":
        """The leading ``rank`` triples: the nearest matrix of that rank (Eckart and Young 1936).

        Raises:
            ValueError: not between 1 and the present rank.
        """
        if not 1 <= rank <= self.rank:
            raise ValueError(f"a rank from 1 to {self.rank} can be kept, not {rank}")
        return Factors(self.u[..., :rank], self.s[..., :rank], self.vh[..., :rank, :])

    def balanced(self) -> tuple[torch.Tensor, torch.Tensor]:
        """``M = a b`` with the singular values shared out evenly: ``a = u sqrt(s)``, ``b = sqrt(s) vh``."""
        root = self.s.sqrt()
        return self.u * root.unsqueeze(-2), root.unsqueeze(-1) * self.vh


def thin_svd(matrices: torch.Tensor) -> Factors:
    """The factors of matrices of shape ``(..., rows, columns)``, of their type and on their device.

    Types smaller than float32 are decomposed in float32. The entry of largest size in each left vector is positive, so
    that two calls agree where the singular values differ; where they are equal, any basis of their space is right.

    Raises:
        ValueError: not two axes, an empty one, no real floats, or a value that is infinite or NaN.
    """
    if matrices.ndim < 2 or 0 in matrices.shape or not matrices.is_floating_point():
        raise ValueError(f"no matrices of real numbers: {matrices.dtype}, shape {tuple(matrices.shape)}")
    exact = matrices.detach()
    exact = exact if exact.dtype == torch.float64 else exact.float()
    if not exact.isfinite().all():
        raise ValueError("a weight with infinite or NaN entries has no singular values")
    # Squares of very large or small entries would leave the range of the type.
    scale = exact.abs().amax(dim=(-2, -1), keepdim=True)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    u, s, vh = torch.linalg.svd(exact / scale, full_matrices=False)
    largest = u.abs().argmax(dim=-2, keepdim=True)
    sign = torch.where(u.gather(-2, largest) < 0, -1.0, 1.0).to(u.dtype)
    u, s, vh = u * sign, s * scale.squeeze(-1), sign.mT * vh
    return Factors(*(part.to(matrices.dtype) for part in (u, s, vh)))
