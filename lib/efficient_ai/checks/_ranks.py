"""The reader's code on real MPI ranks. A deadlock or an error ends in a message that names the rank and the line."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from efficient_ai.checks._failure import CheckFailed, NotWritten
from efficient_ai.checks._limit import paused
from efficient_ai.checks._reader import line_in


def on_ranks(function: Callable, n: int, *args: Any, timeout: float = 30.0, **kwargs: Any) -> list:
    """Run ``function(comm, *args, **kwargs)`` on ``n`` fresh MPI ranks; the results in rank order.

    ``function`` may be a test bench that calls the reader's code: messages point at the reader's lines, not at the
    cell that defines the bench. ``timeout`` (seconds) covers the start of the ranks too. Raises :class:`CheckFailed` if a rank raises, dies or is
    not finished in time; the ranks are gone by then, and the notebook goes on.
    """
    from efficient_ai import parallel  # here, because most checks need no MPI

    bench = getattr(getattr(function, "__code__", None), "co_filename", "")
    try:
        with paused(), _countdown(timeout):
            return parallel.run_ranks(function, n, *args, timeout=timeout, **kwargs)
    except parallel.Hang as hang:
        message = _hang(hang, n, timeout, bench)
    except parallel.RankError as error:
        if error.traceback.strip().rsplit("\n", 1)[-1].startswith("NotImplementedError"):
            raise NotWritten from None
        message = _error(error, n, bench)
    raise CheckFailed(message)


@contextlib.contextmanager
def _countdown(timeout: float, after: float = 4.0) -> Iterator[None]:
    """Say how long ranks may still take, second by second, once it lasts: nobody sits before a cell that is silent."""
    over, shown = threading.Event(), []

    def count() -> None:
        from IPython import get_ipython

        if get_ipython() is None:
            return  # nobody sits before a cell
        from efficient_ai.plotting import Progress

        begun = time.monotonic()
        if over.wait(after):
            return
        bar = Progress(timeout, ["waiting for the ranks"])
        shown.append(bar)
        while not over.wait(1.0):
            spent = time.monotonic() - begun
            bar.update(
                spent, f"{max(timeout - spent, 0):.0f} s left, then it is told where each of them stands"
            )

    watch = threading.Thread(target=count, daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()
        for bar in shown:
            bar.update(timeout, "")


def _hang(hang: Any, n: int, timeout: float, bench: str) -> str:
    rows = [f"not finished after {timeout:g} s on {n} ranks. This is a deadlock, or a loop without end."]
    for rank, stack in sorted(hang.stacks.items()):
        line = line_in(stack, bench, innermost_last=False)
        rows.append(f"  rank {rank} hangs in {line}" if line else f"  rank {rank} hangs outside your code")
    if hang.finished:
        rows.append(f"  finished: rank {', '.join(map(str, hang.finished))}")
    return "\n".join(rows)


def _error(error: Any, n: int, bench: str) -> str:
    line = line_in(error.traceback, bench, innermost_last=True)
    what = str(error).split("\n", 1)[0].removeprefix(f"rank {error.rank}: ")
    return f"rank {error.rank} (of {n}) stopped with {what}" + (f"\n  in {line}" if line else "")
