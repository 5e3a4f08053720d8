"""Training runs of the chapter: one network on one panel from one seed, or many of them on two processes."""

import copy
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

from efficient_ai import training
from efficient_ai.recycle import sources
from efficient_ai.recycle._fitting import fit_network, predict
from efficient_ai.recycle._methods import METHODS, build
from efficient_ai.recycle._network import parameters
from efficient_ai.recycle._scores import absolute_error, errors, mae, mase, per_series
from efficient_ai.recycle._windows import Panel, Recipe, Windows, windows


@dataclass(frozen=True)
class Budget:
    """How long a network is trained.

    Args:
        stride: days from one training window to the next.
        epochs: at most this many.
        batch: windows per step.
        patience: epochs without a better validation error before the training ends.
        cpu_seconds: of a slow method: an epoch is cut to so many windows that all epochs take about this long.
        valid_stride, test_stride: days from one validation or test window to the next.
    """

    stride: int = 1
    epochs: int = 30
    batch: int = 32
    patience: int = 6
    cpu_seconds: float | None = None
    valid_stride: int = 3
    test_stride: int = 1


@dataclass(frozen=True)
class Job:
    """One training: a panel by name, a method by name, a seed, a budget.

    Args:
        source: a key of :data:`SOURCES`, or ``"europe:DE"`` for one country alone.
        method: a key of :data:`METHODS`.
        seed: of the weights, of the order of the windows, and of the synthetic series.
        budget: how long.
        days: train on the last so many days of the training part alone, a fifth of them for validation.
        variant: of the historic profile, in place of that of the method.
    """

    source: str
    method: str
    seed: int
    budget: Budget
    days: int | None = None
    variant: str = ""

    @property
    def recipe(self) -> Recipe:
        recipe = METHODS[self.method].recipe
        return replace(recipe, variant=self.variant) if self.variant else recipe


@dataclass
class Result:
    """What a training led to.

    Args:
        mase, mae: on the test part, by lead day, shape ``(F,)``.
        curve: validation error (mean absolute, normalised) before the first epoch and after each one.
        best_epoch: the epoch whose weights were kept, 0 for the untrained network.
        parameters: of the network.
        samples: windows of one epoch.
        epochs: that were trained.
        cpu_seconds, joules, energy_source: of the training.
        profile_curve: validation error of the profile alone.
        profile_mase: test error of the profile alone (MASE), by lead day.
        by_series, profile_by_series: mean absolute test error of each series, of the network and of its profile.
    """

    job: Job
    mase: np.ndarray
    mae: np.ndarray
    curve: list[float]
    best_epoch: int
    parameters: int
    samples: int
    epochs: int
    cpu_seconds: float
    joules: float
    energy_source: str
    profile_curve: float
    profile_mase: np.ndarray
    by_series: np.ndarray
    profile_by_series: np.ndarray


@dataclass(frozen=True)
class Plain:
    """A method without seeds.

    Args:
        mase, mae: by lead day, shape ``(F,)``.
        by_series: mean absolute test error of each series.
        parameters: that were fitted.
        cpu_seconds: of the fit.
    """

    mase: np.ndarray
    mae: np.ndarray
    by_series: np.ndarray
    parameters: int = 0
    cpu_seconds: float = 0.0

    @classmethod
    def of(
        cls, forecast: torch.Tensor, test: Windows, parameters: int = 0, cpu_seconds: float = 0.0
    ) -> "Plain":
        """Score a forecast of the test windows."""
        found = per_series(errors(forecast, test), test).mean(axis=1)
        return cls(mase(forecast, test), mae(forecast, test), found, parameters, cpu_seconds)


SOURCES = {
    "europe": lambda seed: sources.europe(),
    "europe without holidays": lambda seed: sources.europe(holidays=False),
    "europe, scaled as the authors do": lambda seed: sources.europe(scale_on="each part"),
    "household": lambda seed: sources.household(),
    "synthetic": lambda seed: sources.synthetic(seed),
    "synthetic, drift": lambda seed: sources.synthetic(seed, drift=0.15),
    "synthetic, exact weeks": lambda seed: sources.synthetic(seed, weather=0, noise=0, holidays=False),
    "synthetic, all days alike": lambda seed: sources.synthetic(seed, weekly=False),
}


def source(name: str, seed: int = 0) -> Panel:
    """The panel called ``name``, a key of :data:`SOURCES` or ``"europe:DE"``; only synthetic ones depend on the seed."""
    return _source(name, seed if name.startswith("synthetic") else 0)


@cache
def _source(name: str, seed: int) -> Panel:
    whole, _, country = name.partition(":")
    if whole not in SOURCES:
        raise KeyError(f"no source {name!r}; there are {', '.join(SOURCES)}")
    if country:
        return sources.europe(countries=[country])
    return SOURCES[whole](seed)


@lru_cache(maxsize=24)
def _cut(name: str, seed: int, part: str | tuple[int, int], recipe: Recipe, stride: int) -> Windows:
    return windows(_source(name, seed), part, recipe, stride)


def parts(job: Job) -> tuple[Windows, Windows, Windows]:
    """Training, validation and test windows of a job."""
    seed = job.seed if job.source.startswith("synthetic") else 0
    data, budget = _source(job.source, seed), job.budget

    def cut(part, stride: int) -> Windows:
        return _cut(job.source, seed, part, job.recipe, stride)

    if job.days is None:
        return cut("train", budget.stride), cut("valid", budget.valid_stride), cut("test", budget.test_stride)
    stop = data.split.train[1]
    border = stop - max(job.days // 5, job.recipe.forecast)
    return cut((stop - job.days, border), 1), cut((border, stop), 1), cut("test", budget.test_stride)


def train(job: Job, model: nn.Module | None = None, after_epoch=None) -> tuple[nn.Module, Result]:
    """Train the network of a job and score it on the test part, with the weights that were best on the validation part.

    The untrained network is one of the candidates. With an output layer of zeros it is the profile, so that such a
    training never ends above the profile's validation error.

    Raises:
        ValueError: a network of another history than that of the windows.
    """
    cut, valid, test = parts(job)
    budget = job.budget
    model = model or build(job.method, source(job.source, job.seed).cycle, job.seed)
    if budget.cpu_seconds is not None:
        cut = _affordable(model, cut, budget, job.seed)
    history, before, best = fit_network(
        model, cut, valid, epochs=budget.epochs, batch=budget.batch, patience=budget.patience, seed=job.seed,
        after_epoch=after_epoch,
    )  # fmt: skip
    forecast = predict(model, test)
    profile = float((valid.profile - valid.y).abs().mean())
    result = Result(
        job, mase(forecast, test), mae(forecast, test), [before, *history.valid_loss], best,
        parameters(model), len(cut), len(history.valid_loss), history.energy.cpu_seconds, history.energy.joules,
        history.energy.source, profile, mase(test.profile, test),
        per_series(errors(forecast, test), test).mean(axis=1),
        per_series(errors(test.profile, test), test).mean(axis=1),
    )  # fmt: skip
    return model, result


def _affordable(model: nn.Module, cut: Windows, budget: Budget, seed: int) -> Windows:
    """A random part of the windows, so that all epochs together take about ``cpu_seconds``."""
    trial, batch = copy.deepcopy(model), cut.take(np.arange(budget.batch))
    _epoch(trial, batch, budget.batch)
    began = time.process_time()
    _epoch(trial, batch, budget.batch)
    each = (time.process_time() - began) / budget.batch
    count = int(budget.cpu_seconds / budget.epochs / each)
    count = min(max(count // budget.batch, 1) * budget.batch, len(cut))
    return cut.take(np.sort(np.random.default_rng(seed).choice(len(cut), count, replace=False)))


def _epoch(model: nn.Module, cut: Windows, batch: int) -> None:
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    for x, y in training.batches(cut.x, cut.y, batch, training.generator(0)):
        optimiser.zero_grad()
        absolute_error(model(x), y).backward()
        optimiser.step()


def train_many(jobs: Sequence[Job], workers: int = 2, progress: bool = False) -> list[Result]:
    """Train all jobs, each with one thread, on ``workers`` processes; results in the order of ``jobs``.

    Long ones are begun first, so that no process waits for a straggler at the end. With one worker everything happens in
    this process.

    Args:
        jobs: what to train.
        workers: processes.
        progress: show a bar.
    """
    bar = tqdm(total=len(jobs), desc="trainings", disable=not progress)
    if workers < 2:
        found = []
        for job in jobs:
            found.append(_train_alone(job))
            bar.update()
        bar.close()
        return found
    order = sorted(jobs, key=lambda job: job.budget.cpu_seconds or 0, reverse=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_one_thread) as pool:
        futures = {job: pool.submit(_train_alone, job) for job in order}
        for _ in as_completed(futures.values()):
            bar.update()
    bar.close()
    return [futures[job].result() for job in jobs]


def _one_thread() -> None:
    torch.set_num_threads(1)


def _train_alone(job: Job) -> Result:
    return train(job)[1]
