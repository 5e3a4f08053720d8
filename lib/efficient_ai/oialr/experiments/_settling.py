"""Does the basis settle by itself? Weights at equal distances, with a cosine and with a constant learning rate."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from efficient_ai import lowrank, training
from efficient_ai.oialr._stability import cosine as weight_cosine
from efficient_ai.oialr._stability import mixing, stability
from efficient_ai.oialr.experiments._clothes import batches, cosine, network, pictures
from efficient_ai.oialr.profiles import Profile

NETWORKS = ("mlp", "cnn")
RATES = ("constant", "cosine")
REDRAWN = 0.3
MEASURES = {"basis": stability, "whole weight": weight_cosine, "mixing": mixing}


@dataclass(frozen=True)
class Settling:
    """Likeness of each hidden weight with itself one checkpoint before.

    Args:
        layers: names of the weights.
        curves: for each measure, shape ``(checkpoints, layers)``.
    """

    layers: tuple[str, ...]
    curves: dict[str, np.ndarray]

    def late(self, measure: str) -> float:
        """Mean over layers and the second half of the training."""
        curve = self.curves[measure]
        return float(curve[len(curve) // 2 :].mean())


def follow(kind: str, rate: str, profile: Profile, seed: int) -> Settling:
    """Train a network while a share of the labels is redrawn in each batch, so that the loss and its gradient never vanish.

    Without that a net that fits its data stands still under any learning rate, and every measure is 1.
    """
    model, (x, y) = network(kind, profile.hidden, seed), pictures(profile.images)["train"]
    hidden = {layer.names[0]: layer for layer in lowrank.survey(model).layers[:-1] if layer.view.columns > 9}
    optimizer = torch.optim.AdamW(model.parameters(), lr=profile.rate)
    share, rng = cosine(profile.steps), training.generator(seed, rank=1)
    every, states = max(1, profile.steps // profile.checkpoints), []

    def note() -> None:
        states.append(
            {name: layer.view.split(layer.weight.detach())[0].clone() for name, layer in hidden.items()}
        )

    note()
    for step, (inputs, labels) in enumerate(batches(x, y, profile, seed)):
        for group in optimizer.param_groups:
            group["lr"] = profile.rate * (share(step) if rate == "cosine" else 1.0)
        redrawn = torch.randint(0, 10, labels.shape, generator=rng)
        chosen = torch.rand(labels.shape, generator=rng) < REDRAWN
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), torch.where(chosen, redrawn, labels)).backward()
        optimizer.step()
        if (step + 1) % every == 0 and len(states) <= profile.checkpoints:
            note()
    curves = {
        name: np.array([[measure(a[layer], b[layer]) for layer in hidden] for a, b in pairwise(states)])
        for name, measure in MEASURES.items()
    }
    return Settling(tuple(hidden), curves)


def settling(profile: Profile) -> dict[tuple[str, str], dict[int, Settling]]:
    """For each network and learning rate, all seeds."""
    return {
        (kind, rate): {seed: follow(kind, rate, profile, seed) for seed in profile.seed_list}
        for kind in NETWORKS
        for rate in RATES
    }
