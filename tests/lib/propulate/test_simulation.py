"""The simulated clock runs the same algorithm as the MPI ranks."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from efficient_ai import parallel
from efficient_ai.propulate import (
    Choice,
    Float,
    Integer,
    LogFloat,
    Space,
    default_propagator,
    evolve,
    expected_maximum,
    simulate,
)

SPACE = Space({"x": Float(-5, 5), "n": Integer(-5, 5), "r": LogFloat(1e-3, 1), "c": Choice("a", "b")})
BREED = default_propagator(SPACE, 8)


def loss(genes):
    if genes["x"] > 4:
        raise ValueError("does not converge")
    return genes["x"] ** 2 + genes["n"] ** 2 + genes["r"] + (genes["c"] == "a")


def exponential(genes, worker, rng):
    return rng.expovariate(1.0)


def on_one_rank(comm):
    return evolve(comm, SPACE, loss, BREED, evaluations=150, seed=7)


@pytest.mark.mpi
def test_one_simulated_worker_is_one_mpi_rank():
    """Bit for bit: the same genes, losses and errors in the same order, with or without generations."""
    real = parallel.run_ranks(on_one_rank, 1)[0]
    for synchronous in (False, True):
        run = simulate(
            SPACE, loss, BREED, workers=1, evaluations=150, seed=7, seconds=exponential, synchronous=synchronous, delay=0.3
        )  # fmt: skip
        same = [
            (ind.genes, ind.loss, ind.rank, ind.generation, ind.known, ind.error) for ind in run.individuals
        ]
        assert same == [
            (ind.genes, ind.loss, ind.rank, ind.generation, ind.known, ind.error) for ind in real.individuals
        ]


@pytest.mark.parametrize("synchronous", [False, True])
@pytest.mark.parametrize("delay", [0.0, 0.5])
def test_a_run_repeats_itself_and_uses_its_budget(synchronous, delay):
    def run(seed):
        return simulate(
            SPACE, loss, BREED, workers=7, evaluations=100, seed=seed, seconds=exponential,
            synchronous=synchronous, delay=delay,
        )  # fmt: skip

    first = run(1)
    assert first.individuals == run(1).individuals != run(2).individuals
    assert len({ind.name for ind in first.individuals}) == len(first.individuals) == 100
    for rank in range(7):  # one thing at a time, and no generation is missing
        mine = sorted((ind for ind in first.individuals if ind.rank == rank), key=lambda ind: ind.generation)
        assert [ind.generation for ind in mine] == list(range(len(mine)))
        assert all(a.finished <= b.started for a, b in pairwise(mine))


def test_who_knows_what():
    """A worker breeds from its own results and from those of others whose message has arrived, and from nothing else."""
    run = simulate(
        SPACE, loss, BREED, workers=5, evaluations=200, seed=3, seconds=exponential, delay=0.7
    ).individuals
    for ind in run:
        own = sum(o.rank == ind.rank and o.generation < ind.generation for o in run)
        heard = sum(o.rank != ind.rank and o.finished + 0.7 <= ind.started for o in run)
        assert ind.known == own + heard


def test_without_delay_all_that_has_ended_is_known():
    run = simulate(SPACE, loss, BREED, workers=5, evaluations=200, seed=3, seconds=exponential).individuals
    assert all(ind.known == sum(o.finished <= ind.started for o in run) for ind in run)


def test_a_short_delay_is_nearly_none():
    """One shared population or one per worker: the same run while no message is late."""
    runs = [
        simulate(SPACE, loss, BREED, workers=6, evaluations=120, seed=5, seconds=exponential, delay=delay)
        for delay in (0.0, 1e-12)
    ]
    assert runs[0].individuals == runs[1].individuals


@pytest.mark.parametrize("workers", [4, 16])
def test_waiting_costs_what_theory_says(workers):
    def run(synchronous):
        return simulate(
            SPACE, lambda g: 0.0, BREED, workers=workers, evaluations=1000 * workers, seed=0,
            seconds=exponential, synchronous=synchronous,
        )  # fmt: skip

    free, waiting = run(False), run(True)
    assert free.utilisation == pytest.approx(1, abs=1e-9)
    assert waiting.seconds / free.seconds == pytest.approx(expected_maximum(workers, 1.0), rel=0.03)
    assert waiting.utilisation == pytest.approx(1 / expected_maximum(workers, 1.0), rel=0.03)


def test_a_straggler_holds_up_nobody():
    def slow(genes, worker, rng):
        return 20.0 if worker == 0 else 1.0

    run = simulate(SPACE, loss, BREED, workers=4, evaluations=244, seed=0, seconds=slow)
    counts = Counter(ind.rank for ind in run.individuals)
    assert counts[0] * 15 < min(counts[1], counts[2], counts[3])
    together = simulate(
        SPACE, loss, BREED, workers=4, evaluations=244, seed=0, seconds=slow, synchronous=True
    )
    assert set(Counter(ind.rank for ind in together.individuals).values()) == {61}
    assert together.seconds == 61 * 20 > 12 * run.seconds


def test_times_come_from_the_evaluation():
    run = simulate(
        SPACE, lambda g: (g["x"] ** 2, 2.5), BREED, workers=2, evaluations=9, seed=0, synchronous=True
    )
    assert run.seconds == 5 * 2.5 and {ind.seconds for ind in run.individuals} == {2.5}
    finished, best = run.progress()
    assert finished.tolist() == sorted(finished) and (np.diff(best) <= 0).all() and best[-1] == run.best.loss
    assert run.seconds_to(run.best.loss) == run.best.finished and math.isinf(run.seconds_to(-1))


def test_failures_are_results():
    run = simulate(
        SPACE, loss, default_propagator(SPACE, 2, random_share=1.0), workers=3, evaluations=200, seed=1
    )
    failed = [ind for ind in run.individuals if ind.error]
    assert failed and all(math.isinf(ind.loss) and ind.genes[0] > 4 for ind in failed)
    nan = simulate(SPACE, lambda g: math.nan, BREED, workers=3, evaluations=9, seed=1)
    assert {(ind.loss, ind.error) for ind in nan.individuals} == {(math.inf, "the loss is NaN")}


@pytest.mark.parametrize(
    "bad",
    [{"workers": 0}, {"evaluations": 0}, {"delay": -1.0}, {"seconds": lambda *_: 0.0}, {"delay": math.nan}],
)
def test_bad_arguments_are_refused(bad):
    with pytest.raises(ValueError):
        simulate(SPACE, loss, BREED, **({"workers": 2, "evaluations": 4, "seed": 0} | bad))
