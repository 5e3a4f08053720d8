"""The collectives of ``CountingComm``: what the call takes from this rank and what it gives to it, in bytes."""

from contextlib import AbstractContextManager
from operator import index
from typing import Any

from mpi4py import MPI

from ._traffic import Event


def pickled(obj: Any) -> int:
    """Bytes that mpi4py sends for an object."""
    return len(MPI.pickle.dumps(obj))


def pickled_each(objects: Any) -> int:
    """The same for a sequence whose items travel one by one; zero for None, which a rank gets that is not the root."""
    return 0 if objects is None else sum(map(pickled, objects))


def held(spec: Any) -> int:
    """Bytes of a buffer specification of mpi4py: a buffer, or a list of buffer, count(s), displacements, datatype."""
    if spec is None or spec is MPI.IN_PLACE or spec is MPI.BOTTOM:
        return 0
    if not isinstance(spec, list | tuple):
        return MPI.buffer(spec).nbytes
    data, *rest = spec
    datatype = rest.pop() if rest and isinstance(rest[-1], str | MPI.Datatype) else None
    if not rest or rest[0] is None:
        return MPI.buffer(data).nbytes
    counts = rest[0]
    if isinstance(counts, list | tuple) and counts and hasattr(counts[0], "__len__"):
        counts = counts[0]  # (counts, displacements)
    number = sum(map(index, counts)) if hasattr(counts, "__len__") else index(counts)
    if datatype is None:
        return number * getattr(data, "itemsize", 1)
    return number * (MPI.Datatype.fromcode(datatype) if isinstance(datatype, str) else datatype).Get_size()


class CountedCollectives(MPI.Intracomm):
    """Base of ``CountingComm``. A non-blocking call is counted at its post and returns a timed request."""

    def _timed(self, operation: str, **facts: Any) -> AbstractContextManager[Event]:
        raise NotImplementedError

    def _request(self, request: MPI.Request, event: Event) -> MPI.Request:
        raise NotImplementedError

    # Objects: what a rank gets is only known afterwards.

    def barrier(self):
        with self._timed("barrier"):
            super().barrier()

    def bcast(self, obj, root=0):
        with self._timed("bcast") as event:
            result = super().bcast(obj, root)
        event.sent, event.received = self._one_way(pickled(result), root)
        return result

    def reduce(self, sendobj, op=MPI.SUM, root=0):
        sent = pickled(sendobj)
        with self._timed("reduce", sent=sent) as event:
            result = super().reduce(sendobj, op, root)
        event.received = pickled(result) if self.rank == root else 0
        return result

    def allreduce(self, sendobj, op=MPI.SUM):
        with self._timed("allreduce", sent=pickled(sendobj)) as event:
            result = super().allreduce(sendobj, op)
        event.received = pickled(result)
        return result

    def gather(self, sendobj, root=0):
        with self._timed("gather", sent=pickled(sendobj)) as event:
            result = super().gather(sendobj, root)
        event.received = pickled_each(result)
        return result

    def allgather(self, sendobj):
        with self._timed("allgather", sent=pickled(sendobj)) as event:
            result = super().allgather(sendobj)
        event.received = pickled_each(result)
        return result

    def scatter(self, sendobj, root=0):
        sent = pickled_each(sendobj) if self.rank == root else 0
        with self._timed("scatter", sent=sent) as event:
            result = super().scatter(sendobj, root)
        event.received = pickled(result)
        return result

    def alltoall(self, sendobj):
        with self._timed("alltoall", sent=pickled_each(sendobj)) as event:
            result = super().alltoall(sendobj)
        event.received = pickled_each(result)
        return result

    # Buffers: both sizes are known beforehand.

    def Barrier(self):
        with self._timed("Barrier"):
            super().Barrier()

    def Ibarrier(self):
        with self._timed("Ibarrier") as event:
            request = super().Ibarrier()
        return self._request(request, event)

    def Bcast(self, buf, root=0):
        with self._buffers("Bcast", *self._one_way(held(buf), root)):
            super().Bcast(buf, root)

    def Ibcast(self, buf, root=0):
        with self._buffers("Ibcast", *self._one_way(held(buf), root)) as event:
            request = super().Ibcast(buf, root)
        return self._request(request, event)

    def Reduce(self, sendbuf, recvbuf, op=MPI.SUM, root=0):
        with self._buffers("Reduce", *self._to_root(sendbuf, recvbuf, root)):
            super().Reduce(sendbuf, recvbuf, op, root)

    def Ireduce(self, sendbuf, recvbuf, op=MPI.SUM, root=0):
        with self._buffers("Ireduce", *self._to_root(sendbuf, recvbuf, root)) as event:
            request = super().Ireduce(sendbuf, recvbuf, op, root)
        return self._request(request, event)

    def Allreduce(self, sendbuf, recvbuf, op=MPI.SUM):
        with self._buffers("Allreduce", held(sendbuf) or held(recvbuf), held(recvbuf)):
            super().Allreduce(sendbuf, recvbuf, op)

    def Iallreduce(self, sendbuf, recvbuf, op=MPI.SUM):
        with self._buffers("Iallreduce", held(sendbuf) or held(recvbuf), held(recvbuf)) as event:
            request = super().Iallreduce(sendbuf, recvbuf, op)
        return self._request(request, event)

    def Gather(self, sendbuf, recvbuf, root=0):
        with self._buffers("Gather", *self._to_root(sendbuf, recvbuf, root, self.size)):
            super().Gather(sendbuf, recvbuf, root)

    def Gatherv(self, sendbuf, recvbuf, root=0):
        with self._buffers("Gatherv", held(sendbuf), held(recvbuf) if self.rank == root else 0):
            super().Gatherv(sendbuf, recvbuf, root)

    def Allgather(self, sendbuf, recvbuf):
        with self._buffers("Allgather", self._share(sendbuf, recvbuf), held(recvbuf)):
            super().Allgather(sendbuf, recvbuf)

    def Allgatherv(self, sendbuf, recvbuf):
        with self._buffers("Allgatherv", held(sendbuf), held(recvbuf)):
            super().Allgatherv(sendbuf, recvbuf)

    def Iallgather(self, sendbuf, recvbuf):
        with self._buffers("Iallgather", self._share(sendbuf, recvbuf), held(recvbuf)) as event:
            request = super().Iallgather(sendbuf, recvbuf)
        return self._request(request, event)

    def Scatter(self, sendbuf, recvbuf, root=0):
        sent = held(sendbuf) if self.rank == root else 0
        with self._buffers("Scatter", sent, held(recvbuf) or sent // self.size):
            super().Scatter(sendbuf, recvbuf, root)

    def Scatterv(self, sendbuf, recvbuf, root=0):
        with self._buffers("Scatterv", held(sendbuf) if self.rank == root else 0, held(recvbuf)):
            super().Scatterv(sendbuf, recvbuf, root)

    def Alltoall(self, sendbuf, recvbuf):
        with self._buffers("Alltoall", held(sendbuf) or held(recvbuf), held(recvbuf)):
            super().Alltoall(sendbuf, recvbuf)

    def Alltoallv(self, sendbuf, recvbuf):
        with self._buffers("Alltoallv", held(sendbuf) or held(recvbuf), held(recvbuf)):
            super().Alltoallv(sendbuf, recvbuf)

    def _buffers(self, operation: str, sent: int, received: int):
        return self._timed(operation, sent=sent, received=received)

    def _one_way(self, size: int, root: int) -> tuple[int, int]:
        """(sent, received) where the root gives and all others get."""
        return (size, 0) if self.rank == root else (0, size)

    def _to_root(self, sendbuf, recvbuf, root: int, parts: int = 1) -> tuple[int, int]:
        """(sent, received) where all give and the root gets; in place, the root's part lies in its receive buffer."""
        received = held(recvbuf) if self.rank == root else 0
        return held(sendbuf) or received // parts, received

    def _share(self, sendbuf, recvbuf) -> int:
        return held(sendbuf) or held(recvbuf) // self.size
