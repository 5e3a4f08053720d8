"""What the chapter measures, and how its claims are read from it.

Functions that take a communicator are called on all ranks. Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's
profile, some of them a cluster, too. The notebook runs them and draws their results; ``python -m efficient_ai.verify propulate
ID`` runs one alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.propulate import peers, rivals
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate._evolve import evolve, evolve_generations
from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate._run import Run, ideal_utilisation
from efficient_ai.propulate._space import Float, Space
from efficient_ai.propulate.functions import FUNCTIONS, HARDER
from efficient_ai.propulate.profiles import Profile
from efficient_ai.propulate.simulation import simulate

NAPS = Space({"x": Float(0, 1)})
"""Where candidates differ in how long they sleep and in nothing else."""
METHODS: dict[str, Callable] = {"asynchronous": evolve, "synchronous": evolve_generations}
CONTEST = ("sphere", "rastrigin", "rastrigin shifted", "rastrigin rotated", "rastrigin shifted rotated")
Losses = Mapping[str, Mapping[str, Sequence[float]]]
"""Best losses by function and method, one per seed."""
FIRST_ISLAND_SEED = 1000  # settings were tried on seeds below


# ----- on ranks


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


# ----- on a simulated clock


def simulated(function: Any, seed: int, **settings) -> Any:
    """A search of eight simulated workers, evaluation times exponential; its best individual."""
    return simulate(
        function.space,
        settings.pop("objective", function),
        workers=8,
        seed=seed,
        seconds=lambda genes, worker, rng: rng.expovariate(1),
        **settings,
    ).best


def _run_quality(size: Profile) -> dict[str, dict[str, list[float]]]:
    """Best loss by function and method, one per seed, equal evaluations."""

    def losses(function: Any, synchronous: bool) -> list[float]:
        return [
            simulated(
                function, seed, objective=function.noisy(np.random.default_rng(seed)),
                propagator=default_propagator(function.space, pool_size=16), evaluations=size.budget,
                synchronous=synchronous,
            ).loss
            for seed in range(size.function_seeds)
        ]  # fmt: skip

    return {
        name: {method: losses(function, method == "synchronous") for method in METHODS}
        for name, function in tqdm(FUNCTIONS.items(), desc="function")
    }


def wins(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Per seed 1 if ``first`` ended with the smaller loss, 0 if ``second`` did, and a half for a tie, shape ``(n,)``."""
    return [0.5 + 0.5 * float(np.sign(b - a)) for a, b in zip(first, second, strict=True)]


def mean_wins(losses: Losses, first: str, second: str) -> list[float]:
    """:func:`wins` averaged over the functions: one number per seed."""
    return np.mean(
        [wins(by_method[first], by_method[second]) for by_method in losses.values()], axis=0
    ).tolist()


@dataclass(frozen=True)
class Rivals:
    """Our search and its rivals at equal evaluations.

    Args:
        losses: by function and rival, for each seed the loss of every evaluation.
        record: of the benchmark, in which TPE was measured.
    """

    losses: Mapping[str, Mapping[str, list[np.ndarray]]]
    record: peers.Record

    @property
    def finals(self) -> dict[str, dict[str, list[float]]]:
        """Best loss at the end, one per seed."""
        return {
            name: {rival: [float(run.min()) for run in runs] for rival, runs in by.items()}
            for name, by in self.losses.items()
        }

    def orders_ahead(self, function: str) -> list[float]:
        """Orders of magnitude from our loss up to the better median of TPE and CMA-ES, one per seed."""
        tpe = np.median(self.record.best("tpe-memory", function)[1][:, -1])
        rival = min(tpe, np.median(self.finals[function]["CMA-ES"]))
        return [float(np.log10(rival / ours)) for ours in self.finals[function]["asynchronous"]]


def _run_rivals(size: Profile) -> Rivals:
    contestants = {name: f for name, f in {**FUNCTIONS, **HARDER}.items() if name in CONTEST}
    losses = {
        name: {
            rival: [search(function, size.budget, seed)[: size.budget] for seed in range(size.rival_seeds)]
            for rival, search in rivals.RIVALS.items()
        }
        for name, function in tqdm(contestants.items(), desc="function")
    }
    return Rivals(losses, peers.Record.load())


SETTINGS: dict[str, Islands | None] = {
    "one population": None,
    **{f"4 islands, p = {p:g}": Islands(4, None, p, pollination=True) for p in (0.0, 0.001, 0.01, 0.1, 0.9)},
}
"""Archipelagos that are compared: probability of a departure per island and generation."""


@dataclass(frozen=True)
class Funnels:
    """Searches in landscapes of two funnels.

    Args:
        best: by function and setting, the best individual of each seed.
    """

    best: Mapping[str, Mapping[str, list[Any]]]

    @property
    def found(self) -> dict[str, dict[str, list[bool]]]:
        """Whether a run ended in the right funnel."""
        return {
            name: {
                s: [FUNCTIONS[name].in_right_funnel(np.array(b.genes)) for b in of] for s, of in by.items()
            }
            for name, by in self.best.items()
        }

    @property
    def losses(self) -> dict[str, dict[str, list[float]]]:
        """Loss at the end."""
        return {name: {s: [b.loss for b in of] for s, of in by.items()} for name, by in self.best.items()}

    def more_often(self, setting: str) -> Measured:
        """1 if only the islands found it, -1 if only the one population did, else 0."""
        values, names = [], []
        for name, by in self.found.items():
            for seed, pair in enumerate(zip(by[setting], by["one population"], strict=True)):
                values.append(float(pair[0]) - float(pair[1]))
                names.append(f"{name}, seed {FIRST_ISLAND_SEED + seed}")
        return Measured(values, names, "one population with the same workers and evaluations")


def _run_funnels(size: Profile) -> Funnels:
    def best(name: str, islands: Islands | None, seed: int) -> Any:
        function, workers = FUNCTIONS[name], 8 // (islands.count if islands else 1)
        return simulated(
            function, seed, propagator=default_propagator(function.space, 2 * workers),
            evaluations=size.island_budget, islands=islands,
        )  # fmt: skip

    seeds = range(FIRST_ISLAND_SEED, FIRST_ISLAND_SEED + size.island_seeds)
    return Funnels(
        {
            name: {
                setting: [best(name, islands, seed) for seed in seeds]
                for setting, islands in SETTINGS.items()
            }
            for name in tqdm(("bisphere", "birastrigin"), desc="function")
        }
    )


# ----- how claims are read


def _relative(kind: str) -> Callable[[Mapping[str, Mapping[int, list[float]]]], Measured]:
    def read(scaling: Mapping[str, Mapping[int, list[float]]]) -> Measured:
        of = scaling[kind]
        return Measured(np.divide(of[max(of)], of[1]), range(len(of[1])), "one rank")

    return read


def _ahead(function: str) -> Callable[[Rivals], Measured]:
    def read(found: Rivals) -> Measured:
        values = found.orders_ahead(function)
        return Measured(
            values,
            range(len(values)),
            f"the better median of CMA-ES (this run) and TPE (recorded: {found.record.where})",
        )

    return read


def _slower(side: str) -> Callable[[peers.Record], Measured]:
    def read(record: peers.Record) -> Measured:
        values, names = [], []
        for function in sorted({row["function"] for row in record.report["overhead"]}):
            try:
                ratios = record.ratios(side, function, 400, 2)
            except KeyError:
                continue
            values += ratios
            names += [f"{function}, {k}" for k in range(len(ratios))]
        return Measured(values, names, f"{peers.NAMES[side]}, two processes", record.origin)

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
QUALITY = Experiment(
    "quality of asynchronous search",
    _run_quality,
    {
        "B": lambda q: Measured(
            mean_wins(q, *METHODS),
            range(len(mean_wins(q, *METHODS))),
            "synchronous generations, equal evaluations",
        )
    },
)
RIVALS = Experiment(
    "rivals at equal evaluations",
    _run_rivals,
    {
        "D1": _ahead("rastrigin"),
        "D2": _ahead("rastrigin rotated"),
        "D3": _ahead("sphere"),
        "D4": _ahead("rastrigin rotated"),
    },
)
FUNNELS = Experiment(
    "islands and two funnels",
    _run_funnels,
    {
        "E1": lambda f: f.more_often("4 islands, p = 0.1"),
        "E2": lambda f: f.more_often("4 islands, p = 0.001"),
        "E3": lambda f: f.more_often("4 islands, p = 0"),
    },
)
OVERHEAD = Experiment(
    "overhead beside Optuna",
    lambda size: peers.Record.load(),
    {"C1": _slower("tpe-journal"), "C2": _slower("tpe-sqlite")},
)
EXPERIMENTS = (RACES, SCALING, MIGRATION, QUALITY, RIVALS, FUNNELS, OVERHEAD)
