"""Processes of a chapter: find all of them, measure their memory, end them all.

A notebook's kernel starts its own session, MPI engines start more, and some are adopted by init when their parent
dies. The process tree alone therefore loses them; a mark in the environment, which every descendant inherits, does not.
"""

import os
import sys
import time
import uuid
from pathlib import Path

import psutil

from efficient_ai import processes

MARK = "EFFICIENT_AI_RUN"


def new_mark(label: str) -> str:
    """A value for the environment variable ``MARK`` that no other run has."""
    return f"{label}-{os.getpid()}-{uuid.uuid4().hex}"


def marked(mark: str) -> list[psutil.Process]:
    """Processes of this user, other than the caller, whose environment carries `mark`."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                if process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        except (psutil.Error, OSError):  # not ours, or gone meanwhile
            continue
    return found


def end_marked(mark: str, grace: float = 3.0) -> int:
    """End every process with `mark`: a request first, after `grace` seconds by force. Returns how many there were."""
    return processes.end(lambda: marked(mark), grace)


def tree_memory(pid: int) -> int:
    """Bytes of memory that a process and its descendants hold now.

    On Linux the proportional set size, so that pages shared by several ranks count once; elsewhere the resident size.
    """
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for process in tree:
        try:
            total += process.memory_full_info().pss if sys.platform == "linux" else process.memory_info().rss
        except (psutil.Error, OSError, AttributeError):
            continue
    return total


def free_memory() -> int:
    """Bytes that processes may still take: of the machine, or of the control group (a container, a batch job) if less."""
    free = psutil.virtual_memory().available
    for limit, usage in (
        ("memory.max", "memory.current"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        for folder in _memory_groups():
            try:
                free = min(free, int((folder / limit).read_text()) - int((folder / usage).read_text()))
            except (OSError, ValueError):  # not there, or "max"
                continue
    return max(free, 0)


def memory_kills() -> int:
    """How many processes the kernel has ended so far because the control group's memory ran out; 0 where it does not tell."""
    found = 0
    for folder in _memory_groups():
        for name in ("memory.events", "memory.oom_control"):
            try:
                words = dict(line.split() for line in (folder / name).read_text().splitlines())
                found = max(found, int(words.get("oom_kill", 0)))
            except (OSError, ValueError):
                continue
    return found


def _memory_groups() -> list[Path]:
    """Folders that may describe the control group of this process, in both versions of Linux's layout."""
    try:
        lines = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return []
    top = Path("/sys/fs/cgroup")
    own = [path.lstrip("/") for _, controllers, path in lines if controllers in ("", "memory")]
    return [base / path for base in (top, top / "memory") for path in ("", *own)]


def wait_for_none(mark: str, timeout: float = 10.0) -> list[psutil.Process]:
    """Wait until no process carries `mark`; what is left after `timeout` seconds is returned."""
    limit = time.monotonic() + timeout
    while (left := marked(mark)) and time.monotonic() < limit:
        time.sleep(0.1)
    return left
