"""The part of a call that happens inside a rank: run the function under a watch, keep stack, output and result.

Used by the one-shot ranks of ``run_ranks`` and by the engines of a cluster. Everything a rank leaves behind is a
file ``<kind>-<rank>`` in the folder of the call, so it survives the death of the rank.
"""

import faulthandler
import os
import sys
import threading
import traceback
from contextlib import contextmanager
from pathlib import Path

import cloudpickle


def keep(folder: Path, kind: str, rank: int, content: bytes) -> None:
    """Write one file in full or not at all."""
    target = folder / f"{kind}-{rank}"
    unfinished = target.with_suffix(".part")
    unfinished.write_bytes(content)
    os.replace(unfinished, target)


@contextmanager
def watched(folder: Path, rank: int, limit: float):
    """After ``limit`` seconds the Python stack goes to ``stack-<rank>``, even from inside a blocking MPI call.

    faulthandler's watchdog is a thread in C that needs no GIL. It works on any node, a signal would not.
    """
    with open(folder / f"stack-{rank}", "w") as file:
        file.write(f"main thread 0x{threading.main_thread().ident:016x}\n")
        file.flush()
        faulthandler.dump_traceback_later(max(limit, 0.01), file=file)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()


def call(folder: Path, payload: bytes, comm, limit: float) -> bytes:
    """Run the pickled (function, args, kwargs, path) as ``function(comm, *args, **kwargs)``; pickled (ok, result).

    ``ok`` false means that the result is the text of a traceback.
    """
    try:
        with watched(folder, comm.rank, limit):
            function, args, kwargs = load(payload)
            answer = True, function(comm, *args, **kwargs)
        return cloudpickle.dumps(answer)
    except BaseException:  # SystemExit and KeyboardInterrupt too: the caller must hear of it
        return cloudpickle.dumps((False, _own_part(traceback.format_exc())))


def load(payload: bytes):
    """Undo ``_ranks.pack``: first the module path of the caller, then what needs it."""
    path, inner = cloudpickle.loads(payload)
    sys.path.extend(entry for entry in path if entry not in sys.path)
    return cloudpickle.loads(inner)


def _own_part(text: str) -> str:
    """The traceback without the frames of this file: the reader wants the own line first."""
    head, *frames = text.split("\n  File ")
    return "\n  File ".join([head] + [frame for frame in frames if not frame.startswith(f'"{__file__}"')])
