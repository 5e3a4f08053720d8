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

from bookbuild import execute as steps
from bookbuild.execute import check, execute
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
    assert record["seconds"] > 0 and record["peak_memory_mb"] > 10
    assert set(record["versions"]) >= {"python", "numpy"}

    assert not execute(book.layout, "smoke")[0].executed
    book.module("unused.py", "nothing = 1\n")
    assert not execute(book.layout, "smoke")[0].executed
    book.module("helper.py", "one = 2\n")
    (again,) = execute(book.layout, "smoke")
    assert again.executed
    assert "smoke 3" in again.notebook.read_text()

    def would_run(profile="smoke"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                steps, "_execute_all", lambda layout, profile, due, limit: {name: name for name in due}
            )
            return execute(book.layout, profile) == ["alpha"]

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
    assert "time limit of 12 s in cell" in outcome.error
    assert not left_behind("hanging")


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
