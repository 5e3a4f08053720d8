"""Student versions, pages and the course folder; nbgrader's own autograding gives full points and none."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.utils import is_grade, is_solution

from bookbuild import _assignments
from bookbuild.layout import BuildError

MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")


@pytest.fixture(scope="module", params=_assignments.sources(), ids=lambda path: path.stem)
def source(request):
    return nbformat.read(request.param, as_version=4)


def _text(nb):
    return "\n".join(cell.source for cell in nb.cells)


def test_there_are_exercises():
    """There are exercise notebooks."""
    assert [path.stem for path in _assignments.sources()] != []


def test_the_source_keeps_no_output_and_every_cell_is_marked_for_nbgrader(source):
    """The kernel is `python3`; every cell carries nbgrader's marks (schema 3) with its own id as `grade_id`; no output is stored."""
    assert source.metadata.kernelspec.name == "python3"
    for cell in source.cells:
        assert cell.metadata.nbgrader.schema_version == 3
        assert cell.metadata.nbgrader.grade_id == cell.id, (
            "one name for a cell, in the notebook and in the gradebook"
        )
        assert not cell.get("outputs") and not cell.get("execution_count")


def test_a_student_sees_no_solution_and_no_hidden_test(source):
    """Solutions are whole bodies of functions between `### BEGIN SOLUTION` and `### END SOLUTION`, hidden tests stand between their marks, graded cells begin with `with <task>:`; the student's version shows none of these, and only solution cells can be edited."""
    student = _assignments.student_version(source)
    for mark in MARKS:
        assert mark in _text(source) and mark not in _text(student)
    for cell, original in zip(student.cells, source.cells, strict=True):
        if is_solution(cell):
            assert re.search(r"^( {4,})# YOUR CODE HERE\n\1raise NotImplementedError\(\)$", cell.source, re.M)
        elif is_grade(cell):
            assert len(cell.source) < len(original.source) and cell.source.startswith("with ")
        else:
            assert cell.source == original.source
        assert cell.metadata.deletable is False
        assert is_solution(cell) or cell.metadata.editable is False


def test_the_page_folds_solutions_and_shows_no_marks(source):
    """On the page each solution is folded behind its check."""
    page = _assignments.render_page(source)
    nbformat.validate(page)
    assert not any(mark in _text(page) for mark in MARKS)
    solutions = [cell for cell in page.cells if cell.id.endswith("-solution")]
    assert len(solutions) == sum(is_solution(cell) for cell in source.cells)
    for cell in solutions:
        assert "hide-input" in cell.metadata.tags and "NotImplementedError" not in cell.source
        assert "solution" in cell.metadata.mystnb.code_prompt_show
        assert "with " in page.cells[page.cells.index(cell) - 1].source, "the solution comes after the check"
    assert not any("nbgrader" in cell.metadata for cell in page.cells)
    assert not any(cell.get("outputs") for cell in page.cells)


def test_the_page_can_leave_the_solutions_out(source):
    """`make book SOLUTIONS=no` leaves the solutions out of the pages."""
    page = _assignments.render_page(source, solutions=False)
    assert [cell.source for cell in page.cells] == [
        cell.source for cell in _assignments.student_version(source).cells
    ]


def test_contradicting_marks_are_refused(source):
    """A mark without its end is refused."""
    broken = nbformat.from_dict(source)
    broken.cells = [nbformat.from_dict(cell) for cell in source.cells]
    answer = next(cell for cell in broken.cells if is_solution(cell))
    answer.source = answer.source.replace("END SOLUTION", "END")
    with pytest.raises(RuntimeError, match="no end solution"):
        _assignments.student_version(broken)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    _assignments.write_assignments(folder)
    return folder


def test_the_course_folder_is_what_nbgrader_expects(course):
    """`make assignments` writes what nbgrader expects and nothing else."""
    chapters = [path.stem for path in _assignments.sources()]
    files = sorted(str(path.relative_to(course)) for path in course.rglob("*") if path.is_file())
    assert files == sorted(
        ["gradebook.db", "nbgrader_config.py"]
        + [f"{kind}/{name}/{name}.ipynb" for kind in ("source", "release") for name in chapters]
    ), "these, and no unfinished files"


def test_writing_again_keeps_what_the_teacher_put_there(tmp_path, course):
    """Writing the course again keeps what a teacher put there."""
    kept = course / "submitted" / "someone" / "note.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")
    released = {path: path.read_bytes() for path in course.glob("release/*/*.ipynb")}
    assert _assignments.write_assignments(course) == sorted(released)
    assert kept.read_text() == "mine"
    assert {path: path.read_bytes() for path in released} == released


def test_answers_to_another_version_of_an_exercise_are_not_run_over(tmp_path, monkeypatch):
    """Where answers to another version of an exercise lie, `make assignments` refuses in one sentence."""
    path = _assignments.sources()[0]
    monkeypatch.setattr(_assignments, "sources", lambda: [path])
    _assignments.write_assignments(tmp_path)
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}", "efficient-ai") as gradebook:
        gradebook.add_student("someone")
        gradebook.add_submission(path.stem, "someone")
    changed = nbformat.read(path, as_version=4)
    graded = next(cell for cell in changed.cells if is_grade(cell))
    graded.metadata.nbgrader.grade_id = graded.id = "another"
    other = tmp_path / "new" / path.name
    other.parent.mkdir()
    nbformat.write(changed, other)
    monkeypatch.setattr(_assignments, "sources", lambda: [other])
    with pytest.raises(BuildError, match=r"holds answers to another version of the exercise .* FOLDER="):
        _assignments.write_assignments(tmp_path)


@pytest.mark.notebook
@pytest.mark.mpi
@pytest.mark.parametrize("path", _assignments.sources(), ids=lambda path: path.stem)
def test_nbgrader_gives_all_points_to_the_solved_version_and_none_to_the_untouched_one(course, path):
    """nbgrader gives all points to the solved version and none to the untouched one."""
    chapter = path.stem
    source = nbformat.read(path, as_version=4)
    answers = {cell.id: cell.source for cell in _assignments.solved_version(source).cells}
    released = nbformat.read(course / "release" / chapter / f"{chapter}.ipynb", as_version=4)
    _hand_in(course, "untouched", chapter, released)
    for cell in released.cells:
        if is_solution(cell):
            cell.source = answers[cell.id]
    _hand_in(course, "solved", chapter, released)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", chapter],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    points = {cell.id: cell.metadata.nbgrader.points for cell in source.cells if is_grade(cell)}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "efficient-ai") as gradebook:
        scores = {
            student: {
                grade.name: grade.score
                for grade in gradebook.find_submission_notebook(chapter, chapter, student).grades
            }
            for student in ("solved", "untouched")
        }
    assert scores["solved"] == points
    assert scores["untouched"] == dict.fromkeys(points, 0)


def _hand_in(course, student, chapter, nb):
    target = course / "submitted" / student / chapter / f"{chapter}.ipynb"
    target.parent.mkdir(parents=True)
    nbformat.write(nb, target)
