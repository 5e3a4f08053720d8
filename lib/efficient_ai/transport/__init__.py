"""Messages between ranks while they compute: tensors that are exchanged, and letters for which nobody waits.

* ``Transport``                          what a method needs: ``post`` an exchange, ``sum_`` a tensor, ``split`` the ranks
* ``MPITransport``, ``TorchTransport``   the same over mpi4py and over torch.distributed (gloo, NCCL)
* ``gather_small``                       a few numbers of all ranks, on each of them
* ``Letters``                            letters to ranks that may be deaf for a long time: no rank makes another one deaf
"""

from efficient_ai.transport._letters import Letters
from efficient_ai.transport._tensors import MPITransport, Pending, TorchTransport, Transport, gather_small

__all__ = ["Letters", "MPITransport", "Pending", "TorchTransport", "Transport", "gather_small"]
