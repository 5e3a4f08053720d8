"""Which tests run side by side, which alone, and which a change touches."""

import subprocess

import pytest

from bookbuild import testing
from bookbuild.layout import BuildError, write_json


@pytest.fixture
def calls(book, monkeypatch):
    """What pytest is called with, and the exit status of each phase."""
    found, status = [], {"alone": 0, "beside": 0}

    def call(command, cwd, env=None):
        phase = (env or {}).get(testing.PHASE)
        found.append((phase, command[3:]))
        return status.get(phase, 0)

    monkeypatch.setattr(testing.subprocess, "call", call)
    return found, status


def test_what_needs_the_machine_runs_alone_and_first_the_rest_on_two_workers(book, calls):
    found, _ = calls
    assert testing.run_tests(book.layout, "-k 'a or b'") == 0
    assert found == [
        ("alone", ["-k", "a or b"]),
        ("beside", ["-n", "2", "--dist", "loadfile", "-k", "a or b"]),
    ]


@pytest.mark.parametrize(
    "alone, beside, status",
    [(0, 5, 0), (5, 0, 0), (5, 5, 5), (1, 0, 1), (0, 1, 1), (5, 1, 1), (2, 0, 2), (4, 0, 4)],
)
def test_a_kind_of_which_no_test_was_chosen_does_not_count(book, calls, alone, beside, status):
    calls[1].update(alone=alone, beside=beside)
    assert testing.run_tests(book.layout) == status


@pytest.mark.parametrize("words", ["--pdb", "-n 0", "-n4", "--collect-only -q"])
def test_a_reader_who_asks_for_one_process_gets_it(book, calls, words):
    testing.run_tests(book.layout, words)
    assert [phase for phase, _ in calls[0]] == [None]


def test_after_the_first_failure_nothing_more_runs_if_so_asked(book, calls):
    calls[1]["alone"] = 1
    assert testing.run_tests(book.layout, "-x") == 1
    assert len(calls[0]) == 1


@pytest.fixture
def tests(book):
    """A small book with tests: one of the library, one that names a file, one of the site."""
    root = book.layout.root
    book.chapter("alpha", "from efficient_ai.used import value")
    book.chapter("beta", "import efficient_ai.unused")
    files = {
        "conftest.py": "import efficient_ai\n",
        "lib/test_used.py": "from efficient_ai.used import value\n",
        "lib/test_unused.py": "import efficient_ai.unused\n",
        "test_files.py": 'NAME = "book.css"\n',
        "site/test_page.py": "from efficient_ai.used import value\n",
    }
    for name, text in files.items():
        path = root / "tests" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return book.layout


def test_a_change_touches_what_imports_it_however_indirectly_and_what_names_it(tests):
    chapter = "tests/chapters/test_chapters.py::test_runs_and_records_every_claim"
    found = testing.touched(tests, {"lib/efficient_ai/helper.py"})
    assert set(found) == {"tests/lib/test_used.py", f"{chapter}[alpha]"}
    assert set(testing.touched(tests, {"lib/efficient_ai/unused.py"})) == {
        "tests/lib/test_unused.py",
        f"{chapter}[beta]",
    }
    assert set(testing.touched(tests, {"book/_static/book.css"})) == {"tests/test_files.py"}
    assert set(testing.touched(tests, {"tests/lib/test_used.py"})) == {"tests/lib/test_used.py"}
    assert set(testing.touched(tests, {"book/chapters/beta.ipynb"})) == {f"{chapter}[beta]"}
    assert len(testing.touched(tests, {"tests/conftest.py"})) == 3, "all but the site"
    assert not testing.touched(tests, {"README.md"})


def test_quick_starts_the_short_ones_and_names_what_is_left(tests, calls, monkeypatch, capsys):
    monkeypatch.setattr(testing, "changed_files", lambda layout, since: {"lib/efficient_ai/__init__.py"})
    times = {"tests/lib/test_used.py": 3.0, "tests/lib/test_unused.py": 500.0, "tests/test_files.py": 1.0}
    files = {name: {"seconds": seconds, "tests": 1} for name, seconds in times.items()}
    write_json(tests.build / testing.SECONDS, {"machine": "two cores", "date": "2026-11-28", "files": files})
    assert testing.quick(tests) == 0
    assert calls[0][0][1][:3] == ["--session-timeout=85", "tests/test_files.py", "tests/lib/test_used.py"]
    assert "too long for now (make test runs them): tests/lib/test_unused.py" in capsys.readouterr().out


def test_a_commit_that_is_none_is_said(tests):
    subprocess.run(["git", "init", "-q"], cwd=tests.root, check=True)
    with pytest.raises(BuildError, match="git diff --name-only nowhere"):
        testing.changed_files(tests, "nowhere")


def test_the_status_page_sums_the_seconds_of_each_part(tests):
    assert testing.seconds_rows(tests)[1] == []
    files = {
        "tests/lib/used/test_a.py": {"seconds": 60.0, "tests": 3},
        "tests/lib/used/test_b.py": {"seconds": 30.0, "tests": 1},
        "tests/site/test_page.py": {"seconds": 90.5, "tests": 2},
        "tests/test_files.py": {"seconds": 1.0, "tests": 1},
    }
    write_json(tests.build / testing.SECONDS, {"machine": "two cores", "date": "2026-11-28", "files": files})
    about, rows = testing.seconds_rows(tests)
    assert rows == [["site", "2", "90"], ["lib/used", "4", "90"], ["test_files", "1", "1"]]
    assert about.startswith("Together 3 min of tests, on two cores, 2026-11-28")
