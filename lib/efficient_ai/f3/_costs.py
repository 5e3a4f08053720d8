"""What a step costs: multiplications counted, seconds fitted to measurements, and what follows for more ranks."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np


def multiplications(sizes: Sequence[int], rule: str) -> dict[str, int]:
    """Multiplications for one sample in a fully connected network, by part.

    Args:
        sizes: inputs, hidden widths, outputs: n_0 ... n_L.
        rule: ``"BP"``, ``"DFA"``, ``"DRTP"``, ``"F³"``, ``"LLO"`` or ``"Mono-Forward"``.

    Returns:
        ``forward``, ``signal`` (from the output to the hidden blocks) and ``weights`` (gradients by weights)
    """
    products = [n * m for n, m in pairwise(sizes)]
    hidden, c = sizes[1:-1], sizes[-1]
    heads = sum(c * n for n in hidden)
    signal = {
        "BP": sum(products[1:]),
        "DFA": heads,
        "F³": heads,
        "DRTP": 0,  # a one-hot target picks a row of B
        "LLO": 0,
        "Mono-Forward": 3 * heads,  # head forward, its gradient by weights, and back to the block
    }
    if rule not in signal:
        raise ValueError(f"no count for {rule!r}; known are {', '.join(signal)}")
    return {
        "forward": sum(products),
        "signal": signal[rule],
        "weights": products[-1] if rule == "LLO" else sum(products),
    }


@dataclass(frozen=True)
class Costs:
    """Seconds of one hidden block of width n in one step of a batch of b rows: ``call + flop · passes · b · n² + update · n²``.

    Args:
        call: seconds of a block that does nothing.
        flop: seconds of one multiplication.
        update: seconds of the optimiser for one weight.
    """

    call: float
    flop: float
    update: float

    def block(self, width: int, batch: int, passes: int) -> float:
        """``passes`` is 2 for F³ (forward, weights) and 3 for BP (and back)."""
        return self.call + self.flop * passes * batch * width**2 + self.update * width**2


def fit_costs(rows: Sequence[tuple[int, int, int, float]]) -> Costs:
    """Least squares with non-negative coefficients and relative errors.

    Args:
        rows: ``(width, batch, passes, seconds of a block)``; at least three that differ.

    Raises:
        ValueError: too few rows.
    """
    from scipy.optimize import nnls

    if len({row[:3] for row in rows}) < 3:
        raise ValueError(f"three coefficients need at least three different measurements, got {len(rows)}")
    matrix = np.array([[1.0, p * b * n**2, n**2] for n, b, p, _ in rows])
    seconds = np.array([s for *_, s in rows])
    weighted = matrix / seconds[:, None]
    unit = np.abs(weighted).max(0)
    found, _ = nnls(weighted / unit, np.ones(len(rows)))
    return Costs(*(found / unit).tolist())


def pipeline_seconds(
    costs: Costs,
    *,
    blocks: int,
    width: int,
    batch: int,
    ranks: int,
    steps: int,
    rule: str,
    micro_batches: int = 4,
    message: float = 0.0,
    byte: float = 0.0,
) -> float:
    """Seconds of an epoch on ``ranks`` ranks: a model, with equal blocks dealt out evenly.

    F³: the pipeline fills once an epoch and runs empty at its border. BP: it fills and empties in every step.

    Args:
        costs: of a block.
        blocks: of the network, at least ``ranks``.
        width, batch: of the blocks.
        steps: batches of an epoch.
        rule: ``"F³"``, or ``"BP"`` for GPipe with ``micro_batches``.
        message, byte: seconds of a message and of one of its bytes.
    """
    own = -(-blocks // ranks)
    if rule == "F³":
        sent = (message + byte * 4 * batch * width) if ranks > 1 else 0.0
        return (steps + ranks - 1) * (own * costs.block(width, batch, 2) + sent)
    pieces = 1 if ranks == 1 else min(micro_batches, batch)
    sent = 2 * (message + byte * 4 * batch / pieces * width) if ranks > 1 else 0.0
    work = own * (pieces * costs.call + (costs.block(width, batch, 3) - costs.call)) / pieces
    return steps * (pieces + ranks - 1) * (work + sent)
