"""A time limit for code that runs in this process: a loop without end becomes a message."""

import contextlib
import signal
import threading
from collections.abc import Iterator


class TimeIsUp(BaseException):
    """Raised in the reader's code where it stands; not an ``Exception``, so that no ``except`` of the reader's stops it."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeIsUp` in what runs inside after ``seconds``; without a limit outside of the main thread.

    A limit around this one waits meanwhile, and goes on afterwards with what it had left.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(*_: object) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, late)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, left)


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """What runs inside has limits of its own: one that runs around it waits."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    left, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)
