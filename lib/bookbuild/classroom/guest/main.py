"""The student's process: ``python main.py``. Runs the cells, then answers whoever connects, each time in a fresh copy.

Each cell runs in a copy of the process that ran the cells before. If that copy does not survive the cell, or is not finished in
time, the process before goes on with the next cell: a cell costs what it defines, and nothing else.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class TimeIsUp(BaseException):
    """A cell takes too long; no ``except Exception`` stops it."""


def _late(*_: object) -> None:
    raise TimeIsUp


def run(cell: dict, namespace: dict, limit: float) -> dict:
    """Run a cell here; what became of it."""
    from classroom_guest.serving import PREFIX, _told

    told = {"cell": cell["number"], "id": cell["id"], "state": "ran"}
    signal.signal(signal.SIGALRM, _late)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        exec(compile(cell["source"], f"{PREFIX}{cell['number']}", "exec"), namespace)
    except TimeIsUp as error:
        place = _told(error)[3]
        told |= {"state": "late", "line": place[1] if place else 0}
    except SyntaxError as error:
        told |= {"state": "error", "text": f"SyntaxError: {error.msg}", "line": error.lineno or 0}
    except BaseException as error:
        _, kinds, text, place, _ = _told(error)
        told |= {"state": "error", "text": f"{kinds[0]}: {text}"[:500], "line": place[1] if place else 0}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return told


def chain(cells: list[dict], namespace: dict, limit: float, tell) -> None:
    """Run all cells, each in a copy; returns in the last copy that is left."""
    for cell in cells:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            told = run(cell, namespace, limit)
            tell(told)
            os.write(writing, b"k")
            os.close(writing)
            continue
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], limit + 5)
        if ready and os.read(reading, 1) == b"k":
            os.close(reading)
            try:
                os.waitpid(child, 0)
            finally:
                os._exit(0)
        os.close(reading)
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(child, 0)
        tell({"cell": cell["number"], "id": cell["id"], "state": "ended" if ready else "late", "line": 0})


def main() -> None:
    """Be the process of a submission."""
    sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "library")]
    with open(os.path.join(HERE, "..", "job", "job.json"), encoding="utf-8") as file:
        job = json.load(file)
    report = os.fdopen(job["report"], "w", encoding="utf-8")

    def tell(what: dict) -> None:
        report.write(json.dumps(what) + "\n")
        report.flush()

    from classroom_guest import mpi

    mpi.install(job["constants"])
    for module in job["modules"]:  # before any cell, and before any copy is made
        try:
            __import__(module)
        except ImportError:
            pass
    namespace = {"__name__": "__main__"}
    chain(job["cells"], namespace, job["limit"], tell)
    names = {name: callable(value) for name, value in list(namespace.items()) if not name.startswith("_")}
    tell({"ready": names})
    serve(job["listen"], namespace)


def serve(number: int, namespace: dict) -> None:
    """Answer each connection in a copy of this process."""
    listening = socket.socket(fileno=number)
    listening.settimeout(None)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        connection, _ = listening.accept()
        if _fork() == 0:
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            guard(connection, namespace)
        connection.close()


def _fork() -> int:
    """Fork, also where the processes of an answer that was given up are still being ended."""
    for _ in range(100):
        try:
            return os.fork()
        except OSError:
            time.sleep(0.05)
    return os.fork()


def guard(connection: socket.socket, namespace: dict) -> None:
    """Answer in a child, and end all that it started when it is done or when the other side hangs up. Never returns."""
    from classroom_guest.serving import Service
    from classroom_guest.wire import Wire

    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # whoever loses its parent below becomes our child
    child = _fork()
    if child == 0:
        try:
            Service(Wire(connection), namespace).serve()
        finally:
            os._exit(0)
    hung_up = select.poll()
    hung_up.register(connection, select.POLLHUP)
    while os.waitpid(child, os.WNOHANG)[0] == 0 and not hung_up.poll(20):
        pass
    connection.close()
    end = time.monotonic() + 3
    while (left := below(os.getpid())) and time.monotonic() < end:
        for number in (signal.SIGSTOP, signal.SIGKILL):  # first none of them may start another one
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, number)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    os._exit(0)


def below(pid: int) -> list[int]:
    """The processes below one, zombies left out."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
                if state != b"Z":
                    parents.setdefault(int(parent), []).append(int(name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return found


if __name__ == "__main__":
    main()
