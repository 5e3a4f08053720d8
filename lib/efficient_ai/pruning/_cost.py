"""What a forecast costs: multiplications counted in two ways, and milliseconds measured."""

import copy
import statistics
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from efficient_ai.forecasters.seq2seq import (
    AutoCorrelation,
    FourierBlock,
    FourierCross,
    FullAttention,
    ProbSparse,
)


@dataclass(frozen=True)
class Work:
    """Multiply-accumulates of one forecast of one sample.

    Args:
        layers: of linear layers and convolutions; a masked weight is multiplied all the same.
        mixing: of attention products; of Fourier transforms by 2 n log2 n, of complex products four each.
        counter: half of what torch's counter finds: it knows no Fourier transform and takes a complex product for one.
    """

    layers: int
    mixing: int
    counter: int

    @property
    def total(self) -> int:
        return self.layers + self.mixing


@torch.no_grad()
def work(model: nn.Module, inputs: Sequence[Tensor]) -> Work:
    """Counts one forecast of the first sample of ``inputs``."""
    model = copy.deepcopy(model).requires_grad_(False).eval()  # torch's counter asks for gradients otherwise
    one, found, hooks = [t[:1] for t in inputs], {"layers": 0, "mixing": 0}, []

    def layer(module, args, out):
        per = module.weight.shape[1] * (module.kernel_size[0] if isinstance(module, nn.Conv1d) else 1)
        found["layers"] += out.numel() * per

    def mixing(module, args, out):
        found["mixing"] += _mixing(module, *args)

    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv1d):
            hooks.append(module.register_forward_hook(layer))
        elif isinstance(module, FullAttention | ProbSparse | AutoCorrelation | FourierBlock | FourierCross):
            hooks.append(module.register_forward_hook(mixing))
    try:
        with FlopCounterMode(display=False) as counter:
            model(*one)
    finally:
        for hook in hooks:
            hook.remove()
    return Work(found["layers"], found["mixing"], counter.get_total_flops() // 2)


def _mixing(module, query: Tensor, key: Tensor, value: Tensor) -> int:
    from math import ceil, log, log2

    batch, n, heads, size = query.shape
    m = key.shape[1]
    series = batch * heads * size
    match module:
        case FullAttention():
            return 2 * series * n * m
        case ProbSparse():
            sampled, kept = (max(1, min(module.factor * ceil(log(x)), x)) for x in (m, n))
            return series * (n * sampled + 2 * kept * m)
        case AutoCorrelation():
            delays = min(n, max(1, int(module.factor * log(n))))
            return int(series * (3 * 2 * n * log2(max(n, 2)) + 4 * (n // 2 + 1) + delays * n))
        case FourierBlock():
            return int(series * (2 * 2 * n * log2(max(n, 2)) + 4 * len(module.modes) * size))
        case _:
            q, k = len(module.modes), len(module.key_modes)
            transforms = 2 * 2 * n * log2(max(n, 2)) + 2 * m * log2(max(m, 2))
            return int(series * (transforms + 2 * 4 * q * k + 4 * q * size))


@torch.no_grad()
def milliseconds(
    models: dict[str, nn.Module],
    inputs: Sequence[Tensor],
    *,
    threads: int = 1,
    repeats: int = 9,
    calls: int = 3,
) -> dict[str, list[float]]:
    """Wall milliseconds of one call of each model, ``repeats`` readings each; warm, and in turns.

    Args:
        models: by name; what one reading meets of a slower moment, its neighbours meet as well.
        calls: averaged in one reading.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    found: dict[str, list[float]] = {name: [] for name in models}
    try:
        for model in models.values():
            model.eval()
            for _ in range(2):
                model(*inputs)
        for _ in range(repeats):
            for name, model in models.items():
                began = time.perf_counter()
                for _ in range(calls):
                    model(*inputs)
                found[name].append(1000 * (time.perf_counter() - began) / calls)
    finally:
        torch.set_num_threads(before)
    return found


@torch.no_grad()
def matmul_milliseconds(
    size: int, densities: Sequence[float], tokens: int = 256, repeats: int = 7
) -> dict[float, tuple[float, float]]:
    """Dense and CSR product of a ``(size, size)`` weight with ``tokens`` tokens, median milliseconds by density."""
    before, found = torch.get_num_threads(), {}
    torch.set_num_threads(1)
    try:
        rng = torch.Generator().manual_seed(0)
        x = torch.randn(size, tokens, generator=rng)
        for density in densities:
            weight = torch.randn(size, size, generator=rng)
            weight[torch.rand(size, size, generator=rng) >= density] = 0
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Sparse CSR tensor support")
                sparse = weight.to_sparse_csr()
            times = []
            for matrix in (weight, sparse):
                matrix @ x
                readings = []
                for _ in range(repeats):
                    began = time.perf_counter()
                    matrix @ x
                    readings.append(1000 * (time.perf_counter() - began))
                times.append(statistics.median(readings))
            found[density] = (times[0], times[1])
    finally:
        torch.set_num_threads(before)
    return found
