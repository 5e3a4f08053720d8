"""Training for a fixed number of steps, and further training of what was pruned."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from efficient_ai import training
from efficient_ai.forecasters import seq2seq
from efficient_ai.pruning._masks import Masks
from efficient_ai.pruning._series import HISTORY, HORIZON, Bed, errors


@dataclass(frozen=True)
class Recipe:
    """How a forecaster is built and trained.

    Args:
        width, hidden, heads: of the tokens, the feed-forward parts, the attention.
        steps: of Adam.
        tune: further steps of what was pruned, and of the dense model beside it.
        batch: windows in a step.
        rate: of learning; a third of it in further training.
        checks: validations during training; the best state is taken.
        judged: windows of validation and of test, evenly spread.
    """

    width: int = 32
    hidden: int = 64
    heads: int = 4
    steps: int = 200
    tune: int = 66
    batch: int = 32
    rate: float = 1e-3
    checks: int = 8
    judged: int = 128


def build(name: str, bed: Bed, recipe: Recipe, seed: int, **settings) -> nn.Module:
    """One of the five, for the windows of a bed, its first weights from ``seed``."""
    sizes = {"width": recipe.width, "hidden": recipe.hidden, "heads": recipe.heads}
    if name == "FEDformer":
        sizes |= {"heads": 8, "modes": 32, "seed": seed}
    if name == "Crossformer":
        sizes |= {"segment": 12, "encoders": 2, "dropout": 0.05}
    else:
        sizes["marks"] = bed.marks.shape[1]
    if name == "Informer":
        sizes["seed"] = seed
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return seq2seq.MODELS[name](bed.series, HISTORY, HORIZON, **(sizes | settings))


def judged(bed: Bed, part: str, count: int) -> np.ndarray:
    """So many windows of a part, evenly spread over it."""
    starts = bed.starts(part)
    return starts[np.unique(np.linspace(0, len(starts) - 1, min(count, len(starts))).astype(int))]


def forecast(model: nn.Module, x: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
    """With or without time marks, as the model was built."""
    return model(x, marks) if model.sizes.marks else model(x)


def train(
    model: nn.Module, bed: Bed, recipe: Recipe, seed: int, *, masks: Masks | None = None, tuning: bool = False
) -> nn.Module:
    """Adam on random training windows, in place; ends with the state that was best on the validation windows.

    Further training (``tuning``) takes fewer, shorter steps; the state it starts from is among those to choose from.

    Raises:
        FloatingPointError: the validation error was never finite.
    """
    steps, rate = (recipe.tune, recipe.rate / 3) if tuning else (recipe.steps, recipe.rate)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    if masks is not None:
        masks.hold(model, optimiser)
    starts, valid = bed.starts("train"), judged(bed, "valid", recipe.judged)
    rng, best = training.generator(seed, 1 if tuning else 0), (float("inf"), None)
    if tuning:
        best = (float(errors(model, bed, valid).mean()), copy.deepcopy(model.state_dict()))
    every = max(1, steps // recipe.checks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # of dropout
        model.train()
        for step in range(1, steps + 1):
            x, marks, y = bed.windows(
                starts[torch.randint(len(starts), (recipe.batch,), generator=rng).numpy()]
            )
            optimiser.zero_grad()
            loss = (forecast(model, x, marks) - y).square().mean()
            loss.backward()
            optimiser.step()
            if step % every == 0 or step == steps:
                error = float(errors(model, bed, valid).mean())
                if error < best[0]:
                    best = (error, copy.deepcopy(model.state_dict()))
    if best[1] is None:
        raise FloatingPointError("no finite validation error: lower the rate of learning")
    model.load_state_dict(best[1])
    return model.eval()


def dead(model: nn.Module, inputs: Sequence[torch.Tensor]) -> list[str]:
    """Names of parameters through which no gradient flows: they can be removed for nothing.

    A gradient that is zero for one input only by chance is not counted: the output is weighted at random.
    """
    was = model.training
    model.eval()
    out = model(*inputs)
    weights = torch.randn(out.shape, generator=training.generator(0), dtype=out.dtype)
    named = list(model.named_parameters())
    found = torch.autograd.grad((out * weights).sum(), [p for _, p in named], allow_unused=True)
    model.train(was)
    return [name for (name, _), g in zip(named, found, strict=True) if g is None or not g.abs().any()]
