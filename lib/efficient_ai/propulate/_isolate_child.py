"""The process in which ``Isolated`` evaluates: ``python _isolate_child.py FILE_DESCRIPTOR OWNER``. Never imported."""

import ctypes
import os
import pickle
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

sys.path.pop(0)  # this folder: its file names must not hide the reader's modules
import cloudpickle


def die_with(owner: int) -> None:
    """End as soon as the owner does, at once on Linux and elsewhere when this process next looks."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)

    def watch() -> None:
        while os.getppid() == owner:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def sendable(error: BaseException) -> Exception:
    """The exception itself if it can be sent, else its text. An exit is a failure like any other, not our end."""
    try:
        pickle.loads(cloudpickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error if isinstance(error, Exception) else RuntimeError(f"{type(error).__name__}: {error}")


def attempt(function, argument) -> tuple[bool, object]:
    try:
        return True, function(argument)
    except BaseException as error:
        return False, sendable(error)


def main(connection: Connection) -> None:
    good, evaluate = attempt(cloudpickle.loads, connection.recv_bytes())
    connection.send_bytes(cloudpickle.dumps((good, None if good else evaluate)))
    while good:
        try:
            genes = cloudpickle.loads(connection.recv_bytes())
        except (EOFError, ConnectionResetError):
            return  # the rank needs us no more
        connection.send_bytes(cloudpickle.dumps(attempt(lambda genes: float(evaluate(genes)), genes)))


if __name__ == "__main__":
    die_with(int(sys.argv[2]))
    main(Connection(int(sys.argv[1])))
