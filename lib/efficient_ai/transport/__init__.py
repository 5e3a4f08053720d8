"""Messages between ranks while they compute: tensors that are exchanged, and letters for which nobody waits.

* ``Transport``                          what a method needs: ``post`` an exchange, ``sum_`` a tensor, ``split`` the ranks
* ``MPITransport``, ``TorchTransport``   the same over mpi4py and over torch.distributed (gloo, NCCL)
* ``gather_small``                       a few numbers of all ranks, on each of them
* ``Letters``                            letters to ranks that may be deaf for a long time: no rank makes another one deaf
"""

from importlib import import_module

from efficient_ai.transport._letters import Letters

__all__ = ["Letters", "MPITransport", "Pending", "TorchTransport", "Transport", "gather_small"]

# Imported when first used: ranks that only write letters need no torch, whose import takes seconds on a busy machine.
_TENSORS = {"MPITransport", "Pending", "TorchTransport", "Transport", "gather_small"}


def __getattr__(name: str):
    if name not in _TENSORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("efficient_ai.transport._tensors"), name)
