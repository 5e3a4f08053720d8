"""``make pythons``: build the book and run its tests with the other Pythons, for real, and write down that it was done.

One environment and one build folder per Python below ``build/pythons/``. The record, ``results/pythons.json``, holds a
hash of the pins it was made with: after a change of the pins the status page says that it has to be done again.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bookbuild.layout import BuildError, Layout, read_json, write_json

VERSIONS = ("3.11", "3.12", "3.13")


def pins_hash(layout: Layout) -> str:
    """Changes with the packages that are pinned, not with a comment beside them."""
    lines = [line.split("#")[0].strip() for path in layout.pins for line in path.read_text().splitlines()]
    return hashlib.sha256("\n".join(filter(None, lines)).encode()).hexdigest()


def record_path(layout: Layout) -> Path:
    return layout.root / "results" / "pythons.json"


def others() -> list[str]:
    """The supported versions but the one that runs this."""
    return [version for version in VERSIONS if version != ".".join(map(str, sys.version_info[:2]))]


def try_pythons(layout: Layout, arguments: str = "") -> None:
    """Build in `smoke` and test with each other Python; `arguments` are pytest's. Raises where one is missing or fails."""
    troubles = []
    for version in others():
        python = os.environ.get("PYTHON" + version.replace(".", "")) or shutil.which(f"python{version}")
        if python is None:
            variable = "PYTHON" + version.replace(".", "")
            troubles.append(
                f"python{version} was not found; install it, or name it: make pythons {variable}=/path"
            )
            continue
        print(f"\nPython {version}: {python}", flush=True)
        if trouble := _try(layout, version, python, arguments):
            troubles.append(trouble)
    if troubles:
        raise BuildError("\n".join(troubles))


def _try(layout: Layout, version: str, python: str, arguments: str) -> str | None:
    folder = layout.build / "pythons" / version
    folder.mkdir(parents=True, exist_ok=True)
    hidden = {"MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV", "PROFILE", "ARGS", "VENV"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"EFFICIENT_AI_BUILD": str(folder / "build")}
    make = ["make", f"VENV={folder / 'venv'}", f"PYTHON={python}"]
    start, said = time.monotonic(), {}
    for name, goal in (("book", ["book", "PROFILE=smoke"]), ("test", ["test", f"ARGS={arguments}"])):
        log = folder / f"{name}.log"
        print(f"  make {goal[0]}: log in {log}", flush=True)
        with open(log, "w") as file:
            code = subprocess.call(
                [*make, *goal], cwd=layout.root, env=environment, stdout=file, stderr=subprocess.STDOUT
            )
        if code:
            return f"Python {version}: make {goal[0]} failed; see the end of {log}"
        said[name] = log.read_text(errors="replace")
    exact = subprocess.run(
        [str(folder / "venv" / "bin" / "python"), "-c", "import platform; print(platform.python_version())"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    counts = re.findall(r"^=* ?(\d+ passed.*?) in [\d.]+", said["test"], re.MULTILINE)
    _keep(layout, version, {
        "python": exact,
        "pins": pins_hash(layout),
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(time.monotonic() - start),
        "tests": "; ".join(counts),
        "arguments": arguments,
    })  # fmt: skip
    return None


def _keep(layout: Layout, version: str, entry: dict) -> None:
    known = read_json(record_path(layout)) or {}
    write_json(record_path(layout), dict(sorted((known | {version: entry}).items())))
    print(
        f"  Python {entry['python']}: the book builds, tests: {entry['tests']}; written to {record_path(layout)}"
    )


def rows(layout: Layout) -> list[list[str]]:
    """For the status page: each supported Python, and when the book was last built and tested with it."""
    known = read_json(record_path(layout)) or {}
    here, found = ".".join(map(str, sys.version_info[:2])), []
    for version in VERSIONS:
        entry = known.get(version)
        if version == here:
            found.append([version, "this build"])
        elif entry is None:
            found.append([version, "not tried yet: `make pythons`"])
        else:
            stale = (
                "" if entry["pins"] == pins_hash(layout) else "; the pins have changed since: `make pythons`"
            )
            chosen = f" (`{entry['arguments']}`)" if entry["arguments"] else ""
            found.append([entry["python"], f"{entry['date']}: book built, {entry['tests']}{chosen}{stale}"])
    return found
