"""One engine of a cluster: ``python _engine_main.py FOLDER N LIMIT ARGUMENTS``. Started by mpiexec or srun.

ARGUMENTS go to ipengine. What goes wrong before ipengine runs is written where the notebook looks for the reason.
"""

import json
import sys
import time
from pathlib import Path

import _launch


def wait_for_controller(file: Path, limit: float) -> None:
    """Until the controller's connection file is there and complete."""
    end = time.monotonic() + limit
    while True:
        try:
            return json.loads(file.read_text())
        except (OSError, ValueError):
            if time.monotonic() > end:
                sys.exit(f"the controller did not write {file} in {limit:g} s")
            time.sleep(0.05)


if __name__ == "__main__":
    where = Path(sys.argv[1])
    _launch.become_noted_child(where)
    _launch.check_world(where, int(sys.argv[2]))
    sys.path.pop(0)  # this folder: its file names must not hide the reader's modules
    from ipyparallel.engine.app import IPEngine

    import efficient_ai.parallel._engine  # noqa: F401  a missing package shows here, with its name

    wait_for_controller(where / "security" / "ipcontroller-engine.json", float(sys.argv[3]))
    IPEngine.launch_instance(argv=sys.argv[4:])
