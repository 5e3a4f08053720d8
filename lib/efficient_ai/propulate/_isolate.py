"""Evaluations in a process of their own, which may hang or die without taking a rank along."""

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing import Pipe
from pathlib import Path
from typing import Any

import cloudpickle

from efficient_ai.processes import end_tree

_CHILD = str(Path(__file__).with_name("_isolate_child.py"))
_LOOK = 0.2  # seconds between two looks whether the child is alive


class Isolated:
    """``evaluate`` in one child process of this rank; call it like ``evaluate`` itself.

    An evaluation that takes longer than ``time_limit`` is killed, with all that it started, and one that kills its
    process, by a segmentation fault or an exit, hits nobody else: either raises, so that :func:`evolve` counts the
    candidate with loss ``inf`` and the reason, and the next one gets a new process. The child dies with its rank, also
    if that is killed. MPI in there is a world of its own, of size one. While an evaluation runs, its rank still opens its
    mail and gives signs of life: nobody takes it for lost.

    A context manager; without ``with``, call :meth:`close`. The function may be defined anywhere, in a notebook too; it
    and what it holds are sent once per process, and each process imports what it needs anew.

    Args:
        evaluate: from the genes by name to a loss.
        time_limit: seconds per evaluation, not counting the start of a process; None for no limit of its own. A run then
            ends an evaluation that takes longer than its patience: it is taken for one that hangs.

    Raises:
        ValueError: a time limit that is not positive.
        RuntimeError: at the start, if ``evaluate`` cannot be loaded in another process.
    """

    def __init__(self, evaluate: Callable[[dict[str, Any]], float], time_limit: float | None = None):
        if time_limit is not None and not time_limit > 0:
            raise ValueError(f"time_limit={time_limit}: seconds, more than none")
        self.time_limit = time_limit
        self.longest: float | None = None  # set by a run: what it takes for a hang where there is no limit
        self.meanwhile: Callable[[], None] | None = None  # called now and then while an evaluation runs
        self._function = cloudpickle.dumps(evaluate)
        self._process: subprocess.Popen | None = None
        self._ready = False

    def __enter__(self) -> "Isolated":
        self._make_ready()
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def __call__(self, genes: Mapping[str, Any]) -> float:
        """The loss, or what ``evaluate`` raised; ``TimeoutError`` after the time limit; ``ChildProcessError`` on death."""
        self._make_ready()
        self._connection.send_bytes(cloudpickle.dumps(genes))
        try:
            good, value = self._answer(self.time_limit or self.longest)
        except (TimeoutError, ChildProcessError):
            self._start()  # it loads while the rank goes on
            raise
        if good:
            return value
        raise value

    def close(self) -> None:
        """End the child. A later call starts a new one."""
        if self._process is not None:
            self._kill()
            self._connection.close()
            self._process = None

    def _start(self) -> None:
        from efficient_ai.parallel._mpi import (
            without_world,  # with all of parallel, which breeding does without
        )

        self.close()
        self._connection, theirs = Pipe()
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, _CHILD, str(theirs.fileno()), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            env=without_world() | {"PYTHONPATH": path},
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # so that it can be killed together with what it starts
        )
        theirs.close()
        self._connection.send_bytes(self._function)
        self._ready = False

    def _make_ready(self) -> None:
        if self._process is None:
            self._start()
        if not self._ready:
            good, value = self._answer(None)
            if not good:
                self.close()
                raise RuntimeError("the evaluation cannot be loaded in a process of its own") from value
            self._ready = True

    def _answer(self, limit: float | None) -> tuple[bool, Any]:
        """What the child sends: whether it went well, and the loss or the exception."""
        end = None if limit is None else time.monotonic() + limit
        while not self._connection.poll(
            _LOOK if end is None else min(max(end - time.monotonic(), 0.0), _LOOK)
        ):
            if self._process.poll() is not None:
                raise self._death()
            if end is not None and time.monotonic() >= end:
                raise TimeoutError(f"no result after {limit:g} s; the evaluation was killed")
            if self.meanwhile:
                self.meanwhile()
        try:
            return pickle.loads(self._connection.recv_bytes())
        except (EOFError, ConnectionResetError):
            raise self._death() from None

    def _death(self) -> ChildProcessError:
        status = self._process.wait()
        how = (
            f"was killed by {signal.Signals(-status).name}"
            if status < 0
            else f"ended with exit status {status}"
        )
        return ChildProcessError(f"the process of the evaluation {how}")

    def _kill(self) -> None:
        end_tree(self._process.pid, waited_for=self._process.returncode is not None)
        self._process.wait()
