"""Renders the site: Jupyter Book over the staged folder, every warning an error.

Sphinx writes into a work folder. Only a build that went well is moved to ``html/``, so a reader, or a kill, never
sees half a site; a mark tells the next call to forget the work folder of a build that did not end.
"""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from bookbuild.layout import BuildError, Layout, only_one, read_json, write_json
from bookbuild.stage import stage


def render(
    layout: Layout, profile: str, waiting: Mapping[str, str] = MappingProxyType({}), joining: bool = False
) -> Path:
    """Bring the site of `profile` up to date; returns the path of its first page.

    A chapter without a sound run says so on its page; `waiting` adds when its run is expected. `joining`: only a
    chapter's run is new, so only the pages that changed are written, not the navigation of all.
    """
    folder = layout.site(profile)
    with only_one(layout, folder.name):
        source = stage(layout, profile, waiting)
        index, stamp, key = folder / "html" / "index.html", folder / "stamp.json", _key(layout, source)
        if index.exists() and (read_json(stamp) or {}).get("key") == key:
            return index
        if not joining:
            print("site: rendering", flush=True)
        fresh = (read_json(stamp) or {}).get("tools") != _tools(layout)
        _sphinx(layout, folder, source, fresh, every_page=not joining)
        _publish(folder)
        write_json(stamp, {"key": key, "tools": _tools(layout)})
    return index


def _key(layout: Layout, source: Path) -> str:
    """Hash of all that the rendered site depends on: the staged files, the library it documents, the tools."""
    digest = hashlib.sha256(_tools(layout).encode())
    for folder in (source, layout.lib / "efficient_ai"):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(
                    f"{path.relative_to(folder)}\0".encode() + hashlib.sha256(path.read_bytes()).digest()
                )
    return digest.hexdigest()


def _tools(layout: Layout) -> str:
    """What Sphinx's stored reading of the pages depends on beside the pages: other tools or settings, read all again."""
    parts = [
        platform.python_version(),
        *(metadata.version(name) for name in ("sphinx", "jupyter-book", "sphinx-book-theme", "myst-nb")),
    ]
    files = [
        layout.root / "_config.yml",
        layout.root / "_toc.yml",
        *sorted(Path(__file__).parent.glob("*.py")),
    ]
    parts += [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return json.dumps(parts)


def _sphinx(layout: Layout, folder: Path, source: Path, fresh: bool, every_page: bool) -> None:
    work, mark, log_path = folder / "work", folder / "unfinished", layout.logs / f"{folder.name}.log"
    if fresh or mark.exists():
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    log_path.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    paths = [str(layout.lib), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    }
    command = [
        sys.executable,
        "-m",
        "bookbuild._sphinx",
        str(source),
        str(work / "html"),
        *(["every"] if every_page else []),
    ]
    with open(log_path, "w") as log:
        options = {"stdin": subprocess.PIPE, "stdout": log, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, cwd=folder, env=environment, **options) as sphinx:
            code = sphinx.wait()
    if code:
        lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-30:]
        shown = "\n".join("    " + line.replace(str(source) + os.sep, "") for line in told[:40])
        raise BuildError(
            f"the site has warnings or errors, which count as errors (log: {log_path}):\n{shown}"
        )
    mark.unlink()


def _publish(folder: Path) -> None:
    """Put a copy of what Sphinx wrote in the place of ``html/``."""
    fresh, old = folder / "html.new", folder / "html.old"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(folder / "work" / "html", fresh, ignore=shutil.ignore_patterns(".buildinfo*"))
    if (folder / "html").exists():
        os.replace(folder / "html", old)
    os.replace(fresh, folder / "html")
    shutil.rmtree(old, ignore_errors=True)
