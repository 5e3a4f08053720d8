"""The checks of the exercises: each message names what is wrong and where."""

import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from efficient_ai import checks
from efficient_ai.checks import _limit


def message(function, *args, **kwargs):
    with pytest.raises(checks.CheckFailed) as caught:
        function(*args, **kwargs)
    return str(caught.value)


def test_close_accepts_what_is_within_the_tolerance():
    checks.close("x", 1 + 1e-13, 1)
    checks.close("x", [1.0, np.nan, np.inf], np.array([1.0, np.nan, np.inf]))
    checks.close("x", 101.0, 100.0, tolerance=0, relative=0.01)
    checks.close("x", np.float32([0.5]), [0.5], dtype="float32")


def test_close_names_the_first_index_that_differs():
    found = np.ones((3, 4))
    found[1, 2], found[2, 0] = 2.0, 3.0
    text = message(checks.close, "W", found, np.ones((3, 4)))
    assert "W: 2 of 12 values differ. First at index (1, 2): found 2.0, expected 1.0 (off by 1" in text
    assert "float64 with shape (3, 4), 96 bytes" in text
    assert "First at index 1: found 5" in message(checks.close, "W", [0, 5], [0, 1])


def test_close_names_shape_type_and_bytes():
    text = message(checks.close, "W", np.zeros((2, 3), "float32"), np.zeros((2, 4)))
    assert "shape (2, 3), expected (2, 4)" in text and "24 bytes" in text and "32 bytes" in text
    text = message(checks.close, "W", np.zeros(3), np.zeros(3), dtype="float32")
    assert "float64 with shape (3,), 24 bytes, expected float32, 12 bytes" in text


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, "a `return` missing?"),
        ("text", "expected numbers"),
        ([[1], [1, 2]], "different lengths"),
        (float("nan"), "found nan, expected 1"),
        (float("inf"), "found inf, expected 1"),
    ],
)
def test_close_refuses_what_is_no_number_like_the_expected_one(found, says):
    expected = [[1], [2]] if isinstance(found, list) else 1
    assert says in message(checks.close, "x", found, expected)


def test_close_takes_tensors():
    torch = pytest.importorskip("torch")
    checks.close("loss", torch.ones(2, requires_grad=True), [1, 1])
    assert "index 1" in message(checks.close, "loss", torch.tensor([1.0, 2.0]), [1, 1])


@given(arrays(float, array_shapes(max_dims=3, max_side=4), elements=st.floats(-9, 9)), st.data())
def test_close_finds_any_single_changed_value(array, data):
    checks.close("a", array.copy(), array)
    index = tuple(data.draw(st.integers(0, side - 1)) for side in array.shape)
    changed = array.copy()
    changed[index] += 1e-3
    shown = index if len(index) > 1 else index[0]
    assert f"index {shown}:" in message(checks.close, "a", changed, array, tolerance=1e-6)


def test_equal_names_the_index_and_the_length():
    checks.equal("x", [1, "a"], [1, "a"])
    checks.equal("x", np.arange(3), np.arange(3))
    assert "route[1] is 5, expected 2" in message(checks.equal, "route", [1, 5], [1, 2])
    assert "route has 1 items, expected 2" in message(checks.equal, "route", [1], [1, 2])
    assert "x is None (is a `return` missing?), expected 'a'" in message(checks.equal, "x", None, "a")


@given(st.lists(st.integers(0, 5), max_size=12), st.randoms())
def test_same_items_ignores_order_and_nothing_else(items, random):
    shuffled = random.sample(items, len(items))
    checks.same_items("the list", shuffled, items)
    assert "should not have 1, for example 7" in message(checks.same_items, "the list", [*shuffled, 7], items)
    assert "it lacks 1, for example 7" in message(checks.same_items, "the list", shuffled, [*items, 7])


def test_same_items_counts_doubles():
    text = message(checks.same_items, "rank 2", [1, 1, 2], [1, 2, 2])
    assert "has 3 items, expected 3; it lacks 1, for example 2" in text


def test_holds_says_what_was_found_instead():
    checks.holds("traffic", True, "unused")
    assert message(checks.holds, "traffic", 0, "rank 1 sent 8 bytes") == "traffic: rank 1 sent 8 bytes"


def fail(title):
    with checks.Task(title, "first", "second"):
        checks.equal("x", 1, 2)


def test_hints_come_in_turn_and_start_over_after_a_pass():
    title = "hints in turn"
    assert "Hint 1 of 2: first" in message(fail, title)
    assert "Hint 2 of 2: second" in message(fail, title)
    assert "Hint 2 of 2: second" in message(fail, title)
    with checks.Task(title, "first", "second"):
        pass
    assert "Hint 1 of 2: first" in message(fail, title)
    assert "Hint 1 of 2: first" in message(fail, "another task counts for itself")


def test_an_answer_that_nobody_has_begun_costs_no_hint():
    title = "not begun"

    def stub():
        raise NotImplementedError

    def on_ranks():
        raise checks._failure.NotWritten

    def run(body):
        with checks.Task(title, "first", "second"):
            body()

    for body in (stub, on_ranks, stub):
        text = message(run, body)
        assert "not written yet" in text and "Hint" not in text and text.count("not written yet") == 1
    assert "Hint 1 of 2: first" in message(fail, title)


def test_a_loop_without_end_has_one():
    def answer():
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    def run():
        with checks.Task("loop", "first", "second", limit=0.3):
            answer()

    text = message(run)
    assert "not finished after 0.3 s" in text and "It stood in line" in text and "Hint 1" in text
    left = signal.getitimer(signal.ITIMER_REAL)[0]
    assert left == 0 or left > 5, "behind the task only a clock around it runs, such as that of the tests"
    with checks.Task("short", "first", "second", limit=0.2):
        with _limit.paused():
            time.sleep(0.4)  # what has a limit of its own does not use up this one
        with _limit.limited(5):
            pass
    with checks.Task("free", "first", "second", limit=0.1):
        pass
    time.sleep(0.2)


def test_a_task_in_a_thread_has_no_clock():
    def run():
        with checks.Task("thread", "first", "second", limit=0.1):
            time.sleep(0.3)
        done.append(True)

    done = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done


def test_a_passed_task_says_so(capsys):
    with checks.Task("quiet", "first", "second"):
        checks.equal("x", 1, 1)
    assert capsys.readouterr().out == "quiet: all checks passed.\n"


def test_an_error_of_the_reader_is_explained_with_its_line():
    def answer():
        return np.linalg.inv(np.zeros((2, 2)))

    def run(body):
        with checks.Task("errors", "first", "second"):
            body()

    text = message(run, answer)
    assert "LinAlgError" in text and "(answer): return np.linalg.inv" in text, (
        "the reader's line, not numpy's"
    )
    assert "`not_there` is not known here" in message(run, lambda: not_there)  # noqa: F821

    def stub():
        raise NotImplementedError

    assert "not written yet" in message(run, stub)


def test_an_interrupt_is_no_wrong_answer():
    with pytest.raises(KeyboardInterrupt), checks.Task("interrupted", "first", "second"):
        raise KeyboardInterrupt


def test_a_failure_is_an_assertion_and_shows_no_traceback():
    failure = checks.CheckFailed("one\ntwo")
    assert isinstance(failure, AssertionError)
    assert failure._render_traceback_() == ["one", "two"]


def test_checks_without_ranks_load_no_mpi():
    code = (
        "import sys, efficient_ai.checks; sys.exit('mpi4py' in sys.modules or 'ipyparallel' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
