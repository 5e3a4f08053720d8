"""``make lab``: JupyterLab on the reader's copies, set up for readers."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from bookbuild.layout import PROFILES, Layout, read_json, read_notebook
from bookbuild.workshop import START, refresh, workshop
from efficient_ai._files import write_atomic
from efficient_ai.plotting import TIMES

_SETTINGS = {
    # No question about news at the first start, no call elsewhere.
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "doNotDisturbMode": False,
        "fetchNews": "false",
    },
    # A widget stays in the saved notebook as it was.
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}
# For teachers: not what a reader came for.
_HIDDEN = ("@jupyter/nbgrader",)


def arguments(layout: Layout, page: str = START) -> list[str]:
    """Options of ``jupyter lab`` for the copies; writes what they point to."""
    own = layout.build / "lab"
    write_atomic(own / "settings" / "overrides.json", json.dumps(_SETTINGS).encode())
    write_atomic(
        own / "settings" / "page_config.json",
        json.dumps({"disabledExtensions": dict.fromkeys(_HIDDEN, True)}).encode(),
    )
    write_atomic(own / "extensions" / "efficient-ai" / "eai-bundle.js", _bundle())
    settings = {
        "ServerApp.root_dir": workshop(layout),
        "LabApp.default_url": f"/lab/tree/{quote(page)}",
        "LabApp.app_settings_dir": own / "settings",
        "LabApp.extra_labextensions_path": [str(own / "extensions")],
        "LabApp.expose_app_in_browser": True,  # figures ask the kernel for settings between their frames
    }
    as_root = ["--allow-root"] if os.geteuid() == 0 else []
    return [*(f"--{name}={value}" for name, value in settings.items()), *as_root]


def environment(layout: Layout) -> dict[str, str]:
    """What Lab and its kernels run with: they find the environment's programs, and nothing says that a page is built."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    kept = {name: value for name, value in os.environ.items() if name != "EFFICIENT_AI_STATIC"}
    write_atomic(layout.build / "lab" / "times.json", json.dumps(times(layout)).encode())
    own = {"EFFICIENT_AI_BUILD": layout.build, TIMES: layout.build / "lab" / "times.json"}
    return kept | {"PATH": path} | {name: str(path) for name, path in own.items()}


def times(layout: Layout) -> dict[str, dict]:
    """By chapter: the ids of its code cells, and by profile what each took in the last run of the builder."""
    found = {}
    for name in layout.toc("chapters"):
        code = [
            cell["id"] for cell in read_notebook(layout.source(name))["cells"] if cell["cell_type"] == "code"
        ]
        seconds = {}
        for profile in PROFILES:
            ran = read_json(layout.executed(profile, name)) or {"cells": []}
            took = {
                cell["id"]: cell["metadata"].get("papermill", {}).get("duration")
                for cell in ran["cells"]
                if cell["id"] in code
            }
            seconds[profile] = {id: value for id, value in took.items() if value is not None}
        found[name] = {"cells": code, "seconds": seconds}
    return found


def lab(layout: Layout) -> int:
    """Bring the copies up to date and open them. Returns JupyterLab's exit status."""
    for said in refresh(layout):
        print(said)
    print(f"your copies are in {workshop(layout)}", flush=True)
    command = [sys.executable, "-m", "jupyterlab", *arguments(layout)]
    return subprocess.call(command, cwd=workshop(layout), env=environment(layout))


def _bundle() -> bytes:
    from efficient_ai.plotting import bundle

    return bundle()
