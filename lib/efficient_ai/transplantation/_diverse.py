"""Beyond the paper: a score that discounts neurons which an earlier member already has."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.transplantation._align import _activations, _correlation
from efficient_ai.transplantation._fuse import Fused, fuse


def diverse_scores(
    members: Sequence[nn.Module], example: torch.Tensor, inputs: torch.Tensor, power: float = 8.0
) -> dict[str, list[np.ndarray]]:
    """Group magnitudes times ``1 - c ** power``, c the largest correlation with a neuron of an earlier member.

    A copy of a neuron that is there already scores zero. Neurons that only resemble each other keep their rank (a c of
    0.7 costs 6 %). A neuron that is constant on all inputs counts as a copy of any other such neuron.

    Args:
        inputs: images on which activations are compared, shape ``(n, ...)``.
        power: how close to one a correlation has to be before it counts.

    Returns:
        For each group one array per member, as :func:`fuse` takes them.
    """
    scores = {g: [s.copy() for s in found] for g, found in fuse(members, example).scores.items()}
    if isinstance(power, bool) or not power > 0 or power == float("inf"):
        raise surgery.Surgery(f"power={power!r}: give a number above 0")
    seen = [_activations(surgery.anatomy(m, example), m, inputs) for m in members]
    for g, group in enumerate(scores):
        for m in range(1, len(members)):
            close = np.max([_likeness(seen[m][g], seen[j][g]) for j in range(m)], axis=0)
            scores[group][m] *= 1 - np.clip(close, 0, 1) ** power
    return scores


def _likeness(mine: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Largest absolute correlation of each of my neurons with one of the others, shape ``(mine,)``."""
    close = np.abs(_correlation(mine, others)).max(axis=1)
    close[close > 1 - 1e-9] = 1.0  # a copy up to rounding
    if (np.ptp(others, axis=1) == 0).any():
        close[np.ptp(mine, axis=1) == 0] = 1.0
    return close


def diverse(
    members: Sequence[nn.Module],
    example: torch.Tensor,
    inputs: torch.Tensor,
    power: float = 8.0,
    **options,
) -> Fused:
    """Fuse by :func:`diverse_scores`; each member's outputs count with its share of the neurons that the output reads.

    So k copies of one network fuse to that network itself, logits and all, while members that are equally represented
    count equally, as in the paper.

    Args:
        members, example, options: as :func:`fuse`, except for scores and weights.
        inputs, power: as :func:`diverse_scores`.
    """
    for name in {"score", "weights"} & set(options):
        raise surgery.Surgery(f"{name} follows from the inputs here: use fuse to set it")
    scores = diverse_scores(members, example, inputs, power)
    first = fuse(members, example, score=scores, **options)
    parts = surgery.anatomy(members[0], example)
    read = [g for g in parts.groups if any(parts.parts[name].makes_outputs for name, _ in g.places)]
    weights = np.mean([first.shares()[g.name] for g in read], axis=0)
    return fuse(members, example, score=scores, weights=(weights / weights.sum()).tolist(), **options)
