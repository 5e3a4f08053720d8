"""The optimiser on real MPI ranks: nobody waits, nothing is lost, everybody ends with the same."""

import math
import time
from statistics import median

import pytest

from efficient_ai import parallel
from efficient_ai.propulate import (
    Float,
    Individual,
    Run,
    Space,
    default_propagator,
    evolve,
    evolve_generations,
    ideal_utilisation,
)

pytestmark = pytest.mark.mpi

SPACE = Space({"x": Float(-5, 5), "y": Float(-5, 5)})


def sphere(genes):
    return genes["x"] ** 2 + genes["y"] ** 2


def search(comm, method=evolve, evaluations=80, seed=0, evaluate=sphere):
    return method(comm, SPACE, evaluate, default_propagator(SPACE, 8), evaluations=evaluations, seed=seed)


def search_both(comm):
    return search(comm, evolve), search(comm, evolve_generations)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_all_ranks_end_with_the_same_population(ranks):
    for runs in zip(*parallel.run_ranks(search_both, ranks), strict=True):
        first = runs[0].individuals
        assert all(run.individuals == first for run in runs)
        names = [(ind.rank, ind.generation) for ind in first]
        assert len(set(names)) == len(names) >= 80
        for rank in range(ranks):  # every rank took part and none of its generations is missing
            mine = sorted(generation for r, generation in names if r == rank)
            assert mine and mine == list(range(len(mine)))


def best_of_seeds(comm):
    return [search(comm, evaluations=200, seed=seed).best.loss for seed in range(5)]


@pytest.mark.parametrize("ranks", [1, 2])
def test_improves_on_random_search(ranks):
    """The best of 200 random points has an expected squared distance of 100 / (200 pi) = 0.16."""
    assert median(parallel.run_ranks(best_of_seeds, ranks)[0]) < 0.04


def straggling(comm):
    """Rank 0 naps 20 times longer than the others; how many does each evaluate?"""
    nap = 0.2 if comm.rank == 0 else 0.01

    def evaluate(genes):
        time.sleep(nap)
        return sphere(genes)

    return search(comm, evaluations=60, evaluate=evaluate)


def test_a_straggler_does_not_hold_up_the_others():
    """In a hidden generation every rank would evaluate the same number; here the others do rank 0's share."""
    individuals = parallel.run_ranks(straggling, 4)[0].individuals
    counts = [sum(ind.rank == rank for ind in individuals) for rank in range(4)]
    assert min(counts[1:]) > 3 * counts[0]


def failing(comm):
    def evaluate(genes):
        if genes["x"] > 2:
            raise ValueError("does not converge")
        return math.nan if genes["x"] < -2 else sphere(genes)

    return search(comm, evaluate=evaluate)


def test_failing_evaluations_do_not_take_the_run_down():
    runs = parallel.run_ranks(failing, 2)
    assert runs[0].individuals == runs[1].individuals
    failed = [ind for ind in runs[0].individuals if ind.error]
    assert failed and all(math.isinf(ind.loss) for ind in failed)
    assert {"ValueError: does not converge", "the loss is NaN"} == {ind.error for ind in failed}
    assert runs[0].best.loss < 1 and not runs[0].best.error


def test_ranks_draw_different_candidates():
    genes = [ind.genes for ind in parallel.run_ranks(search, 4, evolve, 8)[0].individuals]
    assert len(set(genes)) == len(genes) >= 8


def test_one_rank_repeats_itself():
    first, again = (parallel.run_ranks(search, 1)[0] for _ in range(2))
    assert [ind[:4] for ind in first.individuals] == [ind[:4] for ind in again.individuals]


def unhurried(genes):
    time.sleep(0.003)  # long against the start of a rank, so that all four work side by side
    return sphere(genes)


def test_breeding_uses_what_others_found():
    """Late candidates were bred knowing far more individuals than their own rank had evaluated."""
    individuals = parallel.run_ranks(search, 4, evolve, 120, 0, unhurried)[0].individuals
    late = [ind for ind in individuals if ind.generation > 20]
    assert late and all(ind.known > 1.5 * ind.generation for ind in late)


def messages(comm):
    """For each kind of run: what this rank says, in order, and how many it evaluates."""
    from efficient_ai.propulate import _worker

    class Noting(_worker.Mail):
        def meet(self, word):
            said.extend(("hello", rank) for rank in self.others)
            return super().meet(word)

        def post(self, kind, payload, ranks):
            said.extend((kind, rank) for rank in ranks)
            super().post(kind, payload, ranks)

    plain, _worker.Mail, told = _worker.Mail, Noting, []
    for method in (evolve, evolve_generations):
        said = []
        run = search(comm, method)
        told.append((said, len([i for i in run.individuals if i.rank == comm.rank])))
    _worker.Mail = plain
    return told


def test_ranks_meet_twice_before_and_once_behind():
    """Each says hello twice (all can begin; all have opened their files) and farewell once to each other and, in between, one
    message per evaluation: nothing else."""
    for rank, told in enumerate(parallel.run_ranks(messages, 3)):
        for sent, evaluated in told:
            for other in {0, 1, 2} - {rank}:
                kinds = [kind for kind, to in sent if to == other]
                assert kinds == ["hello", "hello", *["birth"] * evaluated, "farewell"]


def test_too_small_a_budget_is_refused():
    with pytest.raises(parallel.RankError, match="each of the 2 ranks evaluates at least one"):
        parallel.run_ranks(search, 2, evolve, 1)


def test_utilisation_by_hand():
    """Two ranks: one is busy until the last candidate is handed out at 4, the other rests from 1 to 3."""
    spans = [(0, 0.0, 2.0), (1, 0.0, 1.0), (0, 2.0, 4.0), (1, 3.0, 5.0), (0, 4.0, 9.0)]
    individuals = [
        Individual((0.0,), 0.0, rank, i, began, ended) for i, (rank, began, ended) in enumerate(spans)
    ]
    run = Run(individuals, seconds=9.0, busy=0.0, workers=2)
    assert run.utilisation == pytest.approx((2 + 1 + 2 + 1) / 8)


def test_ideal_utilisation_by_hand():
    """Two ranks and three generations; the last one does not count, nor does the pause between generations."""
    spans = [[(0.0, 2.0), (0.0, 1.0)], [(2.5, 3.5), (2.5, 5.5)], [(6.0, 9.0), (6.0, 7.0)]]
    run = Run(
        [
            Individual((0.0,), 0.0, rank, generation, *span)
            for generation, pair in enumerate(spans)
            for rank, span in enumerate(pair)
        ],
        seconds=9.0, busy=0.0, workers=2,
    )  # fmt: skip
    assert ideal_utilisation(run) == pytest.approx((2 + 1 + 1 + 3) / (2 * (2 + 3)))
    assert run.utilisation == pytest.approx(7 / 12)
    with pytest.raises(ValueError, match="one generation"):
        ideal_utilisation(Run(run.individuals[:2], seconds=2.0, busy=0.0, workers=2))
