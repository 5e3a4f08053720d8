"""A cluster of engines: start, run, watch, fail, hang, die, come back."""

import os
import signal
import sys
import time

import pytest

from efficient_ai.parallel import ClusterError, Hang, RankError, publish, start_cluster

pytestmark = pytest.mark.mpi


def ask(comm):
    return comm.rank, comm.size, os.getpid()


def test_engine_ids_are_ranks_of_one_world(cluster):
    from efficient_ai.parallel import _engine

    told = cluster.client[:].apply_sync(_rank_and_size)
    assert cluster.client.ids == [0, 1, 2]
    assert told == [(0, 3), (1, 3), (2, 3)]
    assert cluster.view.targets == [0, 1, 2]
    assert _engine.publish is publish


def _rank_and_size():
    from mpi4py import MPI

    return MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size


def test_it_says_in_one_line_what_it_chose(cluster):
    text = str(cluster)
    assert "3 MPI ranks on this machine" in text
    assert "core" in text and "MPI" in text and "\n" not in text


def test_results_in_rank_order_with_functions_that_no_engine_can_import(cluster):
    offset = 7
    assert cluster.run(lambda comm, x: comm.allreduce(x) + comm.rank + offset, 2) == [13, 14, 15]


def test_a_result_of_a_class_defined_here(cluster):
    class Point:
        def __init__(self, x):
            self.x = x

    assert [point.x for point in cluster.run(lambda comm: Point(comm.rank))] == [0, 1, 2]


def test_engines_keep_their_memory_between_calls(cluster):
    def remember(comm, value):
        sys.modules.setdefault("kept", type(sys)("kept")).value = value + comm.rank

    def recall(comm):
        return sys.modules["kept"].value

    cluster.run(remember, 10)
    assert cluster.run(recall) == [10, 11, 12]


def test_output_is_printed_in_rank_order(cluster, capsys):
    def speak(comm):
        time.sleep(0.1 * (2 - comm.rank))
        print("hello from", comm.rank)

    cluster.run(speak)
    assert capsys.readouterr().out == "hello from 0\nhello from 1\nhello from 2\n"


def test_a_job_shows_what_its_ranks_publish_while_they_run(cluster):
    def work(comm):
        for step in range(3):
            publish({"rank": comm.rank, "step": step})
        print("published")
        comm.bcast(None)
        time.sleep(0.5)
        return "done"

    job = cluster.submit(work)
    end = time.monotonic() + 10
    newest = [{"rank": rank, "step": 2} for rank in range(3)]
    while job.published() != newest and not job.done and time.monotonic() < end:
        time.sleep(0.02)
    assert job.published() == newest and not job.done
    with pytest.raises(ClusterError, match="still running"):
        cluster.run(ask)
    assert job.result() == ["done"] * 3
    assert job.done and job.stdout == ["published\n"] * 3 and job.published() == newest
    assert job.result() == ["done"] * 3, "asked again, it answers the same"


def test_publish_outside_an_engine_does_nothing():
    assert publish("anything") is None


def test_an_error_that_leaves_no_rank_waiting_keeps_the_engines(cluster):
    pids = [pid for *_, pid in cluster.run(ask)]

    def fail(comm):
        if comm.rank == 1:
            raise ValueError("wrong shape (3, 4)")

    with pytest.raises(RankError, match=r"rank 1: ValueError: wrong shape \(3, 4\)") as caught:
        cluster.run(fail)
    assert caught.value.rank == 1
    assert 'raise ValueError("wrong shape (3, 4)")' in caught.value.traceback
    assert [pid for *_, pid in cluster.run(ask)] == pids


def test_messages_of_a_failed_call_do_not_reach_the_next(cluster):
    def leave_a_message(comm):
        if comm.rank == 0:
            comm.isend("stale", dest=1)
        raise RuntimeError("gave up")

    def talk(comm):
        if comm.rank == 0:
            comm.send("fresh", dest=1)
        return comm.recv(source=0) if comm.rank == 1 else None

    with pytest.raises(RankError, match="rank 0: RuntimeError: gave up"):
        cluster.run(leave_a_message)
    assert cluster.run(talk)[1] == "fresh"


def test_an_error_that_leaves_ranks_waiting_brings_new_engines(cluster):
    pids = [pid for *_, pid in cluster.run(ask)]

    def fail(comm):
        if comm.rank == 2:
            raise KeyError("lost")
        comm.barrier()

    with pytest.raises(RankError, match="rank 2: KeyError: 'lost'") as caught:
        cluster.run(fail, timeout=60)
    assert "a new set of 3 engines is up" in str(caught.value)
    assert not {pid for *_, pid in cluster.run(ask)} & set(pids)


def test_a_mismatched_collective_is_explained_and_the_notebook_goes_on(cluster):
    def mismatch(comm):
        if comm.rank == 0:
            comm.bcast("x", root=0)
            return "went on"
        if comm.rank == 1:
            comm.barrier()
        comm.recv(source=1)

    with pytest.raises(Hang) as caught:
        cluster.run(mismatch, timeout=1.5)
    assert caught.value.finished == [0]
    assert sorted(caught.value.stacks) == [1, 2]
    assert "comm.barrier()" in caught.value.stacks[1]
    assert "comm.recv(source=1)" in caught.value.stacks[2]
    assert ", in mismatch" in caught.value.stacks[1]
    assert "a new set of 3 engines is up" in str(caught.value)
    assert [rank for rank, *_ in cluster.run(ask)] == [0, 1, 2]


def test_a_rank_that_dies_in_a_call_is_named_and_a_new_set_comes_up(cluster):
    def die(comm):
        if comm.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        comm.barrier()

    with pytest.raises(RankError, match=r"rank 1: died by signal 9 \(SIGKILL\)") as caught:
        cluster.run(die)
    assert caught.value.rank == 1
    assert "MPI ended all ranks" in str(caught.value)
    assert [rank for rank, *_ in cluster.run(ask)] == [0, 1, 2]


def test_an_engine_that_died_between_calls_is_reported_at_the_next(cluster, capsys):
    pids = [pid for *_, pid in cluster.run(ask)]
    unfinished = cluster.submit(lambda comm: time.sleep(60))
    os.kill(pids[2], signal.SIGKILL)
    while cluster.alive:
        time.sleep(0.02)
    cluster.revive()
    with pytest.raises(ClusterError, match="stopped or restarted while this job was running"):
        unfinished.result()
    assert [rank for rank, *_ in cluster.run(ask)] == [0, 1, 2]
    assert "Rank 2 died by signal 9 (SIGKILL), and MPI ended all ranks with it" in capsys.readouterr().err


def test_where_each_rank_stands_can_be_asked_at_any_time(cluster):
    def sleep(comm):
        time.sleep(2.5)

    job = cluster.submit(sleep)
    time.sleep(0.5)
    stacks = cluster.stacks()
    assert all("time.sleep(2.5)" in stacks[rank] for rank in range(3))
    job.result()
    assert "not inside a function of yours" in cluster.stacks()[0]


@pytest.mark.parametrize("n", [0, -2, 2.5])
def test_a_senseless_number_of_ranks_is_refused(n):
    with pytest.raises(ValueError, match="at least 1"):
        start_cluster(n)


def test_a_call_without_limit_is_refused(cluster):
    with pytest.raises(ValueError, match="positive number of seconds"):
        cluster.run(ask, timeout=None)
