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


def on_four_ranks(comm):
    return {
        "evaluated": [len(search(comm, evaluations=n).individuals) for n in range(4, 24)],
        "time": (search(comm, nap=0.03, seconds=0.4), search(comm, seconds=1e-9)),
        "target": [search(comm, nap=0.002, target=0.5, seconds=30, islands=islands) for islands in (None, 2)],
    }


@pytest.fixture(scope="module")
def results():
    return parallel.run_ranks(on_four_ranks, 4)


def test_the_budget_is_never_missed(results):
    """Two ranks that stop at the same time must not count on each other's next evaluation."""
    for evaluations, evaluated in zip(range(4, 24), results[0]["evaluated"], strict=True):
        assert evaluated >= evaluations


def test_no_evaluation_begins_after_the_time_is_up(results):
    for run, tiny in (result["time"] for result in results):
        assert run.reason == tiny.reason == "seconds" and len(run.individuals) > 4
        assert max(ind.started for ind in run.individuals) < 5 and run.seconds >= 0.4
        assert sorted(ind.name for ind in tiny.individuals) == [(rank, 0) for rank in range(4)], (
            "one per rank at least"
        )


def test_all_ranks_stop_once_the_target_is_reached(results):
    for runs in zip(*(result["target"] for result in results), strict=True):
        reached = min(ind.finished for run in runs for ind in run.individuals if ind.loss <= 0.5)
        for run in runs:
            assert run.reason == "target" and run.best.loss <= 0.5 and run.best == runs[0].best
            assert max(ind.started for ind in run.individuals) < reached + 5 < 30


def refusals(comm):
    told = []
    wrong = {}, {"seconds": 0}, {"evaluations": 1}, {"evaluations": 4, "patience": 0}
    only_here = {"evaluations": 0 if comm.rank == 1 else 10}
    for criteria in (*wrong, only_here):
        with pytest.raises(ValueError) as refused:
            search(comm, **criteria)
        told.append(str(refused.value))
    return told, search(comm, evaluations=20, seconds=60, target=-1.0)


def test_criteria_that_make_no_sense_are_refused_by_all_ranks():
    """Also if they make no sense on one rank only: then none starts."""
    expected = (
        "when should the run stop",
        "must be positive",
        "each of the 2 ranks",
        "patience=0",
        "evaluations=0",
    )
    for told, run in parallel.run_ranks(refusals, 2, timeout=30):
        for text, part in zip(told, expected, strict=True):
            assert part in text
        assert run.reason == "evaluations" and len(run.individuals) >= 20, "the first criterion that is met"
