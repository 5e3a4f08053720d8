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
    Islands,
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
            SPACE, lambda g: 0.0, BREED, workers=workers, evaluations=12_000, seed=0,
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


def with_islands(seed, **settings):
    islands = Islands(**{"sizes": (3, 2, 4), "topology": [[0, 1, 2], [1, 0, 0], [0, 3, 0]]} | settings)
    return simulate(
        SPACE, lambda g: loss({**g, "x": 0.8 * g["x"]}), default_propagator(SPACE, 6), workers=9, evaluations=180,
        seed=seed, seconds=exponential, delay=0.4 * (seed % 3), islands=islands,
    )  # fmt: skip


def test_migrants_live_on_exactly_one_island():
    """Thirty schedules, a third of them without delay: nobody is lost on the way and nobody is in two places."""
    travelled = 0
    for seed in range(30):
        run = with_islands(seed)
        places = Counter(ind.name for island in run.active for ind in island)
        assert set(places.values()) == {1} and set(places) == {ind.name for ind in run.individuals}
        assert len(run.individuals) == 180
        travelled += len(run.moves)
    assert travelled > 30 * 40


def test_every_copy_replaces_one():
    """Births and arrivals on an island, minus one for each arrival, are still active."""
    copies = 0
    for seed in range(30):
        run = with_islands(seed, pollination=True)
        births = Counter(ind.island for ind in run.individuals)
        assert [len(island) for island in run.active] == [births[i] for i in range(3)] == [60, 40, 80]
        copies += sum(ind.island != i for i, island in enumerate(run.active) for ind in island)
    assert copies > 30 * 10


def test_moves_follow_the_topology():
    for pollination in (False, True):
        run = with_islands(1, pollination=pollination)
        assert {(move.origin, move.target) for move in run.moves} == {(0, 1), (0, 2), (1, 0), (2, 1)}
        assert [move.time for move in run.moves] == sorted(move.time for move in run.moves)


@pytest.mark.parametrize("pollination", [False, True])
def test_islands_that_send_nothing_are_runs_of_their_own(pollination):
    assert not with_islands(3, probability=0.0, pollination=pollination).moves
    apart = with_islands(3, topology=[[0] * 3] * 3, pollination=pollination)
    alone = simulate(
        SPACE, lambda g: loss({**g, "x": 0.8 * g["x"]}), default_propagator(SPACE, 6), workers=3, evaluations=60,
        seed=3, seconds=exponential,
    )  # fmt: skip
    assert list(apart.active[0]) == alone.individuals and not apart.moves


def test_one_island_is_none_and_its_active_are_all():
    runs = [
        simulate(SPACE, loss, BREED, workers=4, evaluations=60, seed=2, seconds=exponential, islands=islands)
        for islands in (None, 1, Islands(1, pollination=True))
    ]
    assert runs[0] == runs[1] == runs[2] and list(runs[0].active[0]) == runs[0].individuals


def test_travellers_breed_where_they_arrive():
    """One island of two searches where the loss is small; the other hears of it by mail only."""

    def lame(genes, worker, rng):
        return 1.0

    space = Space({"x": Float(0, 1)})
    run = simulate(
        space, lambda g: g["x"], default_propagator(space, 2, mutation=0.0, random_share=0.0, sigma=1e-6),
        workers=2, evaluations=60, seed=0, seconds=lame, islands=Islands(2, probability=1.0, pollination=True),
    )  # fmt: skip
    apart = [min(ind.loss for ind in run.individuals if ind.island == i) for i in range(2)]
    assert max(apart) - min(apart) < 1e-3
    first = [
        min(ind.loss for ind in run.individuals if ind.island == i and ind.generation < 2) for i in range(2)
    ]
    assert max(first) - min(first) > 1e-2


def test_synchronous_islands_are_refused():
    with pytest.raises(ValueError, match="asynchronous"):
        simulate(SPACE, loss, BREED, workers=4, evaluations=8, seed=0, synchronous=True, islands=2)
    with pytest.raises(ValueError, match="need 5 workers, there are 4"):
        simulate(SPACE, loss, BREED, workers=4, evaluations=8, seed=0, islands=Islands((2, 3)))
