"""The reader's code on real MPI ranks. A deadlock or an error ends in a message that names the rank and the line."""

from collections.abc import Callable
from typing import Any

from efficient_ai.checks._failure import CheckFailed
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
        return parallel.run_ranks(function, n, *args, timeout=timeout, **kwargs)
    except parallel.Hang as hang:
        message = _hang(hang, n, timeout, bench)
    except parallel.RankError as error:
        message = _error(error, n, bench)
    raise CheckFailed(message)


def _hang(hang: Any, n: int, timeout: float, bench: str) -> str:
    rows = [f"not finished after {timeout:g} s on {n} ranks. This is a deadlock, or a loop without end."]
    for rank, stack in sorted(hang.stacks.items()):
        line = line_in(stack, bench, innermost_last=False)
        rows.append(f"  rank {rank} hangs in {line}" if line else f"  rank {rank} hangs outside your code")
    if hang.finished:
        rows.append(f"  finished: rank {', '.join(map(str, hang.finished))}")
    return "\n".join(rows)


def _error(error: Any, n: int, bench: str) -> str:
    last = error.traceback.strip().rsplit("\n", 1)[-1]
    if last.startswith("NotImplementedError"):
        return "not written yet. Replace `raise NotImplementedError()` by your code and run your cell."
    line = line_in(error.traceback, bench, innermost_last=True)
    what = str(error).split("\n", 1)[0].removeprefix(f"rank {error.rank}: ")
    return f"rank {error.rank} (of {n}) stopped with {what}" + (f"\n  in {line}" if line else "")
