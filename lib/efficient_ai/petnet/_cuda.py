"""The loops of :mod:`efficient_ai.petnet._scan` as CUDA kernels: each thread walks with a few neurons through all steps.

Called step by step from Python, a thousand steps would be some thousand kernels of a few microseconds each.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 128  # neurons of a program; small, so that little networks also fill the device


@triton.jit
def _integrate(current, membrane, spikes, numbers, steps, neurons, block: tl.constexpr):
    neuron = tl.program_id(0) * block + tl.arange(0, block)
    there = neuron < neurons
    leak, drop, threshold = tl.load(numbers), tl.load(numbers + 1), tl.load(numbers + 2)
    place = neuron.to(tl.int64)  # steps times neurons may exceed 32 bits
    u = tl.zeros([block], dtype=current.dtype.element_ty)
    s = tl.zeros([block], dtype=current.dtype.element_ty)
    for _ in range(steps):
        u = tl.load(current + place, mask=there, other=0.0) + leak * u - drop * s
        s = (u > threshold).to(u.dtype)
        tl.store(membrane + place, u, mask=there)
        tl.store(spikes + place, s, mask=there)
        place += neurons


@triton.jit
def _leaky_sum(x, numbers, steps, neurons, first, stride, block: tl.constexpr):
    neuron = tl.program_id(0) * block + tl.arange(0, block)
    there = neuron < neurons
    keep = tl.load(numbers)
    place = neuron.to(tl.int64) + first
    total = tl.zeros([block], dtype=x.dtype.element_ty)
    for _ in range(steps):
        total = tl.load(x + place, mask=there, other=0.0) + keep * total
        tl.store(x + place, total, mask=there)
        place += stride


def _shape(x: Tensor) -> tuple[int, int, tuple[int]]:
    steps, neurons = len(x), x[0].numel()
    return steps, neurons, (triton.cdiv(neurons, _BLOCK),)


def integrate(current: Tensor, leak: float, drop: float, threshold: float) -> tuple[Tensor, Tensor]:
    current = current.contiguous()
    membrane, spikes = torch.empty_like(current), torch.empty_like(current)
    # As an array, for a number passed to a kernel is single precision.
    numbers = torch.tensor([leak, drop, threshold], dtype=current.dtype, device=current.device)
    steps, neurons, grid = _shape(current)
    _integrate[grid](current, membrane, spikes, numbers, steps, neurons, _BLOCK)
    return membrane, spikes


def leaky_sum_(x: Tensor, keep: float, backwards: bool) -> Tensor:
    if not x.is_contiguous():
        raise ValueError("a sum in place needs an array that is contiguous")
    numbers = torch.tensor([keep], dtype=x.dtype, device=x.device)
    steps, neurons, grid = _shape(x)
    first, stride = ((steps - 1) * neurons, -neurons) if backwards else (0, neurons)
    _leaky_sum[grid](x, numbers, steps, neurons, first, stride, _BLOCK)
    return x
