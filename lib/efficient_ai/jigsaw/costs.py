"""A cost model of a training step, to be calibrated on a machine and then asked about another (Section 3.11)."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from efficient_ai.jigsaw import published
from efficient_ai.jigsaw._config import MixerConfig, forward_flops, parameters
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._tasks import order
from efficient_ai.jigsaw._traffic import _BACKWARD, Job, layers, products_per_step, step_elements


@dataclass(frozen=True)
class Machine:
    """What a step costs.

    Args:
        flops: rate of a rank in 1/s.
        latency: of a message in s.
        bandwidth: of messages in bytes/s.
        read: of the disk for one rank in bytes/s; infinite for data in memory.
        overlap: part of the message time that hides behind products, 0 to 1.
        kernel: fixed cost in s of an operation that is not a product, and of calling a product.
    """

    flops: float
    latency: float
    bandwidth: float
    read: float = float("inf")
    overlap: float = 0.0
    kernel: float = 0.0


@dataclass(frozen=True)
class StepTime:
    """Seconds of one step: ``step`` is what is waited for, reading goes on meanwhile."""

    compute: float
    messages: float
    read: float

    @property
    def step(self) -> float:
        return max(self.read, self.compute + self.messages)


def imbalance(grid: Grid) -> float:
    """Products of the busiest rank over the mean: 4/3 for the paper's 2 x 2 schedule, else 1."""
    work = products_per_step(grid)
    return max(work) / (sum(work) / len(work))


def speedup_cap(grid: Grid) -> float:
    """The largest speed-up that the schedule allows: 3.0 for the paper's on 2 x 2."""
    return grid.size / imbalance(grid)


def messages_per_step(config: MixerConfig, grid: Grid) -> int:
    """Messages that the busiest rank sends in the products of one step."""
    worst = 0
    for layer in layers(config):
        jobs = [(Job(layer.kind, "x", "w"),), _BACKWARD[layer.kind]]
        for group in jobs:
            what = order(group, grid)
            senders = [m[3] for m in what.travels] + [m[3] for m in what.homes]
            worst += max((senders.count(rank) for rank in range(grid.size)), default=0)
    return worst


def step_time(config: MixerConfig, grid: Grid, machine: Machine, batch: int = 1) -> StepTime:
    """What a training step of one model instance costs on ``machine``."""
    work = 3 * batch * forward_flops(config) / grid.size * imbalance(grid)
    sent = max(sum(values) for values in zip(*step_elements(config, grid, batch).values(), strict=True))
    number = messages_per_step(config, grid)
    messages = (1 - machine.overlap) * (number * machine.latency + 4 * sent / machine.bandwidth)
    sample = 4 * batch * config.lat * config.lon * (config.inputs + config.outputs) / grid.size
    kernels = machine.kernel * 3 * (10 * config.blocks + 6)
    return StepTime(work / machine.flops + kernels, messages, sample / machine.read)


def scaled(config: MixerConfig, factor: float, grid: Grid) -> MixerConfig:
    """The config with a width at which a forward pass costs about ``factor`` times as much, and that ``grid`` can cut."""
    from dataclasses import replace

    wanted, unit = factor * forward_flops(config), 2 * grid.units
    widths = np.arange(unit, 64 * config.width, unit)
    found = min(widths, key=lambda d: abs(forward_flops(replace(config, width=int(d))) - wanted))
    return replace(config, width=int(found))


def measure_flops(size: int = 384, seconds: float = 0.3) -> float:
    """Rate of square matrix products of this process in 1/s, the best of several."""
    a = torch.ones(size, size)
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best


def measure_messages(
    transport, sizes: Sequence[int] = (1_000, 400_000), repeats: int = 15
) -> tuple[float, float]:
    """(latency in s, bandwidth in bytes/s) of an exchange between ranks 0 and 1, both ways at once; the median of repeats."""
    taken = []
    for size in sizes:
        mine, theirs, runs = torch.ones(size), torch.empty(size), []
        for _ in range(repeats):
            begin = time.perf_counter()
            if transport.rank < 2:
                other = 1 - transport.rank
                transport.post([(mine, other, 77)], [(theirs, other, 77)]).wait()
            runs.append(time.perf_counter() - begin)
        taken.append(float(np.median(runs)))
    slope = max((taken[1] - taken[0]) / (4 * (sizes[1] - sizes[0])), 1e-13)
    return max(taken[0] - 4 * sizes[0] * slope, 1e-7), 1 / slope


def logged_minutes(series: published.Series, gpus: int, seconds_per_gigabyte: float) -> float:
    """Minutes per epoch that the model gives for the authors' cluster: 100 steps of max(read, step) + gradient sums.

    The step of an instance alone is theirs. Reading: a node reads one sample in ``READ_SECONDS``, and every instance that has
    ranks on a node wants its share of one. The gradient sum moves 2 (D - 1) / D of the bytes of a shard.
    """
    alone = min(series.minutes)
    per_step = series.minutes[alone] * 60 / 100
    instances = gpus // series.ways
    on_node = min(gpus, published.GPUS_PER_NODE) / series.ways
    shard = 4e-9 * parameters(series.config) / series.ways
    summed = 2 * (instances - 1) / instances * shard * seconds_per_gigabyte
    return 100 / 60 * (max(per_step, on_node * published.READ_SECONDS) + summed)


def fit_gradient_sum() -> float:
    """Seconds per gigabyte of the gradient sum, the one free number of the model, by least squares over all logged points."""
    top = bottom = 0.0
    for series in published.SCALING:
        for gpus, minutes in series.minutes.items():
            base, slope = logged_minutes(series, gpus, 0.0), logged_minutes(series, gpus, 1.0)
            top += (minutes - base) * (slope - base)
            bottom += (slope - base) ** 2
    return top / bottom
