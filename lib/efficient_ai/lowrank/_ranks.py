"""How many singular values stay. All take ``s`` of shape ``(..., n)``, falling; matrices of one weight share the largest rank."""

import torch


def rank_above(s: torch.Tensor, share: float) -> int:
    """The number of singular values of at least ``share`` of the largest, of each matrix; the most of all matrices.

    At least 1, also of a matrix of zeros; singular values of 0 do not count.

    Raises:
        ValueError: ``share`` is not between 0 and 1, or a singular value is not finite.
    """
    _check(s, share)
    kept = (s >= share * s[..., :1]) & (s > 0)
    return max(1, int(kept.sum(-1).max()))


def rank_for_energy(s: torch.Tensor, share: float) -> int:
    """The least rank that keeps ``share`` of the squared Frobenius norm of each matrix; at least 1.

    Raises:
        ValueError: as :func:`rank_above`.
    """
    _check(s, share)
    scaled = (s / s[..., :1].clamp_min(torch.finfo(s.dtype).tiny)).double()
    kept = scaled.square().cumsum(-1)
    enough = kept >= share * kept[..., -1:] * (1 - 1e-12)
    return max(1, int(enough.int().argmax(-1).max()) + 1) if share > 0 else 1


def guarded(wanted: int, rank: int, *, floor: int = 1, share: float = 0.5) -> int:
    """``wanted``, but never more than ``rank``, never below ``floor``, and never less than ``share`` of ``rank`` in one step.

    The floor is at least 1 and does not raise a rank that is below it already.

    Raises:
        ValueError: ``rank`` is less than 1, or ``share`` is not between 0 and 1.
    """
    if rank < 1 or not 0 <= share <= 1:
        raise ValueError(f"no rank {rank} or share {share}: at least 1, and 0 to 1")
    least = max(1, floor, -int(-rank * share // 1))  # half of 5 is 3: at most half is dropped
    return min(rank, max(wanted, least))


def dropped(s: torch.Tensor, rank: int) -> torch.Tensor:
    """The Frobenius norm of what is lost when ``rank`` singular values stay, for each matrix, shape ``(...)``."""
    return torch.linalg.vector_norm(s[..., rank:], dim=-1)


def _check(s: torch.Tensor, share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"a share lies between 0 and 1: got {share}")
    if s.shape[-1] < 1 or not s.isfinite().all():
        raise ValueError("singular values must be finite, at least one of each matrix")
