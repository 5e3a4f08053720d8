"""Checks for the exercises: they say what is wrong, and then give a hint.

A graded cell opens one task and checks inside it::

    slowest = checks.Task("Exercise 1a", "first hint", "second hint")

    with slowest:
        checks.close("expected_slowest(2)", expected_slowest(2), 4 / 3)

A failed check ends the cell with a :class:`CheckFailed` of a few lines and no traceback. The first failure shows the
first hint, the next one the second. Code that raises, or hangs on an MPI rank, is told the same way.
"""

from efficient_ai.checks._failure import CheckFailed
from efficient_ai.checks._ranks import on_ranks
from efficient_ai.checks._task import Task
from efficient_ai.checks._values import close, equal, holds, same_items

__all__ = ["CheckFailed", "Task", "close", "equal", "holds", "on_ranks", "same_items"]
