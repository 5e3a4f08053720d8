"""Many trainings: one is a :class:`Job`, all of them share the processes that are there."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import torch

from efficient_ai.f3._blocks import mlp
from efficient_ai.f3._rules import ForwardForward, Rule
from efficient_ai.f3._tasks import load_task
from efficient_ai.f3._trainer import Trainer
from efficient_ai.f3._transformer import cross_entropy, patch_transformer


@dataclass(frozen=True)
class Job:
    """One training with Adam.

    Args:
        task: a key of ``TASKS``.
        rule: how hidden blocks learn.
        rate: of Adam.
        seed: of weights, feedback and order.
        depth: hidden blocks; 0 for the transformer on patches.
        width: of each.
        epochs: how many.
        batch: samples per step.
        share: of the training samples.
        layers: of the transformer.
    """

    task: str
    rule: Rule
    rate: float
    seed: int
    depth: int = 1
    width: int = 100
    epochs: int = 20
    batch: int = 50
    share: float = 1.0
    layers: int = 4


@dataclass(frozen=True)
class Result:
    """Errors of a training, in the unit of :meth:`Task.error`; infinite if it ended in numbers that are not finite.

    Args:
        valid: validation error after each epoch.
        test: test error at the end.
        loss: mean training loss of each epoch.
    """

    test: float
    valid: list[float] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)


def make_trainer(job: Job) -> Trainer:
    """The untrained network of a job."""
    task = load_task(job.task, job.share)
    x, y = task.train
    inputs, outputs = x[0].numel(), y.shape[1]
    if job.depth:
        first = inputs + (outputs if isinstance(job.rule, ForwardForward) else 0)
        blocks = mlp([first] + [job.width] * job.depth + [outputs], output=task.ending, seed=job.seed)
        loss = task.loss
    else:
        blocks, loss = patch_transformer(inputs, outputs, layers=job.layers, seed=job.seed), cross_entropy
    return Trainer(
        blocks,
        job.rule,
        loss,
        lambda p: torch.optim.Adam(p, job.rate),
        sample=x[:2],
        samples=len(x),
        seed=job.seed,
    )


def train(job: Job, after_epoch=None) -> Result:
    """Train and test one network.

    Args:
        job: what to train.
        after_epoch: called with the trainer and the number of the epoch that ended, from 0.
    """
    task, trainer = load_task(job.task, job.share), make_trainer(job)
    found = Result(float("inf"))
    for epoch in range(job.epochs):
        try:
            found.loss.append(trainer.epoch(*task.train, job.batch))
        except FloatingPointError:
            return Result(float("inf"), [*found.valid, float("inf")], found.loss)
        found.valid.append(task.error(trainer.predict(task.valid[0]), task.valid[1]))
        if after_epoch is not None:
            after_epoch(trainer, epoch)
    return Result(task.error(trainer.predict(task.test[0]), task.test[1]), found.valid, found.loss)


def train_many(jobs: Sequence[Job], workers: int = 2) -> list[Result]:
    """Train all jobs with one thread each; results in their order. With one worker everything happens in this process."""
    if workers < 2:
        return [train(job) for job in jobs]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        return list(pool.map(train, jobs, chunksize=4))


def _one_thread() -> None:
    torch.set_num_threads(1)
