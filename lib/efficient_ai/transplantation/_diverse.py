"""Beyond the paper: a score that discounts neurons which an earlier member already has."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.transplantation._align import _activations, _correlation
from efficient_ai.transplantation._fuse import fuse


def diverse_scores(
    members: Sequence[nn.Module], example: torch.Tensor, inputs: torch.Tensor, power: float = 8.0
) -> dict[str, list[np.ndarray]]:
    """Group magnitudes times ``1 - c ** power``, c the largest correlation with a neuron of an earlier member.

    A copy of a neuron that is there already scores about zero, so near-identical members leave the first one whole; its
    output weights stay multiplied by 1/k, so that the logits are smaller until they are fine-tuned. Neurons that only
    resemble each other keep their rank (a c of 0.7 costs 6 %), and so do those that are silent on all inputs.

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
            close = np.max(
                [np.abs(_correlation(seen[m][g], seen[j][g])).max(axis=1) for j in range(m)], axis=0
            )
            scores[group][m] *= 1 - np.clip(close, 0, 1) ** power
    return scores
