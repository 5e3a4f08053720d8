"""What a run promises: news reaches who is busy and passes who is; ranks search the same; failures are told; the budget holds."""

import bisect
import time

import numpy as np
import pytest

from efficient_ai import parallel
from efficient_ai.propulate import AllFailed, Choice, Float, Integer, Space, default_propagator, evolve

SPACE = Space({"x": Float(-5, 5)})

pytestmark = pytest.mark.mpi


def one_is_busy(comm):
    begun = time.perf_counter()

    def evaluate(genes):
        slow = comm.rank == 2 and time.perf_counter() - begun < 0.5
        time.sleep(4.0 if slow else 0.01)
        return genes["x"] ** 2

    run = evolve(comm, SPACE, evaluate, default_propagator(SPACE, 8), seed=1, evaluations=600)
    ended = sorted(individual.finished for individual in run.individuals)
    mine = [individual for individual in run.individuals if individual.rank == comm.rank]
    behind = [bisect.bisect(ended, individual.started) - individual.known for individual in mine]
    return len(run.individuals), max(behind[5:], default=0), run.lost


def test_a_busy_rank_makes_the_others_deaf_to_nobody():
    """Rank 2 computes for seconds; the others hear each other all the while, and it hears all before it goes on."""
    found = parallel.run_ranks(one_is_busy, 4, timeout=120)
    for rank, (evaluated, behind, lost) in enumerate(found):
        assert lost == () and 600 <= evaluated < 700, "deaf ranks would evaluate a thousand"
        if rank != 2:
            assert behind < 60, "a moment's mail, and not the seconds of rank 2"


def brief(comm, seconds):
    def evaluate(genes):
        time.sleep(seconds)
        return genes["x"] ** 2

    return len(
        evolve(comm, SPACE, evaluate, default_propagator(SPACE, 8), seed=1, evaluations=200).individuals
    )


@pytest.mark.parametrize("ranks", [2, 4])
def test_the_budget_is_never_missed_and_exceeded_by_at_most_what_ranks_begin_at_once(ranks):
    for evaluated in parallel.run_ranks(brief, ranks, 0.05, timeout=120):
        assert 200 <= evaluated <= 200 + 2 * ranks


def disagree(comm, what):
    rank = comm.rank
    space = Space(
        {"f": Choice("a", "b") if what != "order" or rank != 1 else Choice("b", "a"), "x": Float(0, 1)}
    )
    arguments = {"seed": 1, "evaluations": 40 if what != "budget" or rank != 1 else 41}
    if what == "islands":
        arguments["islands"] = 1 if rank else 2
    try:
        evolve(comm, space, lambda genes: 0.0, default_propagator(space, 4), **arguments)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(
    ("what", "said"), [("order", "gene 'f' is"), ("budget", "budget is"), ("islands", "islands is")]
)
def test_ranks_that_search_different_things_do_not_begin(what, said):
    told = parallel.run_ranks(disagree, 2, what)
    assert len(set(told)) == 1 and said in told[0] and "do not search the same" in told[0]


class Thing:
    """A category that nobody can send."""

    def __reduce__(self):
        raise TypeError("this cannot travel")


def things(comm):
    thing, table = Thing(), {"layers": [1, 2]}
    space = Space({"kind": Choice(thing, table, np.arange(3), abs, "plain"), "n": Integer(1.0, 5.0)})

    def evaluate(genes):
        assert type(genes["n"]) is int
        kinds = {"Thing": 3, "dict": 2, "ndarray": 1, "builtin_function_or_method": 0, "str": 4}
        return kinds[type(genes["kind"]).__name__] + genes["n"]

    run = evolve(comm, space, evaluate, default_propagator(space, 8), seed=1, evaluations=80)
    return [(space.genes[0].index(ind.genes[0]), ind.genes[1], ind.loss) for ind in run.individuals]


def test_categories_of_any_kind_come_back_as_what_was_evaluated():
    """They travel as numbers: no rank sends one, and each reads its own."""
    ours, theirs = parallel.run_ranks(things, 2)
    assert ours == theirs and len(ours) >= 80
    losses = {0: 3, 1: 2, 2: 1, 3: 0, 4: 4}
    assert all(loss == losses[kind] + n for kind, n, loss in ours)


def broken(comm, kind, failures):
    count = 0

    def evaluate(genes):
        nonlocal count
        count += 1
        time.sleep(0.02)
        if kind == "typo":
            return gens["x"]  # noqa: F821
        if kind == "sometimes" and genes["x"] > 0:
            raise RuntimeError("diverged")
        return float("-inf") if kind == "infinite" else genes["x"] ** 2

    try:
        run = evolve(
            comm, SPACE, evaluate, default_propagator(SPACE, 4), seed=1, evaluations=200, failures=failures
        )
        return count, run.reason, run.best.loss
    except AllFailed as error:
        return count, str(error), len(error.individuals)


@pytest.mark.parametrize(
    ("kind", "said"), [("typo", "NameError: name 'gens'"), ("infinite", "the loss is -inf")]
)
def test_an_objective_that_always_fails_stops_early_and_is_no_success(kind, said):
    for count, told, kept in parallel.run_ranks(broken, 2, kind, 3):
        assert said in told and "not one of" in told and 3 <= count <= 20 and kept >= 6


def test_failures_may_be_allowed_and_some_are_no_reason_to_stop():
    for count, told, _ in parallel.run_ranks(broken, 2, "typo", None):
        assert count > 50 and "not one of" in told
    for _, reason, best in parallel.run_ranks(broken, 2, "sometimes", 3):
        assert reason == "evaluations" and best < 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"evaluations": float("nan")}, "whole number"),
        ({"evaluations": 40.5}, "whole number"),
        ({"evaluations": "40"}, "whole number"),
        ({"evaluations": True}, "whole number"),
        ({"evaluations": 40, "islands": "2"}, "islands='2'"),
        ({"evaluations": 40, "islands": True}, "islands=True"),
        ({"evaluations": 40, "target": float("nan")}, "target=nan"),
        ({"evaluations": 40, "patience": float("nan")}, "patience=nan"),
        ({"evaluations": 40, "patience": "60"}, "patience='60'"),
        ({"evaluations": 40, "failures": 0}, "failures=0"),
        ({"seconds": float("nan")}, "seconds=nan"),
        ({"seconds": "3"}, "seconds='3'"),
    ],
)
def test_wrong_arguments_get_an_answer(arguments, said):
    from mpi4py import MPI

    with pytest.raises(ValueError, match=said):
        evolve(MPI.COMM_SELF, SPACE, lambda genes: 0.0, default_propagator(SPACE, 4), seed=1, **arguments)


def test_whole_numbers_are_whole():
    gene = Integer(1.0, 5.0)
    assert type(gene.low) is int and type(gene.from_unit([0.9])) is int and not gene.contains(True)
    with pytest.raises(ValueError, match="whole numbers"):
        Integer(1.5, 5)
