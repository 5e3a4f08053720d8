"""The part of a call that happens inside a rank: run the function, keep its result or its traceback.

Used by the one-shot ranks of ``run_ranks`` (imported from the folder) and by the engines of a cluster.
"""

import sys
import traceback

import cloudpickle


def call(payload: bytes, comm) -> bytes:
    """Run the packed (function, args, kwargs) as ``function(comm, *args, **kwargs)``; pickled (ok, result).

    ``ok`` false means that the result is the text of a traceback.
    """
    try:
        function, args, kwargs = load(payload)
        return cloudpickle.dumps((True, function(comm, *args, **kwargs)))
    except BaseException:  # SystemExit and KeyboardInterrupt too: the caller must hear of it
        return cloudpickle.dumps((False, _own_part(traceback.format_exc())))


def load(payload: bytes):
    """Undo ``_ranks.pack``: first the module path of the caller, then what needs it."""
    path, inner = cloudpickle.loads(payload)
    sys.path.extend(entry for entry in path if entry not in sys.path)
    return cloudpickle.loads(inner)


def _own_part(text: str) -> str:
    """The traceback without the frames of this file: the reader wants the own line first."""
    lines, kept, ours = text.split("\n"), [], False
    for line in lines:
        if line.startswith("  File "):
            ours = line.startswith(f'  File "{__file__}"')
        elif not line.startswith("    "):  # the message itself, which has no frame
            ours = False
        if not ours:
            kept.append(line)
    return "\n".join(kept)
