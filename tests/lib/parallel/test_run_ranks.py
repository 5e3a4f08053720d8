"""One-shot ranks: results, failures that name the rank, hangs that name the line, nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from efficient_ai.parallel import ClusterError, Hang, RankError, run_ranks

pytestmark = pytest.mark.mpi


def test_results_come_in_rank_order_and_share_one_world():
    def function(comm, offset, *, scale):
        return comm.rank, comm.size, comm.allreduce(comm.rank) * scale + offset

    assert run_ranks(function, 4, 1, scale=10) == [(rank, 4, 61) for rank in range(4)]


def test_a_world_of_one_and_arrays():
    (result,) = run_ranks(lambda comm, x: comm.allreduce(x), 1, np.arange(3.0))
    assert result.tolist() == [0.0, 1.0, 2.0]


def test_ranks_get_one_thread_each():
    assert run_ranks(lambda comm: os.environ["OMP_NUM_THREADS"], 1) == ["1"]


def test_output_is_printed_in_rank_order(capfd):
    def function(comm):
        time.sleep(0.1 * (2 - comm.rank))
        print("hello from", comm.rank)

    run_ranks(function, 2)
    assert capfd.readouterr().out == "hello from 0\nhello from 1\n"


def test_an_exception_names_its_rank_and_brings_the_others_down():
    def function(comm):
        if comm.rank == 1:
            raise KeyError("lost")
        comm.barrier()

    started = time.monotonic()
    with pytest.raises(RankError, match="rank 1: KeyError: 'lost'") as caught:
        run_ranks(function, 3, timeout=60)
    assert caught.value.rank == 1
    assert 'raise KeyError("lost")' in caught.value.traceback
    assert "_worker.py" not in caught.value.traceback
    assert time.monotonic() - started < 30, "the barrier of the others was waited for"


def test_a_rank_that_dies_by_a_signal_is_named():
    def function(comm):
        if comm.rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        comm.barrier()

    with pytest.raises(RankError, match=r"rank 1: died by signal 9 \(SIGKILL\)") as caught:
        run_ranks(function, 2)
    assert caught.value.rank == 1


def test_a_hang_tells_where_each_unfinished_rank_stands():
    def function(comm):
        if comm.rank == 0:
            comm.bcast(1, root=0)
            comm.barrier()
        elif comm.rank == 1:
            comm.recv(source=2)
        return "done"

    with pytest.raises(Hang) as caught:
        run_ranks(function, 3, timeout=4)
    assert sorted(caught.value.stacks) == [0, 1]
    assert caught.value.finished == [2]
    assert "comm.recv(source=2)" in caught.value.stacks[1]
    assert "_worker.py" not in str(caught.value)
    assert isinstance(caught.value, TimeoutError)


def test_nothing_is_left_when_the_caller_is_killed(tmp_path, wait_for):
    script = tmp_path / "caller.py"
    script.write_text(
        "import os, pathlib, sys, time\n"
        "from efficient_ai.parallel import run_ranks\n"
        "def function(comm, folder):\n"
        "    (pathlib.Path(folder) / f'pid-{comm.rank}').write_text(str(os.getpid()))\n"
        "    comm.barrier(); time.sleep(100)\n"
        "run_ranks(function, 2, sys.argv[1], timeout=90)\n"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)}
    caller = subprocess.Popen([sys.executable, script, tmp_path], env=env)
    files = [tmp_path / "pid-0", tmp_path / "pid-1"]
    wait_for(lambda: all(file.exists() and file.read_text() for file in files), 30)
    ranks = [psutil.Process(int(file.read_text())) for file in files]
    tree = psutil.Process(caller.pid).children(recursive=True)
    assert {rank.pid for rank in ranks} <= {process.pid for process in tree}
    caller.send_signal(signal.SIGKILL)
    caller.wait(10)
    wait_for(lambda: not any(process.is_running() for process in tree), 15)
    assert list(tmp_path.glob("ranks-*")) == []


def test_a_foreign_mpiexec_that_makes_worlds_of_one_is_refused(monkeypatch, tmp_path):
    foreign = tmp_path / "mpiexec"
    foreign.write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    foreign.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert run_ranks(lambda comm: comm.size, 2) == [2, 2], "the mpiexec of the environment comes before PATH"
    monkeypatch.setattr("efficient_ai.parallel._ranks.find_mpiexec", lambda: str(foreign))
    with pytest.raises(ClusterError, match="asked for 2 ranks in one world, but each saw a world of size 1"):
        run_ranks(lambda comm: comm.size, 2)


def test_ranks_that_do_not_start_say_why(monkeypatch):
    monkeypatch.setattr("efficient_ai.parallel._ranks._RANK_MAIN", "/nowhere/_rank_main.py")
    with pytest.raises(ClusterError, match="No such file"):
        run_ranks(lambda comm: 1, 2)


@pytest.mark.parametrize("n", [0, -1, 1.5])
def test_a_senseless_number_of_ranks_is_refused(n):
    with pytest.raises(ValueError, match="at least 1"):
        run_ranks(lambda comm: 1, n)


@pytest.mark.parametrize("timeout", [None, 0, float("inf")])
def test_a_wait_without_limit_is_refused(timeout):
    with pytest.raises(ValueError, match="positive number of seconds"):
        run_ranks(lambda comm: 1, 1, timeout=timeout)


def test_importing_the_package_does_not_start_mpi_in_this_process():
    code = "import sys, efficient_ai.parallel as p; assert 'mpi4py.MPI' not in sys.modules; p.CountingComm; assert 'mpi4py.MPI' in sys.modules"
    subprocess.run(
        [sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )


def die(comm):
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_ranks_leave_no_shared_memory():
    before = set(Path("/dev/shm").glob("mpich*"))
    with pytest.raises(RankError, match="SIGKILL"):
        run_ranks(die, 2)
    assert set(Path("/dev/shm").glob("mpich*")) <= before
