"""What runs inside an engine: preparation, one call, and ``publish`` for live views."""

import faulthandler
import signal
import threading
from pathlib import Path
from typing import Any

import cloudpickle

from . import _worker

_inside_call = False
_last_comm = None  # the communicator of the call before, freed when all ranks are in the next
_stack_file = None  # stays open: the fault handler writes to its descriptor


def prepare(folder: str) -> tuple[int, int, str]:
    """Get ready for calls; (rank, ident of the main thread, MPI library) of this engine."""
    global _stack_file
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    _stack_file = open(Path(folder) / f"stack-{comm.rank}", "a")
    # The fault handler works in C inside the signal: it shows the stack even of a blocking MPI call.
    faulthandler.register(signal.SIGUSR1, file=_stack_file, all_threads=True)
    library = MPI.Get_library_version().replace("\0", "").split("\n")[0]
    return comm.rank, threading.main_thread().ident, " ".join(library.replace(":", " ").split())


def call(payload: bytes) -> bytes:
    """Run one packed call on a fresh duplicate of the world: messages that an earlier call left do not reach it."""
    global _inside_call
    comm = _fresh_world()
    _inside_call = True
    try:
        return _worker.call(payload, comm)
    finally:
        _inside_call = False


def _fresh_world():
    """A duplicate of the world; that of the call before is freed, but only if nothing is left in it.

    MPI gives the number of a freed communicator to a later one, and then a message left behind would arrive there.
    """
    global _last_comm
    from mpi4py import MPI

    old, _last_comm = _last_comm, MPI.COMM_WORLD.Dup()
    # One probe that finds nothing is no proof: MPICH finds every second time what has been there all the while.
    if old is not None and not _last_comm.allreduce(any(old.Iprobe() for _ in range(4)), op=MPI.LOR):
        old.Free()
    return _last_comm


def publish(value: Any) -> None:
    """Show ``value`` to the notebook while the function still runs: it appears in ``Job.published()``.

    Only the newest value of each rank is kept. The value is copied, so it may change afterwards. Outside a call on
    a cluster, in ``run_ranks`` for example, this does nothing.
    """
    if _inside_call:
        from ipyparallel.datapub import publish_data

        publish_data({"value": cloudpickle.dumps(value)})
