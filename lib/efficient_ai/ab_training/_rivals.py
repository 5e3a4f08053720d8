"""What else makes training speak less: gradients in half precision or of low rank, and an outer optimiser over rare averages."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import nn

from efficient_ai.ab_training._averages import mean_gradients
from efficient_ai.seeds import seed_for

Sum = Callable[[torch.Tensor], None]


class Compression(Protocol):
    """Replaces gradients by an approximation of their mean over ranks; all ranks end with the same one."""

    def mean(self, parameters: Sequence[nn.Parameter], add: Sum, count: int) -> bool:
        """As :func:`mean_gradients`: in place, and whether all is finite. ``add`` sums a flat tensor over ranks."""

    def state(self) -> dict[str, Any]:
        """What it remembers from step to step."""

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""


class HalfPrecision:
    """Gradients are divided by the number of ranks, sent as 16-bit floats and added up as such.

    What leaves the range of the type is infinite afterwards, and the step is skipped like any other that is not finite.
    """

    def __repr__(self) -> str:
        return "HalfPrecision()"

    def mean(self, parameters: Sequence[nn.Parameter], add: Sum, count: int) -> bool:
        """See :class:`Compression`."""
        return mean_gradients(parameters, add, count, wire=torch.float16)

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Nothing to load."""


class PowerSGD:
    """Gradients as products of two thin matrices, one power iteration a step, and what was lost is added next time.

    After T. Vogels, S. P. Karimireddy and M. Jaggi, "PowerSGD: Practical Low-Rank Gradient Compression for Distributed Optimization",
    2019, algorithms 1 and 2: with error feedback and warm start. A weight of shape ``(m, ...)`` is a matrix of ``m`` rows; what would
    not become smaller is sent as it is.

    Args:
        rank: of the products, at least 1.
        seed: of the matrices at the start, equal on all ranks.

    Raises:
        ValueError: no such rank.
    """

    def __init__(self, rank: int, seed: int = 0):
        if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
            raise ValueError(f"the rank of PowerSGD is a whole number of at least 1: not {rank!r}")
        self.rank, self.seed = rank, seed
        self.right: dict[int, torch.Tensor] = {}
        self.lost: dict[int, torch.Tensor] = {}

    def __repr__(self) -> str:
        return f"PowerSGD(rank={self.rank}, seed={self.seed})"

    @torch.no_grad()
    def mean(self, parameters: Sequence[nn.Parameter], add: Sum, count: int) -> bool:
        """See :class:`Compression`. Positions in ``parameters`` say whose memory is whose."""
        thin = {i: p for i, p in enumerate(parameters) if self._becomes_smaller(p)}
        plain = [p for i, p in enumerate(parameters) if i not in thin]
        finite = mean_gradients(plain, add, count) if plain else True
        if not thin:
            return finite
        first = next(iter(thin.values()))
        there = torch.tensor([float(p.grad is not None) for p in thin.values()], device=first.device)
        add(there)
        matrices = {i: self._gradient(i, p) for i, p in thin.items()}
        rights = {i: self._right(i, m) for i, m in matrices.items()}
        lefts = _means([m @ rights[i] for i, m in matrices.items()], add, count)
        if not (finite and all(bool(p.isfinite().all()) for p in lefts)):
            return False  # the memory stays as it was
        lefts = [torch.linalg.qr(p)[0] for p in lefts]
        found = _means([m.mT @ p for m, p in zip(matrices.values(), lefts, strict=True)], add, count)
        for (i, matrix), left, right, flag in zip(matrices.items(), lefts, found, there, strict=True):
            approximate = left @ right.mT
            self.right[i], self.lost[i] = right, matrix - approximate
            thin[i].grad = approximate.reshape(thin[i].shape).clone() if flag > 0 else None
        return all(bool(right.isfinite().all()) for right in found)

    def _becomes_smaller(self, parameter: nn.Parameter) -> bool:
        if parameter.ndim < 2 or not parameter.numel():
            return False
        rows, columns = parameter.shape[0], math.prod(parameter.shape[1:])
        return self.rank * (rows + columns) < rows * columns

    def _gradient(self, i: int, parameter: nn.Parameter) -> torch.Tensor:
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        matrix = gradient.reshape(len(parameter), -1)
        return matrix + self.lost[i] if i in self.lost else matrix

    def _right(self, i: int, matrix: torch.Tensor) -> torch.Tensor:
        if i not in self.right:
            rng = torch.Generator().manual_seed(seed_for(self.seed, i))
            drawn = torch.randn(matrix.shape[1], self.rank, generator=rng, dtype=torch.float64)
            self.right[i] = drawn.to(matrix)
        return self.right[i]

    def state(self) -> dict[str, Any]:
        """Right factors, and what was lost on this rank."""
        return {"right": dict(self.right), "lost": dict(self.lost)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        self.right, self.lost = dict(state["right"]), dict(state["lost"])


def _means(matrices: Sequence[torch.Tensor], add: Sum, count: int) -> list[torch.Tensor]:
    flat = torch.cat([m.reshape(-1) for m in matrices])
    add(flat)
    parts = (flat / count).split([m.numel() for m in matrices])
    return [part.reshape(m.shape) for part, m in zip(parts, matrices, strict=True)]


class Outer:
    """An optimiser over the averages of local SGD: Nesterov momentum on how far the mean model moved while the groups were apart.

    After A. Douillard et al., "DiLoCo: Distributed Low-Communication Training of Language Models", 2023. Unlike there, what the inner
    optimisers remember is averaged with the weights, as for every method here; otherwise replicas would drift in the steps together.

    Args:
        rate: of the outer step; 1 without momentum is plain averaging.
        momentum: from 0 to below 1.

    Raises:
        ValueError: numbers out of range.
    """

    def __init__(self, rate: float = 0.7, momentum: float = 0.9):
        if not 0 < rate < math.inf or not 0 <= momentum < 1:
            raise ValueError(
                f"an outer step needs a rate above 0 and a momentum from 0 to below 1: not {rate!r} and {momentum!r}"
            )
        self.rate, self.momentum = rate, momentum
        self.start: list[torch.Tensor] = []
        self.velocity: list[torch.Tensor] = []

    def __repr__(self) -> str:
        return f"Outer(rate={self.rate:g}, momentum={self.momentum:g})"

    @torch.no_grad()
    def leave(self, parameters: Sequence[torch.Tensor]) -> None:
        """Remember where the groups part."""
        self.start = [p.clone() for p in parameters]

    @torch.no_grad()
    def step(self, means: Sequence[torch.Tensor]) -> None:
        """Replace the mean model, in place, by the outer step from where the groups parted."""
        if not self.velocity:
            self.velocity = [torch.zeros_like(m) for m in means]
        for mean, start, velocity in zip(means, self.start, self.velocity, strict=True):
            moved = start - mean
            velocity.mul_(self.momentum).add_(moved)
            mean.copy_(start - self.rate * (moved + self.momentum * velocity))

    def state(self) -> dict[str, Any]:
        """Where the groups parted, and the momentum."""
        return {"start": list(self.start), "velocity": list(self.velocity)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state`."""
        self.start, self.velocity = list(state["start"]), list(state["velocity"])
