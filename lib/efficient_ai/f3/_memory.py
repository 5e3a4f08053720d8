"""How many bytes of activations a step keeps for its gradients: counted as they are kept and let go."""

import weakref
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint_sequential


class _Kept:
    """A tensor that a graph holds on to; its death is noticed."""

    def __init__(self, tensor: Tensor):
        self.tensor = tensor


class Ledger:
    """Live bytes of tensors that graphs hold, parameters left out; each memory is counted once, however often it is held."""

    def __init__(self, parameters):
        self._own = {p.untyped_storage().data_ptr() for p in parameters}
        self._held: dict[int, list[int]] = {}
        self.live = self.peak = 0

    def __enter__(self):
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda kept: kept.tensor)
        self._hooks.__enter__()
        return self

    def __exit__(self, *details):
        return self._hooks.__exit__(*details)

    def _pack(self, tensor: Tensor) -> _Kept:
        storage = tensor.untyped_storage()
        kept, place = _Kept(tensor.detach()), storage.data_ptr()
        if place not in self._own and storage.nbytes():
            entry = self._held.setdefault(place, [0, storage.nbytes()])
            entry[0] += 1
            if entry[0] == 1:
                self.live += entry[1]
                self.peak = max(self.peak, self.live)
            weakref.finalize(kept, self._let_go, place)
        return kept

    def _let_go(self, place: int) -> None:
        entry = self._held[place]
        entry[0] -= 1
        if entry[0] == 0:
            self.live -= entry[1]
            del self._held[place]


def peak_bytes(step: Callable[[], object], model: nn.Module) -> int:
    """The most bytes that graphs held at once during ``step()``, parameters of ``model`` left out.

    Args:
        step: forward, gradients and update of one batch.
        model: whose parameters and buffers do not count.
    """
    with Ledger([*model.parameters(), *model.buffers()]) as ledger:
        step()
    return ledger.peak


def checkpointed_step(blocks: nn.Sequential, x: Tensor, y: Tensor, loss) -> None:
    """BP that keeps every √L-th activation and computes the others again (Chen et al. 2016)."""
    segments = max(1, round(len(blocks) ** 0.5))
    loss(checkpoint_sequential(blocks, segments, x.requires_grad_(), use_reentrant=False), y).backward()
