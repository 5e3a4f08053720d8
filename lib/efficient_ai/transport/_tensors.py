"""How blocks travel: one small interface, on MPI (mpi4py, also CUDA-aware) and on torch.distributed (gloo, NCCL)."""

import os
import time
from collections.abc import Sequence
from typing import Any, Protocol

import torch

Message = tuple[torch.Tensor, int, int]
"""A contiguous tensor, the partner's rank, a tag."""


class Pending(Protocol):
    """Messages on their way."""

    def wait(self) -> None:
        """Return when all have been sent and received."""


class Transport(Protocol):
    """What the distributed products need. ``rank`` and ``size`` are those of this communicator."""

    rank: int
    size: int

    def post(self, sends: Sequence[Message], receives: Sequence[Message]) -> Pending:
        """Start all of these messages and return at once. Tensors must stay as they are until they have been waited for."""

    def sum_(self, tensor: torch.Tensor) -> None:
        """Replace ``tensor`` by its sum over all ranks, in place: for gradients of data parallel instances."""

    def split(self, colour: int) -> "Transport":
        """The transport among the ranks that gave the same ``colour``, in rank order. Collective."""


class MPITransport:
    """Messages over an mpi4py communicator; a :class:`~efficient_ai.parallel.CountingComm` counts them.

    Tensors on a GPU are handed to MPI as they are, which needs a CUDA-aware MPI.
    """

    def __init__(self, comm: Any):
        self.comm, self.rank, self.size = comm, comm.rank, comm.size
        self._counted = hasattr(comm, "record")  # its requests time their own waiting

    def post(self, sends: Sequence[Message], receives: Sequence[Message]) -> Pending:
        requests = [self.comm.Irecv(_buffer(t), source, tag) for t, source, tag in receives]
        requests += [self.comm.Isend(_buffer(t), dest, tag) for t, dest, tag in sends]
        return _Requests(requests, "Wait") if self._counted else _Polite(requests)

    def sum_(self, tensor: torch.Tensor) -> None:
        from mpi4py import MPI

        if self.size > 1:
            self.comm.Allreduce(MPI.IN_PLACE, _buffer(tensor))

    def split(self, colour: int) -> "MPITransport":
        return MPITransport(self.comm.Split(colour, self.rank))


class TorchTransport:
    """Messages over a process group of torch.distributed.

    gloo matches messages by tag, as MPI does. NCCL has no tags: it matches by order, so that the messages of one
    :meth:`post` are handed over as one batch, in the same order on both sides.
    """

    def __init__(self, group: Any = None):
        import torch.distributed as dist

        self.dist, self.group = dist, group or dist.group.WORLD
        self.rank, self.size = dist.get_rank(self.group), dist.get_world_size(self.group)
        self._ranks = dist.get_process_group_ranks(self.group)

    def post(self, sends: Sequence[Message], receives: Sequence[Message]) -> Pending:
        dist, group = self.dist, self.group
        if dist.get_backend(group) == "nccl":
            calls = [(tag, dist.irecv, t, source) for t, source, tag in receives]
            calls += [(tag, dist.isend, t, dest) for t, dest, tag in sends]
            ops = [
                dist.P2POp(f, t.detach(), self._ranks[other], group)
                for _, f, t, other in sorted(calls, key=lambda call: call[0])
            ]
            return _Requests(dist.batch_isend_irecv(ops) if ops else [], "wait")
        works = [dist.irecv(t.detach(), self._ranks[source], group, tag) for t, source, tag in receives]
        works += [dist.isend(t.detach(), self._ranks[dest], group, tag) for t, dest, tag in sends]
        return _Requests(works, "wait")

    def sum_(self, tensor: torch.Tensor) -> None:
        if self.size > 1:
            self.dist.all_reduce(tensor.detach(), group=self.group)

    def split(self, colour: int) -> "TorchTransport":
        colours: list[Any] = [None] * self.size
        self.dist.all_gather_object(colours, colour, group=self.group)
        for other in sorted(set(colours)):  # every rank takes part in the making of every group
            ranks = [self._ranks[i] for i, c in enumerate(colours) if c == other]
            group = self.dist.new_group(ranks)
            if other == colour:
                mine = group
        return TorchTransport(mine)


class _Requests:
    def __init__(self, requests: list, wait: str):
        self._requests, self._wait = requests, wait

    def wait(self) -> None:
        for request in self._requests:
            getattr(request, self._wait)()
        self._requests = []


class _Polite:
    """Requests that are waited for without holding a core for long: with more ranks than cores the partner may need it."""

    def __init__(self, requests: list):
        self._requests = requests

    def wait(self) -> None:
        for request in self._requests:
            tries = 0
            while not request.Test():
                tries += 1
                if tries < 200:
                    os.sched_yield()
                else:
                    time.sleep(2e-5)
        self._requests = []


def _buffer(tensor: torch.Tensor) -> Any:
    """What mpi4py reads and writes: the memory of the tensor itself, on the CPU as a NumPy array."""
    tensor = tensor.detach()
    if not tensor.is_contiguous():
        raise ValueError("a message must be contiguous in memory: a copy would arrive where nobody looks")
    return tensor.numpy() if tensor.device.type == "cpu" else tensor


def gather_small(
    transport: Transport, tensor: torch.Tensor, ranks: Sequence[int], tag: int = 900
) -> list[torch.Tensor]:
    """The tensors of all ``ranks``, in their order, on each of them. For a few numbers per token, never for activations.

    All ranks then combine the same numbers in the same order, so that replicated values stay equal to the last bit.
    """
    own = tensor.detach().contiguous()
    others = [rank for rank in ranks if rank != transport.rank]
    found = {rank: torch.empty_like(own) for rank in others}
    sends = [(own, rank, tag) for rank in others]
    transport.post(sends, [(found[rank], rank, tag) for rank in others]).wait()
    return [own if rank == transport.rank else found[rank] for rank in ranks]
