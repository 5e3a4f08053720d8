"""``make book`` and the other commands: something to read early, and one sentence for whatever a reader has to mend."""

import errno
import re
import subprocess
import sys

import pytest

from bookbuild import __main__ as command_line
from bookbuild import build as building
from bookbuild import pages, records
from bookbuild.layout import PROFILES, BuildError, Layout, write_json
from bookbuild.progress import Progress, schedule
from bookbuild.serve import serve

ROOT = Layout.here().root


@pytest.mark.notebook
def test_the_site_opens_before_the_runs_and_each_chapter_joins(book, monkeypatch, capsys):
    book.chapter("propulate", "print('ran')")
    book.chapter("jigsaw", "1", ranks=1)
    shown = []

    def render(layout, profile, waiting=None, joining=False):
        facts = {
            name: pages.chapter_facts(layout, profile, name, waiting or {})
            for name in ("propulate", "jigsaw")
        }
        shown.append((joining, {name: "Not run yet" in fact for name, fact in facts.items()}, waiting))
        index = layout.site(profile) / "html" / "index.html"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.touch()
        return index

    monkeypatch.setattr(building, "render", render)
    building.build(book.layout, "smoke")
    assert [(joining, facts) for joining, facts, _ in shown] == [
        (False, {"propulate": True, "jigsaw": True}),
        (True, {"propulate": False, "jigsaw": True}),
        (False, {"propulate": False, "jigsaw": False}),
    ]
    assert set(shown[0][2]) == {"propulate", "jigsaw"} and set(shown[1][2]) == {"jigsaw"} and not shown[2][2]
    assert re.fullmatch(r"at the latest at about \d\d:\d\d", shown[0][2]["jigsaw"])
    said = capsys.readouterr().out
    assert said.index("To read meanwhile") < said.index("2 executed, 0 unchanged")
    assert "make serve PROFILE=smoke" in said

    shown.clear()
    building.build(book.layout, "smoke", ["propulate"])
    assert len(shown) == 1, "nothing to run: the site is rendered once"
    book.module("used/__init__.py", "changed = 1\n")
    book.chapter("jigsaw", "2", ranks=1)
    building.build(book.layout, "smoke", ["propulate"])
    assert "marked so: jigsaw" in capsys.readouterr().out


@pytest.mark.notebook
def test_a_page_without_a_sound_run_says_so(book):
    book.chapter("propulate", "1")
    layout = book.layout
    assert records.state(layout, "smoke", "propulate") == "missing"
    assert records.page(layout, "smoke", "propulate").cells[0].source == "# A chapter"
    assert "*(not run yet)*" in pages.chapter_map(layout, "smoke")
    waiting = {"propulate": "at about 12:30"}
    assert "expected at about 12:30" in pages.chapter_facts(layout, "smoke", "propulate", waiting)
    assert "make book CHAPTER=propulate" in pages.chapter_facts(layout, "smoke", "propulate")
    assert "| not run; expected at about 12:30 |" in pages.status(layout, "smoke", waiting)
    building.execute(layout, "smoke")
    assert "Not run yet" not in pages.chapter_facts(layout, "smoke", "propulate")
    book.chapter("propulate", "2")
    assert records.state(layout, "smoke", "propulate") == "stale"
    assert "The code of this chapter has changed since this run" in pages.chapter_facts(
        layout, "smoke", "propulate"
    )
    assert "| ran with other code |" in pages.status(layout, "smoke")
    assert records.page(layout, "smoke", "propulate").cells[-1].source == "1"


def test_a_site_that_cannot_be_shown_early_does_not_stop_the_runs(book, monkeypatch, capsys):
    def fails(*_, **__):
        raise BuildError("index.md:3 a warning")

    monkeypatch.setattr(building, "render", fails)
    book.chapter("propulate", "1")
    building._Growing(book.layout, "smoke", ["propulate"]).open()
    assert "cannot be shown before" in capsys.readouterr().out


def test_time_left_comes_from_the_last_run_else_from_the_budget(book, capsys):
    book.chapter("alpha", "1")
    assert records.expected_seconds(book.layout, "laptop", "alpha") == (240.0, False)
    write_json(book.layout.run_record("laptop", "alpha"), {"seconds": 100.0})
    assert records.expected_seconds(book.layout, "laptop", "alpha") == (100.0, True)
    write_json(book.layout.root / "results" / "alpha.json", {"seconds": 7200.0})
    assert records.expected_seconds(book.layout, "full", "alpha") == (7200.0, True)
    assert schedule({"a": 10, "b": 40, "c": 20, "d": 5}, {"d"}) == {"a": 10, "b": 40, "c": 30, "d": 45}
    assert Progress({"a": (300.0, True)}, [], "test").left() == "about 5 min left"
    late = Progress({"a": (300.0, True), "b": (0.0, False)}, ["b"], "test")
    late.at_cell("b", 0, 1)
    assert late.left() == "at most about 5 min left (one takes longer than expected)"


def test_the_makefile_refuses_a_profile_before_anything_is_built(tmp_path):
    make = ["make", "-C", str(ROOT), f"VENV={tmp_path / 'venv'}"]
    done = subprocess.run([*make, "book", "PROFILE=smok"], capture_output=True, text=True)
    assert done.returncode == 2 and f"PROFILE is one of: {' '.join(PROFILES)}, not 'smok'" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("port", ["99999", "65536", "-1", "80 80", "http", ""])
def test_a_port_that_is_none_is_refused(tmp_path, port):
    with pytest.raises(BuildError, match="PORT is a number from 1 to 65535"):
        serve(tmp_path, port)


def test_the_hint_names_the_profile(tmp_path):
    with pytest.raises(BuildError, match="call  make book PROFILE=smoke  first"):
        serve(tmp_path, "8000", "make book PROFILE=smoke")


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["--chapter=nosuch"], "there is no chapter 'nosuch'"),
        (["--limit=soon"], "LIMIT is a number of seconds, not 'soon'"),
        (["--limit=0"], "a number of seconds above 0, not 0"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_a_sentence(arguments, told):
    done = subprocess.run(
        [sys.executable, "-m", "bookbuild", "book", "--profile=smoke", *arguments],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and told in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "number, told",
    [
        (errno.ENOSPC, "the disk is full (/x)"),
        (errno.EROFS, "/x cannot be written"),
        (errno.EACCES, "/x cannot be"),
    ],
)
def test_the_disk_s_troubles_are_one_sentence(monkeypatch, capsys, number, told):
    def fails(*_):
        raise OSError(number, "why", "/x")

    monkeypatch.setattr(command_line, "_run", fails)
    assert command_line.main(["book"]) == 1
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said and len(said.strip().splitlines()) == 1


def test_an_error_that_is_no_disk_s_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(command_line, "_run", lambda *_: open("/no/such/file"))
    with pytest.raises(FileNotFoundError):
        command_line.main(["book"])


def test_a_table_of_contents_that_is_none_is_named(book):
    (book.layout.root / "_toc.yml").write_text("<<<<<<< HEAD\nroot: [\n")
    with pytest.raises(BuildError, match=r"_toc\.yml is no table of contents"):
        book.layout.pages()
