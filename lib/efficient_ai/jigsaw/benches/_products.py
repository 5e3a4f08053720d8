"""Benches for products: blocks in, blocks out, compared with the serial product."""

import sys
from collections.abc import Callable, Sequence

import cloudpickle
import numpy as np

from efficient_ai import checks

# Sent to the ranks by value, so that they need not import torch.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

Shape = tuple[int, int, int]
"""M, K, N: X is M x K, the result is M x N."""


def block(matrix: np.ndarray, rows: int, cols: int, rank: int) -> np.ndarray:
    """The block of ``rank`` on a grid of ``rows`` x ``cols``."""
    i, j = divmod(rank, cols)
    m, n = matrix.shape[0] // rows, matrix.shape[1] // cols
    return matrix[i * m : (i + 1) * m, j * n : (j + 1) * n].copy()


def _on_each_rank(comm, function, op, rows, cols, shapes, way):
    """Blocks that the reader's function gives, what was expected, and what was sent."""
    from efficient_ai.parallel import CountingComm

    found = []
    for number, (m, k, n) in enumerate(shapes):
        rng = np.random.default_rng(number)
        x = rng.standard_normal((m, k))
        w = rng.standard_normal((n, k) if op == "XWT" else (k, n))
        whole = x @ (w.T if op == "XWT" else w)
        counting, products = CountingComm(comm), []

        def multiply(a, b, products=products):
            products.append((a.shape, b.shape))
            return a @ b

        mine = [block(matrix, rows, cols, comm.rank) for matrix in (x, w)]
        extra = {"plain": (), "multiply": (multiply,), "grid": (rows, cols)}[way]
        result = function(counting, *extra, *mine)
        record = counting.record
        sent = record.sent_bytes + record.collective_bytes
        found.append(
            (result, block(whole, rows, cols, comm.rank), sent, len(products), [a.nbytes for a in mine])
        )
    return found


def _run(
    function: Callable, op: str, rows: int, cols: int, shapes: Sequence[Shape], way: str = "plain"
) -> list:
    return checks.on_ranks(
        _on_each_rank, rows * cols, function, op, rows, cols, list(shapes), way, timeout=60
    )


def _equal(runs: list, shapes: Sequence[Shape]) -> None:
    for rank, run in enumerate(runs):
        for shape, (result, expected, *_) in zip(shapes, run, strict=True):
            checks.close(f"the block of rank {rank} for M, K, N = {shape}", result, expected, tolerance=1e-12)


def product_is_right(function: Callable, *shapes: Shape) -> None:
    """``function(comm, x, w)`` must give the own block of X W on two ranks."""
    _equal(_run(function, "XW", 1, 2, shapes), shapes)


def product_is_frugal(function: Callable, *shapes: Shape) -> None:
    """Each of two ranks may send its block of X and nothing else."""
    for rank, run in enumerate(_run(function, "XW", 1, 2, shapes)):
        for shape, (_, _, sent, _, sizes) in zip(shapes, run, strict=True):
            checks.equal(f"bytes sent by rank {rank} for M, K, N = {shape}", sent, sizes[0])


def balanced_is_right(function: Callable, *shapes: Shape) -> None:
    """``function(comm, multiply, x, w)`` must give the own block of X W^T on 2 x 2 ranks."""
    _equal(_run(function, "XWT", 2, 2, shapes, "multiply"), shapes)


def balanced_is_balanced(function: Callable, *shapes: Shape) -> None:
    """Every rank multiplies two pairs of blocks and sends one block of W and one of the result."""
    for rank, run in enumerate(_run(function, "XWT", 2, 2, shapes, "multiply")):
        for shape, (_, expected, sent, products, sizes) in zip(shapes, run, strict=True):
            checks.equal(f"block products of rank {rank}", products, 2)
            checks.equal(f"bytes sent by rank {rank} for M, K, N = {shape}", sent, sizes[1] + expected.nbytes)


def grid_is_right(function: Callable, rows: int, cols: int, *shapes: Shape) -> None:
    """``function(comm, rows, cols, x, w)`` must give the own block of X W on any grid."""
    _equal(_run(function, "XW", rows, cols, shapes, "grid"), shapes)


def grid_is_frugal(function: Callable, rows: int, cols: int, *shapes: Shape) -> None:
    """A rank may send its block of X to its row and its block of W to its column."""
    for rank, run in enumerate(_run(function, "XW", rows, cols, shapes, "grid")):
        for shape, (_, _, sent, _, sizes) in zip(shapes, run, strict=True):
            most = (cols - 1) * sizes[0] + (rows - 1) * sizes[1]
            told = f"{sent} bytes, but its blocks of X and W to its row and column are {most}."
            checks.holds(
                f"what rank {rank} of {rows} x {cols} sent for M, K, N = {shape}", sent <= most, told
            )
