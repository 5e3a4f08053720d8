"""The power of a node as a sum of its parts, to reason about jobs on nodes that one does not have (section 3 of the paper).

    P = P_base + sum over parts c of ( P_idle,c + u_c (P_max,c - P_idle,c) )

``u_c`` is the utilisation of a part, 0 to 1. The energy of a job of length T at constant utilisation is P T. Every power here is
an assumption: nominal powers of such parts from general knowledge, idle powers from common experience. Nothing is measured.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Node:
    """A computer in terms of watts.

    Args:
        name: for captions.
        base: board, memory, fans, network.
        cpu_idle, cpu_max: of all processors together.
        gpus: number of accelerators.
        gpu_idle, gpu_max: of one of them.
    """

    name: str
    base: float = 90.0
    cpu_idle: float = 100.0
    cpu_max: float = 540.0
    gpus: int = 0
    gpu_idle: float = 55.0
    gpu_max: float = 400.0

    def power(self, cpu: float = 0.0, busy_gpus: int = 0, gpu: float = 1.0) -> float:
        """Watts with the processors at utilisation ``cpu`` and ``busy_gpus`` accelerators at ``gpu``, the rest idle."""
        if not (0 <= cpu <= 1 and 0 <= gpu <= 1 and 0 <= busy_gpus <= self.gpus):
            raise ValueError(
                f"{self.name}: no such load: cpu={cpu}, {busy_gpus} of {self.gpus} GPUs at {gpu}"
            )
        host = self.base + self.cpu_idle + cpu * (self.cpu_max - self.cpu_idle)
        return host + self.gpus * self.gpu_idle + busy_gpus * gpu * (self.gpu_max - self.gpu_idle)


STANDARD = Node("standard node")
ACCELERATED = Node("accelerated node", gpus=4)
"""Two kinds of nodes as the paper used: two processors, and the same with four accelerators. Powers are assumed."""


def drawn(seed: int) -> tuple[Node, Node]:
    """A standard and an accelerated node whose powers are drawn from what may be true of such machines.

    Idle accelerator 50 to 60 W, busy 300 to 400 W; processors idle 70 to 140 W, busy 400 to 540 W; the rest 50 to 130 W.
    """
    rng = np.random.default_rng(seed)
    powers = dict(
        base=rng.uniform(50, 130), cpu_idle=rng.uniform(70, 140), cpu_max=rng.uniform(400, 540),
        gpu_idle=rng.uniform(50, 60), gpu_max=rng.uniform(300, 400),
    )  # fmt: skip
    return Node("standard node", **powers), Node("accelerated node", gpus=4, **powers)


def idle_overhead(job_watts: float, gpus: int, idle_watts: float) -> float:
    """Energy of a processor job on a node with idle accelerators over that on a node without: 1 + n P_idle / P_job."""
    return 1 + gpus * idle_watts / job_watts


def break_even(gpu_node_watts: float, cpu_node_watts: float) -> float:
    """Speed-up from which on the accelerated node needs less energy: the ratio of the mean powers."""
    return gpu_node_watts / cpu_node_watts


@dataclass(frozen=True)
class Inference:
    """Time and energy of a batch on a device of the node model: t(b) = t_launch + b / throughput.

    Args:
        watts: of the whole node while it works.
        launch: seconds before the first sample is through.
        throughput: samples per second in large batches.
    """

    watts: float
    launch: float
    throughput: float

    def seconds(self, batch: int) -> float:
        return self.launch + batch / self.throughput

    def joules_per_sample(self, batch: int) -> float:
        return self.watts * self.seconds(batch) / batch


def drawn_inference(seed: int) -> tuple[Inference, Inference]:
    """The same small network on the processors of a standard node and on one accelerator of an accelerated one.

    Assumed: 500 to 5000 samples/s on the processors after 0.2 to 1 ms, on the accelerator 5 to 30 times as many after 2 to 20 ms.
    """
    rng = np.random.default_rng(10_000 + seed)
    standard, accelerated = drawn(seed)
    speed = np.exp(rng.uniform(np.log(500), np.log(5000)))
    cpu = Inference(standard.power(cpu=rng.uniform(0.3, 1)), rng.uniform(2e-4, 1e-3), speed)
    gpu = Inference(
        accelerated.power(cpu=0.05, busy_gpus=1, gpu=rng.uniform(0.3, 1)),
        rng.uniform(2e-3, 2e-2),
        speed * rng.uniform(5, 30),
    )
    return cpu, gpu


BATCHES = tuple(2**k for k in range(15))


def crossing(cpu: Inference, gpu: Inference, batches: tuple[int, ...] = BATCHES) -> int | None:
    """The smallest of ``batches`` at which the accelerator needs less energy per sample; ``None`` if there is none."""
    return next((b for b in batches if gpu.joules_per_sample(b) < cpu.joules_per_sample(b)), None)


def equal_time_ratio(node: Node) -> float:
    """Energy of three jobs of the same length on one node, the largest over the smallest: waiting, processors, one GPU."""
    loads: list[Callable[[], float]] = [
        lambda: node.power(),
        lambda: node.power(cpu=0.6),
        lambda: node.power(cpu=0.1, busy_gpus=min(1, node.gpus)),
    ]
    watts = [load() for load in loads]
    return max(watts) / min(watts)
