"""Data, members and fine-tuning of the chapter's experiments; nothing here ever looks at the test set to decide."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from efficient_ai.data import fashion_mnist
from efficient_ai.training import accuracy, batches, evaluate, generator
from efficient_ai.transplantation._networks import MiniViT, Perceptron, SmallResNet

CLASSES = 10


@dataclass(frozen=True)
class Recipe:
    """How networks are trained: SGD with momentum 0.9 at a constant rate, cross entropy, as in the paper's scripts.

    Args:
        images: training images; each member sees nine tenths of them.
        epochs: of a member.
        tune: epochs of fine-tuning after a fusion, and of every rival.
        rate: of both.
        batch: images per step.
        checked: validation images, and as many of the test.
        device: where networks and images live.
    """

    images: int = 6000
    epochs: int = 20
    tune: int = 10
    rate: float = 0.05
    batch: int = 64
    checked: int = 2000
    device: str = "cpu"


@dataclass(frozen=True)
class Bed:
    """Images and labels as tensors: train, validation, test; shapes ``(n, side, side)`` and ``(n,)``."""

    train: tuple[torch.Tensor, torch.Tensor]
    valid: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]


@lru_cache(maxsize=4)
def bed(images: int, side: int = 14, checked: int = 2000, device: str = "cpu") -> Bed:
    """Fashion-MNIST, at 28 pixels or averaged down to 14, centred by the training mean and spread."""
    found = fashion_mnist(train=images, valid=checked, test=checked)

    def tensors(x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        pixels = torch.from_numpy(x)
        if side != 28:
            pixels = F.adaptive_avg_pool2d(pixels.unsqueeze(1), side).squeeze(1)
        return ((pixels - 0.2860) / 0.3530).to(device), torch.from_numpy(y).to(device)

    return Bed(
        tensors(found.x_train, found.y_train),
        tensors(found.x_valid, found.y_valid),
        tensors(found.x_test, found.y_test),
    )


def network(kind: str, width: int) -> nn.Module:
    """An untrained network of the chapter, by name and width."""
    if kind == "perceptron":
        return Perceptron(14 * 14, (width,) * 3, CLASSES)
    if kind == "residual":
        return SmallResNet(width, CLASSES)
    if kind == "transformer":
        return MiniViT(28, 7, width, 4, 2, CLASSES)
    raise ValueError(f"kind={kind!r}: choose perceptron, residual or transformer")


def side(kind: str) -> int:
    return 28 if kind == "transformer" else 14


def data_of(kind: str, recipe: Recipe) -> Bed:
    """The images that a kind of network takes."""
    return bed(recipe.images, side(kind), recipe.checked, recipe.device)


def train(
    model: nn.Module,
    data: tuple[torch.Tensor, torch.Tensor],
    recipe: Recipe,
    epochs: int,
    seed: int,
    after: Callable[[nn.Module], None] | None = None,
    teacher: torch.Tensor | None = None,
) -> nn.Module:
    """Train in place; ``after`` is called before the first and after every epoch.

    Args:
        teacher: logits of a teacher on the training images, ``(n, classes)``; the loss is then half cross entropy, half
            divergence from the teacher.
    """
    rng = generator(seed, device=data[0].device)
    optimiser = torch.optim.SGD(model.parameters(), recipe.rate, momentum=0.9)
    index = torch.arange(len(data[0]), device=data[0].device)
    if after:
        after(model)
    for _ in range(epochs):
        model.train()
        for chosen, y in batches(index, data[1], recipe.batch, rng):
            optimiser.zero_grad()
            logits = model(data[0][chosen])
            loss = F.cross_entropy(logits, y)
            if teacher is not None:
                wanted = teacher[chosen].softmax(-1)
                loss = 0.5 * loss + 0.5 * F.kl_div(logits.log_softmax(-1), wanted, reduction="batchmean")
            loss.backward()
            optimiser.step()
        if after:
            after(model)
    return model.eval()


def member(
    kind: str, width: int, recipe: Recipe, seed: int, number: int, epochs: int | None = None
) -> nn.Module:
    """A member: its own start, its own nine tenths of the training images, its own order.

    Args:
        seed: of the repetition.
        number: of the member in it; no two share their randomness.
        epochs: if not those of the recipe.
    """
    x, y = data_of(kind, recipe).train
    rng = generator(seed, 1 + number)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**31, (), generator=rng)))
        model = network(kind, width).to(recipe.device)
    seen = torch.randperm(len(x), generator=rng)[: int(0.9 * len(x))].to(x.device)
    own = int(torch.randint(2**31, (), generator=rng))
    return train(model, (x[seen], y[seen]), recipe, epochs or recipe.epochs, own)


def correct(model: nn.Module, data: tuple[torch.Tensor, torch.Tensor]) -> float:
    """Accuracy in per cent, in evaluation mode."""
    return 100 * evaluate(model, data, accuracy)


def tune(
    model: nn.Module, kind: str, recipe: Recipe, seed: int, teacher: torch.Tensor | None = None
) -> list[float]:
    """Fine-tune a copy; test accuracy in per cent before it and after each epoch, shape ``(tune + 1,)``."""
    data, curve = data_of(kind, recipe), []
    train(
        copy.deepcopy(model), data.train, recipe, recipe.tune, seed,
        after=lambda m: curve.append(correct(m, data.test)), teacher=teacher,
    )  # fmt: skip
    return curve


@torch.no_grad()
def logits(members: Sequence[nn.Module], x: torch.Tensor) -> torch.Tensor:
    """Mean of the members' logits, shape ``(n, classes)``."""
    return sum(m.eval()(x) for m in members) / len(members)


def ensemble(members: Sequence[nn.Module], data: tuple[torch.Tensor, torch.Tensor]) -> float:
    """Accuracy of the averaged logits in per cent."""
    return 100 * float(accuracy(logits(members, data[0]), data[1]))


def best(members: Sequence[nn.Module], kind: str, recipe: Recipe) -> int:
    """The member with the highest accuracy on validation images; the first of equals."""
    valid = data_of(kind, recipe).valid
    return int(np.argmax([correct(m, valid) for m in members]))
