"""The search of the chapter: hyper-parameters of a small network that classifies real images."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from efficient_ai import data, training
from efficient_ai.propulate._space import Choice, Float, Integer, LogFloat, Space
from efficient_ai.seeds import seed_for

SPACE = Space(
    {
        "learning rate": LogFloat(1e-4, 1e-1),
        "width": Integer(8, 256),
        "hidden layers": Integer(1, 3),
        "dropout": Float(0.0, 0.6),
        "activation": Choice("relu", "tanh", "gelu"),
        "batch size": Choice(16, 32, 64, 128, 256),
    }
)

_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


def load_images(train: int, device: str | torch.device = "cpu") -> dict[str, training.Batch]:
    """Fashion-MNIST as tensors: ``train`` images for training, 2 000 for validation, 2 000 for the test.

    Returns:
        pairs of images ``(n, 784)`` float32 and classes ``(n,)`` int64 by name of the part.
    """
    images = data.fashion_mnist(train=train)

    def part(x, y) -> training.Batch:
        return torch.from_numpy(x).flatten(1).to(device), torch.from_numpy(y).to(device)

    return {
        "train": part(images.x_train, images.y_train),
        "valid": part(images.x_valid, images.y_valid),
        "test": part(images.x_test, images.y_test),
    }


def prepare(train: int) -> dict[str, training.Batch]:
    """What a rank does once before it trains candidates: one thread per rank, images loaded, torch warm.

    The first optimiser that torch makes imports a large part of it, which takes seconds. That belongs to no candidate,
    so a network is trained and thrown away here. Arguments and result as for :func:`load_images`.
    """
    torch.set_num_threads(1)
    images = load_images(train)
    first = {part: (x[:32], y[:32]) for part, (x, y) in images.items()}
    smallest = {"learning rate": 1e-3, "width": 8, "hidden layers": 1, "dropout": 0.0, "activation": "relu"}
    train_network({**smallest, "batch size": 32}, first, epochs=1, seed=0)
    return images


def build_network(genes: Mapping[str, Any]) -> nn.Sequential:
    """A multilayer perceptron from 784 pixels to 10 logits with the width, depth, dropout and activation of ``genes``."""
    sizes = [784] + [genes["width"]] * genes["hidden layers"]
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [
            nn.Linear(inputs, outputs),
            _ACTIVATIONS[genes["activation"]](),
            nn.Dropout(genes["dropout"]),
        ]
    return nn.Sequential(*layers, nn.Linear(sizes[-1], 10))


def train_network(
    genes: Mapping[str, Any], images: Mapping[str, training.Batch], *, epochs: int, seed: int
) -> tuple[nn.Sequential, float]:
    """Train one candidate and measure it.

    Args:
        genes: values by name, as :data:`SPACE` has them.
        images: as :func:`load_images` returns them.
        epochs: passes over the training images.
        seed: of the weights, the dropout masks and the order of the images.

    Returns:
        the network with the weights of its best epoch, and its validation error: the share of wrong classes in [0, 1].
    """
    device = images["train"][0].device
    cuda = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cuda):  # weights and dropout draw from the global generator
        torch.manual_seed(seed_for(seed))
        network = build_network(genes).to(device)
        optimiser = torch.optim.Adam(network.parameters(), lr=genes["learning rate"])
        training.fit(
            network, images["train"], images["valid"], nn.functional.cross_entropy, optimiser,
            epochs=epochs, batch_size=genes["batch size"], seed=seed,
        )  # fmt: skip
    return network, 1 - training.evaluate(network, images["valid"], training.accuracy)


def test_accuracy(network: nn.Module, images: Mapping[str, training.Batch]) -> float:
    """Share of the test images that ``network`` puts into the right class."""
    return training.evaluate(network, images["test"], training.accuracy)
