"""Says which chapter runs and at which cell: a bar on a terminal, lines elsewhere."""

import sys
import threading
import time

from tqdm import tqdm


class Progress:
    """Progress over `total` chapters. Safe to call from several threads; a context manager.

    On a terminal a bar that moves with every cell; elsewhere a line per chapter and one `every` so many seconds.
    """

    def __init__(self, total: int, title: str, every: float = 30.0):
        self._lock = threading.Lock()
        self._running: dict[str, tuple[int, int]] = {}  # chapter: cells that are done, cells in all
        self._done, self._every, self._said = 0, every, time.monotonic()
        self._terminal = sys.stderr.isatty()
        form = "{desc} {percentage:3.0f}% {bar:12} {elapsed}{postfix}"
        self._bar = tqdm(total=total, desc=title, disable=not self._terminal, bar_format=form)
        if not self._terminal:
            print(f"{title}: {total} chapter{'s' if total != 1 else ''}", file=sys.stderr, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def at_cell(self, chapter: str, done: int, cells: int) -> None:
        """`chapter` runs and has finished `done` of its `cells` (0 of 0 while it starts)."""
        with self._lock:
            self._running[chapter] = (done, cells)
            self._refresh()

    def tick(self) -> None:
        """Let the clock go on while a cell takes long. Call it as often as you like."""
        with self._lock:
            if time.monotonic() - self._said > (1.0 if self._terminal else self._every):
                self._refresh()

    def finished(self, chapter: str, seconds: float, failed: bool) -> None:
        """`chapter` is through, or failed, after `seconds`."""
        with self._lock:
            self._running.pop(chapter, None)
            self._done += 1
            self._bar.write(
                f"  {chapter}: {'FAILED after ' if failed else ''}{seconds:.0f} s", file=sys.stderr
            )
            self._refresh()

    def _refresh(self) -> None:
        where = [
            f"{chapter} cell {min(done + 1, cells)}/{cells}" if cells else f"{chapter} starting"
            for chapter, (done, cells) in self._running.items()
        ]
        if self._terminal:
            parts = [done / cells for done, cells in self._running.values() if cells]
            self._bar.n = self._done + sum(parts)
            self._bar.set_postfix_str(", ".join(where))
        elif where and time.monotonic() - self._said > self._every:
            print(f"  running: {', '.join(where)}", file=sys.stderr, flush=True)
        else:
            return
        self._said = time.monotonic()
