"""How the claims of the chapter follow from runs on ranks, from counts, from the authors' logs and from the benchmark."""

import itertools
import math
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from efficient_ai.jigsaw import costs, forecast, peers, published
from efficient_ai.jigsaw._config import MixerConfig, forward_flops, parameters
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._reader import SampleFile
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


# ----- counted, not timed


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


# ----- on ranks


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


@dataclass(frozen=True)
class Reading:
    """What rank 0 reads of one sample, by layout of its file and number of ranks.

    Args:
        rows: columns of a table.
        megabytes: of the sample.
    """

    rows: dict[str, list]
    megabytes: float


def read_blocks(size: Profile, cluster) -> Reading:
    """Write a sample of the paper's size in two layouts and let 1, 2 and 4 ranks read their blocks."""
    rows: dict[str, list] = {"file": [], "ranks": [], "block (MB)": [], "pages (MB)": [], "seconds": []}
    with tempfile.TemporaryDirectory(prefix="jigsaw-") as folder:
        for layout, tiles in (("row by row", 1), ("longitude halves apart", 2)):
            file = SampleFile(Path(folder) / "sample.f32", size.sample, tiles)
            file.create()
            for n in (1, 2, 4):
                call = (_on_ranks.shared_read, file.path, size.sample, n, tiles)
                one = cluster.run(*call, timeout=size.patience)[0]
                line = (layout, n, one["bytes"] / 1e6, one["page bytes"] / 1e6, one["seconds"])
                for column, value in zip(rows.values(), line, strict=True):
                    column.append(value)
    return Reading(rows, file.bytes / 1e6)


def _step_seconds(
    cluster, size: Profile, n: int, config: MixerConfig, path: Path, rate: float | None
) -> list:
    return cluster.run(
        _on_ranks.step_seconds, n, config, path, steps=size.timed_steps, bytes_per_second=rate,
        repeats=size.repeats, timeout=size.patience,
    )[0]  # fmt: skip


def _run_weak(size: Profile, cluster) -> dict[str, dict[int, list[float]]]:
    """Seconds per step by kind of reading and number of ranks, the work per rank kept."""
    models = {n: costs.scaled(size.io, n, Grid.ways(n)) for n in (1, 2, 4)}
    times: dict[str, dict[int, list[float]]] = {"throttled disk": {}, "data in memory": {}}
    with tempfile.TemporaryDirectory(prefix="jigsaw-") as folder:
        file = SampleFile(Path(folder) / "io.f32", (2 * size.io.inputs, size.io.lat, size.io.lon))
        file.create()
        for n, config in models.items():
            for kind, rate in (("throttled disk", size.rate), ("data in memory", None)):
                times[kind][n] = _step_seconds(cluster, size, n, config, file.path, rate)
    return times


@dataclass(frozen=True)
class Strong:
    """Seconds per step of the same models on one rank and on two.

    Args:
        times: by model and number of ranks, one per repeat.
        machine: rate of products, latency and bandwidth between two ranks.
        load: average of the machine afterwards.
    """

    times: dict[str, dict[int, list[float]]]
    machine: dict[str, float]
    load: float


def _run_strong(size: Profile, cluster) -> Strong:
    machine = cluster.run(_on_ranks.calibrate, timeout=size.patience)[0]
    with tempfile.TemporaryDirectory(prefix="jigsaw-") as folder:
        file = SampleFile(Path(folder) / "any.f32", (2, 2, 2))
        file.create()
        times = {
            name: {n: _step_seconds(cluster, size, n, config, file.path, None) for n in (1, 2)}
            for name, config in size.strong.items()
        }
    return Strong(times, machine, os.getloadavg()[0])


@dataclass(frozen=True)
class Forecasts:
    """Networks that learned the simulated weather, and whoever forecasts beside them.

    Args:
        weather: that was simulated.
        config: of the networks.
        networks: by seed.
        rival: truncation of the coarsest solver that costs as much as the network or more.
        rmse: of the wind in m/s by forecast, shape ``(networks or 1, lead times, starts)``.
    """

    weather: forecast.Weather
    config: MixerConfig
    networks: dict[int, forecast.Learned]
    rival: int
    rmse: dict[str, np.ndarray]

    @property
    def day(self) -> dict[str, np.ndarray]:
        """After 24 h, mean over the starts of a test run (they follow one another), shape ``(networks or 1, runs)``."""
        runs = len(self.weather.states)
        return {name: v[:, 3].reshape(len(v), runs, -1).mean(-1) for name, v in self.rmse.items()}


def scores(
    weather: forecast.Weather, networks: dict, size: Profile, measure: Callable
) -> dict[str, np.ndarray]:
    """A measure of all forecasts of the test runs, shape ``(networks or 1, lead times, starts)``."""
    truth, start = forecast.verification(weather, size.lead)
    nets = [
        measure(weather, forecast.forecasts(weather, size.lead, n.model), truth) for n in networks.values()
    ]
    rivals = {f"solver, T{t}": forecast.solver_forecasts(weather, size.lead, t) for t in size.solvers} | {
        "persistence": np.broadcast_to(start, truth.shape),
        "climatology": 0 * truth,
    }
    return {"network": np.array(nets)} | {
        name: measure(weather, guess, truth)[None] for name, guess in rivals.items()
    }


def rival(weather: forecast.Weather, config: MixerConfig, size: Profile) -> int:
    """Truncation of the coarsest solver that costs as many operations as the network or more."""
    flops = {t: forecast.solver_flops(weather, t) for t in size.solvers}
    return min((t for t in flops if flops[t] >= forward_flops(config)), default=max(size.solvers))


def judge_forecasts(
    weather: forecast.Weather, config: MixerConfig, networks: dict, size: Profile
) -> Forecasts:
    """All forecasts of the test runs, scored."""
    found = scores(weather, networks, size, forecast.wind_rmse)
    return Forecasts(weather, config, networks, rival(weather, config, size), found)


def learning_jobs(size: Profile) -> list[dict]:
    """One training per seed, arguments of :func:`efficient_ai.jigsaw.forecast.learn`."""
    return [dict(epochs=size.epochs, batch=size.batch, seed=seed) for seed in range(size.learn_seeds)]


def _run_forecasts(size: Profile, cluster) -> Forecasts:
    weather = cluster.run(_on_ranks.simulate_members, size.world, timeout=size.patience)[0]
    config = forecast.mixer(weather, size.width, size.patch)
    parts = cluster.run(_on_ranks.learn_many, weather, config, learning_jobs(size), timeout=size.patience)
    networks = dict(sorted(pair for found in parts for pair in found))
    return judge_forecasts(weather, config, networks, size)


def learn_batches(size: Profile, cluster, weather: forecast.Weather, config: MixerConfig) -> dict[int, list]:
    """Trainings with global batches of 8, 4 and 2, equal epochs, one per seed."""
    jobs = [
        dict(epochs=size.batch_epochs, batch=batch, seed=100 + seed)
        for seed in range(size.batch_seeds)
        for batch in (2, 8, 4)
    ]
    runs: dict[int, dict[int, Any]] = {8: {}, 4: {}, 2: {}}
    for parts in cluster.run(_on_ranks.learn_many, weather, config, jobs, timeout=size.patience):
        for index, network in parts:
            runs[jobs[index]["batch"]][jobs[index]["seed"]] = network
    return {batch: [by[seed] for seed in sorted(by)] for batch, by in runs.items()}


def _run_batches(size: Profile, cluster) -> dict[int, list]:
    weather = cluster.run(_on_ranks.simulate_members, size.world, timeout=size.patience)[0]
    return learn_batches(size, cluster, weather, forecast.mixer(weather, size.width, size.patch))


# ----- how claims are read


def _speedups(times: dict[int, list[float]], baseline: str) -> Measured:
    ratios = [one / two for one, two in zip(times[1], times[2], strict=True)]
    return Measured(ratios, range(len(ratios)), baseline)


def _against(name: str | None):
    def read(found: Forecasts) -> Measured:
        other = name or f"solver, T{found.rival}"
        ratios = found.day["network"] / found.day[other]
        return Measured(ratios.tolist(), list(found.networks), other)

    return read


def _block(side: str):
    def read(record: peers.Record) -> Measured:
        ratios = record.slower_by(side, 2)
        return Measured(ratios, range(len(ratios)), side, record.origin)

    return read


def _strongest(record: peers.Record) -> Measured:
    others = [side for side in peers.SIDES if side not in ("Jigsaw", "DDP")]
    side = min(others, key=lambda name: record.seconds(name, 2))
    ratios = record.slower_by(side, 2)
    return Measured(ratios, range(len(ratios)), f"{side}, the quickest that cuts the model", record.origin)


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
WEAK = Experiment(
    "weak scaling with and without a disk",
    _run_weak,
    {
        "C4": lambda t: _speedups(t["throttled disk"], "one rank, throttled disk"),
        "C4b": lambda t: _speedups(t["data in memory"], "one rank, data in memory"),
    },
    ranks=4,
)
STRONG = Experiment(
    "strong scaling",
    _run_strong,
    {
        "C5": lambda s: _speedups(
            list(s.times.values())[-1],
            f"the serial model in plain torch, one core; load average {s.load:.1f}",
        )
    },
    ranks=4,
)
FORECASTS = Experiment(
    "forecasts of simulated weather",
    _run_forecasts,
    {"D1": _against("persistence"), "D2": _against("climatology"), "D3": _against(None)},
    ranks=4,
)
BATCHED = Experiment(
    "global batches",
    _run_batches,
    {
        "C6": lambda runs: Measured(
            [a.valid[-1] / b.valid[-1] for a, b in zip(runs[2], runs[8], strict=True)],
            range(len(runs[2])),
            "global batch 8, equal epochs, the same learning rate",
        )
    },
    ranks=4,
)
PEERS = Experiment(
    "beside other ways to share a block",
    lambda size: peers.Record.load(),
    {
        "C5c": _strongest,
        "P1": lambda r: Measured(r.memory_ratios(), [2, 4], "the least of the others", r.origin),
        "P2": _block("FSDP2"),
        "P3": _block("DTensor"),
    },
)
EXPERIMENTS = (
    COUNTS, GROWTH, CAPS, PEAKS, PRODUCTS, EQUALITY, TRAFFIC, MEMORY, WEAK, STRONG, FORECASTS, BATCHED, PEERS,
)  # fmt: skip
