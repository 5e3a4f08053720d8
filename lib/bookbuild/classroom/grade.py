"""``make grade``: every submission in isolation, marks as CSV, feedback as HTML, a summary. What was graded is kept: call it again.

Marks are written here, by a process in which no line of a student's ever runs.
"""

import argparse
import ast
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from bookbuild.classroom import shut_in
from bookbuild.classroom.course import guess, student_library
from bookbuild.classroom.course import source as notebook_of
from bookbuild.classroom.feedback import page, titles
from bookbuild.classroom.submissions import Submission, answers, collect, names
from bookbuild.layout import BuildError
from efficient_ai._files import write_atomic
from efficient_ai._paths import project_root
from efficient_ai.processes import end_tree

VERSION = 1  # of what is kept of a submission: another one is graded anew


@dataclass
class Limits:
    """Seconds: of one check in this process, of one cell of a student's, of a whole submission."""

    check: float = 120.0
    cell: float = 10.0
    whole: float = 1800.0


@dataclass
class Marked:
    """What a submission got: a dictionary per task, and what is to say of all of it."""

    student: str
    tasks: list[dict] = field(default_factory=list)
    note: str = ""

    @property
    def score(self) -> float:
        """The sum of the points."""
        return sum(each["score"] for each in self.tasks)


def grade(
    source: Path,
    submissions: Path,
    out: Path,
    *,
    jobs: int | None = None,
    limits: Limits | None = None,
    show: bool = True,
) -> list[Marked]:
    """Grade all submissions of one assignment.

    Args:
        source: the instructor's notebook; the name of the file is that of the assignment.
        submissions: a folder or a zip.
        out: where ``marks.csv``, ``summary.txt`` and ``feedback/<student>.html`` are written; what was graded before is found there.
        jobs: how many submissions at a time; half of the processors if not given, since ranks need some.
        limits: in seconds.
        show: a bar, and the summary.

    Raises ``BuildError`` if the assignment or the submissions are not there, or nothing on this machine can isolate.
    """
    limits = limits or Limits()
    if not source.is_file():
        known = ", ".join(sorted(path.stem for path in source.parent.glob("*.ipynb")))
        raise BuildError(f"there is no assignment '{source.stem}'; there are: {known}")
    notebook = json.loads(source.read_text(encoding="utf-8"))
    found, way = collect(submissions, source.stem), shut_in.way()
    jobs = max(1, jobs or (os.cpu_count() or 2) // 2)
    slots: SimpleQueue[int] = SimpleQueue()
    for slot in range(jobs):
        slots.put(slot)
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        Path(folder).chmod(0o755)
        library = student_library(Path(folder) / "library")

        def one(submission: Submission) -> Marked:
            slot = slots.get()
            try:
                return _mark(submission, source, notebook, out, way, library, slot, limits)
            finally:
                slots.put(slot)

        with (
            ThreadPoolExecutor(jobs) as pool,
            tqdm(total=len(found), unit="submission", disable=not show) as bar,
        ):
            waiting = [pool.submit(one, each) for each in found]
            for each in waiting:
                each.add_done_callback(lambda _: bar.update())
            marked = [each.result() for each in waiting]
    _write(out, source.stem, notebook, marked)
    if show:
        print((out / "summary.txt").read_text(encoding="utf-8"), end="")
        print(f"isolated by {shut_in.WAYS[way]}")
    return marked


def command(root: Path, options: argparse.Namespace) -> None:
    """``make grade``: what was typed, checked, and where the marks are."""
    if not options.submissions:
        raise BuildError("SUBMISSIONS is missing: a folder or a zip, as your learning platform exports it")
    place, limits = root / options.submissions, Limits()
    try:
        limits.check = float(options.seconds or limits.check)
        jobs = int(options.jobs) if options.jobs else None
    except ValueError:
        raise BuildError("SECONDS is a number, and JOBS a whole number") from None
    if not 0 < limits.check < float("inf") or (jobs is not None and jobs < 1):
        raise BuildError("SECONDS and JOBS are larger than 0")
    if not options.assignment and not place.exists():
        raise BuildError(f"there is no {place}")
    assignment = options.assignment or guess(names(place))
    out = root / options.folder / "marks" / assignment
    grade(notebook_of(assignment), place, out, jobs=jobs, limits=limits)
    print(f"marks:     {out / 'marks.csv'}\nfeedback:  {out / 'feedback'}")


def _mark(
    submission: Submission,
    source: Path,
    notebook: dict,
    out: Path,
    way: str,
    library: Path,
    slot: int,
    limits: Limits,
) -> Marked:
    """Grade one, or take what was found before of the same bytes; never raises because of a submission."""
    key = hashlib.sha256(
        json.dumps([VERSION, notebook, vars(limits)]).encode() + b"\0" + submission.content
    ).hexdigest()
    kept = out / "graded" / f"{submission.student}.json"
    try:
        before = json.loads(kept.read_text(encoding="utf-8"))
        if before["key"] == key:
            return Marked(submission.student, before["tasks"], before["note"])
    except (OSError, ValueError, KeyError):
        pass
    marked = Marked(submission.student)
    try:
        cells = _ours(notebook) + answers(submission.content, notebook)
        marked.tasks, marked.note = _judged(cells, source, notebook, way, library, slot, limits)
    except BuildError as error:
        marked.note = str(error)
    except Exception as error:  # whatever is wrong with one: the others go on
        marked.note = f"grading stopped with {type(error).__name__}: {error}"[:300]
    done = {each["task"]: each for each in marked.tasks}
    marked.tasks = [
        done.get(name, _none(name, points, marked.note)) for name, points in tasks(notebook).items()
    ]
    write_atomic(kept, json.dumps({"key": key, "tasks": marked.tasks, "note": marked.note}).encode())
    return marked


def _none(name: str, points: float, note: str) -> dict:
    return {
        "task": name,
        "points": points,
        "score": 0,
        "message": note or "grading did not get here",
        "seconds": 0.0,
    }


def tasks(notebook: dict) -> dict[str, float]:
    """The graded cells of an assignment and their points."""
    marks = [cell["metadata"]["nbgrader"] for cell in notebook["cells"]]
    return {mark["grade_id"]: mark["points"] for mark in marks if mark["grade"] and not mark["solution"]}


def _ours(notebook: dict) -> list[dict]:
    """The locked cells that an answer may need, such as imports, from the instructor's copy."""
    found = []
    for cell in notebook["cells"]:
        mark = cell["metadata"]["nbgrader"]
        hints = "hide-input" in cell["metadata"].get("tags", ())
        if cell["cell_type"] == "code" and not (mark["solution"] or mark["grade"] or hints):
            found.append(
                {"number": -len(found) - 1, "id": mark["grade_id"], "source": "".join(cell["source"])}
            )
    return found


def _modules(cells: list[dict]) -> list[str]:
    """What the assignment imports first, so that it is loaded once for all copies of a process."""
    found = []
    for cell in cells:
        for node in ast.walk(ast.parse(cell["source"])):
            found += [name.name for name in node.names] if isinstance(node, ast.Import) else []
            found += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
    return found


def _judged(
    cells: list[dict], source: Path, notebook: dict, way: str, library: Path, slot: int, limits: Limits
) -> tuple[list[dict], str]:
    """Run the judge on one submission; what it found, and why it is not all."""
    with tempfile.TemporaryDirectory(prefix="judge-") as folder:
        found, said = Path(folder) / "found", Path(folder) / "said"
        job = {
            "source": str(source.resolve()),
            "cells": cells,
            "modules": _modules(_ours(notebook)),
            "library": str(library),
            "way": way,
            "slot": slot,
            "seconds": limits.check,
            "cell_seconds": limits.cell,
            "found": str(found),
        }
        (Path(folder) / "job.json").write_text(json.dumps(job), encoding="utf-8")
        root = str(project_root() / "lib")
        with open(said, "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "bookbuild.classroom.judge", str(Path(folder) / "job.json")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1", "EFFICIENT_AI_RUN": ""},
            )
        note = ""
        try:
            if process.wait(timeout=limits.whole) != 0:
                note = f"the grader itself stopped: {said.read_text('utf-8', 'replace').strip()[-300:]}"
        except subprocess.TimeoutExpired:
            note = f"all checks together took longer than {limits.whole:g} s"
        finally:
            end_tree(process.pid, waited_for=process.returncode is not None)
            process.wait()
        lines = found.read_text(encoding="utf-8").splitlines() if found.exists() else []
        return [json.loads(line) for line in lines], note


def _write(out: Path, assignment: str, notebook: dict, marked: list[Marked]) -> None:
    """Marks, feedback and summary."""
    points, said = tasks(notebook), titles(notebook)
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["student", "score", "max_score", *points, "note"])
    for each in marked:
        scores = [task["score"] for task in each.tasks]
        rows.writerow([_cell(each.student), each.score, sum(points.values()), *scores, _cell(each.note)])
    write_atomic(out / "marks.csv", text.getvalue().encode())
    for each in marked:
        write_atomic(out / "feedback" / f"{each.student}.html", page(assignment, each, said).encode())
    write_atomic(out / "summary.txt", summary(assignment, points, marked).encode())


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


def summary(assignment: str, points: dict[str, float], marked: list[Marked]) -> str:
    """Per task how many got its points, and how the sums are spread."""
    width, most = max(map(len, points)), sum(points.values())
    lines = [f"{assignment}: {len(marked)} submissions, {most:g} points"]
    for index, (name, worth) in enumerate(points.items()):
        got = sum(each.tasks[index]["score"] == worth for each in marked)
        bar = "#" * round(30 * got / max(len(marked), 1))
        lines.append(f"  {name:<{width}}  {worth:g} p  {got:>4} of {len(marked)}  {bar}")
    scores = sorted(each.score for each in marked)
    if scores:
        quarter = [scores[round(share * (len(scores) - 1))] for share in (0, 0.25, 0.5, 0.75, 1)]
        lines.append(
            "  points, least / quarter / median / three quarters / most: "
            + " / ".join(f"{s:g}" for s in quarter)
        )
    lines += [f"  {each.student}: {each.note}" for each in marked if each.note]
    return "\n".join(lines) + "\n"
