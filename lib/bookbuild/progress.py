"""Says which chapter runs, at which cell, and how long all of it will still take: a bar on a terminal, lines elsewhere."""

import sys
import threading
import time
from collections.abc import Collection, Mapping

from tqdm import tqdm


class Progress:
    """Progress over chapters. Safe to call from several threads; a context manager.

    On a terminal a bar that moves with every cell; elsewhere a line per chapter and one `every` so many seconds.
    `expected`: for each chapter the seconds it will take, and whether an earlier run says so; `alone`: those that run
    with nothing beside them.
    """

    def __init__(
        self,
        expected: Mapping[str, tuple[float, bool]],
        alone: Collection[str],
        title: str,
        every: float = 30.0,
    ):
        self._lock = threading.Lock()
        self._expected, self._alone = dict(expected), set(alone)
        self._running: dict[str, tuple[int, int]] = {}  # chapter: cells that are done, cells in all
        self._started: dict[str, float] = {}
        self._done, self._every, self._said = 0, every, time.monotonic()
        self._terminal = sys.stderr.isatty()
        form = "{desc} {percentage:3.0f}% {bar:12} {elapsed}{postfix}"
        total = len(self._expected)
        self._bar = tqdm(total=total, desc=title, disable=not self._terminal, bar_format=form)
        if not self._terminal:
            chapters = f"{total} chapter{'s' if total != 1 else ''}"
            print(f"{title}: {chapters}, {self.left()}", file=sys.stderr, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def at_cell(self, chapter: str, done: int, cells: int) -> None:
        """`chapter` runs and has finished `done` of its `cells` (0 of 0 while it starts)."""
        with self._lock:
            self._started.setdefault(chapter, time.monotonic())
            moved = self._running.get(chapter) != (done, cells)
            self._running[chapter] = (done, cells)
            if moved:
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
            self._expected.pop(chapter, None)
            self._done += 1
            self._bar.write(
                f"  {chapter}: {'FAILED after ' if failed else ''}{seconds:.0f} s", file=sys.stderr
            )
            self._refresh()

    def left(self) -> str:
        """``about 4 min left``, from what earlier runs took; ``at most about``, where budgets stand for them."""
        now = time.monotonic()
        rest = {
            name: max(seconds - (now - self._started.get(name, now)), 0.0)
            for name, (seconds, _) in self._expected.items()
        }
        total = max(schedule(rest, self._alone).values(), default=0.0)
        known = all(measured for _, measured in self._expected.values())
        late = any(rest[name] == 0.0 for name in self._running if name in rest)
        said = f"{'about' if known else 'at most about'} {minutes(total)} left"
        return said + (" (one takes longer than expected)" if late else "")

    def _refresh(self) -> None:
        where = [
            f"{chapter} cell {min(done + 1, cells)}/{cells}" if cells else f"{chapter} starting"
            for chapter, (done, cells) in self._running.items()
        ]
        if self._terminal:
            parts = [done / cells for done, cells in self._running.values() if cells]
            self._bar.n = self._done + sum(parts)
            self._bar.set_postfix_str(", ".join([*where, self.left()] if where else []))
        elif where and time.monotonic() - self._said > self._every:
            print(f"  running: {', '.join(where)}; {self.left()}", file=sys.stderr, flush=True)
        else:
            return
        self._said = time.monotonic()


def schedule(seconds: Mapping[str, float], alone: Collection[str]) -> dict[str, float]:
    """When each chapter will be through, in seconds from now: two at a time in this order, then those that run alone."""
    ends, workers = {}, [0.0, 0.0]
    for name, needed in seconds.items():
        if name not in alone:
            first = workers.index(min(workers))
            workers[first] += needed
            ends[name] = workers[first]
    now = max(workers)
    for name, needed in seconds.items():
        if name in alone:
            now += needed
            ends[name] = now
    return ends


def minutes(seconds: float) -> str:
    """Rounded as one would say it: ``20 s``, ``4 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{max(round(seconds, -1), 10):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
