"""Particle swarms on the runtime: laws of motion, walls, and no memory outside of the population."""

from random import Random

import numpy as np
import pytest

from efficient_ai import parallel
from efficient_ai.propulate import (
    FUNCTIONS,
    Choice,
    Float,
    Individual,
    Integer,
    Population,
    Space,
    cma_es,
    evolve,
    pso,
    simulate,
)

LINE = Space({"x": Float(0, 10), "y": Float(-1, 1)})


def known(*points, losses=None):
    losses = losses or [0.0] * len(points)
    return Population(
        Individual(p, loss, 0, i) for i, (p, loss) in enumerate(zip(points, losses, strict=True))
    )


def test_without_pulls_a_particle_coasts():
    coast = pso(LINE, inertia=0.5, cognitive=0, social=0)
    assert coast(known((2.0, 0.0), (4.0, 0.2)), Random(0)) == pytest.approx((5.0, 0.3))


def test_a_wall_absorbs():
    """It stops at the wall, and what it really moved is its velocity: the next step is not into the wall again."""
    coast = pso(LINE, inertia=1.0, cognitive=0, social=0)
    at_wall = coast(known((5.0, 0.0), (9.0, 0.0)), Random(0))
    assert at_wall == (10.0, pytest.approx(0.0))
    x, _ = coast(known((5.0, 0.0), (9.0, 0.0), at_wall), Random(0))
    assert x == 10.0
    assert pso(LINE, inertia=0.0, cognitive=0, social=0)(known((9.0, 0.0), at_wall), Random(0)) == at_wall


def test_pulls_are_uniform_between_none_and_twice_the_way():
    """At rest, own best at x = 4 and none better: two uniform pulls, each over the distance 5 to the left."""
    pull = pso(LINE, inertia=0.0, cognitive=1.0, social=1.0)
    population = known((4.0, 0.0), (9.0, 0.0), losses=[0.0, 1.0])
    rng = Random(0)
    moved = np.array([9.0 - pull(population, rng)[0] for _ in range(4000)])
    assert moved.mean() == pytest.approx(5.0, rel=0.03)
    assert moved.std() == pytest.approx(
        5 * (1 / 6) ** 0.5, rel=0.1
    )  # a little less: the wall at 0 absorbs some


def test_each_particle_follows_its_own_rank_and_the_common_best():
    population = Population(
        [
            Individual((1.0, 0.0), 3.0, 0, 0), Individual((1.0, 0.0), 3.0, 0, 1),
            Individual((9.0, 0.0), 1.0, 1, 0), Individual((8.0, 0.0), 2.0, 1, 1),
        ]
    )  # fmt: skip
    population.rank = 0
    follow = pso(LINE, inertia=0.0, cognitive=0.0, social=1.0)
    assert 1.0 <= follow(population, Random(0))[0] <= 9.0
    assert pso(LINE, inertia=0.0, cognitive=1.0, social=0.0)(population, Random(0)) == pytest.approx(
        (1.0, 0.0)
    )
    population.rank = 1
    coast = pso(LINE, inertia=1.0, cognitive=0.0, social=0.0)
    assert coast(population, Random(0)) == pytest.approx((7.0, 0.0))
    population.rank = 2  # has no particle yet
    assert LINE.contains(coast(population, Random(0)))


def test_variants():
    constricted = pso(LINE, "constriction")
    assert constricted.inertia == pytest.approx(0.72984, abs=1e-5)
    assert constricted.cognitive == constricted.social == pytest.approx(1.49618, abs=1e-5)
    assert [pso(LINE, v).clamping for v in ("clamped", "canonical")] == [0.6, 1.0]
    fast = pso(LINE, inertia=10.0, cognitive=0, social=0, clamping=0.1)
    assert fast(known((2.0, 0.0), (4.0, 0.0)), Random(0)) == pytest.approx((5.0, 0.0))


@pytest.mark.parametrize("variant", ["inertia", "clamped", "constriction", "canonical"])
def test_a_swarm_contracts_to_the_minimum(variant):
    sphere = FUNCTIONS["sphere"].shifted(1.3)
    runs = [
        simulate(sphere.space, sphere, pso(sphere.space, variant), workers=10, evaluations=1000, seed=seed)
        for seed in range(3)
    ]
    assert max(run.best.loss for run in runs) < 1e-5
    assert all(sphere.space.contains(ind.genes) for ind in runs[0].individuals)


def test_one_swarm_object_serves_many_runs():
    """State would leak from one run into the next."""
    f = FUNCTIONS["rastrigin"]
    shared = pso(f.space)
    runs = [
        simulate(f.space, f, swarm, workers=5, evaluations=100, seed=seed).individuals
        for seed, swarm in ((1, shared), (2, shared), (1, pso(f.space)), (2, pso(f.space)))
    ]
    assert runs[:2] == runs[2:]


def test_mixed_spaces_work():
    space = Space({"n": Integer(0, 9), "c": Choice("a", "b", "c"), "x": Float(-1, 1)})
    run = simulate(
        space, lambda g: abs(g["n"] - 7) + (g["c"] != "b") + g["x"] ** 2, pso(space), workers=10,
        evaluations=400, seed=0,
    )  # fmt: skip
    assert all(space.contains(ind.genes) for ind in run.individuals)
    assert run.best.loss < 1


@pytest.mark.parametrize(
    "bad",
    [
        {"variant": "fast"}, {"variant": "constriction", "cognitive": 1.0}, {"cognitive": -1.0}, {"clamping": 0.0},
    ],
)  # fmt: skip
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError):
        pso(LINE, **bad)


def swarm_and_cma_on_ranks(comm):
    f = FUNCTIONS["sphere"].shifted(1.3)
    return [
        evolve(comm, f.space, f, propagate, evaluations=600, seed=0)
        for propagate in (pso(f.space), cma_es(f.space))
    ]


@pytest.mark.mpi
def test_swarms_and_cma_es_run_on_mpi_ranks():
    swarm, cma = zip(*parallel.run_ranks(swarm_and_cma_on_ranks, 4), strict=True)
    for runs in (swarm, cma):
        assert all(run.individuals == runs[0].individuals for run in runs)
    # Four particles often settle early, and where depends on who was faster: no bound on their loss is safe.
    first = min(one.loss for one in swarm[0].individuals if one.generation == 0)
    assert swarm[0].best.loss < first and cma[0].best.loss < 1e-8
