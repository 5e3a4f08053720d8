"""When a run ends: its budget, its time, its target."""

import time

import pytest

from efficient_ai import parallel
from efficient_ai.propulate import Float, Space, default_propagator, evolve

pytestmark = pytest.mark.mpi

SPACE = Space({"x": Float(-5, 5), "y": Float(-5, 5)})


def sphere(genes):
    return genes["x"] ** 2 + genes["y"] ** 2


def search(comm, nap=0.0, **criteria):
    def evaluate(genes):
        time.sleep(nap)
        return sphere(genes)

    return evolve(comm, SPACE, evaluate, default_propagator(SPACE, 8), seed=0, **criteria)


def small_budgets(comm):
    return [len(search(comm, evaluations=evaluations).individuals) for evaluations in range(4, 24)]


def test_the_budget_is_never_missed():
    """Two ranks that stop at the same time must not count on each other's next evaluation."""
    for evaluations, evaluated in zip(range(4, 24), parallel.run_ranks(small_budgets, 4)[0], strict=True):
        assert evaluations <= evaluated <= evaluations + 20


def test_no_evaluation_begins_after_the_time_is_up():
    for run in parallel.run_ranks(search, 2, nap=0.03, seconds=0.4):
        assert run.reason == "seconds" and len(run.individuals) > 4
        assert max(ind.started for ind in run.individuals) < 0.4 < run.seconds + 0.03


@pytest.mark.parametrize("islands", [None, 2])
def test_all_ranks_stop_once_the_target_is_reached(islands):
    runs = parallel.run_ranks(search, 4, nap=0.002, target=0.5, seconds=30, islands=islands)
    reached = min(ind.finished for run in runs for ind in run.individuals if ind.loss <= 0.5)
    for run in runs:
        assert run.reason == "target" and run.best.loss <= 0.5 and run.best == runs[0].best
        assert max(ind.started for ind in run.individuals) < reached + 5 < 30


def test_the_first_criterion_that_is_met_ends_the_run():
    run = parallel.run_ranks(search, 1, evaluations=20, seconds=60, target=-1.0)[0]
    assert run.reason == "evaluations" and len(run.individuals) == 20


def test_a_tiny_time_still_evaluates_one_candidate_per_rank():
    run = parallel.run_ranks(search, 2, seconds=1e-9)[0]
    assert sorted(ind.name for ind in run.individuals) == [(0, 0), (1, 0)]


@pytest.mark.parametrize(
    "criteria, message",
    [
        ({}, "when should the run stop"),
        ({"seconds": 0}, "must be positive"),
        ({"evaluations": 1}, "each of the 2 ranks"),
        ({"evaluations": 4, "patience": 0}, "patience=0"),
    ],
)
def test_criteria_that_make_no_sense_are_refused(criteria, message):
    with pytest.raises(parallel.RankError, match=message):
        parallel.run_ranks(search, 2, timeout=20, **criteria)


def one_rank_is_wrong(comm):
    try:
        search(comm, evaluations=0 if comm.rank == 1 else 10)
    except ValueError as error:
        return str(error)


def test_if_one_rank_cannot_start_none_does():
    assert all("evaluations=0" in told for told in parallel.run_ranks(one_rank_is_wrong, 3, timeout=20))
