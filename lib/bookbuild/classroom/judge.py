"""Judge one submission: ``python -m bookbuild.classroom.judge JOB``. The checks run here, the answers elsewhere, shut in.

What was found is a line of JSON per task, written as soon as it is known: if this process ends, what it found stays.
"""

import ast
import contextlib
import io
import json
import linecache
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bookbuild.classroom import shut_in
from bookbuild.classroom.guest.serving import PREFIX
from bookbuild.classroom.lending import _CONSTANTS as CONSTANTS
from bookbuild.classroom.link import Guest, Session
from efficient_ai import checks
from efficient_ai.processes import end_tree

_AGAIN = re.compile(r"\s*Run this cell again for the second hint\.")
_FAILURE = re.compile(r"(stopped with )efficient_ai\.checks\._failure\.(?:CheckFailed|NotWritten): ")


class Missing:
    """In place of an answer that is not there."""

    def __init__(self, told: str):
        self._told = told

    def __call__(self, *_: Any, **__: Any) -> None:
        raise checks.CheckFailed(self._told)

    def __getattr__(self, name: str) -> None:
        if name.startswith("_"):
            raise AttributeError(name)
        raise checks.CheckFailed(self._told)

    def __reduce__(self) -> tuple:
        return Missing, (self._told,)


class Answers:
    """The shut-in process of a submission, from its start to its end."""

    def __init__(self, job: dict, folder: Path):
        self._limit, self.reports, self.ready = job["cell_seconds"], [], {}
        self.address = str(folder / "s")
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(self.address)
        listening.listen(64)
        reading, writing = os.pipe()
        inside = {
            "cells": job["cells"],
            "modules": job["modules"],
            "constants": CONSTANTS,
            "limit": self._limit,
        }
        inside |= {"listen": listening.fileno(), "report": writing}
        (folder / "job").mkdir()
        (folder / "job" / "job.json").write_text(json.dumps(inside))
        (folder / "root").mkdir()
        for path in (folder, folder / "job", folder / "root"):
            path.chmod(0o755)
        (folder / "job" / "job.json").chmod(0o644)
        extra = [
            (job["library"], "/opt/library"),
            (str(Path(__file__).parent / "guest"), "/opt/classroom_guest"),
        ]
        extra.append((str(folder / "job"), "/opt/job"))
        line = shut_in.command(
            [sys.executable, "-E", "-s", "/opt/classroom_guest/main.py"],
            job["way"],
            folder / "root",
            extra,
            job["slot"],
        )
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            line,
            stdin=quiet,
            stdout=quiet,
            stderr=quiet if not os.environ.get("EFFICIENT_AI_CLASSROOM_LOUD") else None,
            pass_fds=(listening.fileno(), writing),
            start_new_session=True,
        )
        listening.close()
        os.close(writing)
        self._listen(os.fdopen(reading, "rb"), 60 + sum(self._limit + 6 for _ in job["cells"]))

    def _listen(self, file: io.BufferedReader, patience: float) -> None:
        """Take in what the process says of its cells, until it is ready, gone, or late."""
        import select

        end, told = time.monotonic() + patience, b""
        while b'{"ready"' not in told.rpartition(b"\n")[0] and time.monotonic() < end and len(told) < 1 << 20:
            if not select.select([file], [], [], 0.2)[0]:
                if self._process.poll() is not None:
                    break
                continue
            part = os.read(file.fileno(), 1 << 16)
            if not part:
                break
            told += part
        for line in told.decode("utf-8", "replace").splitlines():
            with contextlib.suppress(ValueError, TypeError):
                said = json.loads(line)
                if isinstance(said, dict) and isinstance(said.get("ready"), dict):
                    self.ready = said["ready"]
                elif isinstance(said, dict):
                    self.reports.append(said)

    def end(self) -> None:
        """End all that the submission started."""
        end_tree(self._process.pid)
        self._process.wait()


def _defined(source: str) -> list[str]:
    """The names that a cell defines."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return re.findall(r"^(?:def|class)\s+(\w+)", source, re.MULTILINE)
    found = [node.name for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    return found + [
        t.id for node in body if isinstance(node, ast.Assign) for t in node.targets if isinstance(t, ast.Name)
    ]


def _why_missing(name: str, cells: list[dict], answers: Answers) -> str:
    """What a student should know of an answer that is not there."""
    where = next((cell for cell in reversed(cells) if name in _defined(cell["source"])), None)
    if where is None:
        return (
            f"`{name}` is not in the notebook that was handed in. Was its cell deleted, the function renamed, "
            "or is it an old version of the assignment?"
        )
    report = next((each for each in answers.reports if each.get("cell") == where["number"]), {})
    line = report.get("line") or 0
    text = linecache.getline(f"{PREFIX}{where['number']}", line).strip()
    at = f" in line {line}: {text}" if line else ""
    said = {
        "late": f"it was not finished in time: a loop without end?{at}",
        "ended": "it ended the whole process: an exit, a crash, or more memory than there is.",
        "error": f"{str(report.get('text', 'an error'))[:300]}{at}",
    }.get(str(report.get("state")), "your process ended before it was reached.")
    return f"The cell that defines `{name}` does not run: {said}"


def judge(job: dict, folder: Path, tell: Any) -> None:
    """Run all checks of an assignment on a submission; ``tell`` gets a dictionary per task."""
    source = json.loads(Path(job["source"]).read_text(encoding="utf-8"))
    for cell in job["cells"]:
        lines = [f"{line}\n" for line in cell["source"].split("\n")]
        linecache.cache[f"{PREFIX}{cell['number']}"] = (
            len(cell["source"]),
            None,
            lines,
            f"{PREFIX}{cell['number']}",
        )
    # What the author of an assignment says of its answers: `opaque`, functions whose results stay with the student; `slow`, checks
    # that call an answer so often that they take longer from one process to another.
    hints = source["metadata"].get("efficient_ai", {})
    answers = Answers(job, folder)
    try:
        namespace: dict[str, Any] = {"__name__": "judged"}
        names: list[str] = []
        for cell in source["cells"]:
            mark, text = cell["metadata"]["nbgrader"], "".join(cell["source"])
            if cell["cell_type"] != "code":
                continue
            if mark["solution"]:
                names += _defined(text)
                continue
            if not mark["grade"]:
                exec(compile(text, "<frozen setup>", "exec"), namespace)
                continue
            tell(_task(text, mark, namespace, names, job, answers, hints))
    finally:
        answers.end()


def _task(
    text: str, mark: dict, namespace: dict, names: list[str], job: dict, answers: Answers, hints: dict
) -> dict:
    """One graded cell, with a fresh copy of the answers."""
    for value in list(namespace.values()):
        for task in value.values() if isinstance(value, dict) else [value]:
            if isinstance(task, checks.Task):
                task.limit = min(task.limit, job["seconds"]) * hints.get("slow", {}).get(mark["grade_id"], 1)
    begun, said, session = time.monotonic(), "", None
    known = dict(namespace)
    try:
        with contextlib.suppress(OSError):
            session = Session(answers.address, tuple(hints.get("opaque", ())))
        for name in names:
            if session is None or name not in answers.ready:
                known[name] = Missing(_why_missing(name, job["cells"], answers))
            elif answers.ready[name]:
                known[name] = session.answer(name)
            else:
                known[name] = session.ask("value", Guest(session, name, "value"))
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(text, f"<frozen {mark['grade_id']}>", "exec"), known)
        passed = True
    except checks.CheckFailed as error:
        passed, said = False, str(error)
    except BaseException as error:  # whatever a check does not expect is no right answer
        passed, said = False, f"the check stopped with {type(error).__name__}: {error}"[:500]
        if isinstance(error, KeyboardInterrupt):
            raise
    finally:
        if session is not None:
            session.close()
    return {
        "task": mark["grade_id"],
        "points": mark["points"],
        "score": mark["points"] if passed else 0,
        "message": _FAILURE.sub(r"\1", _AGAIN.sub("", said))[:3000],
        "seconds": round(time.monotonic() - begun, 2),
    }


def main() -> None:
    """Judge the job in the file that is named."""
    import tempfile

    path = Path(sys.argv[1])
    job = json.loads(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="eai-", ignore_cleanup_errors=True) as folder:
        with open(job["found"], "a", encoding="utf-8") as out:

            def tell(found: dict) -> None:
                out.write(json.dumps(found) + "\n")
                out.flush()

            judge(job, Path(folder), tell)


if __name__ == "__main__":
    main()
