"""Run one command and let nothing of it outlive its owner: ``python -I -S _guard.py OWNER_PID COMMAND ...``.

A notebook kernel that is killed with SIGKILL can clean up nothing. So every process tree the book starts hangs
below a guard. The guard ends the whole tree when its command ends, when it gets SIGTERM, and when its own parent
(the owner) is gone. As a subreaper it also finds descendants that moved to a session of their own.

This file is run as a script by a bare interpreter: standard library only, no import of the package.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_GRACE = 2.0  # seconds between SIGTERM and SIGKILL


def _prctl(option, value):
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def descendants(pid):
    """Process ids below ``pid`` that are not zombies; empty where there is no /proc."""
    children = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
        except OSError:
            continue  # it ended while we looked
        if state != b"Z":
            children.setdefault(int(parent), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _signal_tree(child, number):
    try:
        os.killpg(child, number)
    except (ProcessLookupError, PermissionError):
        pass
    alive = descendants(os.getpid())
    for pid in alive:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
    return alive


def end_tree(child):
    """SIGTERM for everything below this process, SIGKILL for what stays."""
    started, number = time.monotonic(), signal.SIGTERM
    while _signal_tree(child, number):
        time.sleep(0.05)
        if time.monotonic() - started > _GRACE:
            number = signal.SIGKILL
        if time.monotonic() - started > 5 * _GRACE:
            return


def _prepare_child():
    # If the guard itself is killed, its command gets SIGTERM; mpiexec then ends its ranks.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def main(owner, command):
    """Run ``command`` under guard; returns its exit status as a shell would (128 + signal)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    asked = []
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, frame: asked.append(received))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the owner's business
    signal.set_wakeup_fd(wake_write)
    child = subprocess.Popen(command, start_new_session=True, preexec_fn=_prepare_child)
    while child.poll() is None and not asked and os.getppid() == owner:
        if select.select([wake_read], [], [], 0.5)[0]:
            os.read(wake_read, 512)
    end_tree(child.pid)
    status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
