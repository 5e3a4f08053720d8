"""How tokens are mixed: full and ProbSparse attention, auto-correlation, and products in the frequency domain.

All take queries, keys and values of shape ``(batch, steps, heads, size)`` and return the shape of the queries. The
size of a head may shrink after construction; scales stay those of the width that the model was built with.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from efficient_ai.forecasters.seq2seq._parts import heads_of


class _Mixing(nn.Module):
    def couple_channels(self, trace, given, value):
        """Surgery: a position within a head is one unit in queries, keys, values and result, the same in all heads."""
        lines = [trace.ties.collapse(names, [0, 1, 2]) for names in given]
        line = lines[0]
        for other in lines[1:]:
            line = trace.ties.tie(line, other)
        return np.broadcast_to(line, tuple(value.shape))


class FullAttention(_Mixing):
    """``softmax(q kᵀ / √size) v``; with ``causal`` no step sees a later one."""

    def __init__(self, size: int, causal: bool = False):
        super().__init__()
        self.scale, self.causal = size**-0.5, causal

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k, v = (t.transpose(1, 2) for t in (query, key, value))
        scores = q @ k.transpose(-1, -2) * self.scale
        if self.causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
            scores = scores.masked_fill(later, float("-inf"))
        return (scores.softmax(-1) @ v).transpose(1, 2)


class ProbSparse(_Mixing):
    """Informer's attention: only the queries that stand out attend; the others take the mean of the values.

    How much a query stands out is estimated on sampled keys. The sample comes from a generator of its own: another one
    at every step of training, always the same in evaluation (Zhou et al. 2021, section 3.2).

    Args:
        size: of a head.
        causal: the lazy queries take the running sum of the values, and the others see no later step.
        factor: sampled keys and kept queries, in units of the logarithm of the length.
        seed: of the samples.
    """

    def __init__(self, size: int, causal: bool = False, factor: int = 3, seed: int = 0):
        super().__init__()
        self.scale, self.causal, self.factor, self.seed, self.calls = size**-0.5, causal, factor, seed, 0

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k, v = (t.transpose(1, 2) for t in (query, key, value))
        n, m = q.shape[2], k.shape[2]
        sampled, kept = (max(1, min(self.factor * math.ceil(math.log(x)), x)) for x in (m, n))
        chosen = k[:, :, self._sample(n, sampled, m).to(k.device)]  # (batch, heads, n, sampled, size)
        scores = torch.einsum("bhne,bhnse->bhns", q, chosen)
        stands_out = scores.amax(-1) - scores.sum(-1) / m
        top = stands_out.topk(kept, sorted=False).indices  # (batch, heads, kept)
        width = (*top.shape, q.shape[3])
        scores = q.gather(2, top[..., None].expand(width)) @ k.transpose(-1, -2) * self.scale
        if self.causal:
            later = torch.arange(m, device=top.device) > top[..., None]
            scores = scores.masked_fill(later, float("-inf"))
            lazy = v.cumsum(2)
        else:
            lazy = v.mean(2, keepdim=True).expand(*v.shape[:2], n, v.shape[3])
        attended = scores.softmax(-1) @ v
        return lazy.scatter(2, top[..., None].expand(attended.shape), attended).transpose(1, 2)

    def _sample(self, n: int, sampled: int, m: int) -> Tensor:
        if self.training:
            self.calls += 1
        rng = torch.Generator().manual_seed(self.seed + (1_000_003 * self.calls if self.training else 0))
        return torch.randint(m, (n, sampled), generator=rng)


def circular_correlation(query: Tensor, key: Tensor) -> Tensor:
    """``R[τ] = Σ_t q[t + τ] k[t]`` for all delays τ, along axis 1, by FFT; the shape of the inputs."""
    spectrum = torch.fft.rfft(query, dim=1) * torch.fft.rfft(key, dim=1).conj()
    return torch.fft.irfft(spectrum, n=query.shape[1], dim=1)


class AutoCorrelation(_Mixing):
    """Autoformer's attention between delays (Wu et al. 2021, section 3.2).

    The delays at which queries and keys agree best, averaged over heads and channels, are used for all of them. In
    training they are chosen for the batch together, in evaluation for each sample alone.

    Args:
        factor: delays, in units of the logarithm of the length.
    """

    def __init__(self, factor: float = 3):
        super().__init__()
        self.factor = factor

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        steps = query.shape[1]
        key, value = _as_long(key, steps), _as_long(value, steps)
        agreement = circular_correlation(query, key).mean((2, 3))  # (batch, delays)
        count = min(steps, max(1, int(self.factor * math.log(steps))))
        if self.training:
            delays = agreement.mean(0).topk(count).indices.expand(len(query), -1)
            weights = agreement.gather(1, delays).softmax(1)
        else:
            best = agreement.topk(count, dim=1)
            delays, weights = best.indices, best.values.softmax(1)
        mixed = torch.zeros_like(value)
        time = torch.arange(steps, device=value.device)
        sample = torch.arange(len(value), device=value.device)[:, None]
        for i in range(count):  # value[t + delay]
            mixed = (
                mixed + weights[:, i, None, None, None] * value[sample, (time + delays[:, i, None]) % steps]
            )
        return mixed


def _as_long(x: Tensor, steps: int) -> Tensor:
    """Cut, or filled with zeros, to ``steps``."""
    if x.shape[1] >= steps:
        return x[:, :steps]
    return torch.cat([x, x.new_zeros(x.shape[0], steps - x.shape[1], *x.shape[2:])], dim=1)


def _modes(length: int, modes: int, rng: torch.Generator) -> Tensor:
    """Sorted random frequencies below ``length // 2``; at least one, never more than there are."""
    count = max(1, min(modes, length // 2))
    return torch.randperm(max(1, length // 2), generator=rng)[:count].sort().values


class _Fourier(_Mixing):
    """Holds the complex kernel ``(heads, size, size, modes)``; the modes are saved with it."""

    def __init__(self, width: int, heads: int, modes: Tensor):
        super().__init__()
        size = heads_of(width, heads)
        draw = torch.rand(heads, size, size, len(modes), 2)
        self.kernel = nn.Parameter(torch.view_as_complex(draw) / width**2)
        self.register_buffer("modes", modes)

    def couple_channels(self, trace, given, value):
        line = super().couple_channels(trace, given, value)
        unit = line[0, 0, 0]
        trace.hold(self.kernel, None, unit, unit, None)
        return line

    def weigh(self, spectrum: Tensor) -> Tensor:
        """Mode by mode and head by head a product with the kernel; ``(batch, modes, heads, size)``."""
        kernel = self.kernel.to(spectrum.dtype)  # model.double() leaves complex parameters as they are
        return torch.einsum("bmhi,hiom->bmho", spectrum, kernel)


class FourierBlock(_Fourier):
    """FEDformer's self attention: some modes of the queries, weighted. Keys and values are not used.

    The results are written to the *first* modes, not to their own frequencies, as in the reference code.
    """

    def __init__(self, width: int, heads: int, length: int, modes: int, rng: torch.Generator):
        super().__init__(width, heads, _modes(length, modes, rng))

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        steps = query.shape[1]
        found = self.weigh(torch.fft.rfft(query, dim=1)[:, self.modes])
        return torch.fft.irfft(_filled(found, steps), n=steps, dim=1)


class FourierCross(_Fourier):
    """FEDformer's cross attention between modes; keys serve as values (Zhou et al. 2022, section 3.3)."""

    def __init__(self, width: int, heads: int, length: int, other: int, modes: int, rng: torch.Generator):
        super().__init__(width, heads, _modes(length, modes, rng))
        self.register_buffer("key_modes", _modes(other, modes, rng))
        self.width = width

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        steps = query.shape[1]
        q = torch.fft.rfft(query, dim=1)[:, self.modes]
        k = torch.fft.rfft(key, dim=1)[:, self.key_modes]
        agreement = torch.einsum("bxhe,byhe->bhxy", q, k).tanh()
        found = self.weigh(torch.einsum("bhxy,byhe->bxhe", agreement, k)) / self.width**2
        spectrum = found.new_zeros(len(query), steps // 2 + 1, *found.shape[2:])
        spectrum = spectrum.index_copy(1, self.modes, found)
        return torch.fft.irfft(spectrum, n=steps, dim=1)


def _filled(found: Tensor, steps: int) -> Tensor:
    missing = steps // 2 + 1 - found.shape[1]
    return torch.cat([found, found.new_zeros(found.shape[0], missing, *found.shape[2:])], dim=1)


class Attention(nn.Module):
    """Separate linear layers for queries, keys, values and result around one way of mixing.

    Args:
        width: of the tokens.
        heads: must divide it.
        mixing: one of the modules above.
    """

    def __init__(self, width: int, heads: int, mixing: nn.Module):
        super().__init__()
        heads_of(width, heads)
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.mixing = mixing

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """``(batch, steps, width)`` as ``x``; keys and values from ``other``, ``(batch, steps', width)``."""
        query = self.query(x).unflatten(-1, (self.heads, -1))
        key = self.key(other).unflatten(-1, (self.heads, -1))
        value = self.value(other).unflatten(-1, (self.heads, -1))
        return self.out(self.mixing(query, key, value).flatten(2))
