"""Feedback matrices B_i, shape C x n_i: drawn once, never trained."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor


def _random(values: list[float]) -> Callable:
    def make(c, n, g):
        table = torch.tensor(values, dtype=torch.float64)
        return table[torch.randint(len(values), (c, n), generator=g)]

    return make


def _uniform(c, n, g):
    return (2 * torch.rand(c, n, generator=g, dtype=torch.float64) - 1) / n**0.5


def _repeated_column(c, n, g):
    return _uniform(c, n, g)[:, :1].repeat(1, n)


def _identity(c, n, g):
    return torch.eye(c, dtype=torch.float64).repeat(1, -(-n // c))[:, :n]


def _plus_minus(c, n, g):
    eye = torch.eye(c, dtype=torch.float64)
    return torch.cat([eye, -eye], 1).repeat(1, -(-n // (2 * c)))[:, :n]


def _padded_identity(c, n, g):
    return torch.eye(c, n, dtype=torch.float64)


def _alternating(c, n, g):
    matrix = torch.ones(c, n, dtype=torch.float64)
    matrix[:, ::2] = -1
    return matrix


def _halves(c, n, g):
    matrix = torch.ones(c, n, dtype=torch.float64)
    matrix[:, n // 2 :] = -1
    return matrix


def _products(c, n, g):
    if n != 3**c:
        raise ValueError(f"every column of -1, 0 and 1 for {c} components needs a width of {3**c}, not {n}")
    return torch.tensor(list(itertools.product((-1.0, 0.0, 1.0), repeat=c)), dtype=torch.float64).T


FEEDBACK: dict[str, Callable] = {
    "trinomial": _random([-1.0, 0.0, 1.0]),
    "binomial": _random([0.0, 1.0]),
    "kaiming uniform": _uniform,
    "plus minus identity": _plus_minus,
    "repeated identity": _identity,
    "padded identity": _padded_identity,
    "constant": lambda c, n, g: torch.ones(c, n, dtype=torch.float64),
    "alternating sign": _alternating,
    "two halves": _halves,
    "all products": _products,
    "one column repeated": _repeated_column,
}
"""Ways to begin, as in the authors' code: name, and ``make(C, n_i, generator)``."""


def draw_feedback(
    kind: str, components: int, width: int, generator: torch.Generator, scale: float = 1.0
) -> Tensor:
    """One matrix B_i, float64, shape ``(components, width)``.

    Args:
        kind: a key of ``FEEDBACK``.
        components: of the output, C.
        width: of the block that gets the signal, n_i.
        generator: of its random numbers.
        scale: every entry is multiplied by it.

    Raises:
        ValueError: an unknown kind, or one that does not fit the width.
    """
    if kind not in FEEDBACK:
        raise ValueError(f"feedback {kind!r} is not one of {', '.join(FEEDBACK)}")
    return scale * FEEDBACK[kind](components, width, generator)


def check_feedback(matrix: Tensor, components: int, width: int) -> Tensor:
    """``matrix`` if it is C x n_i; refused otherwise, a transposed one by name."""
    if tuple(matrix.shape) != (components, width):
        hint = "; it looks transposed" if tuple(matrix.shape) == (width, components) else ""
        raise ValueError(
            f"a feedback matrix has shape C x n = {components} x {width}, got {tuple(matrix.shape)}{hint}"
        )
    if not torch.isfinite(matrix).all():
        raise ValueError("a feedback matrix must be finite")
    return matrix.detach()
