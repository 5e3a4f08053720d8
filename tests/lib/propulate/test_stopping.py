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


def budgets(comm):
    return [len(search(comm, evaluations=evaluations).individuals) for evaluations in range(4, 24)]


def test_the_budget_is_never_missed():
    """Two ranks that stop at the same time must not count on each other's next evaluation."""
    for evaluations, evaluated in zip(range(4, 24), parallel.run_ranks(budgets, 4)[0], strict=True):
        assert evaluated >= evaluations


def times(comm):
    return search(comm, nap=0.03, seconds=0.4), search(comm, seconds=1e-9)


def test_no_evaluation_begins_after_the_time_is_up():
    for run, tiny in parallel.run_ranks(times, 2):
        assert run.reason == tiny.reason == "seconds" and len(run.individuals) > 4
        assert max(ind.started for ind in run.individuals) < 5 and run.seconds >= 0.4
        assert sorted(ind.name for ind in tiny.individuals) == [(0, 0), (1, 0)], (
            "one candidate per rank at least"
        )


def targets(comm):
    return [search(comm, nap=0.002, target=0.5, seconds=30, islands=islands) for islands in (None, 2)]


def test_all_ranks_stop_once_the_target_is_reached():
    for runs in zip(*parallel.run_ranks(targets, 4), strict=True):
        reached = min(ind.finished for run in runs for ind in run.individuals if ind.loss <= 0.5)
        for run in runs:
            assert run.reason == "target" and run.best.loss <= 0.5 and run.best == runs[0].best
            assert max(ind.started for ind in run.individuals) < reached + 5 < 30


def first_of_three(comm):
    return search(comm, evaluations=20, seconds=60, target=-1.0)


def test_the_first_criterion_that_is_met_ends_the_run():
    run = parallel.run_ranks(first_of_three, 1)[0]
    assert run.reason == "evaluations" and len(run.individuals) == 20


def refusals(comm):
    told = []
    wrong = {}, {"seconds": 0}, {"evaluations": 1}, {"evaluations": 4, "patience": 0}
    only_here = {"evaluations": 0 if comm.rank == 1 else 10}
    for criteria in (*wrong, only_here):
        with pytest.raises(ValueError) as refused:
            search(comm, **criteria)
        told.append(str(refused.value))
    return told


def test_criteria_that_make_no_sense_are_refused_by_all_ranks():
    """Also if they make no sense on one rank only: then none starts."""
    expected = (
        "when should the run stop",
        "must be positive",
        "each of the 2 ranks",
        "patience=0",
        "evaluations=0",
    )
    for told in parallel.run_ranks(refusals, 2, timeout=20):
        for text, part in zip(told, expected, strict=True):
            assert part in text
