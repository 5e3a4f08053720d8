"""Four ways to make one matrix of halves that learned apart."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch

Mode = Literal["full", "with-stale", "only-learned", "only-b"]
MODES: tuple[Mode, ...] = get_args(Mode)


def merged(
    mode: Mode, a: Sequence[torch.Tensor], b: Sequence[torch.Tensor], learns: Sequence[str]
) -> torch.Tensor:
    """The matrix after a merge, from the factors of all ranks: what the messages of a run must give.

    * ``full``: the mean of the products. Both steps count by their share of ranks, without a mixed term.
    * ``with-stale``: the product of the means over all ranks, frozen copies among them: the same steps and a mixed term.
    * ``only-learned``: the product of the means over those who learned: whole steps, whole mixed term.
    * ``only-b``: every rank learned B; its mean.

    Args:
        mode: one of ``MODES``.
        a: of each rank, shape ``(..., m, k)``.
        b: of each rank, shape ``(..., k, n)``.
        learns: ``"a"`` or ``"b"`` for each rank. Where nobody learned A, every mode is ``only-b``.

    Returns:
        Shape ``(..., m, n)``.

    Raises:
        ValueError: an unknown mode, lists of different length, or a letter that is none.
    """
    if mode not in MODES:
        raise ValueError(f"a merge is one of {', '.join(MODES)}: not {mode!r}")
    if not len(a) == len(b) == len(learns) > 0 or set(learns) - {"a", "b"}:
        raise ValueError("give A, B and the letter 'a' or 'b' of each rank, at least one")
    a, b = torch.stack(list(a)), torch.stack(list(b))
    if "a" not in learns or mode == "only-b":
        return a[0] @ b.mean(0)
    if mode == "full":
        return (a @ b).mean(0)
    if mode == "with-stale":
        return a.mean(0) @ b.mean(0)
    side = torch.tensor([letter == "a" for letter in learns])
    return a[side].mean(0) @ (b[~side].mean(0) if not side.all() else b[0])


def pooled(means: torch.Tensor, variances: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of all samples together, from those of equally large parts, shape ``(parts, ...)``."""
    mean = means.mean(0)
    return mean, (variances + (means - mean).square()).mean(0)
