"""The reader's code on real ranks: errors and deadlocks name the rank and the reader's line."""

import time

import pytest

from efficient_ai import checks, parallel

pytestmark = pytest.mark.mpi


def message(function, n, **kwargs):
    with pytest.raises(checks.CheckFailed) as caught:
        checks.on_ranks(function, n, **kwargs)
    return str(caught.value)


def test_results_come_back_in_rank_order():
    assert checks.on_ranks(lambda comm, x: comm.rank * x, 2, 10) == [0, 10]


def test_an_error_names_its_rank_and_line():
    def answer(comm):
        if comm.rank == 1:
            return 1 / 0
        return comm.recv(source=1)

    text = message(answer, 2)
    assert text.startswith("rank 1 (of 2) stopped with ZeroDivisionError: division by zero\n")
    assert text.endswith("(answer): return 1 / 0")


def test_a_stub_is_told_to_be_written():
    def stub(comm):
        raise NotImplementedError

    assert message(stub, 2).startswith("not written yet")


def test_a_deadlock_names_the_ranks_that_hang_their_lines_and_those_that_finished():
    def answer(comm):
        if comm.rank == 2:
            return "done"
        return comm.recv(source=1 - comm.rank)

    text = message(answer, 3, timeout=4)
    assert "not finished after 4 s on 3 ranks" in text
    for rank in (0, 1):
        assert f"rank {rank} hangs in line" in text
    assert text.count("(answer): return comm.recv(source=1 - comm.rank)") == 2
    assert text.endswith("finished: rank 2")


def test_the_line_is_the_readers_and_not_that_of_the_bench():
    reader = {}
    code = "def answer(comm, send):\n    send(comm)\n"
    exec(compile(code, "cell.py", "exec"), reader)

    def bench(comm, answer):
        return answer(comm, lambda comm: comm.recv(source=comm.rank))

    with pytest.raises(checks.CheckFailed, match=r"rank 0 hangs in line 2 \(answer\)"):
        checks.on_ranks(bench, 1, reader["answer"], timeout=4)


def test_ranks_may_finish_with_messages_under_way_while_another_still_works():
    def answer(comm):
        second = comm.Dup()  # with it, MPICH ends the whole world when the first ranks finalise
        if comm.rank == 0:
            time.sleep(1)
        others = [rank for rank in range(comm.size) if rank != comm.rank]
        requests = [comm.isend([1.0] * 20, dest=other) for _ in range(10) for other in others]
        if comm.rank > 0:
            requests.append(second.isend(1, dest=0))
        return len(requests)

    for _ in range(2):
        assert checks.on_ranks(answer, 4) == [30, 31, 31, 31]


def test_ranks_that_cannot_start_are_not_blamed_on_the_reader(monkeypatch):
    def refuse(*args, **kwargs):
        raise parallel.ClusterError("no mpiexec")

    monkeypatch.setattr(parallel, "run_ranks", refuse)
    with pytest.raises(parallel.ClusterError, match="no mpiexec"):
        checks.on_ranks(lambda comm: 1, 2)
