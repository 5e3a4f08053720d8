"""Evaluations that hang, crash or exit: the candidate fails, the rank goes on, and nothing is left behind."""

import ctypes
import math
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from efficient_ai import parallel
from efficient_ai.propulate import Float, Isolated, Space, default_propagator, evolve

SPACE = Space({"x": Float(-5, 5)})


class NotSendable(Exception):
    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def treacherous(genes):
    """What happens depends on the gene."""
    x = genes["x"]
    if x == 1:
        time.sleep(60)
    if x == 2:
        ctypes.string_at(0)  # a segmentation fault
    if x == 3:
        os._exit(7)
    if x == 4:
        raise ValueError("does not converge")
    if x == 5:
        sys.exit("enough")
    if x == 6:
        raise NotSendable("this", "that")
    return x**2 if x != 7 else os.getpid()


@pytest.fixture(scope="module")
def isolated():
    with Isolated(treacherous, time_limit=2.0) as evaluate:
        yield evaluate


@pytest.mark.parametrize(
    "x, error, message",
    [
        (1, TimeoutError, "no result after 2 s; the evaluation was killed"),
        (2, ChildProcessError, "was killed by SIGSEGV"),
        (3, ChildProcessError, "ended with exit status 7"),
        (4, ValueError, "^does not converge$"),
        (5, RuntimeError, "SystemExit: enough"),
        (6, RuntimeError, "NotSendable: this and that"),
    ],
)
def test_what_goes_wrong_is_told_and_the_next_one_is_fine(isolated, x, error, message):
    with pytest.raises(error, match=message):
        isolated({"x": x})
    assert isolated({"x": -3.0}) == 9.0


def test_one_process_serves_until_it_has_to_be_replaced(isolated):
    first, again = isolated({"x": 7}), isolated({"x": 7})
    with pytest.raises(ChildProcessError):
        isolated({"x": 3})
    assert first == again != os.getpid() and isolated({"x": 7}) != first


def with_offspring(genes):
    return subprocess.Popen(["sleep", "60"]).pid if genes["x"] else time.sleep(60)


def test_what_a_killed_evaluation_has_started_is_killed_too():
    with Isolated(with_offspring, time_limit=1.0) as evaluate:
        pid = int(evaluate({"x": 1}))
        assert psutil.pid_exists(pid)
        with pytest.raises(TimeoutError):
            evaluate({"x": 0})
        gone(pid)


def gone(pid, limit=20.0):
    end = time.monotonic() + limit
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.02)


OWNER = """
import os, sys, time
from efficient_ai.propulate import Isolated
evaluate = Isolated(lambda genes: os.getpid() if genes else time.sleep(600))
print(int(evaluate({1: 1})), flush=True)
evaluate({})
"""


def test_the_process_dies_with_a_killed_owner():
    """In the middle of an evaluation, when it does not listen."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True, env=environment
    )
    pid = int(owner.stdout.readline())
    time.sleep(0.2)  # now it sleeps
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    gone(pid)
    owner.stdout.close()


class CannotBeLoaded:
    def __reduce__(self):
        return exec, ("raise KeyError('no such data set')",)


def test_what_cannot_be_loaded_is_refused_at_the_start():
    with pytest.raises(RuntimeError, match="cannot be loaded") as refused, Isolated(CannotBeLoaded()):
        pass
    assert "no such data set" in str(refused.value.__cause__)


@pytest.mark.parametrize("limit", [0, -1.0, math.nan])
def test_a_limit_that_makes_no_sense_is_refused(limit):
    with pytest.raises(ValueError, match="time_limit"):
        Isolated(treacherous, time_limit=limit)


def own_world(genes):
    from mpi4py import MPI

    if genes["x"] > 3.5:
        time.sleep(60)
    if genes["x"] < -3.5:
        os.kill(os.getpid(), signal.SIGKILL)
    return genes["x"] ** 2 + 100 * (MPI.COMM_WORLD.size - 1)


def search(comm):
    with Isolated(own_world, time_limit=0.5) as evaluate:
        return evolve(comm, SPACE, evaluate, default_propagator(SPACE, 8), evaluations=14, seed=3)


@pytest.mark.mpi
def test_a_search_survives_evaluations_that_hang_and_die():
    first, second = parallel.run_ranks(search, 2)
    assert first.individuals == second.individuals and not first.lost
    for ind in first.individuals:
        x = ind.genes[0]
        assert ("TimeoutError" in ind.error) == (x > 3.5) and ("SIGKILL" in ind.error) == (x < -3.5)
        assert ind.loss == (math.inf if ind.error else x**2), "MPI in there is a world of size one"
    assert sum(bool(ind.error) for ind in first.individuals) >= 2


def slow_on_one_rank(comm):
    """The last evaluation of rank 1 takes far longer than the patience of rank 0, and may."""
    rank, left = comm.rank, [3]

    def evaluate(genes):
        left[0] -= 1
        time.sleep(8.0 if rank == 1 and left[0] == 0 else 0.05)
        return genes["x"] ** 2

    with Isolated(evaluate, time_limit=60) as isolated:
        return evolve(
            comm, SPACE, isolated, default_propagator(SPACE, 8), evaluations=30, seed=0, patience=3.0
        )


@pytest.mark.mpi
def test_a_rank_whose_isolated_evaluation_takes_long_is_not_lost():
    runs = parallel.run_ranks(slow_on_one_rank, 2)
    assert [run.lost for run in runs] == [(), ()] and runs[0].individuals == runs[1].individuals
    assert sum(ind.seconds > 8 for ind in runs[0].individuals) == 1


def stuck_on_one_rank(comm):
    rank, left = comm.rank, [3]

    def evaluate(genes):
        left[0] -= 1
        time.sleep(600.0 if rank == 1 and left[0] == 0 else 0.05)
        return genes["x"] ** 2

    with Isolated(evaluate) as isolated:
        return evolve(
            comm, SPACE, isolated, default_propagator(SPACE, 8), evaluations=30, seed=0, patience=3.0
        )


@pytest.mark.mpi
def test_an_isolated_evaluation_without_a_limit_that_outlasts_patience_is_a_hang():
    runs = parallel.run_ranks(stuck_on_one_rank, 2)
    assert runs[0].individuals and sum("TimeoutError" in ind.error for ind in runs[1].individuals) == 1
