"""What the chapter measures, and how its claims are read from it.

Each :class:`~efficient_ai.ledger.Experiment` takes the chapter's profile. The notebook runs them and draws their results;
``python -m efficient_ai.verify energy ID`` runs one alone. Three of the claims need sensors: on a machine that has none they are
not run, and the ledger says which hardware they wait for.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from efficient_ai import data
from efficient_ai.energy import (
    board,
    forecast,
    kernels,
    measure_board,
    nodes,
    overhead,
    peers,
    sampling,
    vgg,
    workload,
)
from efficient_ai.energy.claims import readable
from efficient_ai.energy.figures import estimate_spread
from efficient_ai.energy.profiles import Profile
from efficient_ai.ledger import Experiment, Measured
from efficient_ai.metering import Measurement, Source, best, idle, nvml, rapl, survey_here, usable_cores
from efficient_ai.metering.faketree import PowercapTree

STEPS = (0.1, 0.5, 1.0, 2.0, 7.0)  # seconds between two readings
BUDGETS = (0.006, 0.012, 0.06, 0.5)  # seconds that an answer may take

Runs = Mapping[str, Sequence[Measurement]]
Costs = Mapping[str, Mapping[str, Mapping[int, Sequence[workload.Cost]]]]


def _ratios(top: Sequence[float], bottom: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(top, bottom, strict=True)]


def run_kernels(size: Profile) -> Runs:
    """Four kernels of equal length in random order, repeated."""
    runs: dict[str, list[Measurement]] = {name: [] for name in kernels.NAMES}
    for repeat in range(size.seeds):
        for name in np.random.default_rng(repeat).permutation(kernels.NAMES):
            runs[str(name)].append(kernels.run(str(name), 2 * size.seconds, cores=usable_cores()))
    return runs


def _k1(runs: Runs) -> Measured:
    product, copy = (runs[kernels.NAMES[i]] for i in (3, 1))
    values = _ratios([m.watts for m in product], [m.watts for m in copy])
    return Measured(values, range(len(values)), f"copying memory as long, {copy[0].source}")


@dataclass(frozen=True)
class Drawn:
    """Ratios on nodes whose powers are drawn: one per draw.

    Args:
        equal_time: largest over smallest energy of three jobs of equal length.
        idle: a processor job on the accelerated over one on the standard node.
        flips: 1 where the GPU loses at batch 1 and wins at batch 512.
    """

    equal_time: list[float]
    idle: list[float]
    flips: list[float]


def run_model(size: Profile) -> Drawn:
    """The node model over all draws."""
    drawn = [nodes.drawn(draw) for draw in range(size.draws)]
    flips = []
    for draw in range(size.draws):
        cpu, gpu = nodes.drawn_inference(draw)
        loses = gpu.joules_per_sample(1) > cpu.joules_per_sample(1)
        flips.append(float(loses and gpu.joules_per_sample(512) < cpu.joules_per_sample(512)))
    return Drawn(
        [nodes.equal_time_ratio(accelerated) for _, accelerated in drawn],
        [fast.power(cpu=0.6) / slow.power(cpu=0.6) for slow, fast in drawn],
        flips,
    )


def _drawn(values: list[float], against: str) -> Measured:
    return Measured(values, range(len(values)), f"node model: {against}")


def run_idle(size: Profile) -> tuple[Measurement, list[Measurement]]:
    """Idle boards, and processor jobs beside them; for a machine with sensors for both."""
    boards = idle(10 * size.seconds, source=nvml().source)
    return boards, [
        kernels.run(kernels.NAMES[3], 2 * size.seconds, rapl().source, usable_cores())
        for _ in range(size.seeds)
    ]


def _k2(found: tuple[Measurement, list[Measurement]]) -> Measured:
    boards, jobs = found
    return Measured(
        [1 + boards.watts / job.watts for job in jobs],
        range(len(jobs)),
        "the processors alone, measured:rapl",
    )


def run_board(size: Profile) -> board.Board:
    """The board of this machine if it can be read, else the recorded one."""
    if readable(survey_here(), "nvml") and torch.cuda.is_available():
        return board.Board(measure_board.record(size.seeds, size.seconds))
    return board.Board.load()


def _of_board(gpu: board.Board, values: Sequence[float], against: str) -> Measured:
    return Measured(list(values), range(len(values)), f"{against}, {gpu.label}", gpu.origin)


def _k1g(gpu: board.Board) -> Measured:
    busiest = list(gpu.kernels)[-1]
    return _of_board(
        gpu, _ratios(gpu.kernels[busiest], gpu.kernels["copying memory"]), "copying memory as long"
    )


def _geometric(cells: Mapping, gpu: board.Board, against: str) -> Measured:
    return _of_board(gpu, np.exp(np.mean(np.log(list(cells.values())), axis=0)).tolist(), against)


def networks(size: Profile, device: str) -> dict[str, tuple]:
    """The two networks with 512 samples each, on a device."""
    torch.manual_seed(0)
    weeks = forecast.weeks(*size.weeks)
    images = data.fashion_mnist(train=size.images, valid=500, test=500)
    x, y = (part[:512].repeat(4, 1)[:512].to(device) for part in weeks.train)
    pixels = torch.from_numpy(np.resize(images.x_train[:512], (512, 28, 28))).to(device)
    label = torch.from_numpy(np.resize(images.y_train[:512], 512)).to(device)
    return {
        "forecaster": (forecast.Forecaster().to(device), x, y, torch.nn.functional.mse_loss),
        "small VGG": (vgg.Vgg().to(device), pixels, label, torch.nn.functional.cross_entropy),
    }


def cost(size: Profile, net: tuple, mode: str, batch: int, **options) -> workload.Cost:
    """Joules per sample of one network in one mode at one batch size."""
    model, x, y, loss = net
    step = workload.step_of(model, x[:batch], y[:batch], loss, mode)
    return workload.cost(mode, step, batch, size.seconds, **options)


def run_costs(size: Profile) -> Costs:
    """Joules per sample on one thread of the processor, by network, mode and batch size; one per repeat."""
    measured = best(survey_here()).measured
    watts = idle(10 * size.seconds).watts if measured else workload.assumed_idle_watts()
    with kernels.threads(1):
        return {
            name: {
                mode: {
                    batch: [cost(size, net, mode, batch, idle_watts=watts) for _ in range(size.seeds)]
                    for batch in size.batches
                }
                for mode in workload.MODES
            }
            for name, net in networks(size, "cpu").items()
        }


def _comparable(costs: Sequence[workload.Cost]) -> list[float]:
    return [cost.comparable for cost in costs]


def _k3a(costs: Costs) -> Measured:
    lstm = costs["forecaster"]["inference"]
    values = _ratios(_comparable(lstm[1]), _comparable(lstm[64]))
    return Measured(
        values, range(len(values)), f"the same in batches of 64, {lstm[64][0].measurement.source}"
    )


def _k3b(costs: Costs) -> Measured:
    apart = [
        _ratios(_comparable(by["training"][64]), _comparable(by["inference"][64])) for by in costs.values()
    ]
    values = np.exp(np.mean(np.log(apart), axis=0)).tolist()
    source = costs["forecaster"]["training"][64][0].measurement.source
    return Measured(values, range(len(values)), f"inference at the same batch size, {source}")


def run_both(size: Profile) -> dict[str, list[float]]:
    """Processor over GPU, joules per sample of the forecaster at batch 64, by mode; for a machine with sensors for both."""
    slow, fast = (networks(size, device)["forecaster"] for device in ("cpu", "cuda"))
    return {
        mode: _ratios(
            *(_comparable([cost(size, net, mode, 64) for _ in range(size.seeds)]) for net in (slow, fast))
        )
        for mode in workload.MODES
    }


def _k3(gains: dict[str, list[float]]) -> Measured:
    values = _ratios(gains["training"], gains["inference"])
    return Measured(values, range(len(values)), "inference at the same batch, measured:rapl + measured:nvml")


@dataclass(frozen=True)
class Sampled:
    """For each seed: the counter's farthest miss in units of its printed interval, and the trapezoid's largest error."""

    missed: list[float]
    error: list[float]
    off: list[float]


def run_sampling(size: Profile) -> Sampled:
    """A load that switches every half second, read as a counter that is renewed once a second, and as power."""
    missed, error, off = [], [], []
    for seed in range(size.seeds):
        rng = np.random.default_rng(seed)
        wave = sampling.square(period=1.0, shift=rng.random())
        true, units = wave.energy(0, 60), []
        for step in STEPS:
            window = sampling.counted(
                wave, sampling.stamps(wave, step, rng.random() * step), 1.0, rng.random()
            )
            gap = true - window.joules
            units.append(
                abs(gap) / max(window.high - window.joules if gap > 0 else window.joules - window.low, 1e-9)
            )
            off.append(abs(gap) / true)
        missed.append(max(units))
        # 40 shifts that the seed chooses: the largest error among them
        shifts = rng.choice(200, size=40, replace=False)
        error.append(float(abs(sampling.aliasing(1.0, 1.0)[shifts]).max()))
    return Sampled(missed, error, off)


@dataclass(frozen=True)
class Listening:
    """Processor time of the sampler: shares of a core while asleep, by readings per second (``None``: no sampler), and relative
    increases of a job's processor time."""

    asleep: Mapping[float | None, list[float]]
    at_work: Mapping[float, list[float]]


def run_overhead(size: Profile) -> Listening:
    """What it costs to read the six counters of a tree of files."""

    def work():
        sum(i * i for i in range(int(1e6 * size.listening)))

    with tempfile.TemporaryDirectory() as folder:
        source: Source = rapl(PowercapTree(Path(folder) / "tree", packages=3).root).source
        seeds = range(size.seeds)
        asleep = {None: [overhead.share(source, None, size.listening / 2) for _ in seeds]}
        asleep[1] = [overhead.share(source, 1, size.listening) for _ in seeds]
        asleep |= {hertz: [overhead.share(source, hertz, size.listening)] for hertz in (10, 100)}
        return Listening(
            asleep, {hertz: overhead.paired(source, hertz, work, size.seeds) for hertz in (1, 10, 100)}
        )


def run_tools(size: Profile) -> peers.Record:
    """The recorded benchmark beside perun and CodeCarbon."""
    return peers.Record.load()


def _of_tools(record: peers.Record, values: Sequence[float], against: str) -> Measured:
    return Measured(list(values), range(len(values)), against, record.origin)


def _worst(record: peers.Record, tools: Sequence[str], loads: Sequence[str]) -> list[float]:
    return np.abs([record.errors(tool, load) for tool in tools for load in loads]).max(axis=0).tolist()


_TRUTH = "the joules that the load wrote, replayed"

KERNELS = Experiment("kernels of equal length", run_kernels, {"K1": _k1})
MODEL = Experiment(
    "node model",
    run_model,
    {
        "K1m": lambda found: _drawn(found.equal_time, "the cheapest of the three"),
        "K2m": lambda found: _drawn(found.idle, "the node without GPUs"),
        "K3m": lambda found: _drawn(found.flips, "the standard node"),
    },
)
IDLE = Experiment("idle boards", run_idle, {"K2": _k2})
BOARD = Experiment(
    "a GPU board",
    run_board,
    {
        "K1g": _k1g,
        "K2g": lambda gpu: _of_board(
            gpu, [1 + 4 * w / 540 for w in gpu.idle_watts()], "a processor job of 540 W, assumed"
        ),
        "K3g": lambda gpu: _geometric(gpu.equal_batch(), gpu, "training at the same batch"),
        "K3l": lambda gpu: _geometric(
            gpu.equal_latency(BUDGETS), gpu, "training with the same time to answer"
        ),
    },
)
COSTS = Experiment("joules per sample", run_costs, {"K3a": _k3a, "K3b": _k3b})
BOTH = Experiment("processor and GPU", run_both, {"K3": _k3})
SAMPLING = Experiment(
    "sampling",
    run_sampling,
    {
        "K4a": lambda found: Measured(
            found.missed, range(len(found.missed)), "the integral of the trace, replayed"
        ),
        "K4b": lambda found: Measured(
            found.error, range(len(found.error)), "the integral of the trace, replayed"
        ),
    },
)
OVERHEAD = Experiment(
    "cost of measuring",
    run_overhead,
    {
        "K5": lambda found: Measured(
            found.asleep[1], range(len(found.asleep[1])), "a process that does nothing else"
        )
    },
)
TOOLS = Experiment(
    "other tools",
    run_tools,
    {
        "K4c": lambda r: _of_tools(r, [a / b for a, b in r.bias("ramp")], "what the formula predicts"),
        "K6a": lambda r: _of_tools(r, _worst(r, ["ours"], list(peers.LOADS)), _TRUTH),
        "K6b": lambda r: _of_tools(r, _worst(r, ["perun", "codecarbon packages"], ["steady"]), _TRUTH),
        "K6c": lambda r: _of_tools(r, estimate_spread(r), "the smallest of three estimates of the processor"),
    },
)
EXPERIMENTS = (KERNELS, MODEL, IDLE, BOARD, COSTS, BOTH, SAMPLING, OVERHEAD, TOOLS)
