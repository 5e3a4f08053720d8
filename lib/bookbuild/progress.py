"""Says which chapter runs and at which cell: a bar on a terminal, lines elsewhere."""

import sys
import threading
import time

from tqdm import tqdm


class Progress:
    """Progress over `total` chapters. Safe to call from several threads; a context manager."""

    def __init__(self, total: int, title: str, every: float = 30.0):
        self._lock = threading.Lock()
        self._running: dict[str, str] = {}
        self._every, self._said = every, time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(
            total=total,
            desc=title,
            unit="chapter",
            disable=not self._terminal,
            bar_format="{desc} {bar:12} {n_fmt}/{total_fmt} {elapsed}{postfix}",
        )
        if not self._terminal:
            print(f"{title}: {total} chapter{'s' if total != 1 else ''}", file=sys.stderr, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def started(self, chapter: str) -> None:
        self._show(chapter, "starting")

    def at_cell(self, chapter: str, cell: int, cells: int) -> None:
        self._show(chapter, f"cell {min(cell + 1, cells)}/{cells}")

    def finished(self, chapter: str, seconds: float, failed: bool) -> None:
        with self._lock:
            self._running.pop(chapter, None)
            self._bar.update(1)
            text = f"  {chapter}: {'FAILED after ' if failed else ''}{seconds:.0f} s"
            self._bar.write(text, file=sys.stderr)
            self._refresh()

    def _show(self, chapter: str, where: str) -> None:
        with self._lock:
            self._running[chapter] = where
            self._refresh()

    def _refresh(self) -> None:
        text = ", ".join(f"{chapter} {where}" for chapter, where in self._running.items())
        if self._terminal:
            self._bar.set_postfix_str(text)
        elif text and time.monotonic() - self._said > self._every:
            self._said = time.monotonic()
            print(f"  running: {text}", file=sys.stderr, flush=True)
