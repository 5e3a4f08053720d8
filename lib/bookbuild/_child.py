"""Runs one notebook through papermill. Started by ``bookbuild.execute`` as a process of its own.

Its standard input is a pipe that the builder holds open. When the builder dies, even by ``kill -9``, the pipe closes
and everything this run started is ended: no kernel and no MPI rank outlives its build.
"""

import json
import os
import sys
import threading
from pathlib import Path

from bookbuild.processes import MARK, end_marked


def _guard() -> None:
    while os.read(0, 1024):
        pass
    end_marked(os.environ[MARK], grace=1.0)
    os._exit(3)


def main(source: str, target: str, profile: str, folder: str, failure: str) -> int:
    """Execute `source` into `target` with `profile` in `folder`; an exception of a cell goes to the file `failure`."""
    threading.Thread(target=_guard, daemon=True).start()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            source,
            target,
            parameters={"profile": profile},
            kernel_name="python3",
            language="python",
            cwd=folder,
            progress_bar=True,
            start_timeout=120,
        )
    except PapermillExecutionError as error:
        facts = {"cell": error.cell_index, "source": error.source, "traceback": "\n".join(error.traceback)}
        Path(failure).write_text(json.dumps(facts), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
