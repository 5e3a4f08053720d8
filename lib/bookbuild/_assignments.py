"""Exercises: from one nbgrader source notebook come the student version, the page of the book and the course folder.

``make assignments`` writes the course folder, ``release/`` by default. A teacher copies what comes back to
``release/submitted/<student>/<chapter>/`` and runs ``nbgrader autograde <chapter>`` there.
"""

import copy
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader import preprocessors
from nbgrader.apps.api import NbGraderAPI
from nbgrader.utils import is_grade, is_solution
from traitlets.config import Config

from bookbuild.layout import BuildError
from efficient_ai._files import write_atomic
from efficient_ai._paths import project_root

SOLUTIONS = "EFFICIENT_AI_SOLUTIONS"
"""Environment variable: `no` leaves the solutions out of the site."""
_MARKS = ("BEGIN SOLUTION", "END SOLUTION")
_COURSE_CONFIG = '''\
"""nbgrader course of the book: run `nbgrader` in this folder."""

c = get_config()  # noqa: F821, given by nbgrader
c.CourseDirectory.course_id = "efficient-ai"
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\\nraise NotImplementedError()"}
c.ExecutePreprocessor.timeout = 300  # seconds for one cell; the checks on MPI ranks end themselves before
'''


def sources() -> list[Path]:
    """The nbgrader source notebooks ``book/exercises/<chapter>.ipynb``, by name."""
    return sorted((project_root() / "book" / "exercises").glob("*.ipynb"))


def student_version(nb: NotebookNode) -> NotebookNode:
    """The notebook a student gets: solutions replaced by stubs, hidden tests gone, checks locked.

    The same preprocessors as ``nbgrader generate_assignment``, without its database. Raises ``ValidationError`` or
    ``RuntimeError`` where the notebook's grading marks contradict each other.
    """
    nb = copy.deepcopy(nb)
    resources: dict = {}
    for step in (
        preprocessors.CheckCellMetadata,
        preprocessors.LockCells,
        preprocessors.ClearSolutions,
        preprocessors.ClearOutput,
        preprocessors.ClearHiddenTests,
    ):
        nb, resources = step().preprocess(nb, resources)
    return nb


def solved_version(nb: NotebookNode) -> NotebookNode:
    """The student version with the right answers filled in, as a perfect student would hand it in."""
    solved = student_version(nb)
    for cell, original in zip(solved.cells, nb.cells, strict=True):
        if is_solution(cell):
            cell.source = _without_marks(original.source)
    return solved


def render_page(nb: NotebookNode, solutions: bool = True) -> NotebookNode:
    """The page of the book: what a student gets, and behind each check the solution, folded. Nothing is to execute.

    Without ``solutions`` the page holds what a student gets and no more.
    """
    page = student_version(nb)
    cells, waiting = [], []
    for cell, answer in zip(page.cells, solved_version(nb).cells, strict=True):
        cells.append(cell)
        if is_solution(cell) and solutions:
            waiting.append(_folded(answer))
        elif is_grade(cell):  # first the hints and the check, then the solution
            cells += waiting
            waiting = []
    page.cells = cells + waiting
    for cell in page.cells:
        for key in ("nbgrader", "deletable", "editable"):
            cell.metadata.pop(key, None)
    return page


def _folded(answer: NotebookNode) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(answer.source, id=f"{answer.id[:55]}-solution")
    cell.metadata.tags = ["hide-input"]
    cell.metadata.mystnb = {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
    return cell


def write_assignments(out_dir: Path | None = None) -> list[Path]:
    """Write the nbgrader course folder and return the student notebooks in it.

    ``source/<chapter>/``, ``release/<chapter>/``, ``nbgrader_config.py`` and ``gradebook.db``; what a teacher has in the folder
    beside these (``submitted/``, grades) stays. Files are replaced whole: an interrupted call leaves no half file.
    Raises ``BuildError`` if nbgrader refuses a notebook, for example because answers exist to an exercise whose cells
    have changed since.
    """
    out_dir = Path(out_dir) if out_dir else project_root() / "release"
    out_dir.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory(prefix="assignments-", dir=out_dir) as folder, _environment_on_path():
        course = Path(folder)
        api = NbGraderAPI(config=_configuration(course, out_dir / "gradebook.db"))
        for path in sources():
            chapter = path.stem
            inside = f"{chapter}/{chapter}.ipynb"
            write_atomic(course / "source" / inside, path.read_bytes())
            result = api.generate_assignment(chapter)
            if not result["success"]:
                raise BuildError(_refusal(path, out_dir, str(result.get("log") or result.get("error"))))
            for kind in ("source", "release"):
                write_atomic(out_dir / kind / inside, (course / kind / inside).read_bytes())
            written.append(out_dir / "release" / inside)
    write_atomic(out_dir / "nbgrader_config.py", _COURSE_CONFIG.encode())
    return written


def _refusal(path: Path, folder: Path, log: str) -> str:
    """nbgrader's reason in one sentence where it is the usual one, its log otherwise."""
    if "submissions associated" in log:
        return (
            f"{folder} holds answers to another version of the exercise '{path.stem}', which graded cells of the new one "
            "would not fit: finish that class first, or write to another folder: make assignments FOLDER=release-2"
        )
    return f"nbgrader refuses {path}:\n{log}"


@contextmanager
def _environment_on_path() -> Iterator[None]:
    # nbgrader calls `alembic` by name: it must find the one of this environment, activated or not.
    before = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def _configuration(course: Path, gradebook: Path) -> Config:
    settings = Config()
    settings.CourseDirectory.root = str(course)
    settings.CourseDirectory.course_id = "efficient-ai"
    settings.CourseDirectory.db_url = f"sqlite:///{gradebook.resolve()}"
    return settings


def _without_marks(source: str) -> str:
    return "\n".join(line for line in source.split("\n") if not any(mark in line for mark in _MARKS))
