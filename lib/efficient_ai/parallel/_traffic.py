"""What ranks sent and how long it took: the record of one rank, and the traffic of all."""

import time
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Event:
    """One call on the communicator.

    start: seconds since the record began. seconds: duration of the call. dest, source: partner ranks, None if
    there is none, as in a collective. sent, received: payload in bytes.
    """

    operation: str
    start: float
    seconds: float = 0.0
    dest: int | None = None
    sent: int = 0
    source: int | None = None
    received: int = 0


@dataclass
class Record:
    """Everything one rank did on its counted communicator, in order. ``began``: time of day in seconds."""

    rank: int
    size: int
    began: float = field(default_factory=time.time)
    events: list[Event] = field(default_factory=list)

    @property
    def sent_messages(self) -> int:
        """Point-to-point messages sent."""
        return sum(event.dest is not None for event in self.events)

    @property
    def sent_bytes(self) -> int:
        """Payload of the point-to-point messages sent."""
        return sum(event.sent for event in self.events if event.dest is not None)

    @property
    def received_bytes(self) -> int:
        """Payload of the point-to-point messages received."""
        return sum(event.received for event in self.events if event.source is not None)

    @property
    def collectives(self) -> int:
        """Number of collective calls; the posts of non-blocking ones."""
        return sum(event.operation.lower() in COLLECTIVES for event in self.events)

    @property
    def collective_bytes(self) -> int:
        """Payload that this rank contributed to collective calls."""
        return sum(event.sent for event in self.events if event.operation.lower() in COLLECTIVES)

    @property
    def partners(self) -> list[int]:
        """Ranks with which messages were exchanged, in order."""
        found = {event.dest for event in self.events} | {event.source for event in self.events}
        return sorted(found - {None})

    @property
    def seconds(self) -> float:
        """Time spent inside the calls."""
        return sum(event.seconds for event in self.events)


_BLOCKING = ("barrier", "bcast", "reduce", "allreduce", "gather", "allgather", "scatter", "alltoall")
_VECTOR = ("gatherv", "allgatherv", "scatterv", "alltoallv")
_NON_BLOCKING = (
    "ibarrier",
    "ibcast",
    "ireduce",
    "iallreduce",
    "igather",
    "iallgather",
    "iscatter",
    "ialltoall",
)
COLLECTIVES = frozenset(_BLOCKING + _VECTOR + _NON_BLOCKING)


@dataclass
class Traffic:
    """The records of all ranks, in rank order."""

    records: list[Record]

    @property
    def size(self) -> int:
        """Number of ranks."""
        return len(self.records)

    def bytes(self) -> np.ndarray:
        """(n, n) integers: entry [i, j] is the payload of the messages from rank i to rank j."""
        return self._sum(lambda event: event.sent)

    def messages(self) -> np.ndarray:
        """(n, n) integers: entry [i, j] is the number of messages from rank i to rank j."""
        return self._sum(lambda event: 1)

    def table(self) -> dict[str, list]:
        """Columns with one entry a rank: what was sent and received, with whom, and the time it took."""
        return {
            "rank": [record.rank for record in self.records],
            "messages sent": [record.sent_messages for record in self.records],
            "bytes sent": [record.sent_bytes for record in self.records],
            "bytes received": [record.received_bytes for record in self.records],
            "partners": [", ".join(map(str, record.partners)) or "none" for record in self.records],
            "collective calls": [record.collectives for record in self.records],
            "bytes given to collectives": [record.collective_bytes for record in self.records],
            "seconds in MPI": [round(record.seconds, 6) for record in self.records],
        }

    def _sum(self, value) -> np.ndarray:
        total = np.zeros((self.size, self.size), dtype=np.int64)
        for record in self.records:
            for event in record.events:
                if event.dest is not None:
                    total[record.rank, event.dest] += value(event)
        return total
