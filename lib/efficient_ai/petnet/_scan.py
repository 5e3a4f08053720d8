"""The two loops over time of spiking layers: leak, spike and reset forwards, a leaky sum in either direction.

On a processor each step is one operation of torch on all neurons; on a CUDA device one kernel walks through all steps.
"""

import itertools

import torch
from torch import Tensor


def integrate(current: Tensor, leak: float, drop: float, threshold: float) -> tuple[Tensor, Tensor]:
    """Membrane and spikes: ``u[t] = current[t] + leak u[t-1] - drop s[t-1]``, ``s[t] = 1`` if ``u[t] > threshold``.

    Args:
        current: shape ``(steps, ...)``; membrane and spikes have the same shape and type.
    """
    if current.is_cuda:
        from efficient_ai.petnet import _cuda  # needs triton, which only torch's builds for CUDA bring along

        return _cuda.integrate(current, leak, drop, threshold)
    membrane, spikes = torch.empty_like(current), torch.empty_like(current)
    u_before = s_before = torch.zeros_like(current[0])
    for u, s, i in zip(membrane.unbind(), spikes.unbind(), current.unbind(), strict=True):
        torch.add(i, u_before, alpha=leak, out=u)
        u.sub_(s_before, alpha=drop)
        torch.gt(u, threshold, out=s)
        u_before, s_before = u, s
    return membrane, spikes


def leaky_sum_(x: Tensor, keep: float, *, backwards: bool = False) -> Tensor:
    """In place ``x[t] += keep x[t-1]``, one step after the other; ``backwards`` from the end: ``x[t] += keep x[t+1]``."""
    if x.is_cuda:
        from efficient_ai.petnet import _cuda

        return _cuda.leaky_sum_(x, keep, backwards)
    steps = x.unbind()
    if backwards:
        steps = steps[::-1]
    for before, now in itertools.pairwise(steps):
        now.add_(before, alpha=keep)
    return x
