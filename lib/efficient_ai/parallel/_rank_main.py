"""One rank of ``run_ranks``: ``python _rank_main.py FOLDER N DEADLINE``. Started by mpiexec, never imported."""

import faulthandler
import os
import pickle
import sys
import threading
import time
from pathlib import Path

import _launch


def main(folder: Path, n: int, deadline: float) -> None:
    """Be one rank: run the call that lies in ``folder``."""
    comm = _launch.check_world(folder, n)
    everyone = comm.Dup()  # the reader's messages cannot be taken for ours
    import _worker

    sys.path.pop(0)  # this folder: its file names must not hide the reader's modules
    # Both files stay open for as long as the process lives. The watchdog is a thread in C without need of the GIL:
    # it writes the stack even from inside a blocking MPI call, and on any node.
    crash, stack = open(folder / f"crash-{comm.rank}", "w"), open(folder / f"stack-{comm.rank}", "w")
    faulthandler.enable(crash, all_threads=False)
    print(f"main thread 0x{threading.main_thread().ident:016x}", file=stack, flush=True)
    faulthandler.dump_traceback_later(max(deadline - time.time(), 0.01), file=stack)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(folder / f"{name}-{comm.rank}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
    sys.stdout.reconfigure(line_buffering=True)
    answer = _worker.call((folder / "call").read_bytes(), comm)
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.flush()
    _launch.keep(folder, "result", comm.rank, answer)
    if not pickle.loads(answer)[0]:
        comm.Abort(1)
    # MPICH may bring all ranks down when one finalises with messages to it still under way: nobody leaves early.
    request = everyone.Ibarrier()
    while not request.Test():
        time.sleep(0.005)


if __name__ == "__main__":
    _launch.become_noted_child(Path(sys.argv[1]))
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
