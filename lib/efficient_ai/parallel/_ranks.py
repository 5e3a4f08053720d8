"""``run_ranks``: run one function on n MPI ranks, once, from any Python process."""

import linecache
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

from ._errors import ClusterError, Hang, RankError
from ._mpi import end_guarded, find_mpiexec, rank_environment, start_guarded, tail

_RANK_MAIN = str(Path(__file__).with_name("_rank_main.py"))


def run_ranks(function: Callable, n: int, *args: Any, timeout: float = 60.0, **kwargs: Any) -> list:
    """Run ``function(comm, *args, **kwargs)`` on ``n`` fresh MPI ranks and return the n results in rank order.

    ``comm`` is ``MPI.COMM_WORLD`` of those ranks. The function may be defined anywhere, in a notebook too. What the
    ranks print appears in rank order after the call. ``timeout`` (seconds) covers everything from start to end.

    Raises RankError (a rank raised, or died: the other ranks are brought down), Hang (time is up; says where each
    unfinished rank stands) and ClusterError (the ranks did not start, or form a world of the wrong size).
    """
    n, timeout = check_size(n), check_limit(timeout)
    folder = Path(tempfile.mkdtemp(prefix="ranks-"))
    try:
        (folder / "call").write_bytes(pack(function, args, kwargs))
        deadline = time.time() + timeout
        command = [
            find_mpiexec(),
            "-n",
            str(n),
            sys.executable,
            _RANK_MAIN,
            str(folder),
            str(n),
            str(deadline - 0.3),
        ]
        process = start_guarded(command, folder / "log", rank_environment())
        try:
            process.wait(timeout=timeout)
        except subprocess.TimeoutExpired:
            pass  # explained below, after the ranks are gone
        finally:
            end_guarded(process)
        for rank in range(n):
            sys.stdout.write(read(folder / f"stdout-{rank}"))
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


def read(file: Path) -> str:
    """Text of a file, empty if there is none."""
    return file.read_text(errors="replace") if file.exists() else ""


def stack_text(folder: Path, rank: int) -> str:
    """Where ``rank`` stood when its time was up: innermost call first, each with its source line.

    Frames of this package's machinery are left out.
    """
    head, _, rest = read(folder / f"stack-{rank}").partition("\n")
    ident = head.rpartition(" ")[2]
    main = next((part for part in rest.split("\n\n") if ident in part), rest if ident else "")
    lines = []
    for file, number, name in re.findall(r'File "(.*)", line (\d+) in (.*)', main):
        if Path(file).name == "_worker.py":
            break  # below are the frames that called us
        lines.append(f'  File "{file}", line {number}, in {name}')
        source = linecache.getline(file, int(number)).strip()
        lines += [f"    {source}"] if source else []
    return "\n".join(lines) + "\n" if lines else "  (no Python stack: it did not reach the function)\n"


def unpack(answers: dict[int, bytes], n: int) -> list:
    """Results in rank order from (ok, result) pickles; RankError for the lowest rank that failed."""
    opened = {rank: pickle.loads(answers[rank]) for rank in sorted(answers)}
    for rank, (ok, result) in opened.items():
        if not ok:
            raise RankError(rank, result)
    return [opened[rank][1] for rank in range(n)]


def _collect(folder: Path, n: int, limit: float, status: int, timed_out: bool) -> list:
    """Results of a finished call, or the exception that explains why there are none."""
    worlds = [file.read_text() for file in folder.glob("world-*")]
    if worlds:
        size, version = worlds[0].split("\n", 1)
        raise ClusterError(
            f"asked for {n} ranks in one world, but each saw a world of size {size}. {find_mpiexec()} does not belong to "
            f"the MPI library that mpi4py loads ({version}). Use the mpiexec of that library."
        )
    answers = {rank: file.read_bytes() for rank in range(n) if (file := folder / f"result-{rank}").exists()}
    ended = sorted(
        (float((parts := read(file).split())[0]), int(file.name[7:]), int(parts[1]))
        for file in folder.glob("status-*")
    )
    failed = [rank for rank, answer in answers.items() if not pickle.loads(answer)[0]]
    if not failed and ended and not timed_out:
        _, rank, code = ended[0]
        reason = (
            f"died by signal {-code} ({signal.Signals(-code).name})"
            if code < 0
            else f"left with exit status {code}"
        )
        raise RankError(rank, stack_of_crash(folder, rank), reason)
    if failed or len(answers) == n:
        return unpack(answers, n)
    if timed_out:
        raise Hang(
            limit,
            {rank: stack_text(folder, rank) for rank in range(n) if rank not in answers},
            sorted(answers),
        )
    raise ClusterError(f"the ranks did not start (exit status {status}). They said:\n{tail(folder / 'log')}")


def stack_of_crash(folder: Path, rank: int) -> str:
    """What the fault handler wrote when the process died, without our own frames."""
    kept = [
        line
        for line in read(folder / f"crash-{rank}").splitlines()
        if "_worker.py" not in line and "_rank_main.py" not in line
    ]
    return "\n".join(kept)
