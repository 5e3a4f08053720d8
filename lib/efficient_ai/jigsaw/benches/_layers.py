"""Benches for layers: gradients against the serial ones, messages and bytes counted."""

import sys
from collections.abc import Callable

import cloudpickle
import numpy as np

from efficient_ai import checks

# Sent to the ranks by value, so that they need not import torch.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


def _half(matrix: np.ndarray, rank: int) -> np.ndarray:
    return np.split(matrix, 2, axis=-1)[rank].copy()


def counted_elements(kind: str, rows: int, inputs: int, outputs: int) -> int:
    """Elements that a rank of two sends in forward and backward pass of a layer of this chapter, counted on real ranks."""
    return checks.on_ranks(_count_layer, 2, kind, rows, inputs, outputs, timeout=60)[0]


def _count_layer(comm, kind, rows, inputs, outputs):
    import torch

    from efficient_ai import jigsaw
    from efficient_ai.parallel import CountingComm

    counting = CountingComm(comm)
    ops = jigsaw.Sharded(jigsaw.Grid(1, 2), jigsaw.MPITransport(counting))
    shapes = {
        "XWT": ((1, rows, inputs // 2), (outputs, inputs // 2), ops.xwt),
        "XTW": ((1, inputs, rows // 2), (inputs, outputs // 2), ops.xtw),
        "XW": ((1, rows, inputs // 2), (inputs, outputs // 2), ops.xw),
    }
    x_shape, w_shape, layer = shapes[kind]
    x, w = (torch.randn(*shape, requires_grad=True) for shape in (x_shape, w_shape))
    layer(x, w, torch.zeros(outputs // 2, requires_grad=True)).sum().backward()
    return counting.record.sent_bytes // 4


def _backward_on_rank(comm, function, sizes):
    from efficient_ai.parallel import CountingComm

    rng, (m, k, n) = np.random.default_rng(1), sizes
    x, w, dy = rng.standard_normal((m, k)), rng.standard_normal((n, k)), rng.standard_normal((m, n))
    counting = CountingComm(comm)
    found = function(counting, *(_half(a, comm.rank) for a in (dy, x, w)))
    expected = _half(dy @ w, comm.rank), _half(dy.T @ x, comm.rank)
    return (
        found,
        expected,
        counting.record.sent_messages + counting.record.collectives,
        counting.record.sent_bytes,
    )


def backward_is_right(function: Callable, m: int, k: int, n: int) -> None:
    """``function(comm, dy, x, w)`` must give the own blocks of dX = dY W and dW = dY^T X on two ranks."""
    for rank, (found, expected, *_) in enumerate(_backward(function, m, k, n)):
        for name, mine, right in zip(("dX", "dW"), _pair(found, 2), expected, strict=True):
            checks.close(f"{name} of rank {rank} for M, K, N = {(m, k, n)}", mine, right, tolerance=1e-12)


def backward_messages(function: Callable, m: int, k: int, n: int) -> None:
    """One message for both gradients: the own block of dY."""
    for rank, (_, _, messages, sent) in enumerate(_backward(function, m, k, n)):
        checks.equal(f"messages sent by rank {rank}", messages, 1)
        checks.equal(f"bytes sent by rank {rank}", sent, 8 * m * n // 2)


def _backward(function, m, k, n):
    return checks.on_ranks(_backward_on_rank, 2, function, (m, k, n), timeout=60)


def _pair(found, number):
    checks.holds(
        "what your function returns",
        isinstance(found, tuple | list) and len(found) == number,
        f"a {type(found).__name__}, expected {number} arrays.",
    )
    return found


def _norm_on_rank(comm, forward, backward, tokens, channels, shift):
    from efficient_ai.parallel import CountingComm

    rng = np.random.default_rng(2)
    x, dy = shift + rng.standard_normal((tokens, channels)), rng.standard_normal((tokens, channels))
    gamma, beta = 1 + 0.1 * rng.standard_normal(channels), rng.standard_normal(channels)
    mean, var = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    rstd = 1 / np.sqrt(var + 1e-5)
    normal = (x - mean) * rstd
    g = dy * gamma
    dx = rstd * (g - g.mean(1, keepdims=True) - normal * (g * normal).mean(1, keepdims=True))
    expected = [normal * gamma + beta, dx, (dy * normal).sum(0), dy.sum(0)]
    counting = CountingComm(comm)
    halves = [np.split(a, 2, axis=-1)[comm.rank].copy() for a in (x, gamma, beta, dy)]
    y, saved = forward(counting, *halves[:3])
    there = counting.record.sent_bytes + counting.record.collective_bytes
    gradients = backward(counting, halves[3], saved)
    back = counting.record.sent_bytes + counting.record.collective_bytes - there
    return [y, *gradients], [np.split(e, 2, axis=-1)[comm.rank] for e in expected], there, back


def norm_is_right(
    forward: Callable, backward: Callable, tokens: int, channels: int, shift: float = 0.0
) -> None:
    """Output and gradients of a LayerNorm over all channels, of which each of two ranks has half."""
    runs = checks.on_ranks(_norm_on_rank, 2, forward, backward, tokens, channels, shift, timeout=60)
    for rank, (found, expected, *_) in enumerate(runs):
        for name, mine, right in zip(("y", "dX", "dgamma", "dbeta"), _pair(found, 4), expected, strict=True):
            checks.close(f"{name} of rank {rank}", mine, right, tolerance=1e-9)


def norm_is_frugal(forward: Callable, backward: Callable, tokens: int, channels: int) -> None:
    """Two numbers per token, there and back."""
    runs = checks.on_ranks(_norm_on_rank, 2, forward, backward, tokens, channels, 0.0, timeout=60)
    for rank, (_, _, there, back) in enumerate(runs):
        checks.equal(f"bytes sent by rank {rank} in the forward pass", there, 8 * 2 * tokens)
        checks.equal(f"bytes sent by rank {rank} in the backward pass", back, 8 * 2 * tokens)
