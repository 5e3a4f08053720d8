"""Which way of isolation this machine has, and the command line for a submission."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from bookbuild.classroom import isolation
from bookbuild.layout import BuildError

WAYS = {
    "bubblewrap": "bubblewrap: no network, own processes, the course and other submissions are not there",
    "namespaces": "namespaces: no network, own processes, the course and other submissions are not there",
}
_MEMORY, _PROCESSES, _DISK, _CPU = 6 << 30, 96, 64 << 20, 600
NOTHING = (
    "nothing on this machine can isolate submissions: install bubblewrap (on Debian or Ubuntu: apt-get install bubblewrap), "
    "or grade where users may make namespaces"
)


_TRY = "import os; child = os.fork(); child or os._exit(0); os.waitpid(child, 0); print('in')"


@cache
def way() -> str:
    """The best way that works here, by trying. ``EFFICIENT_AI_ISOLATION`` names another. Raises ``BuildError`` if none does."""
    asked = os.environ.get("EFFICIENT_AI_ISOLATION")
    # As root inside bubblewrap the number of processes cannot be limited.
    order = reversed(WAYS) if os.getuid() == 0 else WAYS
    for name in [asked] if asked else order:
        if name not in WAYS:
            raise BuildError(f"EFFICIENT_AI_ISOLATION is one of {', '.join(WAYS)}, not '{name}'")
        if _works(name):
            return name
    raise BuildError(f"isolation by {asked} does not work on this machine" if asked else NOTHING)


def _works(name: str) -> bool:
    if name == "bubblewrap" and shutil.which("bwrap") is None:
        return False
    with tempfile.TemporaryDirectory(prefix="shut-in-") as folder:
        Path(folder).chmod(0o755)
        tried = subprocess.run(
            command([sys.executable, "-I", "-c", _TRY], name, Path(folder), [], 0),
            capture_output=True,
            text=True,
            timeout=60,
        )
    return tried.stdout.strip() == "in"


def shown(extra: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a submission sees of the machine: the system's programs, this Python, and ``extra``; (where it lies, where it is seen)."""
    own = [path for path in isolation.SYSTEM if os.path.lexists(path)]
    for path in (sys.base_prefix, sys.prefix):
        if not any(path == seen or path.startswith(f"{seen}/") for seen in own):
            own.append(path)
    return [(path, path) for path in own] + extra


def command(
    program: list[str],
    name: str,
    folder: Path,
    extra: list[tuple[str, str]],
    slot: int,
    *,
    seconds: int = _CPU,
    memory: int = _MEMORY,
) -> list[str]:
    """The command that runs ``program`` shut in.

    Args:
        program: its command line, in paths as they are seen inside.
        name: of the way.
        folder: an empty folder of this submission's.
        extra: what else is seen.
        slot: a number that no submission which runs at the same time has.
        seconds, memory: processor time and bytes of one process.
    """
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": isolation.HOME,
        "TMPDIR": "/tmp",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    how = {
        "way": name,
        "root": str(folder),
        "home": str(folder),
        "shown": shown(extra),
        "slot": slot,
        "seconds": seconds,
        "memory": memory,
        "processes": _PROCESSES,
        "disk": _DISK,
        "command": program,
        "environment": environment,
    }
    inner = [sys.executable, "-I", isolation.__file__]
    if name != "bubblewrap":
        return [*inner, json.dumps(how)]
    return [*_bubblewrap(how), "--", "/usr/bin/prlimit", f"--nproc={_PROCESSES}", *program]


def _bubblewrap(how: dict) -> list[str]:
    line = [
        "prlimit",
        f"--cpu={how['seconds']}",
        f"--as={how['memory']}",
        f"--fsize={how['disk']}",
        "--core=0",
    ]
    line += ["--nofile=256"]
    line += [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--cap-drop",
        "ALL",
    ]
    line += ["--tmpfs", "/tmp", "--tmpfs", isolation.HOME]  # first: what is shown may lie below them
    for source, place in how["shown"]:
        if os.path.islink(source):
            line += ["--symlink", os.readlink(source), place]
        else:
            line += ["--ro-bind", source, place]
    line += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--chdir",
        isolation.HOME,
    ]
    for name, value in how["environment"].items():
        line += ["--setenv", name, value]
    if os.getuid() == 0:
        line += ["--uid", str(isolation.FIRST_USER + how["slot"])]
        line += ["--gid", str(isolation.FIRST_USER + how["slot"]), "--unshare-user"]
    return line
