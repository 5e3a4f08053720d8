"""Forty submissions, honest and hostile, graded together: each gets the points and the words that the table says."""

import csv
import html
import socket
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

sys.path.insert(0, str(Path(__file__).parent))

import assignment
import handed_in
import psutil

from bookbuild.__main__ import main
from bookbuild.classroom import grade, shut_in
from bookbuild.layout import BuildError

LIMITS = grade.Limits(check=5, cell=4, whole=120)


def _isolated():
    try:
        return bool(shut_in.way())
    except BuildError:
        return False


if not _isolated():
    pytest.skip("nothing here can isolate submissions", allow_module_level=True)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """All submissions of the table and one that listens for what the network lets through."""
    folder = tmp_path_factory.mktemp("class")
    source = folder / "sample.ipynb"
    notebook = assignment.notebook()
    nbformat.write(notebook, source)
    (folder / "secret.txt").write_text("the answer")
    (folder / "secret.txt").chmod(0o644)
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    spies = {
        "network": f"import socket\ntry:\n    socket.create_connection({listening.getsockname()!r}, 1)\nexcept OSError:\n    pass",
        "reads": f"import pathlib\n\n\nFOUND = [p for p in ({str(folder)!r}, {str(Path(__file__).parents[2])!r} + '/book', '/etc/passwd') if pathlib.Path(p).exists()]"
        "\nFOUND += [p for p in pathlib.Path('/opt').rglob('*benches*') if p.is_dir() or p.stat().st_size > 99]"
        "\nFOUND += [p for p in pathlib.Path('/opt').rglob('*bookbuild*')]\nassert not FOUND, FOUND",
    }
    for name, make, *_ in handed_in.ROWS:
        _hand_in(folder, name, make(notebook))
    for name, code in spies.items():
        _hand_in(folder, name, handed_in.right_but(code)(notebook))
    marked = grade.grade(source, folder / "in", folder / "out", jobs=2, limits=LIMITS, show=False)
    try:
        reached = bool(listening.accept())
    except TimeoutError:
        reached = False
    return folder, {each.student: each for each in marked}, reached


def _hand_in(folder, name, content):
    path = folder / "in" / name / "sample.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


@pytest.mark.parametrize("row", handed_in.ROWS, ids=lambda row: row[0])
def test_each_submission_gets_its_points_and_words(graded, row):
    """In a class of forty made-up submissions, many hostile, each gets the points and the message of the table."""
    name, _, points, words = row
    folder, marked, _ = graded
    assert tuple(task["score"] for task in marked[name].tasks) == points, marked[name].tasks
    page = (folder / "out" / "feedback" / f"{name}.html").read_text()
    assert words in html.unescape(page)
    assert "HIDDEN" not in page and "checks.equal" not in page


def test_a_submission_reaches_neither_network_nor_course_nor_benches(graded):
    """A submission reaches neither the network, nor the course, nor the benches that know right answers."""
    _, marked, reached = graded
    assert not reached
    for name in ("network", "reads"):
        assert marked[name].score == 8, marked[name].tasks


def test_nothing_runs_on_after_grading(graded):
    """No process of a submission runs on after grading."""
    left = [
        p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if "98765" in (p.info["cmdline"] or [])
    ]
    assert left == []


def test_marks_are_a_table_and_are_kept(graded):
    """Marks are a CSV file with a column per task; what was graded is not graded again."""
    folder, marked, _ = graded
    rows = list(csv.DictReader((folder / "out" / "marks.csv").open()))
    assert [row["student"] for row in rows] == sorted(marked)
    right = next(row for row in rows if row["student"] == "right")
    assert (right["score"], right["max_score"], right["total-test"]) == ("8", "8", "3")
    before = {path: path.stat().st_mtime_ns for path in (folder / "out" / "graded").iterdir()}
    again = grade.grade(folder / "sample.ipynb", folder / "in", folder / "out", limits=LIMITS, show=False)
    assert {each.student: each.score for each in again} == {name: each.score for name, each in marked.items()}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "46 submissions, 8 points" in (folder / "out" / "summary.txt").read_text()


def test_a_zip_of_a_learning_platform_is_understood(tmp_path):
    """A zip as a learning platform exports it is understood; a student without a notebook is listed."""
    from bookbuild.classroom.submissions import collect

    packed = tmp_path / "export.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("Ada Lovelace_1234_assignsubmission_file_/sample.ipynb", "ada")
        archive.writestr("Ada Lovelace_1234_assignsubmission_file_/old.ipynb", "older")
        archive.writestr("Émile_77_assignsubmission_file_/my answers.ipynb", "emile")
        archive.writestr("Grace_5_assignsubmission_file_/report.pdf", "pdf")
        archive.writestr("../../evil/sample.ipynb", "evil")
    found = {each.student: each.content for each in collect(packed, "sample")}
    assert found["Ada Lovelace"] == b"ada" and found["Émile"] == b"emile" and found["Grace"] == b""
    assert not any("/" in student or student.startswith(".") for student in found)
    with pytest.raises(BuildError, match="neither a folder nor a zip"):
        collect(tmp_path / "nothing", "sample")


@pytest.mark.mpi
def test_ranks_a_deadlock_names_rank_and_line_and_costs_its_task_only(tmp_path):
    """On MPI ranks a right answer gets its points; a deadlock names rank and line, and costs its own task only."""
    # A pickle that writes a file, sent as raw bytes, and received as an object on another rank.
    evil_tell = f"""\
def tell(comm, mine):
    import os
    import pickle

    class Evil:
        def __reduce__(self):
            return os.system, ("touch {tmp_path / "taken"}",)

    data = np.frombuffer(pickle.dumps(Evil()), dtype=np.uint8)
    if comm.rank == 0:
        comm.Send(data, 1)
        return [0.0, 1.0]
    comm.recv(source=0)
    return [0.0, 1.0]
"""
    notebook = assignment.on_ranks(8.0)
    nbformat.write(notebook, tmp_path / "ranks.ipynb")
    right = {name: head + body for name, (head, body) in assignment.RANKS_ANSWERS.items()}
    waits = "def swap(comm, mine):\n    theirs = np.empty_like(mine)\n    comm.Recv(theirs, 1 - comm.rank)\n    return theirs"
    evil = {
        "swap": "def swap(comm, mine):\n    comm.Spawn('/bin/true')\n    return 1.0 - mine",
        "tell": evil_tell,
    }
    for student, answers in {"right": right, "waits": right | {"swap": waits}, "evil": evil}.items():
        path = tmp_path / "in" / f"{student}-ranks.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(handed_in.handed_in(notebook, answers))
    found = grade.grade(tmp_path / "ranks.ipynb", tmp_path / "in", tmp_path / "out", jobs=2, show=False)
    marked = {each.student: each for each in found}
    assert marked["right"].score == 4, marked["right"].tasks
    assert [task["score"] for task in marked["waits"].tasks] == [0, 1], marked["waits"].tasks
    assert marked["evil"].score == 0 and not (tmp_path / "taken").exists()
    assert "has no Spawn that an exercise needs" in marked["evil"].tasks[0]["message"]
    assert "cannot be read" in marked["evil"].tasks[1]["message"], marked["evil"].tasks
    said = marked["waits"].tasks[0]["message"]
    assert "deadlock" in said and "rank 0 hangs in line 3 (swap): comm.Recv(theirs, 1 - comm.rank)" in said


def test_what_students_get_holds_neither_solution_nor_hidden_test(tmp_path):
    """`make release` writes the student's notebook and a zip of it, and nothing else."""
    from bookbuild.classroom.course import release, source

    written = release("energy", tmp_path)
    assert sorted(path.name for path in (tmp_path / "energy").iterdir()) == ["energy.ipynb", "energy.zip"]
    text = written[0].read_text()
    assert "SOLUTION" not in text and "HIDDEN" not in text and "YOUR CODE HERE" in text
    with pytest.raises(BuildError, match="there are: ab_training"):
        source("enrgy")


def test_the_command_says_what_is_missing(capsys):
    """`make grade` without submissions says so in one sentence."""
    assert main(["grade"]) == 1
    assert "SUBMISSIONS is missing" in capsys.readouterr().err
