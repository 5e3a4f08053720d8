"""``make chapter``: what it writes passes every test that a chapter has to pass, and is on every page that lists chapters."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from bookbuild import scaffold
from bookbuild.layout import BuildError, Layout
from bookbuild.testing import PHASE

ROOT = Layout.here().root


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The checkout without its history, with a new chapter in it."""
    root = tmp_path_factory.mktemp("scratch") / "a book"
    skipped = shutil.ignore_patterns(
        ".git", ".venv", "build", "release", "work", "__pycache__", ".*_cache", "*.egg-info"
    )
    shutil.copytree(ROOT, root, ignore=skipped)
    done = run(root, "bookbuild", "chapter", "--name=demo", "--title=Means of walks")
    assert done.returncode == 0, done.stderr
    return root


def run(root, *command):
    environment = os.environ | {"PYTHONPATH": str(root / "lib"), "EFFICIENT_AI_BUILD": str(root / "build")}
    environment.pop(PHASE, None)  # the tests of the copy run all together, whatever kind this one is
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )


@pytest.mark.notebook
@pytest.mark.timeout(300)
def test_the_new_chapter_passes_the_tests_of_a_chapter(copy):
    folders = ("tests/lib/demo", "tests/chapters", "tests/exercises")
    done = run(copy, "pytest", "-q", "-k", "demo", "-p", "no:cacheprovider", *folders)
    assert done.returncode == 0, done.stdout[-3000:]
    count = int(re.search(r"(\d+) passed", done.stdout).group(1))
    assert count >= 20, "its own tests, those of a chapter and those of an exercise"


def test_the_new_chapter_is_formatted_and_sorted(copy):
    for command in (["check"], ["format", "--check"]):
        done = run(copy, "ruff", *command, "--no-cache", ".")
        assert done.returncode == 0, done.stdout


def test_the_new_chapter_is_on_map_status_scoreboard_and_api(copy):
    code = (
        "from bookbuild import api, pages, scoreboard\nfrom bookbuild.layout import Layout\nimport json\n"
        "layout = Layout.here()\n"
        "print(json.dumps([pages.chapter_map(layout, 'smoke'), pages.status(layout, 'smoke'), "
        "scoreboard.page(layout, 'smoke'), api.page('demo'), layout.pages()]))"
    )
    environment = os.environ | {"PYTHONPATH": str(copy / "lib"), "EFFICIENT_AI_BUILD": str(copy / "build")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    chapter_map, status, _, api, pages = json.loads(done.stdout)
    assert "[Means of walks](/book/chapters/demo)" in chapter_map
    assert "[Means of walks](/book/chapters/demo)" in status
    assert "automodule:: efficient_ai.demo\n" in api
    assert pages.index("book/exercises/demo") == pages.index("book/chapters/demo") + 1


def test_a_part_that_is_new_stands_in_the_order_of_the_book():
    toc = (ROOT / "_toc.yml").read_text()
    read = yaml.safe_load(scaffold._in_toc(toc, "fused", "IV"))
    captions = [part["caption"] for part in read["parts"]]
    assert captions.index("Search") < captions.index("Shrink and fuse") < captions.index("Science")
    read = yaml.safe_load(scaffold._in_toc(toc, "end", "VII"))
    assert [part["caption"] for part in read["parts"]][-2:] == ["Finale", "Reference"]
    again = yaml.safe_load(scaffold._in_toc(toc, "last", "V"))
    science = next(part for part in again["parts"] if part["caption"] == "Science")
    assert science["chapters"][-1] == {
        "file": "book/chapters/last",
        "sections": [{"file": "book/exercises/last"}],
    }


@pytest.mark.parametrize(
    "name, options, told",
    [
        ("energy", {}, "'energy' is taken"),
        ("profiles", {}, "'profiles' is taken"),
        ("Demo", {}, "NAME is a name of a Python package"),
        ("../demo", {}, "NAME is a name of a Python package"),
        ("class", {}, "NAME is a name of a Python package"),
        ("", {}, "NAME is a name of a Python package"),
        ("demo", {"part": "IX"}, "PART is one of"),
        ("demo", {"title": 'a "title"'}, "TITLE is one line"),
    ],
)
def test_what_cannot_be_a_chapter_is_refused_and_nothing_is_written(name, options, told, monkeypatch):
    def write(*_):
        raise AssertionError("something was written")

    monkeypatch.setattr(scaffold, "write_atomic", write)
    with pytest.raises(BuildError, match=re.escape(told)):
        scaffold.write_chapter(Layout.here(), name, **options)
