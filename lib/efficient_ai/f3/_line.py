"""A line of ranks: messages that never hang, and refusals that end all ranks with the same sentence."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

ACTIVATION, ERROR, GRADIENT, ALARM = 11, 12, 13, 14
_abandoned: list[Any] = []  # MPI may still use the buffers of messages that a failed run leaves behind


class Line:
    """The communicator of a pipeline, rank r handing on to rank r + 1.

    Args:
        comm: an mpi4py communicator, counting or not.
        patience: seconds without an answer after which a wait becomes an error.
    """

    def __init__(self, comm: Any, patience: float = 300.0):
        from mpi4py import MPI  # starts MPI, which only a process with a communicator may do

        self.mpi, self.comm, self.rank, self.size = MPI, comm, comm.rank, comm.size
        self.patience = patience
        self.log: list[tuple[str, int, int, float, float]] = []
        self._open: list[tuple[Any, Any]] = []

    def agree(self, problem: str = "", facts: Any = None) -> list:
        """Raise on every rank if one has a problem, or if their facts differ; else the facts. Collective.

        Raises:
            ValueError: naming the rank and its problem.
        """
        found = self.comm.allgather((problem, facts))
        for rank, (said, _) in enumerate(found):
            if said:
                raise ValueError(f"rank {rank}: {said}")
        return [known for _, known in found]

    def agree_on(self, check: Callable[[], Any]) -> Any:
        """Call ``check`` on every rank; what it raises on one is raised on all. Returns its result. Collective."""
        problem, result = "", None
        try:
            result = check()
        except (ValueError, TypeError, IndexError) as error:
            problem = str(error)
        self.agree(problem)
        return result

    def send(self, tensor: Tensor, dest: int, tag: int) -> None:
        """Begin to send; the tensor must stay as it is until :meth:`settle` or :meth:`drain`."""
        self._open.append((self.comm.Isend(_buffer(tensor), dest, tag), tensor))

    def settle(self, most: int) -> None:
        """Wait until at most ``most`` messages are under way."""
        while len(self._open) > most:
            self.wait(self._open[0][0], "send")
            self._open.pop(0)

    def sweep_sent(self) -> None:
        """Forget messages that have been received, without waiting."""
        self._open = [(request, tensor) for request, tensor in self._open if not self._test(request)]

    def receive(self, tensor: Tensor, source: int, tag: int):
        """Begin to receive into ``tensor``: its request, for :meth:`wait`, and the tensor."""
        return self.comm.Irecv(_buffer(tensor), source, tag), tensor

    def wait(self, request: Any, kind: str, epoch: int = -1, batch: int = -1) -> None:
        """Wait for a message, listening for alarms of other ranks.

        Raises:
            RuntimeError: another rank stopped.
            TimeoutError: nothing came for ``patience`` seconds.
        """
        began, tries = time.time(), 0
        while not self._test(request):
            tries += 1
            if tries % 16 == 0:
                self._listen()
            if tries > 400:
                time.sleep(2e-5)
                if time.time() - began > self.patience:
                    raise TimeoutError(f"rank {self.rank} waited {self.patience:g} s for a message ({kind})")
            elif tries > 50:
                os.sched_yield()
        ended = time.time()
        self.note(f"wait for {kind}", epoch, batch, began, ended)
        if hasattr(self.comm, "record"):  # what a counting communicator writes down for a Wait of its own
            from efficient_ai.parallel._traffic import Event

            self.comm.record.events.append(Event("wait", began - self.comm.record.began, ended - began))

    def note(self, kind: str, epoch: int, batch: int, began: float, ended: float) -> None:
        """Write down what this rank did: kind, epoch, batch, begin and end in seconds of the clock of the host."""
        self.log.append((kind, epoch, batch, began, ended))

    @contextmanager
    def together(self):
        """Work that ends on all ranks or on none: an error here alarms the others, an alarm of theirs ends this."""
        try:
            yield
            self.settle(0)
            barrier = self.comm.Ibarrier()
            self.wait(barrier, "end")
        except Exception as error:
            if not isinstance(error, _Alarm):
                said = f"rank {self.rank} stopped: {type(error).__name__}: {error}".encode()
                for rank in range(self.size):
                    if rank != self.rank:
                        _abandoned.append((self.mpi.Comm.Isend(self.comm, said, rank, ALARM), said))
                self._flush()
            _abandoned.extend(self._open)
            self._open = []
            raise

    def _flush(self) -> None:
        """Give the alarms a moment to leave: a rank that ends at once would take them with it."""
        end = time.time() + 2.0
        while time.time() < end and not all(
            self._test(request) for request, _ in _abandoned[-self.size + 1 :]
        ):
            time.sleep(1e-3)

    def _test(self, request: Any) -> bool:
        return self.mpi.Request.Test(request)

    def _listen(self) -> None:
        status = self.mpi.Status()
        if self.mpi.Comm.Iprobe(self.comm, self.mpi.ANY_SOURCE, ALARM, status):
            said = bytearray(status.Get_count())
            self.mpi.Comm.Recv(self.comm, said, status.Get_source(), ALARM)
            raise _Alarm(said.decode())


class _Alarm(RuntimeError):
    """Another rank stopped."""


def partition(costs: Sequence[float], parts: int) -> list[int]:
    """Where to cut a chain of blocks into ``parts`` consecutive pieces, so that the dearest piece is as cheap as can be.

    Args:
        costs: of each block.
        parts: of ranks.

    Returns:
        number of the first block of each part

    Raises:
        ValueError: more parts than blocks.
    """
    if not 1 <= parts <= len(costs):
        raise ValueError(f"{len(costs)} blocks cannot be dealt to {parts} ranks: take as many ranks at most")
    best = {(0, 0): (0.0, [])}
    for part in range(1, parts + 1):
        for end in range(part, len(costs) - (parts - part) + 1):
            options = (
                (max(best[start, part - 1][0], sum(costs[start:end])), [*best[start, part - 1][1], start])
                for start in range(part - 1, end)
                if (start, part - 1) in best
            )
            best[end, part] = min(options)
    return best[len(costs), parts][1]


def _buffer(tensor: Tensor) -> Any:
    tensor = tensor.detach()
    if not tensor.is_contiguous():
        raise ValueError("a message must be contiguous in memory")
    return tensor.numpy() if tensor.device.type == "cpu" else tensor
