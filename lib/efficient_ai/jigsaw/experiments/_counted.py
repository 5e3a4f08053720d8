"""What is counted and not timed: parameters, work, traffic, memory, equality with the serial model."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from efficient_ai.jigsaw import costs, published
from efficient_ai.jigsaw._config import MixerConfig, forward_flops, parameters
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._traffic import memory
from efficient_ai.jigsaw.experiments import _on_ranks
from efficient_ai.jigsaw.profiles import Profile
from efficient_ai.ledger import Experiment, Measured

GRIDS = {
    "1 x 2": Grid(1, 2),
    "2 x 2, paper's schedule": Grid(2, 2, "paper"),
    "2 x 2, balanced": Grid(2, 2),
}
"""On which sharded and serial are compared."""
WAYS = {"1 rank": Grid(), "2 ranks": Grid(1, 2), "4 ranks": Grid(2, 2)}
KINDS = ("input and target", "activations", "weights", "gradients", "Adam moments")
BATCHES = (1, 2, 3)


def _run_counts(size: Profile) -> list[dict]:
    """Parameters in the authors' logs beside our count, a row a model."""
    rows = []
    for name, (logged, config, grid) in published.COUNTS.items():
        grid = grid and Grid(*grid)
        counted = parameters(config if grid is None else config.padded(), grid)
        teraflops = round(forward_flops(config) / 1e12, 2)
        rows.append({"model": name, "logged": logged, "counted here": counted, "forward TFLOP": teraflops})
    return rows


def _run_growth(size: Profile) -> dict[str, list[float]]:
    """Exponent of the work of a forward pass over the points of the grid, doubling the latitudes of the published model.

    A model "as released" has a hidden width of token mixing that is a fraction of the tokens; the other keeps that width.
    """
    base = published.COUNTS["d = 4320, serial"][1]
    grown = [replace(base, lat=base.lat * 2**k) for k in range(4)]
    fixed = [replace(c, token_fraction=base.token_hidden / c.tokens) for c in grown]

    def exponents(configs: Sequence[MixerConfig]) -> list[float]:
        work = [forward_flops(config) for config in configs]
        return [math.log2(b / a) for a, b in itertools.pairwise(work)]

    return {"as released": exponents(grown), "hidden width fixed": exponents(fixed)}


def _run_caps(size: Profile) -> dict[str, float]:
    """How many times as fast four ranks can be at most, by schedule."""
    return {schedule: costs.speedup_cap(Grid(2, 2, schedule)) for schedule in ("paper", "balanced")}


def _run_peaks(size: Profile) -> dict[str, float]:
    """PFLOP/s at 256 GPUs by the authors' logs, three passes counted per sample."""
    found = {}
    for series in published.SCALING:
        samples = 100 * 256 // series.ways
        work = 3 * forward_flops(series.config)
        found[f"{series.ways}-way"] = samples * work / (60 * series.minutes[256]) / 1e15
    return found


def product_errors(comm: Any, grids: Sequence[Grid], seeds: Sequence[int]) -> list[float]:
    """Largest relative error of any product on any grid, one number per seed. Collective."""
    return [
        max(max(_on_ranks.product_errors(comm, grid, seed).values(), default=0) for grid in grids)
        for seed in seeds
    ]


def equalities(comm: Any, grids: Sequence[Grid], seeds: Sequence[int], steps: int) -> list[list]:
    """:func:`equality` by grid and seed. Collective."""
    return [[_on_ranks.equality(comm, grid, seed, steps) for seed in seeds] for grid in grids]


def counted_steps(comm: Any, grids: Sequence[Grid], config: MixerConfig, batches: Sequence[int]) -> list:
    """:func:`counted_step` by grid and batch. Collective."""
    return [[_on_ranks.counted_step(comm, grid, config, batch) for batch in batches] for grid in grids]


def all_holdings(comm: Any, grids: Sequence[Grid], configs: Sequence[MixerConfig], batch: int) -> list:
    """:func:`holdings` by grid and model. Collective."""
    return [[_on_ranks.holdings(comm, grid, config, batch) for config in configs] for grid in grids]


def _run_products(size: Profile, cluster) -> dict[int, float]:
    seeds = list(range(size.seeds))
    found = cluster.run(product_errors, list(GRIDS.values()), seeds, timeout=size.patience)[0]
    return dict(zip(seeds, found, strict=True))


def _run_equality(size: Profile, cluster) -> dict[str, list]:
    seeds = range(size.exact_seeds)
    found = cluster.run(equalities, list(GRIDS.values()), seeds, size.steps, timeout=size.patience)[0]
    return dict(zip(GRIDS, found, strict=True))


def _run_traffic(size: Profile, cluster) -> dict[str, list]:
    call = (counted_steps, list(GRIDS.values()), _on_ranks.SMALL, BATCHES)
    return dict(zip(GRIDS, cluster.run(*call, timeout=size.patience)[0], strict=True))


@dataclass(frozen=True)
class Memory:
    """What ranks hold in a training step.

    Args:
        models: of growing width.
        held: by number of ranks, for each model one dictionary of bytes by kind per rank.
    """

    models: list[MixerConfig]
    held: dict[str, list[list[dict]]]

    @property
    def over_share(self) -> dict[str, float]:
        """Bytes of the fullest rank over an equal share of the serial model's, by ranks and width."""
        found = {}
        for name, grid in list(WAYS.items())[1:]:
            for config, alone, ranks in zip(self.models, self.held["1 rank"], self.held[name], strict=True):
                whole = sum(alone[0][kind] for kind in KINDS)
                most = max(sum(rank[kind] for kind in KINDS) for rank in ranks)
                found[f"{name}, width {config.width}"] = most * grid.size / whole
        return found

    @property
    def over_formula(self) -> dict[str, float]:
        """Bytes of every kind on every rank over what the formula says."""
        return {
            f"{name}, width {config.width}, rank {i}, {kind}": rank[kind]
            / memory(config, grid, batch=3)[kind]
            for name, grid in list(WAYS.items())[1:]
            for config, ranks in zip(self.models, self.held[name], strict=True)
            for i, rank in enumerate(ranks)
            for kind in KINDS
        }


def _run_memory(size: Profile, cluster) -> Memory:
    plain = replace(_on_ranks.SMALL, dropout=0.0)
    models = [replace(plain, width=width) for width in (24, 32, 40, 48, 56)]
    ranks = cluster.run(all_holdings, list(WAYS.values()), models, 3, timeout=size.patience)
    held = {
        name: [[rank[i][k] for rank in ranks if rank[i][k]] for k in range(len(models))]
        for i, name in enumerate(WAYS)
    }
    return Memory(models, held)


COUNTS = Experiment(
    "parameters in the logs",
    _run_counts,
    {
        "C1b": lambda rows: Measured(
            [row["counted here"] / row["logged"] for row in rows],
            [row["model"] for row in rows],
            published.SOURCE,
        )
    },
)
GROWTH = Experiment(
    "work over the size of the grid",
    _run_growth,
    {
        "C9": lambda r: Measured(r["as released"], range(3), "proportional: 1"),
        "C9b": lambda r: Measured(r["hidden width fixed"], range(3), "proportional: 1"),
    },
)
CAPS = Experiment(
    "schedules of four ranks",
    _run_caps,
    {
        "C5b": lambda cap: Measured(
            [cap["balanced"] - cap["paper"]], [0], f"the paper's schedule: {cap['paper']:g}"
        )
    },
)
PEAKS = Experiment(
    "peaks by the logs",
    _run_peaks,
    {
        "C8b": lambda peaks: Measured(
            [peaks["4-way"] / 9, peaks["2-way"] / 11],
            ["4-way", "2-way"],
            "9 and 11 PFLOP/s",
            published.SOURCE,
        )
    },
)
PRODUCTS = Experiment(
    "products on ranks",
    _run_products,
    {"C2": lambda r: Measured(list(r.values()), list(r), "the serial product")},
    ranks=4,
)
EQUALITY = Experiment(
    "the whole model on ranks",
    _run_equality,
    {
        "C2b": lambda r: Measured(
            [max(e.forward, e.gradients, e.weights) for by in r.values() for e in by],
            [f"{grid}, seed {seed}" for grid, by in r.items() for seed in range(len(by))],
            "the serial model",
        )
    },
    ranks=4,
)
TRAFFIC = Experiment(
    "every byte counted",
    _run_traffic,
    {
        "C3": lambda r: Measured(
            [
                s / e
                for by in r.values()
                for step in by
                for s, e in zip(step["sent"], step["expected"], strict=True)
            ],
            [
                f"{grid}, batch {batch}, rank {rank}"
                for grid, by in r.items()
                for batch, step in zip(BATCHES, by, strict=True)
                for rank in range(len(step["sent"]))
            ],
            "the formula",
        )
    },
    ranks=4,
)
MEMORY = Experiment(
    "what ranks hold",
    _run_memory,
    {
        "C1": lambda m: Measured(list(m.over_share.values()), list(m.over_share), "an equal share, 1/n"),
        "C1a": lambda m: Measured(
            list(m.over_formula.values()), list(m.over_formula), "serial / n + named terms"
        ),
    },
    ranks=4,
)
