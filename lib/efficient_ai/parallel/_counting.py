"""``CountingComm``: an mpi4py communicator that writes down what it carries and changes nothing else.

Conventions. Bytes are payload: the length of the pickle for the lower-case methods, the memory of the buffer for the
upper-case ones. A point-to-point message counts at its sender and at its receiver. A collective counts what the call
takes from this rank and what it gives to this rank, once, whatever algorithm the library uses inside: an allreduce
of 8 bytes counts 8 sent and 8 received on each rank. A non-blocking call counts when it is posted, its time in the
wait counts as an event ``wait``. What a non-blocking receive brought is written down when it is done; until then an
Irecv from a named source counts with the size of its buffer.
"""

import time
from contextlib import contextmanager
from typing import Any

from mpi4py import MPI

from ._collectives import CountedCollectives, held, pickled
from ._traffic import Event, Record, Traffic


class CountingComm(CountedCollectives):
    """The communicator ``comm`` once more, counting: messages, bytes, partners, time, all in ``record``.

    It is an ``MPI.Intracomm`` and can be used wherever ``comm`` can. Counted are point-to-point calls (send, ssend,
    isend, issend, recv, irecv, sendrecv, probe) and collectives (barrier, bcast, reduce, allreduce, gather,
    allgather, scatter, alltoall), lower and upper case, the upper-case ones also non-blocking. What is not
    redefined here works as ever, uncounted: one-sided calls, persistent requests, matched probes. Communicators
    made by Dup, Split and Create count into the same record, under the ranks of ``comm``.
    """

    def __new__(cls, comm: MPI.Intracomm, *_):
        return super().__new__(cls, comm)

    def __init__(self, comm: MPI.Intracomm, record: Record | None = None, names: list[int] | None = None):
        self.record = Record(comm.rank, comm.size) if record is None else record
        self._began = time.perf_counter() - (time.time() - self.record.began)
        self._names = (
            list(range(comm.size)) if names is None else names
        )  # our ranks in the outermost communicator

    # -- point to point -----------------------------------------------------------------------------------------

    def send(self, obj, dest, tag=0):
        with self._sending("send", dest, pickled(obj)):
            super().send(obj, dest, tag)

    def ssend(self, obj, dest, tag=0):
        with self._sending("ssend", dest, pickled(obj)):
            super().ssend(obj, dest, tag)

    def Send(self, buf, dest, tag=0):
        with self._sending("Send", dest, held(buf)):
            super().Send(buf, dest, tag)

    def Ssend(self, buf, dest, tag=0):
        with self._sending("Ssend", dest, held(buf)):
            super().Ssend(buf, dest, tag)

    def isend(self, obj, dest, tag=0):
        with self._sending("isend", dest, pickled(obj)) as event:
            request = super().isend(obj, dest, tag)
        return self._request(request, event)

    def issend(self, obj, dest, tag=0):
        with self._sending("issend", dest, pickled(obj)) as event:
            request = super().issend(obj, dest, tag)
        return self._request(request, event)

    def Isend(self, buf, dest, tag=0):
        with self._sending("Isend", dest, held(buf)) as event:
            request = super().Isend(buf, dest, tag)
        return self._request(request, event)

    def Issend(self, buf, dest, tag=0):
        with self._sending("Issend", dest, held(buf)) as event:
            request = super().Issend(buf, dest, tag)
        return self._request(request, event)

    def recv(self, buf=None, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=None):
        with self._receiving("recv", status) as status:
            return super().recv(buf, source, tag, status)

    def Recv(self, buf, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=None):
        with self._receiving("Recv", status) as status:
            super().Recv(buf, source, tag, status)

    def irecv(self, buf=None, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG):
        with self._timed("irecv") as event:
            request = super().irecv(buf, source, tag)
        return CountingRequest(request, self, event, receives=True)

    def Irecv(self, buf, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG):
        expected = {} if source < 0 else {"source": self._names[source], "received": held(buf)}
        with self._timed("Irecv", **expected) as event:
            request = super().Irecv(buf, source, tag)
        return CountingRequest(request, self, event, receives=True)

    def sendrecv(
        self, sendobj, dest, sendtag=0, recvbuf=None, source=MPI.ANY_SOURCE, recvtag=MPI.ANY_TAG, status=None
    ):
        with self._receiving("sendrecv", status, dest, pickled(sendobj)) as status:
            return super().sendrecv(sendobj, dest, sendtag, recvbuf, source, recvtag, status)

    def Sendrecv(
        self, sendbuf, dest, sendtag=0, recvbuf=None, source=MPI.ANY_SOURCE, recvtag=MPI.ANY_TAG, status=None
    ):
        with self._receiving("Sendrecv", status, dest, held(sendbuf)) as status:
            super().Sendrecv(sendbuf, dest, sendtag, recvbuf, source, recvtag, status)

    def probe(self, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=None):
        with self._timed("probe"):
            return super().probe(source, tag, status)

    def Probe(self, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=None):
        with self._timed("Probe"):
            return super().Probe(source, tag, status)

    def iprobe(self, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=None):
        with self._timed("iprobe"):
            return super().iprobe(source, tag, status)

    def Iprobe(self, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG, status=None):
        with self._timed("Iprobe"):
            return super().Iprobe(source, tag, status)

    # -- communicators made from this one -----------------------------------------------------------------------

    def Dup(self, info=None):
        return self._counted(MPI.Intracomm(self).Dup(info))

    def Idup(self, info=MPI.INFO_NULL):
        """As ``Dup`` without waiting: what is sent on the duplicate is counted, too."""
        comm, request = MPI.Intracomm(self).Idup(info)
        return self._counted(comm), request

    def Clone(self):
        return self._counted(MPI.Intracomm(self).Clone())

    def Split(self, color=0, key=0):
        return self._counted(MPI.Intracomm(self).Split(color, key))

    def Split_type(self, split_type, key=0, info=MPI.INFO_NULL):
        return self._counted(MPI.Intracomm(self).Split_type(split_type, key, info))

    def Create(self, group):
        return self._counted(MPI.Intracomm(self).Create(group))

    def Create_group(self, group, tag=0):
        return self._counted(MPI.Intracomm(self).Create_group(group, tag))

    def _counted(self, comm):
        if comm == MPI.COMM_NULL:
            return comm
        ours = comm.Get_group().Translate_ranks(None, self.Get_group())
        return CountingComm(comm, self.record, [self._names[rank] for rank in ours])

    # -- writing down -------------------------------------------------------------------------------------------

    def _request(self, request, event):
        return CountingRequest(request, self, event)

    @contextmanager
    def _timed(self, operation: str, **facts: Any):
        begin = time.perf_counter()
        event = Event(operation, begin - self._began, **facts)
        try:
            yield event
        finally:
            event.seconds = time.perf_counter() - begin
            self.record.events.append(event)

    def _sending(self, operation: str, dest: int, size: int):
        return self._timed(operation, **self._outgoing(dest, size))

    def _outgoing(self, dest: int, size: int) -> dict:
        return {} if dest == MPI.PROC_NULL else {"dest": self._names[dest], "sent": size}

    @contextmanager
    def _receiving(self, operation: str, status, dest: int = MPI.PROC_NULL, size: int = 0):
        status = MPI.Status() if status is None else status
        with self._timed(operation, **self._outgoing(dest, size)) as event:
            yield status
        self._note_arrival(event, status)

    def _note_arrival(self, event: Event, status: MPI.Status) -> None:
        if status.source >= 0:  # not PROC_NULL, and not the empty status of a send or a request already done
            event.source, event.received = self._names[status.source], status.Get_count(MPI.BYTE)


class CountingRequest(MPI.Request):
    """A request whose waiting is timed, and whose arrival is written down where a message was to be received.

    ``MPI.Request.Waitall`` and its like complete a request without telling it: nothing is timed, and of a lower-case
    ``irecv`` nothing is counted then.
    """

    def __new__(cls, request: MPI.Request, *_, **__):
        return super().__new__(cls, request)

    def __init__(self, request: MPI.Request, comm: CountingComm, event: Event, receives: bool = False):
        self._comm, self._event, self._receives = comm, event, receives

    def wait(self, status=None):
        with self._waiting("wait", status) as status:
            return super().wait(status)

    def Wait(self, status=None):
        with self._waiting("Wait", status) as status:
            return super().Wait(status)

    def test(self, status=None):
        with self._waiting("test", status) as status:
            return super().test(status)

    def Test(self, status=None):
        with self._waiting("Test", status) as status:
            return super().Test(status)

    @contextmanager
    def _waiting(self, operation: str, status):
        status = MPI.Status() if status is None else status
        status.source = MPI.PROC_NULL  # stays so if a test finds nothing
        with self._comm._timed(operation):
            yield status
        if self._receives and self == MPI.REQUEST_NULL:
            self._comm._note_arrival(self._event, status)
            self._receives = False


def gather_traffic(comm: CountingComm) -> Traffic:
    """The records of all ranks, on every rank. Collective; not counted itself. Call it on the outermost communicator."""
    return Traffic(MPI.Intracomm(comm).allgather(comm.record))
