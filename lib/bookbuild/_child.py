"""Runs one notebook through papermill. Started by ``bookbuild.run`` as a process of its own.

Its standard input is a pipe that the builder holds open. When the builder dies, even by ``kill -9``, the pipe closes
and everything this run started is ended: no kernel and no MPI rank outlives its build.

The builder reads three files in the work folder: ``now.json`` (which cell runs, in which process), ``failure.json``
(what a cell raised, or how its kernel died) and ``stack.txt`` (where the kernel stands, once it gets ``SIGUSR1``).
"""

import contextlib
import json
import os
import sys
import threading
from pathlib import Path

from bookbuild.layout import write_json
from bookbuild.processes import MARK, end_marked

NOW, FAILURE, STACK = "now.json", "failure.json", "stack.txt"
# Run in the kernel before its first cell: no name is left in the notebook's namespace.
_STACK_ON_SIGNAL = "__import__('faulthandler').register(__import__('signal').SIGUSR1, file=open({path!r}, 'w'), all_threads=True)"


def _guard() -> None:
    while os.read(0, 1024):
        pass
    end_marked(os.environ[MARK], grace=1.0)
    os._exit(3)


def _engine(work: Path):
    """papermill's engine with a hook before each cell, and with the exit status of a kernel that died."""
    from nbclient.exceptions import DeadKernelError
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import NBClientEngine

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, nb_man, kernel_name, start_timeout, **_):
            kernel, now = None, {}

            def started(cell, cell_index):
                nonlocal kernel, now
                kernel = kernel or client.km.provisioner.process
                injected = [
                    "injected-parameters" in each.metadata.get("tags", []) for each in nb_man.nb.cells
                ]
                now = {
                    "cell": cell_index + 1 - sum(injected[:cell_index]),  # as the author counts them
                    "cells": len(injected) - sum(injected),
                    "source": cell.source,
                    "kernel": kernel.pid,
                }
                write_json(work / NOW, now)

            client = PapermillNotebookClient(
                nb_man,
                kernel_name=kernel_name,
                startup_timeout=start_timeout,
                on_cell_start=started,
                extra_arguments=[
                    f"--IPKernelApp.exec_lines={_STACK_ON_SIGNAL.format(path=str(work / STACK))}"
                ],
            )
            try:
                client.execute()
            except DeadKernelError:
                write_json(work / FAILURE, now | {"died": kernel.poll() if kernel else None})
                raise

    return Engine


def main(source: str, target: str, profile: str, folder: str, work: str) -> int:
    """Execute `source` into `target` with `profile` in `folder`; what the builder wants to know goes into `work`."""
    threading.Thread(target=_guard, daemon=True).start()
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError

    papermill_engines.register("book", _engine(Path(work)))
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters={"profile": profile},
            engine_name="book",
            kernel_name="python3",
            language="python",
            cwd=folder,
            progress_bar=False,
            start_timeout=120,
        )
    except PapermillExecutionError as error:
        now = {}
        with contextlib.suppress(OSError):
            now = json.loads((Path(work) / NOW).read_text(encoding="utf-8"))
        write_json(Path(work) / FAILURE, now | {"traceback": "\n".join(error.traceback)})
        return 1
    except DeadKernelError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
