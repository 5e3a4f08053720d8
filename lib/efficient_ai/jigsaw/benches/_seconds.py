"""Bench for a cost model: what the machine can do, what the reader predicts from that, and what the clock says."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cloudpickle
import numpy as np

from efficient_ai import checks
from efficient_ai.jigsaw.benches._products import Shape, block

cloudpickle.register_pickle_by_value(sys.modules[__name__])

CLOSE = 0.25


@dataclass(frozen=True)
class Rates:
    """What two ranks of this machine do.

    Args:
        rate: multiplications and additions of a product of float64 blocks, 1/s.
        latency: of a message, s.
        bandwidth: of a message, both ways at once, bytes/s.
    """

    rate: float
    latency: float
    bandwidth: float


def predictions_are_right(seconds: Callable, *cases: tuple[tuple[int, int], Shape, Rates, float]) -> None:
    """``seconds(rows, cols, m, k, n, rate, latency, bandwidth)`` must be the given number for each case."""
    for (rows, cols), shape, rates, expected in cases:
        found = seconds(rows, cols, *shape, rates.rate, rates.latency, rates.bandwidth)
        checks.close(
            f"seconds on {rows} x {cols} for M, K, N = {shape}, {rates}", found, expected, tolerance=1e-9
        )


def choices_are_right(cheapest: Callable, *cases: tuple[int, Shape, Rates, tuple[int, int]]) -> None:
    """``cheapest(ranks, m, k, n, rate, latency, bandwidth)`` must be the given grid for each case."""
    for ranks, shape, rates, expected in cases:
        found = cheapest(ranks, *shape, rates.rate, rates.latency, rates.bandwidth)
        checks.equal(f"the cheapest grid of {ranks} ranks for M, K, N = {shape}", tuple(found), expected)


def _on_each_rank(comm, function, shapes, repeats):
    """Rates from small blocks and plain messages, then the seconds of the reader's product of each shape and grid."""
    import time

    def median(action):
        taken = []
        for _ in range(repeats):
            comm.Barrier()
            begin = time.perf_counter()
            action()
            taken.append(time.perf_counter() - begin)
        return float(np.median(taken))

    side = 256
    a, b = np.ones((side, side)), np.ones((side, side))
    rate = 2 * side**3 / median(lambda: a @ b)

    def exchange(size):
        mine, theirs = np.ones(size), np.empty(size)

        def action():
            for request in [comm.Irecv(theirs, 1 - comm.rank), comm.Isend(mine, 1 - comm.rank)]:
                request.Wait()

        return median(action)

    few, many = 10, 500_000
    short, long = exchange(few), exchange(many)
    bandwidth = 8 * (many - few) / max(long - short, 1e-9)
    times = {}
    for m, k, n in shapes:
        x, w = np.ones((m, k)), np.ones((k, n))
        for rows, cols in ((1, 2), (2, 1)):
            mine = [block(matrix, rows, cols, comm.rank) for matrix in (x, w)]
            times[rows, cols, m, k, n] = median(lambda r=rows, c=cols, own=mine: function(comm, r, c, *own))
    return (rate, short, bandwidth), times


def predicted_and_measured(
    product: Callable,
    seconds: Callable,
    shapes: Sequence[Shape] = ((600, 600, 600), (1200, 400, 400), (400, 400, 1200)),
    repeats: int = 9,
) -> str:
    """A table: what ``seconds`` says of ``product`` on two ranks of this machine, and what it takes.

    The rates come from products of other blocks and from plain messages, not from what is predicted. Both numbers are of the
    slower rank. No grade depends on this: a busy machine is not the reader's fault.
    """
    found = checks.on_ranks(_on_each_rank, 2, product, list(shapes), repeats, timeout=120)
    rates = Rates(min(r[0] for r, _ in found), max(r[1] for r, _ in found), min(r[2] for r, _ in found))
    lines = [
        f"This machine: {rates.rate / 1e9:.1f} GFLOP/s a rank, {rates.latency * 1e6:.0f} µs and "
        f"{rates.bandwidth / 1e9:.2f} GB/s a message.",
        f"{'grid':>6} {'M, K, N':>18} {'predicted ms':>13} {'measured ms':>12}  within {CLOSE:.0%}",
    ]
    for case in found[0][1]:
        rows, cols, *shape = case
        said = seconds(rows, cols, *shape, rates.rate, rates.latency, rates.bandwidth)
        took = max(times[case] for _, times in found)
        right = "yes" if abs(said - took) <= CLOSE * took else "no"
        sizes = ", ".join(map(str, shape))
        lines.append(f"{f'{rows} x {cols}':>6} {sizes:>18} {1e3 * said:>13.2f} {1e3 * took:>12.2f}  {right}")
    return "\n".join(lines)
