"""One execution of one chapter: papermill in a process of its own, watched, ended and reported on."""

import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bookbuild._child import FAILURE, NOW, STACK
from bookbuild.layout import Layout, read_json, read_notebook, write_json
from bookbuild.processes import MARK, end_marked, free_memory, memory_kills, new_mark, tree_memory
from bookbuild.progress import Progress
from efficient_ai import provenance
from efficient_ai._files import write_atomic

SCARCE = 200 * 2**20  # bytes: with less than this left, whatever is ended is ended for lack of memory
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Outcome:
    """What became of one chapter: ``executed`` now or unchanged, ``error`` empty when it is sound."""

    chapter: str
    notebook: Path
    executed: bool
    seconds: float
    error: str = ""


class Run:
    """One execution: `mark` is the fingerprint it will carry, `limit` its seconds, `stop` ends it from outside."""

    def __init__(
        self, layout: Layout, profile: str, chapter: str, mark: str,
        limit: float | None, stop: threading.Event, progress: Progress,
    ):  # fmt: skip
        self.layout, self.profile, self.chapter, self.fingerprint = layout, profile, chapter, mark
        self.limit, self.stop, self.progress = limit, stop, progress
        self.work = layout.build / "work" / profile / chapter
        self.log = layout.logs / profile / f"{chapter}.log"
        self.peak, self.least_free, self.kills = 0, free_memory(), memory_kills()

    def outcome(self) -> Outcome:
        """Run the chapter; its notebook and record are in place afterwards, or the outcome says why not."""
        if self.stop.is_set():
            return Outcome(self.chapter, self.work, False, 0.0, f"{self.chapter}: not run")
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "folder").mkdir(parents=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.progress.at_cell(self.chapter, 0, 0)
        start = time.monotonic()
        reason = self._run_child()
        seconds = time.monotonic() - start
        self.progress.finished(self.chapter, seconds, failed=reason is not None)
        if reason is not None:
            return Outcome(self.chapter, self.work, True, seconds, self._report(reason))
        self._keep(seconds)
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
            self.work,
        )
        command = [sys.executable, "-m", "bookbuild._child", *map(str, names)]
        start = time.monotonic()
        with open(self.log, "wb") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT,
                env=self._environment(mark), cwd=self.work, start_new_session=True,
            )  # fmt: skip
            try:
                while child.poll() is None:
                    self._look(child.pid)
                    if self.limit is not None and time.monotonic() - start > self.limit:
                        self._ask_for_stack()
                        return f"passed its time limit of {self.limit:g} s"
                    if self.stop.wait(0.25):
                        return "was stopped"
                return None if child.returncode == 0 else f"failed (exit code {child.returncode})"
            finally:  # also after success: nothing of a chapter outlives it
                end_marked(mark)
                child.wait()
                child.stdin.close()

    def _look(self, pid: int) -> None:
        """Note memory and place four times a second."""
        self.peak = max(self.peak, tree_memory(pid))
        self.least_free = min(self.least_free, free_memory())
        now = read_json(self.work / NOW)
        if now:
            self.progress.at_cell(self.chapter, now["cell"] - 1, now["cells"])
        self.progress.tick()

    def _ask_for_stack(self) -> None:
        """Let the kernel write where it stands, even inside a call that never returns."""
        now, stack = read_json(self.work / NOW), self.work / STACK
        try:
            os.kill(now["kernel"], signal.SIGUSR1)
        except (OSError, TypeError):  # no kernel yet, or none any more
            return
        for _ in range(20):
            time.sleep(0.1)
            if stack.exists() and "Current thread" in stack.read_text(errors="replace"):
                return

    def _environment(self, mark: str) -> dict[str, str]:
        paths = [str(self.layout.lib), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return os.environ | threads | {
            MARK: mark,
            "EFFICIENT_AI_STATIC": "1",
            "EFFICIENT_AI_BUILD": str(self.layout.build),
            "EFFICIENT_AI_RESULTS": str(self.work / "results"),
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(os.path.abspath(path) for path in paths)),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }  # fmt: skip

    def _keep(self, seconds: float) -> None:
        content = (self.work / "out.ipynb").read_bytes()
        wrote = self.work / "results" / self.profile / f"{self.chapter}.json"
        results = wrote.read_bytes() if wrote.exists() else None
        record = {
            "chapter": self.chapter,
            "profile": self.profile,
            "seconds": round(seconds, 1),
            "peak_memory_mb": round(self.peak / 2**20),
            "ranks": ranks_of(self.layout.source(self.chapter)),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "commit": provenance.short(provenance.commit(self.layout.root)),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "versions": provenance.versions(),
            "results": hashlib.sha256(results).hexdigest() if results is not None else None,
            "sha256": hashlib.sha256(content).hexdigest(),
            "fingerprint": self.fingerprint,
        }
        write_atomic(self.layout.executed(self.profile, self.chapter), content)
        if results is not None:
            write_atomic(self.layout.results(self.profile, self.chapter), results)
        write_json(self.layout.run_record(self.profile, self.chapter), record)

    def _report(self, reason: str) -> str:
        """The message for the reader: what, in which cell, the stack, whether memory ran out, and where to look on."""
        failure = read_json(self.work / FAILURE) or {}
        now = failure or read_json(self.work / NOW) or {}
        if "died" in failure:
            reason = f"failed: its kernel {_how_it_died(failure['died'])}"
        lines = [f"chapter '{self.chapter}' ({self.profile}) {reason}"]
        if now:
            first = next((line for line in now["source"].splitlines() if line.strip()), "")
            lines[0] += f" in cell {now['cell']} of {now['cells']}, which begins  {first.strip()[:80]}"
        lines += self._memory_ran_out("MemoryError" in failure.get("traceback", ""))
        if "traceback" in failure:
            lines.append(_tail(_COLOUR.sub("", failure["traceback"]), 30))
        elif stack := stack_of_cell(self.work / STACK):
            lines += ["It stands here (most recent call last):", _tail(stack, 30)]
        elif self.log.exists():
            lines.append(_tail(self.log.read_text(encoding="utf-8", errors="replace"), 30))
        partial = self.work / "out.ipynb"
        if partial.exists():
            lines.append(f"the notebook as far as it got: {partial}")
        lines.append(f"log: {self.log}")
        return "\n".join(lines)

    def _memory_ran_out(self, raised: bool) -> list[str]:
        killed = memory_kills() > self.kills
        if not (killed or raised or self.least_free < SCARCE):
            return []
        said = "the system ended a process because memory ran out" if killed else "memory ran out"
        if raised and not killed and self.least_free >= SCARCE:
            said = "more memory was asked for than there is, or than the chapter allows itself"
        return [
            f"{said}: the chapter held up to {self.peak / 2**30:.1f} GB, and {self.least_free / 2**30:.1f} GB were left. "
            "A smaller profile needs less, and so does CHAPTER=, which runs nothing beside it."
        ]


def _how_it_died(status: int | None) -> str:
    if status is None:
        return "is gone"
    if status < 0:
        return f"was ended by signal {-status} ({signal.Signals(-status).name})"
    return f"ended itself with exit status {status}"


def stack_of_cell(path: Path) -> str:
    """The frames of the running cell, the innermost last, from what faulthandler wrote; empty where there is none."""
    try:
        blocks = path.read_text(encoding="utf-8", errors="replace").split("\n\n")
    except OSError:
        return ""
    for block in blocks:
        frames = [line.strip() for line in block.splitlines() if line.lstrip().startswith("File ")]
        run_code = [
            number for number, frame in enumerate(frames) if "IPython" in frame and frame.endswith("run_code")
        ]
        if run_code:
            return "\n".join(
                re.sub(r'"[^"]*ipykernel_\d+[^"]*"', '"<cell>"', frame)
                for frame in frames[run_code[0] - 1 :: -1]
            )
    return ""


def _tail(text: str, count: int) -> str:
    return "\n".join("    " + line for line in text.rstrip().splitlines()[-count:])


def ranks_of(notebook: Path) -> int:
    """Number of MPI ranks the notebook says it starts; 0 for a chapter without MPI."""
    return int(read_notebook(notebook).get("metadata", {}).get("efficient_ai", {}).get("ranks", 0))
