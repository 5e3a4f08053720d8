"""What is learned: two sets of images, two regressions; all scaled by what the training part knows."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from efficient_ai import data
from efficient_ai.f3._blocks import one_hot
from efficient_ai.f3._signals import Loss

Part = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Task:
    """Inputs ``(n, features)`` and targets ``(n, C)``, float32.

    Args:
        train, valid, test: pairs of inputs and targets.
        classes: True if targets are one-hot classes; the loss is then BCE on sigmoid outputs, otherwise MSE on linear ones.
        origin: one sentence: what it is and how it was prepared.
    """

    train: Part
    valid: Part
    test: Part
    classes: bool
    origin: str

    @property
    def loss(self) -> Loss:
        return functional.binary_cross_entropy if self.classes else functional.mse_loss

    @property
    def ending(self) -> str:
        """Activation of the last block."""
        return "sigmoid" if self.classes else "linear"

    def error(self, output: Tensor, target: Tensor) -> float:
        """Per cent wrong for classes; for a regression the mean squared error in per cent of the target's variance (100 - R²)."""
        if self.classes:
            return 100 * float((output.argmax(1) != target.argmax(1)).float().mean())
        return 100 * float((output - target).square().mean() / (target - target.mean(0)).square().mean())


def _images(images: data.Images, origin: str) -> Task:
    mean, spread = float(images.x_train.mean()), float(images.x_train.std())

    def part(x, y) -> Part:
        return torch.from_numpy((x - mean) / spread).flatten(1), one_hot(torch.from_numpy(y), 10)

    return Task(
        part(images.x_train, images.y_train),
        part(images.x_valid, images.y_valid),
        part(images.x_test, images.y_test),
        True,
        origin,
    )


def _digits(share: float) -> Task:
    images = data.digits(train=round(1200 * share))
    return _images(
        images, "Digits of 8 x 8 pixels; one mean and one standard deviation, those of the training pixels"
    )


def _fashion(share: float) -> Task:
    images = data.fashion_mnist(train=round(8000 * share), valid=1000)
    return _images(images, "Fashion-MNIST; one mean and one standard deviation, those of the training pixels")


def _standardised(x: np.ndarray, y: np.ndarray, parts: tuple[np.ndarray, ...], origin: str) -> Task:
    first = parts[0]
    x = (x - x[first].mean(0)) / x[first].std(0)
    y = ((y - y[first].mean()) / y[first].std())[:, None]
    found = [
        (torch.from_numpy(x[p].astype("float32")), torch.from_numpy(y[p].astype("float32"))) for p in parts
    ]
    return Task(*found, classes=False, origin=origin)


def _friedman(share: float) -> Task:
    """Friedman's first function of ten uniform features, five of which matter, with noise (Friedman 1991)."""
    rng, n = np.random.default_rng(0), round(2400 * share)
    x = rng.uniform(size=(n + 1200, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    rows = np.arange(len(x))
    parts = (rows[:n], rows[n : n + 600], rows[n + 600 :])
    return _standardised(
        x, y + rng.normal(size=len(x)), parts, "Friedman's first function with noise of variance 1, made up"
    )


def _generation(share: float) -> Task:
    series = data.european_generation()
    values = series.values[:, np.isfinite(series.values).all(0)]
    hours = np.flatnonzero(np.isfinite(series.values).all(0))
    values, hours = values[:, ::3].T.astype(float), hours[::3]
    germany = series.names.index("DE")
    week = hours // 168
    parts = tuple(np.flatnonzero(np.isin(week % 5, k)) for k in ([0, 1, 2], [3], [4]))
    few = np.linspace(0, len(parts[0]) - 1, round(len(parts[0]) * share)).astype(int)
    kept = (parts[0][few], *parts[1:])  # from all years: the level moves from one to the next
    low, high = np.percentile(values[kept[0]], [0.1, 99.9], axis=0)
    values = np.clip(values, low, high)
    return _standardised(
        np.delete(values, germany, axis=1),
        values[:, germany],
        kept,
        "Generation of Germany from that of 19 neighbours in the same hour, every third hour; weeks are dealt out whole: three to "
        "training, one to validation, one to the test",
    )


TASKS = {"digits": _digits, "Fashion-MNIST": _fashion, "Friedman": _friedman, "generation": _generation}


@cache
def load_task(name: str, share: float = 1.0) -> Task:
    """One of ``TASKS``; ``share`` of its training samples, validation and test whole.

    Raises:
        ValueError: an unknown name, or a share outside (0, 1].
    """
    if name not in TASKS or not 0 < share <= 1:
        raise ValueError(
            f"a task is one of {', '.join(TASKS)}, a share above 0 and at most 1; got {name!r}, {share}"
        )
    return TASKS[name](share)
