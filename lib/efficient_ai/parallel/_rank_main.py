"""One rank of ``run_ranks``: ``python _rank_main.py FOLDER N DEADLINE``. Started by mpiexec, never imported.

The process forks before it touches MPI: the child is the rank, the parent only waits and notes how it ended.
mpiexec reports the death of a rank without saying which one; this note does.
"""

import ctypes
import faulthandler
import importlib.util
import os
import pickle
import signal
import sys
import time
from pathlib import Path


def main(folder: Path, n: int, deadline: float) -> None:
    """Be one rank: run the call that lies in ``folder``."""
    # By path, so that a rank needs neither the package nor what the package imports.
    spec = importlib.util.spec_from_file_location("_worker", Path(__file__).with_name("_worker.py"))
    worker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(worker)

    from mpi4py import MPI

    comm = MPI.COMM_WORLD
    if comm.size != n:
        version = MPI.Get_library_version().strip("\0\n ").splitlines()[0]
        worker.keep(folder, "world", comm.rank, f"{comm.size}\n{version}".encode())
        os._exit(3)
    crash = open(folder / f"crash-{comm.rank}", "w")  # kept open for as long as the process lives
    faulthandler.enable(crash, all_threads=False)
    os.dup2(os.open(folder / f"stdout-{comm.rank}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 1)
    sys.stdout.reconfigure(line_buffering=True)
    answer = worker.call(folder, (folder / "call").read_bytes(), comm, deadline - time.time())
    sys.stdout.flush()
    worker.keep(folder, "result", comm.rank, answer)
    if not pickle.loads(answer)[0]:
        comm.Abort(1)


def _note_the_end(folder: Path, child: int) -> int:
    """Wait for the rank; note a death by signal or an early exit; the exit status to hand on."""
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    rank = next(
        (
            os.environ[name]
            for name in ("PMI_RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK")
            if name in os.environ
        ),
        "",
    )
    if rank and status:
        (folder / f"status-{rank}").write_text(f"{time.time()} {status}")
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    where = Path(sys.argv[1])
    rank_process = os.fork()
    if rank_process:
        sys.exit(_note_the_end(where, rank_process))
    if sys.platform == "linux":  # die with the parent, which is the process that mpiexec knows
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    main(where, int(sys.argv[2]), float(sys.argv[3]))
