"""Finding the reader's own line in a stack, so that a message can point at it."""

import linecache
import re
import site
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_LIBRARIES = tuple(
    str(path)
    for path in {
        *(sysconfig.get_paths()[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")),
        *site.getsitepackages(),
        Path(__file__).resolve().parents[2],  # this library, and the builder beside it
    }
)
# One frame, as Python's traceback and faulthandler both write it.
_FRAME = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+)(?:,? in (?P<function>\S+))?')


@dataclass(frozen=True)
class Line:
    """A line of the reader's: its number in the cell, the function it stands in, its text."""

    number: int
    function: str
    text: str

    def __str__(self) -> str:
        place = (
            f"line {self.number}"
            if self.function in ("", "<module>")
            else f"line {self.number} ({self.function})"
        )
        return f"{place}: {self.text}" if self.text else place


def line_of(trace: TracebackType | None) -> Line | None:
    """The innermost frame that is not a library's; ``None`` if all are."""
    frames = [(f.filename, f.lineno, f.name) for f in traceback.extract_tb(trace)]
    return _innermost(frames)


def line_in(stack: str, bench: str, *, innermost_last: bool) -> Line | None:
    """The same from the printed stack of another process. The cell's text is looked up here, where the cell was run.

    Frames of the file ``bench``, which calls the reader's code and is called by it, only count if there is no other.
    """
    frames = [(m["file"], int(m["line"]), m["function"] or "") for m in _FRAME.finditer(stack)]
    if not innermost_last:
        frames.reverse()
    return _innermost([frame for frame in frames if frame[0] != bench]) or _innermost(frames)


def _innermost(frames: list[tuple[str, int, str]]) -> Line | None:
    for file, number, function in reversed(frames):
        if not file.startswith((*_LIBRARIES, "<frozen")) and not file.endswith((".pyx", ".pxi")):
            return Line(number, function, linecache.getline(file, number).strip())
    return None
