"""Executes the chapters: each once per profile, again only when something it depends on changed.

A run writes to a work folder; the executed notebook and, last, its record are moved into place in one step each. The
record carries the fingerprint and the hash of the notebook it belongs to, so whatever a kill leaves behind is either
complete or executed again.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bookbuild.fingerprint import fingerprint
from bookbuild.layout import BuildError, Layout, only_one, read_json, write_atomic, write_json
from bookbuild.processes import MARK, end_marked, new_mark, tree_memory
from bookbuild.progress import Progress

# Outer time limits in seconds. A chapter should stay far below; what passes the limit hangs.
LIMITS = {"smoke": 300, "laptop": 1200, "full": None}
PACKAGES = ("numpy", "scipy", "torch", "mpi4py", "mpich", "ipyparallel", "plotly", "papermill")
_COUNT = re.compile(rb"(\d+)/(\d+) \[")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter: ``executed`` now or unchanged, ``error`` empty when it is sound."""

    chapter: str
    notebook: Path
    executed: bool
    seconds: float
    error: str = ""


def execute(
    layout: Layout, profile: str, chapters: Sequence[str] | None = None, limit: float | None = None
) -> list[Outcome]:
    """Bring the executed notebooks of `chapters` (default: those in ``_toc.yml``) up to date.

    Two chapters run at a time; those with MPI ranks run alone, after the others. `limit`: seconds per chapter.
    """
    names = list(chapters) if chapters is not None else layout.toc("chapters")
    for name in names:
        if not layout.source(name).exists():
            raise BuildError(f"_toc.yml lists the chapter '{name}', but {layout.source(name)} does not exist")
    with only_one(layout, "execute"):
        due = {
            name: mark
            for name in names
            if (mark := _fingerprint(layout, profile, name)) != _valid(layout, profile, name)
        }
        fresh = {
            name: Outcome(name, layout.executed(profile, name), False, 0.0)
            for name in names
            if name not in due
        }
        if due:
            fresh |= _execute_all(layout, profile, due, limit if limit is not None else LIMITS[profile])
    return [fresh[name] for name in names]


def check(outcomes: Sequence[Outcome]) -> None:
    """Raise one error that reports every chapter that failed."""
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if errors:
        raise BuildError("\n\n".join(errors))


def ranks_of(notebook: Path) -> int:
    """Number of MPI ranks the notebook says it starts; 0 for a chapter without MPI."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    return int(content.get("metadata", {}).get("efficient_ai", {}).get("ranks", 0))


def _fingerprint(layout: Layout, profile: str, chapter: str) -> str:
    return fingerprint(layout.source(chapter), profile, layout.lib, layout.inputs(chapter))


def _valid(layout: Layout, profile: str, chapter: str) -> str | None:
    """The fingerprint of what lies there, or ``None`` where the notebook, its record or its results are not whole."""
    record, notebook = read_json(layout.run_record(profile, chapter)), layout.executed(profile, chapter)
    if record is None or not notebook.exists():
        return None
    if record.get("sha256") != hashlib.sha256(notebook.read_bytes()).hexdigest():
        return None
    if record.get("wrote_results") and not layout.results(profile, chapter).exists():
        return None
    return record.get("fingerprint")


def _execute_all(
    layout: Layout, profile: str, due: dict[str, str], limit: float | None
) -> dict[str, Outcome]:
    parallel = [name for name in due if not ranks_of(layout.source(name))]
    alone = [name for name in due if name not in parallel]
    stop = threading.Event()
    outcomes: dict[str, Outcome] = {}
    with Progress(len(due), f"executing ({profile})") as progress:

        def run(name: str) -> None:
            outcomes[name] = _Run(layout, profile, name, due[name], limit, stop, progress).outcome()

        try:
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(run, name) for name in parallel]:
                    done.result()
            for name in alone:
                run(name)
        except BaseException:  # Ctrl-C as well: the chapters that run in other threads end their processes
            stop.set()
            raise
    return outcomes


class _Run:
    """One execution of one chapter."""

    def __init__(self, layout, profile, chapter, mark, limit, stop, progress):
        self.layout, self.profile, self.chapter, self.fingerprint = layout, profile, chapter, mark
        self.limit, self.stop, self.progress = limit, stop, progress
        self.work = layout.build / "work" / profile / chapter
        self.log = layout.logs / profile / f"{chapter}.log"
        self.cells = (0, 0)
        self.peak = 0

    def outcome(self) -> Outcome:
        if self.stop.is_set():
            return Outcome(self.chapter, self.work, False, 0.0, f"{self.chapter}: not run")
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "folder").mkdir(parents=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        results = self.layout.results(self.profile, self.chapter)
        before = results.stat().st_mtime_ns if results.exists() else None
        self.progress.at_cell(self.chapter, 0, 0)
        start = time.monotonic()
        reason = self._run_child()
        seconds = time.monotonic() - start
        self.progress.finished(self.chapter, seconds, failed=reason is not None)
        if reason is not None:
            return Outcome(self.chapter, self.work, True, seconds, self._report(reason))
        wrote = results.exists() and results.stat().st_mtime_ns != before
        self._keep(seconds, wrote)
        shutil.rmtree(self.work, ignore_errors=True)
        return Outcome(self.chapter, self.layout.executed(self.profile, self.chapter), True, seconds)

    def _run_child(self) -> str | None:
        """Run papermill in its own process. Returns why it failed, or ``None``."""
        mark = new_mark(self.chapter)
        names = (
            self.layout.source(self.chapter),
            self.work / "out.ipynb",
            self.profile,
            self.work / "folder",
            self.work / "failure.json",
        )
        command = [sys.executable, "-m", "bookbuild._child", *map(str, names)]
        start = time.monotonic()
        with open(self.log, "wb") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.PIPE,
                env=self._environment(mark), cwd=self.work, start_new_session=True,
            )  # fmt: skip
            reader = threading.Thread(target=self._read, args=(child.stderr, log), daemon=True)
            reader.start()
            try:
                while child.poll() is None:
                    self.peak = max(self.peak, tree_memory(child.pid))
                    self.progress.tick()
                    if self.limit is not None and time.monotonic() - start > self.limit:
                        return f"passed its time limit of {self.limit:g} s in cell {self.cells[0] + 1} of {self.cells[1]}"
                    if self.stop.wait(0.25):
                        return "was stopped"
                return None if child.returncode == 0 else f"failed (exit code {child.returncode})"
            finally:  # also after success: nothing of a chapter outlives it
                end_marked(mark)
                child.wait()
                child.stdin.close()
                reader.join(5)

    def _environment(self, mark: str) -> dict[str, str]:
        paths = [str(self.layout.lib), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return os.environ | threads | {
            MARK: mark,
            "EFFICIENT_AI_STATIC": "1",
            "EFFICIENT_AI_BUILD": str(self.layout.build),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(os.path.abspath(path) for path in paths)),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }  # fmt: skip

    def _read(self, stream, log) -> None:
        """Log what papermill says, but for its progress bar, from which the number of the cell is taken."""
        rest = b""
        while chunk := stream.read1(4096):
            *lines, rest = re.split(rb"[\r\n]", rest + chunk)
            for line in lines:
                if match := _COUNT.search(line):
                    self.cells = (int(match[1]), int(match[2]))
                    self.progress.at_cell(self.chapter, *self.cells)
                elif line.strip():
                    log.write(line + b"\n")

    def _keep(self, seconds: float, wrote_results: bool) -> None:
        content = (self.work / "out.ipynb").read_bytes()
        record = {
            "chapter": self.chapter,
            "profile": self.profile,
            "seconds": round(seconds, 1),
            "peak_memory_mb": round(self.peak / 2**20),
            "ranks": ranks_of(self.layout.source(self.chapter)),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": commit(self.layout.root),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "versions": versions(),
            "wrote_results": wrote_results,
            "sha256": hashlib.sha256(content).hexdigest(),
            "fingerprint": self.fingerprint,
        }
        write_atomic(self.layout.executed(self.profile, self.chapter), content)
        write_json(self.layout.run_record(self.profile, self.chapter), record)

    def _report(self, reason: str) -> str:
        """The message for the reader: what, where, the traceback, and where to look on."""
        lines = [f"chapter '{self.chapter}' ({self.profile}) {reason}"]
        failure = read_json(self.work / "failure.json")
        if failure:
            first = next((line for line in failure["source"].splitlines() if line.strip()), "")
            lines[0] += f": cell {failure['cell'] + 1}, which begins  {first.strip()[:80]}"
            lines.append(_tail(_COLOUR.sub("", failure["traceback"]), 30))
        elif self.log.exists():
            lines.append(_tail(self.log.read_text(encoding="utf-8", errors="replace"), 30))
        partial = self.work / "out.ipynb"
        if partial.exists():
            lines.append(f"the notebook as far as it got: {partial}")
        lines.append(f"log: {self.log}")
        return "\n".join(lines)


def _tail(text: str, count: int) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-count:])


def commit(root: Path) -> str:
    """Short hash of the checkout's commit, with ``+`` where files differ from it; ``unknown`` without git."""
    try:
        call = ["git", "-C", str(root)]
        name = subprocess.run(
            [*call, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True
        ).stdout
        changed = subprocess.run(
            [*call, "status", "--porcelain"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return name.strip() + ("+" if changed.strip() else "")


def versions() -> dict[str, str]:
    """Python and the packages whose version may move a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
