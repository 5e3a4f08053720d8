"""A task: the part of an exercise that one graded cell checks."""

from collections import Counter
from types import TracebackType

from efficient_ai.checks._failure import CheckFailed, NotWritten
from efficient_ai.checks._limit import TimeIsUp, limited
from efficient_ai.checks._reader import line_of

_failures: Counter[str] = Counter()  # per task title, for as long as the kernel lives


class Task:
    """``with Task(title, first_hint, second_hint):`` around the checks of one graded cell.

    The first failure shows the first hint, the second failure the second; a pass starts over. Running the cell that
    creates the task again does not: the count belongs to the kernel. An error of the reader's code becomes a
    :class:`CheckFailed` that points at the reader's line. An answer that nobody has begun is no try and costs no hint.

    Args:
        title, first_hint, second_hint: what is said.
        limit: seconds that the checks may take in this process; ranks have limits of their own.
    """

    def __init__(self, title: str, first_hint: str, second_hint: str, limit: float = 120.0) -> None:
        self.title = title
        self.hints = (first_hint, second_hint)
        self.limit = limit

    def __enter__(self) -> "Task":
        self._limit = limited(self.limit)
        self._limit.__enter__()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._limit.__exit__(None, None, None)
        if error is None:
            _failures.pop(self.title, None)
            print(f"{self.title}: all checks passed.")
            return
        if not isinstance(
            error, (Exception, SystemExit, TimeIsUp)
        ):  # an interrupted kernel is no wrong answer
            return
        if isinstance(error, (NotImplementedError, NotWritten)):
            raise CheckFailed(f"{self.title}: {NotWritten()}") from None
        if isinstance(error, TimeIsUp):
            where = line_of(trace)
            what = f"not finished after {self.limit:g} s: a loop without end?" + (
                f"\nIt stood in {where}" if where else ""
            )
        else:
            what = str(error) if isinstance(error, CheckFailed) else _explain(error, trace)
        raise CheckFailed(f"{self.title}: {what}\n{self._next_hint()}") from None

    def _next_hint(self) -> str:
        _failures[self.title] += 1
        if _failures[self.title] == 1:
            return f"Hint 1 of 2: {self.hints[0]}\nRun this cell again for the second hint."
        return f"Hint 2 of 2: {self.hints[1]}"


def _explain(error: Exception | SystemExit, trace: TracebackType | None) -> str:
    if isinstance(error, NameError) and error.name:
        return f"`{error.name}` is not known here. Run the cells above first; is it spelled as in the text?"
    line = line_of(trace)
    return f"{type(error).__name__}: {error}" + (f"\nIt happened in {line}" if line else "")
