"""Ranks that fall silent, and workers of several ranks. (Ranks that are killed: test_checkpoint.)"""

import time

import pytest

from efficient_ai import parallel
from efficient_ai.propulate import (
    Float,
    Islands,
    Isolated,
    Space,
    default_propagator,
    evolve,
    evolve_generations,
)

pytestmark = pytest.mark.mpi

SPACE = Space({"x": Float(-5, 5), "y": Float(-5, 5)})


def sphere(genes):
    return genes["x"] ** 2 + genes["y"] ** 2


class Stuck:
    """Like the sphere, but the third evaluation of rank 2 takes far longer than anybody's patience."""

    def __init__(self, rank):
        self.left = 3 if rank == 2 else -1

    def __call__(self, genes):
        self.left -= 1
        time.sleep(5.0 if self.left == 0 else 0.02)
        return sphere(genes)


def silent_rank(comm):
    """The asynchronous run, then the synchronous one, then one in which all is well, on one communicator."""
    breed, common = default_propagator(SPACE, 8), {"evaluations": 40, "seed": 0}
    return (
        evolve(comm, SPACE, Stuck(comm.rank), breed, patience=1.0, **common),
        evolve_generations(comm, SPACE, Stuck(comm.rank), breed, patience=1.0, **common),
        evolve(comm, SPACE, sphere, breed, patience=20.0, **common),
    )


def test_a_silent_rank_hangs_nobody():
    runs = parallel.run_ranks(silent_rank, 3)
    without, stopped, well = zip(*runs, strict=True)
    for run in without[:2]:
        assert run.lost == (2,) and run.reason == "evaluations"
        counts = [sum(ind.rank == rank for ind in run.individuals) for rank in range(3)]
        assert counts[2] == 2 and sum(counts) >= 39, "the others do all but the evaluation that does not end"
    assert without[0].individuals == without[1].individuals
    assert without[2].lost == () and len(without[2].individuals) >= 40, "the lost one finds the others' mail"
    for run in stopped[:2]:
        assert run.reason == "lost" and run.lost == (2,)
        assert len(run.individuals) == 3 * 3 - 1, "without all there is no next generation"
    for run in well:
        assert run.lost == () and run.individuals == well[0].individuals
        assert all(ind.loss == sphere(SPACE.as_dict(ind.genes)) for ind in run.individuals)
        names = sorted(ind.name for ind in run.individuals)
        assert len(set(names)) == len(names) >= 40, "late words about the earlier runs are dropped"


def one_island_is_through(comm):
    """Two islands of one rank; the second works on for far longer than the patience of the first."""

    def evaluate(genes):
        time.sleep(0.2 if comm.rank else 0.0)
        return sphere(genes)

    breed = default_propagator(SPACE, 4)
    islands = Islands(2, probability=0.0)
    return evolve(comm, SPACE, evaluate, breed, evaluations=40, seed=0, islands=islands, patience=1.5)


def test_who_still_works_on_another_island_is_not_lost():
    for run in parallel.run_ranks(one_island_is_through, 2):
        assert run.lost == () and len(run.individuals) == 20 and run.best.loss <= run.individuals[0].loss


# -- workers of several ranks -----------------------------------------------------------------------------------------


def together(genes, team):
    """Each rank takes one coordinate; a meeting of the team, and failures on one rank only."""
    if genes["x"] > 4 and team.rank == 1:
        raise ValueError("does not converge")
    mine = genes["y"] if team.rank else genes["x"]
    return sum(team.allgather(mine**2)) if genes["x"] <= 4 else 0.0


def teams(comm):
    told, breed = [], default_propagator(SPACE, 4)
    for wrong in (
        {"ranks_per_worker": 3},
        {"ranks_per_worker": 0},
        {"ranks_per_worker": 2, "evaluations": 1},
    ):
        with pytest.raises(ValueError) as refused:
            evolve(comm, SPACE, together, breed, **{"seed": 0, "evaluations": 40} | wrong)
        told.append(str(refused.value))
    with pytest.raises(ValueError, match="isolated"):
        evolve(comm, SPACE, Isolated(together), breed, seed=0, evaluations=40, ranks_per_worker=2)
    return told, evolve(comm, SPACE, together, breed, seed=0, evaluations=200, ranks_per_worker=2)


def test_ranks_evaluate_together():
    results = parallel.run_ranks(teams, 4)
    for told, run in results:
        expected = "workers of ranks_per_worker=3", "workers of ranks_per_worker=0", "each of the 2 ranks"
        assert all(part in text for part, text in zip(expected, told, strict=True))
        assert run.individuals == results[0][1].individuals
        assert {ind.rank for ind in run.individuals} == {0, 1} and run.workers == 2
        for ind in run.individuals:
            x, y = ind.genes
            if x > 4:
                assert ind.error == "RuntimeError: rank 1 of the worker: ValueError: does not converge"
            else:
                assert ind.loss == x**2 + y**2
        assert any(ind.error for ind in run.individuals)
    assert results[0][1] == results[1][1] and results[2][1] == results[3][1], "a worker has one result"
