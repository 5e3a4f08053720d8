"""The stop button: ranks stop too, say so in one line, and what they hold outlives it where it can."""

import _thread
import threading
import time

import pytest

from efficient_ai import parallel
from efficient_ai.parallel import ClusterError, Interrupted, run_ranks, start_cluster

pytestmark = pytest.mark.mpi


@pytest.fixture(scope="module")
def cluster():
    with start_cluster(2, where="laptop") as made:
        yield made


def interrupted_after(seconds, call):
    """The error that ``call`` ends with when the reader presses stop, and how long that took."""
    timer = threading.Timer(seconds, _thread.interrupt_main)
    timer.start()
    start = time.monotonic()
    try:
        with pytest.raises(Interrupted) as caught:
            call()
    finally:
        timer.cancel()
    return caught.value, time.monotonic() - start - seconds


def keep(comm, value):
    import builtins

    builtins.kept = value


def read(comm):
    import builtins

    return getattr(builtins, "kept", None)


def busy(comm):
    if comm.rank == 0:
        return "done"
    end = time.monotonic() + 60
    while time.monotonic() < end:
        time.sleep(0.01)


def waits(comm):
    return comm.recv(source=1 - comm.rank)


def test_ranks_in_python_stop_and_keep_their_memory(cluster):
    cluster.run(keep, 7)
    error, took = interrupted_after(1.0, lambda: cluster.run(busy))
    assert "keep what they hold" in str(error) and took < 10
    assert error._render_traceback_() == [str(error)], "one line, no traceback"
    assert cluster.run(read) == [7, 7]
    assert cluster.run(lambda comm: comm.allreduce(1)) == [2, 2]


def test_an_interrupted_job_answers_the_same_later(cluster):
    job = cluster.submit(busy)
    interrupted_after(1.0, job.result)
    with pytest.raises(ClusterError, match="was interrupted"):
        job.result()


def test_ranks_inside_mpi_are_replaced(cluster):
    error, _ = interrupted_after(1.0, lambda: cluster.run(waits))
    assert "cannot be interrupted" in str(error) and "a new set of 2 engines" in str(error)
    assert cluster.run(lambda comm: comm.rank) == [0, 1]


def test_fresh_ranks_are_gone(process_table, monkeypatch):
    monkeypatch.setenv("EFFICIENT_AI_TEST_TAG", process_table.tag)
    error, _ = interrupted_after(3.0, lambda: run_ranks(waits, 2))
    assert str(error) == "Interrupted: the ranks are gone."
    process_table.wait_until_empty()


def test_what_is_wrong_with_the_call_itself_is_said():
    with pytest.raises(parallel.RankError, match=r"TypeError: .*positional argument"):
        run_ranks(lambda: 1, 2)


def test_both_streams_of_the_ranks_appear(capfd):
    def say(comm):
        import sys

        print("out", comm.rank)
        print("err", comm.rank, file=sys.stderr)

    run_ranks(say, 2)
    out, err = capfd.readouterr()
    assert out.splitlines() == ["out 0", "out 1"] and [
        line for line in err.splitlines() if "err" in line
    ] == ["err 0", "err 1"]
