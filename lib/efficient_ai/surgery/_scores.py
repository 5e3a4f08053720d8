"""How large each channel is, over everything that is coupled to it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from efficient_ai.surgery._anatomy import OUTPUTS, SHARED, Anatomy
from efficient_ai.surgery._compare import tensors

Chosen = dict[int, np.ndarray]
"""Of some groups, the units that stay: sorted indices."""


def magnitudes(
    anatomy: Anatomy,
    model: nn.Module,
    group: int,
    *,
    output_weight: float = 1.0,
    left: Chosen | None = None,
    incoming_only: bool = False,
) -> np.ndarray:
    """Squared Euclidean norm of all weights that belong to each unit, averaged over the tensors of the group.

    Incoming rows, outgoing columns and the scales of norms count; biases, statistics and bare parameters do not
    (group magnitude with p = 2 of DepGraph, Fang et al. 2023).

    Args:
        group: index into ``anatomy.groups``.
        output_weight: factor by which the layers that make the outputs are multiplied.
        left: of groups that are cut already, the units that are left; other weights of theirs no longer count.
        incoming_only: only the rows of the layers that make the unit.

    Returns:
        float64, shape ``(units,)``.
    """
    held, total, count = tensors(model), np.zeros(anatomy.groups[group].units), 0
    for name, axis in anatomy.groups[group].places:
        part = anatomy.parts[name]
        if not part.layer or (len(part.shape) == 1 and not name.endswith("weight")):
            continue
        if incoming_only and (axis > 0 or len(part.shape) == 1):
            continue
        tensor = _cut(held[name].detach(), part.axes, axis, left or {})
        tensor = tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()
        sums = _squares(tensor, axis).cpu().numpy()
        if part.makes_outputs:
            sums = sums * output_weight**2
        total += _by_unit(sums, part.axes[axis], group, len(total))
        count += 1
    return total / max(count, 1)


_ROWS = 128


def _squares(tensor: torch.Tensor, axis: int) -> torch.Tensor:
    """Sums of squares over all axes but one, float64. Columns are summed some rows at a time, as they lie in memory."""
    if tensor.ndim == 1:
        return tensor.double().square()
    if axis == 0:
        return torch.linalg.vector_norm(tensor, dim=list(range(1, tensor.ndim))).double().square()
    others = [a for a in range(tensor.ndim) if a != axis]
    total = torch.zeros(tensor.shape[axis], dtype=torch.float64, device=tensor.device)
    for rows in tensor.split(_ROWS):
        total += rows.square().sum(others)
    return total


def _cut(tensor: torch.Tensor, axes: Sequence, axis: int, left: Chosen) -> torch.Tensor:
    for other, segments in enumerate(axes):
        if other == axis or segments in (SHARED, OUTPUTS) or not any(s.group in left for s in segments):
            continue
        keep, start = [], 0
        for s in segments:
            units = left.get(s.group, np.arange(s.units))
            outer, inner = np.arange(s.outer)[:, None, None], np.arange(s.inner)[None, None, :]
            keep.append((start + (outer * s.units + units[None, :, None]) * s.inner + inner).reshape(-1))
            start += s.size
        tensor = tensor.index_select(other, torch.as_tensor(np.concatenate(keep), device=tensor.device))
    return tensor


def _by_unit(sums: np.ndarray, segments: Sequence, group: int, units: int) -> np.ndarray:
    found, start = np.zeros(units), 0
    for s in segments:
        if s.group == group:
            found += sums[start : start + s.size].reshape(s.outer, s.units, s.inner).sum(axis=(0, 2))
        start += s.size
    return found
