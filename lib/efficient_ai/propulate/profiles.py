"""The three sizes of the chapter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        ranks: MPI ranks.
        evaluations: budget of the live search, all ranks together.
        train_images: training images of each candidate network.
        epochs: training epochs of each candidate network.
        seeds: repetitions of the waiting experiment.
        naps: evaluations of one repetition of the waiting experiment.
        nap: mean length of one of these evaluations, in seconds.
        budget: evaluations of one search on a benchmark function.
        function_seeds: repetitions of each of these searches.
        rival_seeds: repetitions of each search of each rival.
        island_budget: evaluations of one search of the archipelago.
        island_seeds: repetitions of each of these searches.
        tables: recorded trainings that are replayed, names of :mod:`efficient_ai.propulate.tables`.
        replayed: evaluations of one replayed search, four per worker at least.
        replay_workers: numbers of simulated workers.
        replay_seeds: repetitions of each replayed search.
        pool_seeds: repetitions of each search that tries a breeding pool.
        patience: time limit of one call on the ranks, in seconds.
    """

    ranks: int
    evaluations: int
    train_images: int
    epochs: int
    seeds: int
    naps: int
    nap: float
    budget: int
    function_seeds: int
    rival_seeds: int
    island_budget: int
    island_seeds: int
    tables: tuple[str, ...]
    replayed: int
    replay_workers: tuple[int, ...]
    replay_seeds: int
    pool_seeds: int
    patience: float


_TABLES = ("hpolib/protein_structure", "hpobench/phoneme", "nasbench201/cifar10")

PROFILES = {
    "smoke": Profile(
        ranks=4, evaluations=16, train_images=500, epochs=1,
        seeds=3, naps=60, nap=0.01,
        budget=60, function_seeds=3, rival_seeds=3,
        island_budget=100, island_seeds=3,
        tables=("hpobench/phoneme", "nasbench201/cifar10"), replayed=200, replay_workers=(8, 64), replay_seeds=1, pool_seeds=3,
        patience=120,
    ),
    "laptop": Profile(
        ranks=4, evaluations=48, train_images=3000, epochs=2,
        seeds=10, naps=100, nap=0.03,
        budget=400, function_seeds=20, rival_seeds=10,
        island_budget=1600, island_seeds=20,
        tables=_TABLES, replayed=2000, replay_workers=(8, 64, 256, 1024), replay_seeds=3, pool_seeds=10,
        patience=300,
    ),
    "full": Profile(
        ranks=4, evaluations=64, train_images=6000, epochs=4,
        seeds=20, naps=200, nap=0.05,
        budget=400, function_seeds=50, rival_seeds=20,
        island_budget=3000, island_seeds=50,
        tables=_TABLES, replayed=4000, replay_workers=(8, 64, 256, 1024), replay_seeds=5, pool_seeds=30,
        patience=3600,
    ),
}  # fmt: skip
