"""Losses between output and target rasters, shape ``(steps, samples, crystals)`` each (section 3.5)."""

import torch
from torch import Tensor

from efficient_ai.petnet._neurons import decay_filter


def _gap(output: Tensor, target: Tensor) -> Tensor:
    """Spikes too many of each sample and crystal; negative if too few."""
    return output.sum(0) - target.sum(0)


def count_loss(output: Tensor, target: Tensor) -> Tensor:
    """Squared difference of the numbers of spikes, mean over samples and crystals, over the steps. Blind to time."""
    return _gap(output, target).square().mean() / len(output)


def absolute_count_loss(output: Tensor, target: Tensor) -> Tensor:
    """Sum of the absolute differences of the numbers of spikes, over the steps: what is left of the published loss."""
    return _gap(output, target).abs().sum() / len(output)


def published_timing_loss(output: Tensor, target: Tensor, weight: float = 0.1) -> Tensor:
    """Sum of the absolute differences in number, plus ``weight`` times the squared gaps in time of matched spikes.

    As in the released code the times are indices of spikes: whole numbers, which do not change with the weights by a
    small amount. **The timing term therefore has no gradient**; training with this loss is training with the counts.
    Each output spike takes the target spike of its crystal that is closest in time and still free.
    """
    steps, gaps = len(output), 0.0
    out, want = output.detach(), target
    busy = (out.sum(0) > 0) & (want.sum(0) > 0)
    for sample, crystal in torch.nonzero(busy):
        times = torch.nonzero(out[:, sample, crystal])[:, 0].tolist()
        free = torch.nonzero(want[:, sample, crystal])[:, 0].tolist()
        for time in times:
            if not free:
                break
            nearest = min(free, key=lambda other: abs(other - time))
            free.remove(nearest)
            gaps += (time - nearest) ** 2
    return absolute_count_loss(output, target) + weight * gaps / steps**3


def published_chamfer_loss(output: Tensor, target: Tensor, weight: float = 0.1) -> Tensor:
    """Sum of the absolute differences in number, plus ``weight`` times the Chamfer distance of the times of the spikes.

    Each spike of one raster goes to the nearest one of the same sample and crystal in the other, and back; the squared
    gaps are added. Where the other has none, as in the released code, it goes to the time ``-steps``. Its times are indices,
    too: **this term has no gradient** either.
    """
    steps, gaps = len(output), 0.0
    out, want = output.detach() > 0, target > 0
    for sample, crystal in torch.nonzero(out.any(0) | want.any(0)).tolist():
        times = [torch.nonzero(each[:, sample, crystal])[:, 0].double() for each in (out, want)]
        one, other = (each if len(each) else each.new_tensor([-steps]) for each in times)
        squares = (one[:, None] - other).square()
        if len(times[0]):
            gaps += squares.amin(1).sum().item()
        if len(times[1]):
            gaps += squares.amin(0).sum().item()
    return absolute_count_loss(output, target) + weight * gaps / steps**3


def trace_loss(output: Tensor, target: Tensor, keep: float = 0.9) -> Tensor:
    """Squared distance of the exponential traces of both rasters, after van Rossum (2001): a timing loss with a gradient.

    Two spikes one bin apart cost little, far apart as much as two wrong spikes. Zero exactly if the rasters are equal.

    Args:
        keep: share of a trace that is left one bin later; larger values forgive larger gaps.
    """
    trace = decay_filter(output - target, keep)
    return (1 - keep**2) * trace.square().sum(0).mean()


def per_bin_loss(output: Tensor, target: Tensor) -> Tensor:
    """Squared error of every bin on its own: what everybody tries first. Silence is nearly perfect for it."""
    return (output - target).square().mean()
