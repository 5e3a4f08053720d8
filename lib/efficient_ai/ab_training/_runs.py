"""One training on ranks: digits, a network of linear layers, one of the methods."""

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from efficient_ai import data
from efficient_ai.ab_training._exchange import groups_of
from efficient_ai.ab_training._link import SlowLink
from efficient_ai.ab_training._rivals import HalfPrecision, Outer, PowerSGD
from efficient_ai.ab_training._schedule import Schedule
from efficient_ai.ab_training._training import ABTraining
from efficient_ai.seeds import seed_for
from efficient_ai.transport import MPITransport


@dataclass(frozen=True)
class Job:
    """A training.

    Args:
        method: a key of ``METHODS``.
        schedule: of the steps; without restarts its ramp is 0.
        seed: of weights and of the order of the samples.
        rate: learning rate at the start; falls along half a cosine.
        batch: samples per rank.
        width, depth: of the hidden layers.
        images: of the training set; ``None`` for all.
        cutoff: of the singular values.
        group: ranks in a group.
        link: bytes per second between groups; ``None`` for what the machine gives.
        orthogonal: start from weights whose singular values are all 1.
    """

    method: str
    schedule: Schedule
    seed: int = 0
    rate: float = 0.003
    batch: int = 16
    width: int = 64
    depth: int = 3
    images: int | None = None
    cutoff: float = 0.15
    group: int = 2
    link: float | None = None
    orthogonal: bool = False


METHODS: dict[str, dict[str, Any]] = {
    "data parallel": {"kind": "synchronous"},
    "data parallel, restarts": {"kind": "synchronous"},
    "local SGD": {"kind": "local"},
    "local SGD, restarts": {"kind": "local"},
    "DiLoCo": {"kind": "local", "outer": (0.7, 0.9)},
    "half precision": {"kind": "synchronous", "compression": "half"},
    "PowerSGD, rank 2": {"kind": "synchronous", "compression": 2},
    "PowerSGD, rank 8": {"kind": "synchronous", "compression": 8},
    "AB, with-stale": {"kind": "ab", "mode": "with-stale"},
    "AB, only-learned": {"kind": "ab", "mode": "only-learned"},
    "AB, full": {"kind": "ab", "mode": "full"},
    "AB, only-b": {"kind": "ab", "mode": "only-b"},
}
"""What :class:`ABTraining` is told; of an outer step its rate and momentum, of PowerSGD its rank. Without "restarts" in its name, a method that is not AB has no ramps."""


@dataclass
class Outcome:
    """What a training came to.

    Args:
        train, valid, test: accuracy in per cent of the one model at the end.
        between, inside: bytes that all ranks sent in the steps and switches, to other groups and within.
        compression: values of the network over those of its factored form at the last merge.
        seconds: wall time of the steps, slowest rank.
        ranks: of every weight, by factorisation.
        spread: largest difference of a parameter between ranks at the end.
    """

    train: float
    valid: float
    test: float
    between: int
    inside: int
    compression: float
    seconds: float
    ranks: list = field(default_factory=list)
    spread: float = 0.0


def network(width: int, depth: int, seed: int, orthogonal: bool = False) -> nn.Sequential:
    """64 inputs, ``depth`` hidden layers of ``width``, 10 classes."""
    state = torch.get_rng_state()
    torch.manual_seed(seed_for(seed))
    sizes = [64, *[width] * depth, 10]
    layers: list[nn.Module] = []
    for i, o in itertools.pairwise(sizes):
        layer = nn.Linear(i, o)
        if orthogonal:
            nn.init.orthogonal_(layer.weight)
        layers += [layer, nn.ReLU()]
    torch.set_rng_state(state)
    return nn.Sequential(*layers[:-1])


def digits() -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Training, validation and test images, flat, with their classes."""
    images = data.digits()
    return {
        part: (torch.from_numpy(getattr(images, f"x_{part}")).float().flatten(1), torch.from_numpy(getattr(images, f"y_{part}")))
        for part in ("train", "valid", "test")
    }  # fmt: skip


def own_batches(count: int, job: Job, rank: int, world: int) -> Iterator[torch.Tensor]:
    """Indices of this rank's samples, step by step: all ranks shuffle alike and take turns, whatever the method."""
    rng = torch.Generator().manual_seed(seed_for(job.seed, 1))
    left = torch.empty(0, dtype=torch.long)
    while True:
        while len(left) < job.batch * world:
            left = torch.cat([left, torch.randperm(count, generator=rng)])
        now, left = left[: job.batch * world], left[job.batch * world :]
        yield now[rank::world]


def train(comm: Any, job: Job) -> Outcome:
    """Train on all ranks of ``comm``, an MPI communicator whose messages are counted. Collective."""
    torch.set_num_threads(1)
    parts = digits()
    x, y = (t[: job.images] for t in parts["train"])
    model = network(job.width, job.depth, job.seed, job.orthogonal)
    optimizer = torch.optim.AdamW(model.parameters(), lr=job.rate, weight_decay=0.01)
    groups = groups_of(comm.size, job.group)
    transport = MPITransport(comm)
    if job.link is not None:
        transport = SlowLink(transport, groups, job.link)
    restarts = job.method.startswith("AB") or "restarts" in job.method
    schedule = job.schedule if restarts else Schedule(**(vars(job.schedule) | {"ramp": 0}))
    keep = ["0", str(len(model) - 1)]
    run = ABTraining(model, optimizer, transport, schedule, group=job.group, cutoff=job.cutoff, keep=keep, max_norm=1.0,
                     **_options(METHODS[job.method]))  # fmt: skip
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda t: 0.5 + 0.5 * math.cos(math.pi * min(1, t / schedule.total)))  # fmt: skip
    events = comm.record.events
    begin, start = len(events), time.perf_counter()
    for _, own in zip(range(schedule.total), own_batches(len(x), job, comm.rank, comm.size), strict=False):
        run.step(lambda own=own: functional.cross_entropy(model(x[own]), y[own], label_smoothing=0.1))
        scheduler.step()
    seconds, end = time.perf_counter() - start, len(events)
    ranks = [k for _, k in run.history]
    compression = _compression(run, ranks[-1]) if ranks else 1.0
    run.finish()
    mine = next(group for group in groups if comm.rank in group)
    sent = [(e.dest in mine, e.sent) for e in events[begin:end] if e.dest is not None]
    flat = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    heads = comm.allgather(
        (flat.numpy(), seconds, sum(n for near, n in sent if not near), sum(n for near, n in sent if near))
    )
    with torch.no_grad():
        model.eval()
        scores = [
            100 * float((model(a).argmax(1) == b).float().mean())
            for a, b in ((x, y), parts["valid"], parts["test"])
        ]
    return Outcome(*scores, sum(h[2] for h in heads), sum(h[3] for h in heads), compression, max(h[1] for h in heads), ranks,
                   max(float(abs(h[0] - heads[0][0]).max()) for h in heads))  # fmt: skip


def _options(of: dict[str, Any]) -> dict[str, Any]:
    """With new objects for what remembers."""
    made = dict(of)
    if "outer" in made:
        made["outer"] = Outer(*made["outer"])
    if "compression" in made:
        made["compression"] = (
            HalfPrecision() if made["compression"] == "half" else PowerSGD(made["compression"])
        )
    return made


def _compression(run: ABTraining, ranks: list[int]) -> float:
    """Values of the whole model over those with each weight in the smaller of its two forms."""
    whole = small = sum(p.numel() for p in run.model.parameters() if all(p is not f for place in run.places
                        for f in (place.weight, place.a, place.b)))  # fmt: skip
    for place, k in zip(run.places, ranks, strict=True):
        view = place.view
        whole += view.count * view.rows * view.columns
        small += view.count * min(k * (view.rows + view.columns), view.rows * view.columns)
    return whole / small
