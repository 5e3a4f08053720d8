"""What a fusion costs: processor seconds, and the peak of what it allocates."""

import time
import tracemalloc
import weakref
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from efficient_ai.transplantation import _align
from efficient_ai.transplantation._fuse import fuse
from efficient_ai.transplantation._networks import Perceptron
from efficient_ai.transplantation.profiles import Profile

NAIVE_LIMIT = 512 * 1024 * 1024
"""Bytes above which the naive cost matrix is not built."""


@dataclass(frozen=True)
class Cost:
    """Of one method at one width.

    Args:
        seconds: processor seconds, one per repeat.
        peak: bytes allocated beyond the members at the worst moment: torch tensors and numpy arrays.
    """

    seconds: list[float]
    peak: int


class _Peak(TorchDispatchMode):
    """Counts the bytes of the storages that operations make, while they live; views of what there was count nothing."""

    def __init__(self):
        super().__init__()
        self.now = self.most = 0
        self._seen: dict[int, int] = {}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        given = {
            leaf.untyped_storage()._cdata
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, torch.Tensor) and leaf.layout == torch.strided
        }
        for tensor in made if isinstance(made, tuple | list) else (made,):
            if isinstance(tensor, torch.Tensor) and tensor.device.type == "cpu":
                storage = tensor.untyped_storage()
                key = storage._cdata
                if key not in self._seen and key not in given and storage.nbytes():
                    self._seen[key] = storage.nbytes()
                    self.now += storage.nbytes()
                    weakref.finalize(storage, self._free, key)
                    self.most = max(self.most, self.now)
        return made

    def _free(self, key: int) -> None:
        self.now -= self._seen.pop(key, 0)


def peak_bytes(call: Callable[[], object]) -> int:
    """Peak of torch tensors and of numpy arrays during a call, added: an upper bound of the peak of both together."""
    tracemalloc.start()
    try:
        with _Peak() as counter:
            call()
        return counter.most + tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def naive_transport(a: Perceptron, b: Perceptron) -> list[torch.Tensor]:
    """The layers aligned with a cost matrix from all differences at once, an array of shape ``(n, n, d)``, as released."""
    order, held = None, []
    for i, (x, y) in enumerate(zip(a.layers, b.layers, strict=True)):
        theirs = y.weight.detach() if order is None else y.weight.detach()[:, order]
        if i < len(a.layers) - 1:
            cost = (x.weight.detach()[:, None, :] - theirs[None, :, :]).square().sum(-1).sqrt()
            order = torch.as_tensor(linear_sum_assignment(cost.numpy())[1])
            theirs = theirs[order]
        held.append((x.weight.detach() + theirs) / 2)
    return held


def measure(size: Profile) -> dict[int, dict[str, Cost]]:
    """Seconds and peak bytes by width and method, in turns, one thread; two untrained perceptrons 196-w-w-10."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {width: _at(width, size.repeats) for width in size.cost_widths}
    finally:
        torch.set_num_threads(threads)


def _at(width: int, repeats: int) -> dict[str, Cost]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        pair = [Perceptron(196, (width, width), 10) for _ in range(2)]
    x = torch.zeros(1, 196)
    calls = {
        "NT": lambda: fuse(pair, x),
        "OT": lambda: _align.optimal_transport(pair, x),
        "OT, naive cost": lambda: naive_transport(*pair),
        "weight matching": lambda: _align.weight_matching(pair, x),
        "averaging": lambda: _align.average(pair, x),
    }
    if width * width * max(width, 196) * 4 > NAIVE_LIMIT:
        calls.pop("OT, naive cost")
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        peak_bytes(call)  # imports and caches are not the method's
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.process_time()
            call()
            seconds[name].append(max(time.process_time() - start, 1e-9))
    return {name: Cost(seconds[name], peak_bytes(call)) for name, call in calls.items()}


def slope(widths, seconds) -> float:
    """Exponent of the growth with width over the two largest widths."""
    (a, b), (x, y) = widths[-2:], [float(np.median(s)) for s in seconds[-2:]]
    return float(np.log(y / x) / np.log(b / a))
