"""What runs on ranks: equality with serial training, counted traffic, seconds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from efficient_ai.f3._blocks import mlp, one_hot
from efficient_ai.f3._gpipe import GPipe
from efficient_ai.f3._pipeline import Pipeline
from efficient_ai.f3._rules import F3, Backpropagation, Rule
from efficient_ai.f3._trainer import Trainer
from efficient_ai.f3.profiles import Profile, Speed

SAMPLES, BATCH, SIZES = 90, 20, (20, 32, 32, 32, 4)
"""Of the small network whose weights are compared: batches of 20, 20, 20, 20 and 10."""


def adam(parameters) -> torch.optim.Optimizer:
    """Adam with the rate of the comparisons on ranks."""
    return torch.optim.Adam(parameters, 1e-3)


def small_problem(dtype: torch.dtype = torch.float64):
    """Inputs ``(90, 20)`` and targets ``(90, 4)``, alike everywhere."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(SAMPLES, SIZES[0], generator=rng, dtype=dtype)
    return x, one_hot(torch.randint(SIZES[-1], (SAMPLES,), generator=rng), SIZES[-1], dtype)


def serial_state(rule: Rule, epochs: int = 3) -> dict:
    """State of a serial training of the small network."""
    x, y = small_problem()
    trainer = Trainer(
        mlp(SIZES, seed=3, dtype=x.dtype),
        rule,
        functional.binary_cross_entropy,
        adam,
        sample=x[:2],
        samples=SAMPLES,
    )
    for _ in range(epochs):
        trainer.epoch(x, y, BATCH)
    return trainer.state_dict()


def first_ranks(comm: Any, n: int) -> Any:
    """A communicator of the first ``n`` ranks; ``None`` on the others. Collective."""
    part = comm.Split(0 if comm.rank < n else 1, comm.rank)
    return part if comm.rank < n else None


def pipeline_run(part: Any, rule: Rule, epochs: int = 3):
    """Three epochs of the small network on all ranks of ``part``: state, traffic and logs, from rank 0; ``None`` elsewhere."""
    from efficient_ai import parallel

    x, y = small_problem()
    counted = parallel.CountingComm(part)
    options = dict(sample=x[:2], samples=SAMPLES, batch_size=BATCH, patience=60)
    blocks = mlp(SIZES, seed=3, dtype=x.dtype)
    if isinstance(rule, Backpropagation):
        line = GPipe(counted, blocks, functional.binary_cross_entropy, adam, micro_batches=2, **options)
    else:
        line = Pipeline(counted, blocks, rule, functional.binary_cross_entropy, adam, **options)
    line.fit(x, y, epochs)
    state = line.collect() if isinstance(line, Pipeline) else None
    logs = part.gather(line.line.log)
    traffic = parallel.gather_traffic(counted)
    return (state, traffic, logs) if part.rank == 0 else None


def pipeline_runs(comm: Any, rules: Sequence[Rule]) -> dict[tuple[int, Rule], Any]:
    """All rules on all ranks of ``comm``, then the first one and BP on two of them; the others are done by then. Collective."""
    torch.set_num_threads(1)
    back = Backpropagation()
    found = {(comm.size, rule): pipeline_run(comm, rule) for rule in (*rules, back)}
    part = first_ranks(comm, 2)
    return (
        found if part is None else found | {(2, rule): pipeline_run(part, rule) for rule in (rules[0], back)}
    )


def largest_difference(a: Any, b: Any) -> float:
    """Over all numbers in two nested states; infinite where one has what the other lacks."""
    if isinstance(a, torch.Tensor):
        return float((a.double() - b.double()).abs().max()) if a.shape == b.shape and a.numel() else 0.0
    if isinstance(a, dict):
        if set(map(str, a)) != set(map(str, b)):
            return float("inf")
        return max((largest_difference(v, b[k]) for k, v in a.items()), default=0.0)
    if isinstance(a, list | tuple):
        return max((largest_difference(v, w) for v, w in zip(a, b, strict=True)), default=0.0)
    return 0.0 if a == b else float("inf")


def bytes_by_formula(n: int, epochs: int, width: int, components: int, itemsize: int, back: bool) -> int:
    """Bytes of all messages: activations forward, and back or errors to all but the last rank."""
    second = width if back else components
    return epochs * SAMPLES * (n - 1) * (width + second) * itemsize


# ----- seconds


@dataclass(frozen=True)
class Calibration:
    """What the cost model is fitted to.

    Args:
        rows: ``(width, batch, passes, seconds of a block in a step)``, serial, one thread.
        message: seconds of a small message between two ranks.
        byte: seconds of each further byte.
    """

    rows: list[tuple[int, int, int, float]]
    message: float
    byte: float


def ping(comm: Any, repeats: int = 30) -> tuple[float, float] | None:
    """Seconds of a message of 8 bytes and of each byte of one of 1 MiB, half a round trip, median. Collective."""
    part = first_ranks(comm, 2)
    if part is None:
        return None
    found = []
    for size in (8, 1 << 20):
        buffer, seconds = np.zeros(size, dtype="uint8"), []
        for _ in range(repeats):
            began = time.perf_counter()
            if part.rank == 0:
                part.Send(buffer, 1)
                part.Recv(buffer, 1)
            else:
                part.Recv(buffer, 0)
                part.Send(buffer, 0)
            seconds.append((time.perf_counter() - began) / 2)
        found.append(float(np.median(seconds)))
    return found[0], max(0.0, found[1] - found[0]) / (1 << 20)


def calibrate(cluster: Any, size: Profile) -> Calibration:
    """Times blocks of several widths and batches with both rules, and messages between two ranks."""
    rows = []
    for width in (32, 128, 256, 512):
        for batch in (16, 64):
            x, y = torch.randn(batch, width), one_hot(torch.arange(batch) % 10, 10)
            for passes, rule in ((2, F3()), (3, Backpropagation())):
                trainer = Trainer(
                    mlp([width] * 6 + [10], seed=0),
                    rule,
                    functional.binary_cross_entropy,
                    adam,
                    sample=x[:2],
                    samples=batch,
                )
                seconds = []
                for _ in range(4):
                    began = time.perf_counter()
                    trainer.step(x, y, torch.arange(batch))
                    seconds.append(time.perf_counter() - began)
                rows.append((width, batch, passes, float(np.median(seconds[1:])) / 6))
    return Calibration(rows, *cluster.run(ping, timeout=size.patience)[0])


@dataclass(frozen=True)
class Times:
    """Seconds of epochs of one network: on one thread, on two, and on two ranks.

    Args:
        speed: what was timed.
        serial, two_threads: of serial F³.
        f3, delayed_two, gpipe: on two ranks: F³, F³ with a delay of two epochs, BP.
        shares: of F³'s ranks: for each what part of its time is ``work``, waits by kind, and the ``rest``.
        border: mean seconds that the first rank waits for the errors of a new epoch.
    """

    speed: Speed
    serial: list[float]
    two_threads: list[float]
    f3: list[float]
    delayed_two: list[float]
    gpipe: list[float]
    shares: list[dict[str, float]]
    border: float


def _problem(speed: Speed):
    rng = torch.Generator().manual_seed(0)
    n = speed.batch * speed.steps
    return torch.randn(n, speed.width, generator=rng), one_hot(torch.randint(10, (n,), generator=rng), 10)


def _sizes(speed: Speed) -> list[int]:
    return [speed.width] * speed.blocks + [10]


def serial_seconds(speed: Speed, threads: int) -> list[float]:
    """Seconds of epochs of serial F³, after one that is not counted; on several threads a quarter of each is timed."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    x, y = _problem(speed)
    trainer = Trainer(
        mlp(_sizes(speed), seed=0), F3(), functional.binary_cross_entropy, adam, sample=x[:2], samples=len(x)
    )
    found = []
    # Two threads on a machine that is not quiet wait for each other: a whole epoch would take minutes.
    part = speed.steps if threads == 1 else max(1, speed.steps // 4)
    for _ in range(speed.repeats + 1):
        began = time.perf_counter()
        trainer.epoch(x, y, speed.batch, batches=part)
        found.append((time.perf_counter() - began) * speed.steps / part)
    torch.set_num_threads(before)
    return found[1:]


SIDES = ("F³", "F³, delay 2", "GPipe")


def ranked_seconds(comm: Any, speed: Speed) -> dict[str, list] | None:
    """The logs of both of the first two ranks for each of ``SIDES``, one epoch that is not counted before them. Collective."""
    torch.set_num_threads(1)
    part = first_ranks(comm, 2)
    if part is None:
        return None
    x, y = _problem(speed)
    options = dict(sample=x[:2], samples=len(x), batch_size=speed.batch, patience=120)
    found = {}
    for side in SIDES:
        blocks = mlp(_sizes(speed), seed=0)
        if side == "GPipe":
            line = GPipe(part, blocks, functional.binary_cross_entropy, adam, micro_batches=4, **options)
        else:
            rule = F3(delay=2 if side == "F³, delay 2" else 1)
            line = Pipeline(part, blocks, rule, functional.binary_cross_entropy, adam, **options)
        line.fit(x, y, 1)
        line.line.log.clear()
        line.fit(x, y, speed.repeats)
        found[side] = part.gather(line.line.log)
    return found if part.rank == 0 else None


def epoch_seconds(logs: list, repeats: int) -> list[float]:
    """From the end of the last rank's epoch to that of its next; the first one begins with the work of rank 0."""
    work = [e for e in logs[-1] if e[0] == "work"]
    epochs = sorted({e[1] for e in work})
    ends = [max(e[4] for e in work if e[1] == epoch) for epoch in epochs]
    began = min(e[3] for e in logs[0] if e[0] == "work")
    assert len(ends) == repeats
    return np.diff([began, *ends]).tolist()


def time_shares(log: list, began: float, ended: float) -> dict[str, float]:
    """What part of the time a rank worked, waited by kind, and did the rest: reading tables, handing over messages."""
    total = ended - began
    kinds = sorted({e[0] for e in log})
    found = {
        kind: sum(max(0.0, min(e[4], ended) - max(e[3], began)) for e in log if e[0] == kind) / total
        for kind in kinds
    }
    return found | {"rest": 1 - sum(found.values())}


def speeds(size: Profile, cluster: Any) -> list[Times]:
    """All networks of the profile, the sides one after another."""
    found = []
    for speed in size.speeds:
        logs = cluster.run(ranked_seconds, speed, timeout=size.patience)[0]
        seconds = {kind: epoch_seconds(log, speed.repeats) for kind, log in logs.items()}
        ours = logs["F³"]
        began, ended = min(e[3] for e in ours[0]), max(e[4] for e in ours[-1] if e[0] == "work")
        border = [e[4] - e[3] for e in ours[0] if e[0] == "wait for errors" and e[2] == 0]
        found.append(
            Times(
                speed,
                serial_seconds(speed, 1),
                serial_seconds(speed, 2),
                seconds["F³"],
                seconds["F³, delay 2"],
                seconds["GPipe"],
                [time_shares(log, began, ended) for log in ours],
                float(np.mean(border)) if border else 0.0,
            )
        )
    return found
