"""What a forecast of one's own series is chosen from, from the simplest to the network."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from efficient_ai.recycle._baselines import Ridge, fit_ridge, seasonal_naive
from efficient_ai.recycle._fitting import fit_network, predict
from efficient_ai.recycle._methods import build
from efficient_ai.recycle._network import ReCycle
from efficient_ai.recycle._windows import Recipe, Windows

CANDIDATES = ("profile", "last week", "ridge", "ReCycle")
HOURS, WEEK = 24, 7

Cut = Callable[[str], Windows]
Model = Ridge | nn.Module | None


def fit_candidate(name: str, cut: Cut, epochs: int, seed: int, after_epoch=None) -> Model:
    """What a candidate learns from the windows ``cut("train")`` and ``cut("valid")``; None if nothing."""
    if name == "ridge":
        train, valid = cut("train"), cut("valid")
        # Of finer steps a week has more numbers than there are windows.
        days = min(train.recipe.history, WEEK if train.y.shape[2] <= HOURS else 2)
        return fit_ridge(train, valid, days, calendar=True)
    if name == "ReCycle":
        train, valid = cut("train"), cut("valid")
        model = network(train.y.shape[2], train.recipe, seed)
        fit_network(
            model, train, valid, epochs=epochs, batch=32, patience=max(epochs // 5, 2), seed=seed,
            after_epoch=after_epoch,
        )  # fmt: skip
        return model
    return None


def network(cycle: int, recipe: Recipe, seed: int) -> ReCycle:
    """ReCycle that begins as its profile."""
    width = 32 if cycle != 32 else 48  # of a width like the output there would be no layer to set to zero
    return build("ReCycle", cycle, seed, history=recipe.history, width=width, zero_head=True, dropout=0.1)


def of_candidate(name: str, recipe: Recipe) -> Recipe:
    """How its windows are cut: a ridge reads days as they are."""
    return replace(recipe, residual_input=name != "ridge")


@torch.no_grad()
def forecast(name: str, model: Model, cut: Windows) -> Tensor:
    """Normalised, ``(windows, F, cycle)``."""
    if name == "profile":
        return cut.profile
    if name == "last week":
        return seasonal_naive(cut)
    return model(cut) if name == "ridge" else predict(model, cut)
