"""The builder executes what changed, reports what failed and leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import nbformat
import psutil
import pytest

from bookbuild import records, run
from bookbuild.execute import check, due_chapters, execute, over_budget
from bookbuild.layout import BuildError, read_json
from bookbuild.processes import MARK

pytestmark = pytest.mark.notebook


def left_behind(*chapters):
    """Processes that carry the mark of a run of one of the chapters."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK, "")
            if (
                mark.startswith(tuple(f"{chapter}-" for chapter in chapters))
                and process.status() != psutil.STATUS_ZOMBIE
            ):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_until(condition, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "what the test waits for did not happen"
        time.sleep(0.05)


def test_a_run_is_recorded_and_an_unchanged_chapter_is_not_run_again(book):
    book.chapter(
        "alpha", "from efficient_ai.used import value\nprint(profile, value)", "import os; print(os.getcwd())"
    )
    (outcome,) = execute(book.layout, "smoke")
    check([outcome])
    assert outcome.executed
    executed = nbformat.read(outcome.notebook, 4)
    texts = [cell.outputs[0].text for cell in executed.cells if cell.get("outputs")]
    assert texts[0] == "smoke 2\n"
    assert texts[1].startswith(str(book.layout.build)), "the notebook ran outside of the build folder"
    record = read_json(book.layout.run_record("smoke", "alpha"))
    assert record["profile"] == "smoke" and record["ranks"] == 0
    assert record["seconds"] > 0 and 20 < record["peak_memory_mb"] < 5000, "megabytes"
    assert set(record["versions"]) >= {"python", "numpy"}

    assert not execute(book.layout, "smoke")[0].executed
    book.module("unused.py", "nothing = 1\n")
    assert not execute(book.layout, "smoke")[0].executed
    book.module("helper.py", "one = 2\n")
    (again,) = execute(book.layout, "smoke")
    assert again.executed
    assert "smoke 3" in again.notebook.read_text()

    def would_run(profile="smoke"):
        return due_chapters(book.layout, profile, ["alpha"]) == ["alpha"]

    assert would_run("laptop") and not would_run()
    content, record = again.notebook.read_text(), book.layout.run_record("smoke", "alpha")
    again.notebook.write_text(content.replace("smoke 3", "smoke 4"))
    assert would_run(), "an executed notebook that was edited is made again"
    again.notebook.unlink()
    assert would_run(), "a missing executed notebook is made again"
    again.notebook.write_text(content)
    assert not would_run()
    record.write_text(record.read_text()[:50])
    assert would_run(), "a broken record counts for nothing"


def test_a_failure_names_the_cell_keeps_the_notebook_and_the_other_chapters(book):
    book.chapter("alpha", "before = 1\nprint('got here')", "1 / (before - 1)  # wrong")
    book.chapter("beta", "print('fine')")
    outcomes = execute(book.layout, "smoke")
    assert [bool(outcome.error) for outcome in outcomes] == [True, False]
    with pytest.raises(BuildError) as caught:
        check(outcomes)
    message = str(caught.value)
    assert "'alpha'" in message and "1 / (before - 1)" in message and "ZeroDivisionError" in message
    path = message.split("as far as it got: ")[1].splitlines()[0]
    assert "got here" in open(path).read()
    assert not book.layout.executed("smoke", "alpha").exists()
    assert not left_behind("alpha", "beta")


def test_the_time_limit_ends_the_chapter_and_all_its_processes(book):
    child = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)"
    book.chapter("hanging", child, "import time\ntime.sleep(600)")
    (outcome,) = execute(book.layout, "smoke", limit=12)
    assert "time limit of 12 s in cell 4 of 4, which begins  import time" in outcome.error
    assert 'File "<cell>", line 2 in <module>' in outcome.error, "the stack says where it stands"
    assert not left_behind("hanging")


@pytest.mark.parametrize(
    "cell, told",
    [
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "was ended by signal 9 (SIGKILL)"),
        ("import os\nos._exit(3)", "ended itself with exit status 3"),
    ],
)
def test_a_kernel_that_dies_names_its_cell(book, cell, told):
    book.chapter("dying", "print('got here')", cell)
    (outcome,) = execute(book.layout, "smoke")
    assert f"its kernel {told} in cell 4 of 4, which begins  import os" in outcome.error
    assert "memory ran out" not in outcome.error
    path = outcome.error.split("as far as it got: ")[1].splitlines()[0]
    assert "got here" in open(path).read()


def test_memory_that_ran_out_is_said(book, monkeypatch):
    book.chapter("greedy", "raise MemoryError('no 900 GB here')")
    (outcome,) = execute(book.layout, "smoke")
    assert "more memory was asked for than there is" in outcome.error and "900 GB" in outcome.error
    kills = iter(range(100))
    monkeypatch.setattr(run, "memory_kills", lambda: next(kills))
    book.chapter("greedy", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    (outcome,) = execute(book.layout, "smoke")
    assert "SIGKILL" in outcome.error and "the system ended a process because memory ran out" in outcome.error


def test_a_typo_in_a_paragraph_is_mended_without_a_run(book):
    path = book.chapter("alpha", "print('the output')")
    check(execute(book.layout, "smoke"))
    notebook = nbformat.read(path, 4)
    notebook.cells[0].source = "# A chapter, spelt right"
    notebook.cells[2].metadata["tags"] = ["hide-input"]
    notebook.cells.append(nbformat.v4.new_markdown_cell("A last word."))
    nbformat.write(notebook, path)
    assert not due_chapters(book.layout, "smoke", ["alpha"])
    page = records.page(book.layout, "smoke", "alpha")
    assert [cell.source for cell in page.cells] == [cell.source for cell in notebook.cells]
    assert page.cells[2].outputs[0].text == "the output\n"
    assert page.cells[2].metadata["tags"] == ["hide-input"]
    notebook.cells[2].metadata["tags"] = ["raises-exception"]
    nbformat.write(notebook, path)
    assert due_chapters(book.layout, "smoke", ["alpha"]), "this tag changes what a run does"
    assert records.page(book.layout, "smoke", "alpha").cells[0].source == "# A chapter", (
        "one whole run, not two"
    )


def test_one_chapter_may_be_asked_for_and_an_unknown_one_is_refused(book):
    book.chapter("alpha", "1")
    book.chapter("beta", "2")
    assert [outcome.chapter for outcome in execute(book.layout, "smoke", ["beta"])] == ["beta"]
    assert due_chapters(book.layout, "smoke", ["alpha", "beta"]) == ["alpha"]
    with pytest.raises(BuildError, match=r"no chapter .gamma. in _toc\.yml; there are alpha, beta"):
        execute(book.layout, "smoke", ["gamma"])


def test_a_chapter_joins_when_its_run_ends_and_the_last_one_needs_no_joining(book):
    book.chapter("alpha", "1")
    book.chapter("beta", "2", ranks=1)
    joined = []
    check(execute(book.layout, "smoke", joined=joined.append))
    assert joined == ["alpha"]


@pytest.mark.parametrize("limit", [0, -3, float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(book, limit):
    with pytest.raises(BuildError, match="a number of seconds above 0"):
        execute(book.layout, "smoke", limit=limit)


def test_a_run_beyond_its_budget_is_said():
    slow = run.Outcome("slow", None, True, 45.5)
    assert over_budget("smoke", [slow, run.Outcome("fast", None, True, 44.5)])[0].startswith("slow took 46 s")
    assert not over_budget("laptop", [slow]) and not over_budget("full", [slow])
    assert not over_budget("smoke", [run.Outcome("slow", None, False, 45.5)]), "only what ran now"


@pytest.mark.parametrize("content", ["<<<<<<< HEAD", "[]", '{"cells": [{}]}'])
def test_a_broken_notebook_is_named(book, content):
    book.chapter("alpha", "1").write_text(content)
    with pytest.raises(BuildError, match=r"alpha.ipynb is not a notebook that can be read"):
        execute(book.layout, "smoke")


def test_after_success_no_process_is_left(book):
    child = "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)"
    book.chapter("leaving", child, ranks=1)
    (outcome,) = execute(book.layout, "smoke")
    assert not outcome.error
    assert not left_behind("leaving")


def builder(book):
    """The builder in a process of its own, which a test may kill."""
    code = f"""
        from pathlib import Path
        from bookbuild.execute import check, execute
        from bookbuild.layout import Layout
        check(execute(Layout(Path({str(book.layout.root)!r}), Path({str(book.layout.build)!r})), "smoke"))
        """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE, text=True)


def test_kill_9_leaves_nothing_broken_and_no_process(book):
    gate = book.layout.root / "gate"
    wait = f"import pathlib, time\npathlib.Path({str(gate)!r} + '.reached').touch()\nwhile not pathlib.Path({str(gate)!r}).exists():\n    time.sleep(0.05)"
    book.chapter("alpha", wait, "print('through')")
    first = builder(book)
    wait_until(gate.with_name("gate.reached").exists)
    assert left_behind("alpha"), (
        "the mark is not found on a running chapter: the test below would prove nothing"
    )
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    wait_until(lambda: not left_behind("alpha"), 20)
    assert not book.layout.executed("smoke", "alpha").exists()
    gate.touch()
    (outcome,) = execute(book.layout, "smoke")
    check([outcome])
    assert outcome.executed and "through" in outcome.notebook.read_text()
    assert not execute(book.layout, "smoke")[0].executed


def test_two_builds_at_once_execute_a_chapter_once(book):
    counter = book.layout.root / "count"
    book.chapter(
        "alpha",
        f"with open({str(counter)!r}, 'a') as file:\n    file.write('x')",
        "import time; time.sleep(1)",
    )
    both = [builder(book), builder(book)]
    for process in both:
        assert process.wait(120) == 0, process.stderr.read()
    assert counter.read_text() == "x"
    assert json.loads(book.layout.run_record("smoke", "alpha").read_text())["chapter"] == "alpha"


def test_a_chapter_without_its_notebook_is_named(book):
    book.chapter("alpha", "1")
    book.layout.source("alpha").unlink()
    with pytest.raises(BuildError, match="lists the chapter 'alpha'"):
        execute(book.layout, "smoke")
