"""How far a chapter's run in JupyterLab is: cells, pace, and nothing elsewhere."""

import json

import pytest

from efficient_ai import profiles
from efficient_ai.plotting import TIMES, _course
from efficient_ai.plotting._course import Course


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def run(course, clock, cell, seconds):
    course.begin()
    clock.now += seconds
    course.end(cell)


def test_time_left_follows_the_pace_of_this_machine():
    clock = Clock()
    course = Course("abcd", {"a": 4.0, "b": 1.0, "c": 10.0, "d": 20.0}, clock)
    assert course.left() == 35
    run(course, clock, "a", 8.0)
    assert course.left() == pytest.approx(2 * 31) and course.sentence() == "1 of 4 cells, about 62 s left"
    run(course, clock, "a", 4.0)
    assert course.left() == pytest.approx(31), "a cell that runs twice counts once, as it ran last"
    run(course, clock, "x", 99.0)
    assert course.sentence().startswith("1 of 4"), "cells that the reader added do not count"
    for cell in "bcd":
        run(course, clock, cell, 1.0)
    assert course.sentence() == "all 4 cells have run, in 7 s"


def test_the_cell_that_shows_the_bar_says_nothing_of_the_pace():
    clock = Clock()
    course = Course("ab", {"a": 4.0, "b": 10.0}, clock)
    course.end("a")
    assert course.sentence() == "1 of 2 cells, about 10 s left"


def test_cells_above_have_run():
    clock = Clock()
    course = Course("abc", {"a": 4.0, "b": 1.0, "c": 10.0}, clock, ran="a")
    course.end("b")
    assert course.sentence() == "2 of 3 cells, about 10 s left"
    run(course, clock, "c", 3.0)
    assert course.sentence() == "all 3 cells have run, in 3 s"


def test_without_an_earlier_run_only_cells_are_counted():
    clock = Clock()
    course = Course("ab", {}, clock)
    run(course, clock, "b", 1.0)
    assert course.left() is None and course.sentence() == "1 of 2 cells"


@pytest.mark.parametrize("content", [None, "no json", json.dumps({"other": {}})])
def test_elsewhere_nothing_happens(tmp_path, monkeypatch, content):
    if content:
        (tmp_path / "times.json").write_text(content)
    monkeypatch.setenv(TIMES, str(tmp_path / "times.json"))
    monkeypatch.setenv("JPY_SESSION_NAME", "chapters/energy.ipynb")
    assert profiles.select(dict.fromkeys(profiles.NAMES, 1), "smoke") == 1
    assert not _course._following
