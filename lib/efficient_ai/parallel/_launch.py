"""What every rank does before its work: note how it ends, and check the world it woke up in.

Imported by the two scripts that mpiexec starts, from their own folder; standard library only, for it runs first.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_RANK_NAMES = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID")


def keep(folder: Path, kind: str, rank: int | str, content: bytes) -> None:
    """Write the file ``<kind>-<rank>`` in full or not at all."""
    unfinished = folder / f".{kind}-{rank}"
    unfinished.write_bytes(content)
    os.replace(unfinished, folder / f"{kind}-{rank}")


def become_noted_child(folder: Path) -> None:
    """Fork; the child returns and is the rank, the parent waits for it and notes how it ended.

    mpiexec reports the death of a rank without saying which one. The note ``status-<rank>`` (time and exit status,
    negative for a signal) does, and whichever MPI it is.
    """
    rank_process = os.fork()
    if not rank_process:
        if sys.platform == "linux":  # die with the parent, which is the process that mpiexec knows
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
        return
    status = os.waitstatus_to_exitcode(os.waitpid(rank_process, 0)[1])
    rank = next((os.environ[name] for name in _RANK_NAMES if name in os.environ), None)
    if rank and status:
        keep(folder, "status", rank, f"{time.time()} {status}".encode())
    os._exit(status if status >= 0 else 128 - status)


def check_world(folder: Path, n: int):
    """``MPI.COMM_WORLD`` if it has ``n`` ranks; else the file ``world-<rank>`` says what was found, and the end."""
    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.size != n:
        version = MPI.Get_library_version().strip("\0\n ").splitlines()[0]
        keep(folder, "world", comm.rank, f"{comm.size}\n{version}".encode())
        os._exit(3)
    keep(folder, "memory", comm.rank, "\n".join(_shared_memory()).encode())
    return comm


def _shared_memory() -> list[str]:
    """The files in /dev/shm that this process has mapped. Their names are noted because a rank that is killed leaves
    them behind, and a later world that is given the same name, as one of a Slurm job of the same number, trips over them.
    """
    try:
        with open("/proc/self/maps") as maps:
            return sorted({name for line in maps if (name := line[73:].strip()).startswith("/dev/shm/")})
    except OSError:
        return []
