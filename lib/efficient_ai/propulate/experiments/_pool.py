"""How many parents breed: the pool of the default propagator, on recorded trainings and a simulated clock."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate.profiles import Profile
from efficient_ai.propulate.simulation import simulate
from efficient_ai.propulate.tables import Table, load_table

POOLS = ("4", "16", "64", "twice the workers")
RANDOM = "random search"
SHARE = 0.001  # of a table: its best candidates, one of which is looked for
_MOST = 20_000  # evaluations, after which a search is given up


@dataclass(frozen=True)
class Pools:
    """Seconds of the simulated clock until one of the best is known: by table, workers and pool (or random search), one per seed.

    A search that is given up counts with the time at which it was: too early, so that a pool that gets stuck looks better than it is
    and never a rival. ``given_up`` counts them by table, workers and pool.
    """

    seconds: Mapping[str, Mapping[int, Mapping[str, Sequence[float]]]]
    given_up: Mapping[tuple[str, int, str], int]

    @property
    def most_workers(self) -> int:
        return max(next(iter(self.seconds.values())))

    def earlier(self, pool: str, than: str) -> list[float]:
        """How many times as long ``than`` takes as ``pool`` with the most workers: per seed, geometric mean over tables."""
        logs = [
            np.log(by[self.most_workers][than]) - np.log(by[self.most_workers][pool])
            for by in self.seconds.values()
        ]
        return np.exp(np.mean(logs, axis=0)).tolist()


def search_seconds(table: Table, workers: int, pool: str, seed: int) -> tuple[float, bool]:
    """When one of the best of ``table`` is known, in seconds of the simulated clock, and whether the search was given up before."""
    size = 2 * workers if pool in (POOLS[-1], RANDOM) else int(pool)
    target = float(np.quantile(table.losses, SHARE))
    found = simulate(
        table.space,
        table,
        default_propagator(table.space, size, random_share=1.0 if pool == RANDOM else 0.1),
        workers=workers,
        evaluations=max(_MOST, 4 * workers),
        target=target,
        seed=seed,
    )
    when = found.seconds_to(target)
    return (found.seconds, True) if math.isinf(when) else (when, False)


def _run_pools(size: Profile) -> Pools:
    seconds: dict[str, dict[int, dict[str, list[float]]]] = {}
    given_up: dict[tuple[str, int, str], int] = {}
    for name in tqdm(size.tables, desc="table"):
        table = load_table(name)
        for workers in size.replay_workers:
            for pool in (*POOLS, RANDOM):
                ends = [search_seconds(table, workers, pool, seed) for seed in range(size.pool_seeds)]
                seconds.setdefault(name, {}).setdefault(workers, {})[pool] = [when for when, _ in ends]
                given_up[name, workers, pool] = sum(lost for _, lost in ends)
    return Pools(seconds, given_up)


POOL = Experiment(
    "the pool that breeds",
    _run_pools,
    {
        "H1": lambda found: Measured(
            found.earlier("16", RANDOM), range(len(found.earlier("16", RANDOM))), f"random search, {found.most_workers} workers"
        ),
        "H2": lambda found: Measured(
            found.earlier("16", POOLS[-1]), range(len(found.earlier("16", RANDOM))),
            f"a pool of {2 * found.most_workers}, {found.most_workers} workers",
        ),
    },
)  # fmt: skip
