"""Waiting, scaling and migration: measured on real ranks. Functions that take a communicator are called on all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate._evolve import evolve, evolve_generations
from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate._run import Run, ideal_utilisation
from efficient_ai.propulate._space import Float, Space
from efficient_ai.propulate.profiles import Profile

NAPS = Space({"x": Float(0, 1)})
"""Where candidates differ in how long they sleep and in nothing else."""
METHODS: dict[str, Callable] = {"asynchronous": evolve, "synchronous": evolve_generations}


def nap_run(comm: Any, method: Callable, workers: int, evaluations: int, nap: float, seed: int) -> Run | None:
    """Evolution on the first ``workers`` ranks; candidate number k of a rank sleeps equally long in every run.

    Args:
        comm: all ranks call this.
        method: one of :data:`METHODS`.
        workers: ranks that take part; the others return ``None`` at once.
        evaluations: budget of all of them together.
        nap: mean length of an evaluation in seconds, exponentially distributed.
        seed: of lengths and candidates.
    """
    team = comm.Split(comm.rank < workers, comm.rank)
    if comm.rank >= workers:
        return None
    rng = np.random.default_rng((seed, comm.rank))

    def sleep(genes):
        time.sleep(rng.exponential(nap))
        return genes["x"]

    propagator = default_propagator(NAPS, pool_size=2 * workers)
    return method(team, NAPS, sleep, propagator, evaluations=evaluations, seed=seed)


def migration_run(comm: Any, size: Profile, seed: int) -> tuple[int, set, list, int]:
    """Busy migration between two islands: island of this rank, who was born there, who is active, departures."""

    def sleep(genes):
        time.sleep(size.nap / 10)
        return genes["x"]

    run = evolve(
        comm, NAPS, sleep, default_propagator(NAPS, pool_size=4), evaluations=size.naps, seed=seed,
        islands=Islands(2, probability=0.9),
    )  # fmt: skip
    born = {ind.name for ind in run.individuals if ind.island == run.island}
    return run.island, born, sorted(ind.name for ind in run.active), len(run.moves)


@dataclass(frozen=True)
class Races:
    """The same naps with and without waiting.

    Args:
        runs: for each seed, by method, the run of every rank.
    """

    runs: list[dict[str, list[Run]]]

    def utilisation(self, method: str) -> list[float]:
        """Share of the ranks' time that goes into evaluations, one per seed."""
        return [run[method][0].utilisation for run in self.runs]

    @property
    def speedups(self) -> list[float]:
        """Utilisation of the asynchronous over that of the synchronous run, one per seed."""
        return [a / s for a, s in zip(*map(self.utilisation, METHODS), strict=True)]

    @property
    def predicted(self) -> list[float]:
        """What theory predicts for the naps that were slept, one per seed."""
        return [1 / ideal_utilisation(run["synchronous"][0]) for run in self.runs]


def consistent(ranks: Sequence[Run]) -> bool:
    """All ranks hold the same, and every rank's numbers run from 0 without a gap."""
    first = ranks[0].individuals
    names = sorted(ind.name for ind in first)
    counts = [sum(rank == r for rank, _ in names) for r in range(len(ranks))]
    whole = [(r, k) for r in range(len(ranks)) for k in range(counts[r])]
    return all(run.individuals == first for run in ranks) and names == whole


def conserved(ranks: Sequence[tuple[int, set, list, int]]) -> bool:
    """Islands agree within themselves, and everybody born is active exactly once."""
    by_island = {island: active for island, _, active, _ in ranks}
    agree = all(by_island[island] == active for island, _, active, _ in ranks)
    born = set().union(*(names for _, names, _, _ in ranks))
    return agree and sorted(born) == sorted(name for active in by_island.values() for name in active)


def efficiency(run: Run) -> float:
    """Seconds of evaluation per second of all ranks, until the very end."""
    return sum(ind.seconds for ind in run.individuals) / (run.workers * run.seconds)


def _run_races(size: Profile, cluster) -> Races:
    return Races(
        [
            {
                method: cluster.run(nap_run, of, size.ranks, size.naps, size.nap, seed, timeout=size.patience)
                for method, of in METHODS.items()
            }
            for seed in tqdm(range(size.seeds), desc="seed")
        ]
    )


def _run_scaling(size: Profile, cluster) -> dict[str, dict[int, list[float]]]:
    """Parallel efficiency by kind of scaling and number of ranks, one per seed."""
    workers = [w for w in (1, 2, 4, 8) if w <= size.ranks]
    scaling: dict[str, dict[int, list[float]]] = {"strong": {}, "weak": {}}
    for kind, of_workers in scaling.items():
        for w in tqdm(workers, desc=kind):
            evaluations = size.naps // 2 if kind == "strong" else size.naps // 4 * w
            call = (nap_run, evolve, w, evaluations, size.nap / 4)
            runs = [cluster.run(*call, seed, timeout=size.patience)[0] for seed in range(size.seeds)]
            of_workers[w] = [efficiency(run) for run in runs]
    return scaling


def _run_migration(size: Profile, cluster) -> list[list[tuple]]:
    seeds = range(size.seeds)
    return [cluster.run(migration_run, size, seed, timeout=size.patience) for seed in seeds]


def _relative(kind: str) -> Callable[[Mapping[str, Mapping[int, list[float]]]], Measured]:
    def read(scaling: Mapping[str, Mapping[int, list[float]]]) -> Measured:
        of = scaling[kind]
        return Measured(np.divide(of[max(of)], of[1]), range(len(of[1])), "one rank")

    return read


RACES = Experiment(
    "with and without waiting",
    _run_races,
    {
        "A": lambda r: Measured(
            np.divide(r.speedups, r.predicted),
            range(len(r.runs)),
            "synchronous generations, over the prediction",
        ),
        "G": lambda r: Measured(
            [float(consistent(ranks["asynchronous"])) for ranks in r.runs],
            range(len(r.runs)),
            "the individuals each rank sent",
        ),
    },
    ranks=4,
)
SCALING = Experiment(
    "more ranks", _run_scaling, {"F1": _relative("strong"), "F2": _relative("weak")}, ranks=4
)
MIGRATION = Experiment(
    "busy migration",
    _run_migration,
    {
        "G2": lambda runs: Measured(
            [float(conserved(ranks)) for ranks in runs], range(len(runs)), "the individuals that were born"
        )
    },
    ranks=4,
)
