"""Searches on a simulated clock, islands, and rivals that were recorded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.propulate import peers, rivals
from efficient_ai.propulate._compose import default_propagator
from efficient_ai.propulate._islands import Islands
from efficient_ai.propulate.experiments._on_ranks import METHODS
from efficient_ai.propulate.functions import FUNCTIONS, HARDER
from efficient_ai.propulate.profiles import Profile
from efficient_ai.propulate.simulation import simulate

CONTEST = ("sphere", "rastrigin", "rastrigin shifted", "rastrigin rotated", "rastrigin shifted rotated")
Losses = Mapping[str, Mapping[str, Sequence[float]]]
"""Best losses by function and method, one per seed."""
FIRST_ISLAND_SEED = 1000  # settings were tried on seeds below


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
