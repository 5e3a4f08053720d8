"""What a dense, a masked and a cut model take, counted and measured."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from efficient_ai.forecasters import seq2seq
from efficient_ai.pruning._cost import Work, matmul_milliseconds, milliseconds, work
from efficient_ai.pruning._masks import mask
from efficient_ai.pruning._series import HISTORY, HORIZON
from efficient_ai.pruning._structured import shrink
from efficient_ai.pruning.profiles import Profile

RATIOS = (0.25, 0.5, 0.75)
CSR = (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01)


@dataclass(frozen=True)
class Timing:
    """Of a Transformer in several versions.

    Args:
        work: multiplications, by version.
        numbers: parameters, by version.
        times: milliseconds, by (threads, batch) and version, one reading each.
        csr: dense and CSR milliseconds, by density, one dictionary for each repeat.
    """

    work: Mapping[str, Work]
    numbers: Mapping[str, int]
    times: Mapping[tuple[int, int], Mapping[str, list[float]]]
    csr: list[Mapping[float, tuple[float, float]]]


def measure(size: Profile) -> Timing:
    """All versions in turns, at every batch size, with one and with two threads."""
    width, hidden = size.timed
    torch.manual_seed(0)
    dense = seq2seq.Transformer(7, HISTORY, HORIZON, width=width, hidden=hidden, heads=8).eval()
    x, marks = torch.randn(2, HISTORY, 7), torch.rand(2, HISTORY + HORIZON, 4) - 0.5
    versions = {"dense": dense, "masked, density 0.5": copy.deepcopy(dense)}
    mask(versions["masked, density 0.5"], 0.5, 7)
    for ratio in RATIOS:
        versions[f"{ratio:.0%} of channels removed"] = shrink(dense, (x, marks), ratio, scope="local")
    small = round(width * 0.5) // 8 * 8
    versions["small from the start"] = seq2seq.Transformer(
        7, HISTORY, HORIZON, width=small, hidden=hidden // 2, heads=8
    ).eval()
    times = {}
    for threads in (1, 2):
        for batch in size.batches:
            given = x[:1].expand(batch, -1, -1).contiguous(), marks[:1].expand(batch, -1, -1).contiguous()
            calls = max(1, 6 // batch)
            times[threads, batch] = milliseconds(
                versions, given, threads=threads, repeats=size.repeats, calls=calls
            )
    return Timing(
        {name: work(model, (x, marks)) for name, model in versions.items()},
        {name: sum(p.numel() for p in model.parameters()) for name, model in versions.items()},
        times,
        [matmul_milliseconds(size.matrix, CSR) for _ in range(3)],
    )
