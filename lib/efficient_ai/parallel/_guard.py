"""Run one command and let nothing of it outlive its owner: ``python -I -S _guard.py '{"owner": PID, ...}'``.

A notebook kernel that is killed with SIGKILL can clean up nothing. So every process tree the book starts hangs
below a guard. The guard ends the whole tree when its command ends, when it gets SIGTERM, and when its own parent
(the owner) is gone. As a subreaper it also finds descendants that moved to a session of their own.

The argument is JSON: ``owner`` (its pid), ``command`` (list), ``after`` (a command to run at the end, such as
scancel, or null), ``folder`` (removed if the owner is gone, for then nobody else will).

This file is run as a script by a bare interpreter: standard library only, no import of the package.
"""

import ctypes
import glob
import json
import os
import select
import shutil
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


def end_tree(child, patience):
    """Wait ``patience`` seconds for the tree to end by itself, then SIGTERM, then SIGKILL for what stays."""
    started, number = time.monotonic(), 0
    while _signal_tree(child, number):
        time.sleep(0.05)
        waited = time.monotonic() - started - patience
        number = 0 if waited < 0 else signal.SIGTERM if waited < _GRACE else signal.SIGKILL
        if waited > 5 * _GRACE:
            return


def reap():
    """Wait for all that ended below: their processor time is then in our account, and in that of whoever waits for us."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def remove_shared_memory(folder):
    """Remove the shared memory that the ranks noted in ``folder``; those that ended in peace have done so themselves."""
    for note in glob.glob(os.path.join(glob.escape(folder), "memory-*")):
        with open(note) as file:
            for name in file.read().splitlines():
                try:
                    os.unlink(name)
                except OSError:
                    pass  # it is gone already


def _prepare_child():
    # If the guard itself is killed, its command gets SIGTERM; mpiexec then ends its ranks.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def main(owner, command, after, folder):
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
    # A command that ended by itself may leave helpers that still report its end to somebody.
    end_tree(child.pid, patience=0.0 if child.poll() is None else _GRACE)
    status = child.wait()
    reap()
    if after:
        subprocess.run(after, timeout=30)
    if folder:
        remove_shared_memory(folder)
    if folder and os.getppid() != owner:
        shutil.rmtree(folder, ignore_errors=True)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(**json.loads(sys.argv[1])))
