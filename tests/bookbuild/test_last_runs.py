"""What counts as a sound run, and which chapters run beside which: without running one."""

import hashlib
import threading
import time

import pytest

from bookbuild import execute, records
from bookbuild.layout import write_json
from bookbuild.run import Outcome
from efficient_ai._files import write_atomic


@pytest.fixture
def ran(book):
    """A sound run of the chapter `a`, as a build leaves it; ``ran(key=value)`` writes another record."""
    source = book.chapter("a", "1 + 1")
    layout = book.layout
    write_atomic(layout.executed("smoke", "a"), source.read_bytes())
    sound = {
        "sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "fingerprint": records.present_fingerprint(layout, "smoke", "a"),
        "results": hashlib.sha256(b"{}").hexdigest(),
    }
    write_atomic(layout.results("smoke", "a"), b"{}")

    def state(**changes):
        write_json(layout.run_record("smoke", "a"), sound | changes)
        return records.state(layout, "smoke", "a")

    return state


def test_a_run_counts_only_with_its_own_notebook_code_and_results(ran, book):
    assert ran() == "sound"
    assert ran(sha256="of another notebook") == "missing"
    assert ran(fingerprint="of other code") == "stale"
    write_atomic(book.layout.results("smoke", "a"), b'{"foreign": 1}')
    assert ran() == "missing", "somebody else wrote there"
    book.layout.results("smoke", "a").unlink()
    assert ran() == "missing", "its results are gone"
    assert ran(results=None) == "sound", "a chapter without results needs none"
    book.layout.executed("smoke", "a").unlink()
    assert ran() == "missing"


def test_two_chapters_run_at_a_time_and_those_with_ranks_alone(book, monkeypatch):
    for name in "abc":
        book.chapter(name, "1")
    for name in "xy":
        book.chapter(name, "1", ranks=4)
    lock, running, beside = threading.Lock(), set(), {}

    class Run:
        def __init__(self, layout, profile, chapter, *_):
            self.chapter = chapter

        def outcome(self):
            with lock:
                running.add(self.chapter)
                for name in running:
                    beside[name] = beside.get(name, set()) | running
            time.sleep(0.2)
            with lock:
                running.discard(self.chapter)
            return Outcome(self.chapter, book.layout.root, True, 0.2)

    monkeypatch.setattr(execute, "Run", Run)
    done = execute.execute(book.layout, "smoke")
    assert [each.chapter for each in done] == list("abcxy")
    assert beside["x"] == {"x"} and beside["y"] == {"y"}
    assert any(len(names) > 1 for names in beside.values()), "the others do run side by side"
