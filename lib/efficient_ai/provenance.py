"""Where a number comes from: commit, machine, memory and versions, written down beside every recorded result."""

import json
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from efficient_ai._files import write_atomic
from efficient_ai._paths import project_root

_VERSIONS = ("efficient-ai", "numpy", "scipy", "torch", "mpi4py", "mpich", "ipyparallel", "plotly")


def commit(root: Path | None = None) -> str:
    """The commit of the project, or of another checkout, with ``-modified`` if files differ from it.

    A copy that was brought elsewhere without its history is told it in ``EFFICIENT_AI_COMMIT``; outside a repository and
    without that it is ``unknown``.
    """
    if os.environ.get("EFFICIENT_AI_COMMIT"):
        return os.environ["EFFICIENT_AI_COMMIT"]
    root = root or project_root()
    if root is None:
        return "unknown"
    try:
        git = ["git", "-C", str(root)]
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        dirty = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{head}-modified" if dirty.strip() else head


def short(commit: str) -> str:
    """A commit in ten characters, for a page; that files differed from it stays."""
    name, mark, _ = commit.partition("-modified")
    return name[:10] + mark


def machine() -> str:
    """Processor, usable cores, system, and the GPU if torch is loaded and sees one."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores, {platform.system()} {platform.machine()}{_gpu()}"


def _gpu() -> str:
    torch = sys.modules.get("torch")  # only a run that used torch can have used its GPU
    return f", {torch.cuda.get_device_name()}" if torch is not None and torch.cuda.is_available() else ""


def peak_memory_mb() -> float:
    """Peak resident memory of this process; of its ended children the largest one."""
    scale = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    usage = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return round(max(usage) * scale / 1e6, 1)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    found = {"python": platform.python_version()}
    for package in _VERSIONS:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_json(path: Path, content: Mapping) -> None:
    """Write ``content`` to ``path`` as JSON, in full or not at all."""
    text = json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_atomic(path, text.encode())
