"""``run_ranks``: run one function on n MPI ranks, once, from any Python process."""

import pickle
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

from ._errors import ClusterError, Hang, Interrupted, RankError
from ._mpi import end_guarded, find_mpiexec, rank_environment, start_guarded, tail
from ._notes import first_death, read, refuse_wrong_world, stack_text, unpack

_RANK_MAIN = str(Path(__file__).with_name("_rank_main.py"))
_MARGIN = 0.3  # seconds that the ranks have before the end to write where they stand


def run_ranks(function: Callable, n: int, *args: Any, timeout: float = 60.0, **kwargs: Any) -> list:
    """Run ``function(comm, *args, **kwargs)`` on ``n`` fresh MPI ranks and return the n results in rank order.

    ``comm`` is ``MPI.COMM_WORLD`` of those ranks. The function may be defined anywhere, in a notebook too. What the
    ranks print appears in rank order after the call, what they write to stderr behind it. ``timeout`` (seconds) covers everything from start to end.

    Raises RankError (a rank raised, or died: the other ranks are brought down), Hang (time is up; says where each
    unfinished rank stands) and ClusterError (the ranks did not start, or form a world of the wrong size).
    """
    n, timeout = check_size(n), check_limit(timeout)
    folder = Path(tempfile.mkdtemp(prefix="ranks-"))
    try:
        (folder / "call").write_bytes(pack(function, args, kwargs))
        deadline = time.time() + timeout
        start = [
            find_mpiexec(),
            "-n",
            str(n),
            sys.executable,
            _RANK_MAIN,
            str(folder),
            str(n),
            str(deadline - _MARGIN),
        ]
        process = start_guarded(start, folder, "log", rank_environment())
        try:
            process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            pass  # explained below, after the ranks are gone
        except KeyboardInterrupt:
            raise Interrupted("Interrupted: the ranks are gone.") from None
        finally:
            end_guarded(process)
        for stream in ("stdout", "stderr"):
            for rank in range(n):
                getattr(sys, stream).write(read(folder / f"{stream}-{rank}"))
        return _collect(folder, n, timeout, process.returncode, timed_out=time.time() >= deadline)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_size(n: int) -> int:
    """``n`` as an int of at least one."""
    if n != int(n) or n < 1:
        raise ValueError(f"the number of ranks must be a whole number of at least 1, not {n!r}")
    return int(n)


def check_limit(timeout: float) -> float:
    """``timeout`` as a positive finite float: every wait has a limit."""
    if timeout is None or not 0 < timeout < float("inf"):
        raise ValueError(
            f"timeout must be a positive number of seconds, not {timeout!r}: a wait without limit is a stuck notebook"
        )
    return float(timeout)


def pack(function: Callable, args: tuple, kwargs: dict) -> bytes:
    """The call as bytes, with the module path of this process so that ranks import what we can import."""
    if not callable(function):
        raise TypeError(f"expected a function, got {function!r}")
    path = [entry or str(Path.cwd()) for entry in sys.path]
    return cloudpickle.dumps((path, cloudpickle.dumps((function, args, kwargs))))


def _collect(folder: Path, n: int, limit: float, status: int, timed_out: bool) -> list:
    """Results of a finished call, or the exception that explains why there are none."""
    refuse_wrong_world(folder, n, find_mpiexec())
    answers = {rank: file.read_bytes() for rank in range(n) if (file := folder / f"result-{rank}").exists()}
    failed = any(not pickle.loads(answer)[0] for answer in answers.values())
    if failed or len(answers) == n:
        return unpack(answers, n)
    if timed_out:
        raise Hang(
            limit, {rank: _stack(folder, rank) for rank in range(n) if rank not in answers}, sorted(answers)
        )
    death = first_death(folder)
    if death is None or not (folder / f"crash-{death[0]}").exists():
        raise ClusterError(
            f"the ranks did not start (exit status {status}). They said:\n{tail(folder / 'log')}"
        )
    rank, how = death
    kept = [
        line
        for line in read(folder / f"crash-{rank}").splitlines()
        if not line.endswith(("in call", "in main", "in <module>"))
    ]
    raise RankError(rank, "\n".join(kept), how)


def _stack(folder: Path, rank: int) -> str:
    head, _, dump = read(folder / f"stack-{rank}").partition("\n")
    return stack_text(dump, int(head.rpartition(" ")[2], 16)) if head else "  (it did not reach the function)"
