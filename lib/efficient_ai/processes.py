"""The one way to end a process with all it started, however deep and in whatever session."""

import os
import time
from collections.abc import Callable

import psutil


def end_tree(pid: int, grace: float = 0.0, *, waited_for: bool = False) -> int:
    """End a process and all its descendants: a request first, after ``grace`` seconds by force.

    Give ``waited_for`` if the process has ended and its parent knows: the system may have given its number to another one.

    Descendants that an ended parent left behind are found by their session, if ``pid`` leads one (a child started with
    ``start_new_session``). Returns how many there were; returns when none of them runs any more.
    """
    return end(lambda: tree(pid, waited_for=waited_for), grace)


def end(find: Callable[[], list[psutil.Process]], grace: float = 0.0, attempts: int = 5) -> int:
    """End all that ``find()`` returns, and ask again: a dying process may still start another one."""
    ended: set[int] = set()
    for attempt in range(attempts):
        processes = find()
        if not processes:
            break
        ended |= {process.pid for process in processes}
        force = attempt > 0 or grace <= 0
        for process in processes:
            _signal(process, force)
        for process in _still_running(processes, 3.0 if force else grace):
            _signal(process, force=True)
        _still_running(processes, 3.0)
    return len(ended)


def tree(pid: int, *, waited_for: bool = False) -> list[psutil.Process]:
    """A process, its descendants, and the members of the session that it leads; no zombies, not the caller."""
    found: dict[int, psutil.Process] = {}
    try:
        if not waited_for:
            root = psutil.Process(pid)
            found = {process.pid: process for process in (root, *root.children(recursive=True))}
    except psutil.Error:
        pass
    for process in psutil.process_iter():
        try:
            if process.pid not in found and _leader(process.pid) == pid:
                found[process.pid] = process
        except psutil.Error:
            continue
    return [process for process in found.values() if process.pid != os.getpid() and _runs(process)]


def _leader(pid: int) -> int | None:
    """The leader of the session of a process."""
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _still_running(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that run after at most ``seconds``. Not psutil's wait, which takes the exit status away from the parent."""
    limit = time.monotonic() + seconds
    while (alive := [process for process in processes if _runs(process)]) and time.monotonic() < limit:
        time.sleep(0.01)
    return alive


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(process: psutil.Process, force: bool) -> None:
    try:
        process.kill() if force else process.terminate()
    except psutil.Error:
        pass
