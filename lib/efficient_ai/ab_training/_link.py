"""A slow link between groups, so that time can be measured where bandwidth is scarce."""

import time
from collections.abc import Sequence
from typing import Any

from efficient_ai.transport import Transport
from efficient_ai.transport._tensors import Message


class SlowLink:
    """A transport on which messages to and from other groups take as long as a link of this rate would need.

    Each rank has its own link, as a node its network card; what it sends and what it receives share no bandwidth, as on a full-duplex
    line. A message is on the line when those before it are through.

    Args:
        transport: whose messages are delayed.
        groups: ranks that are near to each other.
        rate: bytes per second and direction, above 0.
    """

    def __init__(self, transport: Transport, groups: Sequence[Sequence[int]], rate: float):
        if not rate > 0:
            raise ValueError(f"a link carries a positive number of bytes per second: not {rate!r}")
        self.transport, self.rate = transport, rate
        self.rank, self.size = transport.rank, transport.size
        self.near = set(next(group for group in groups if transport.rank in group))
        self._free = {"out": 0.0, "in": 0.0}

    def post(self, sends: Sequence[Message], receives: Sequence[Message]) -> Any:
        """Start messages; waiting for them lasts until the link has carried them."""
        pending, through = self.transport.post(sends, receives), 0.0
        for way, messages in (("out", sends), ("in", receives)):
            far = sum(t.numel() * t.element_size() for t, rank, _ in messages if rank not in self.near)
            if far:
                self._free[way] = max(self._free[way], time.monotonic()) + far / self.rate
                through = max(through, self._free[way])
        return _Delayed(pending, through)

    def sum_(self, tensor: Any) -> None:
        """Not delayed: this method never sums in one call."""
        self.transport.sum_(tensor)

    def split(self, colour: int) -> Transport:
        """Not delayed."""
        return self.transport.split(colour)


class _Delayed:
    def __init__(self, pending: Any, through: float):
        self._pending, self._through = pending, through

    def wait(self) -> None:
        if self._pending is not None:
            self._pending.wait()
        if (left := self._through - time.monotonic()) > 0:
            time.sleep(left)


class Alone:
    """A world of one rank, without MPI."""

    rank, size = 0, 1

    def post(self, sends: Sequence[Message], receives: Sequence[Message]) -> Any:
        """Nobody is there to write to."""
        return _Delayed(None, 0.0)

    def sum_(self, tensor: Any) -> None:
        """The sum of one."""

    def split(self, colour: int) -> "Alone":
        """Itself."""
        return self
