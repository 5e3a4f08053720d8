"""What the chapter measures, and how its claims are read from it.

The notebook runs these and draws their results; ``python -m efficient_ai.verify oialr ID`` runs one alone.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.oialr._adaptive import OIALR
from efficient_ai.oialr._schedule import Schedule
from efficient_ai.oialr.experiments._clothes import (
    RIVALS,
    VARIANTS,
    Run,
    Setting,
    Tuned,
    contest,
    network,
    pictures,
    train,
    tuned,
)
from efficient_ai.oialr.experiments._first_steps import GRADIENTS, first_steps
from efficient_ai.oialr.experiments._forecast import Curve, forecast, forecasts
from efficient_ai.oialr.experiments._settling import MEASURES, NETWORKS, RATES, Settling, follow, settling
from efficient_ai.oialr.profiles import Profile

Runs = Mapping[str, Mapping[int, Run]]


def _lead(kind: str, other: str) -> Callable:
    def read(found: Mapping[tuple[str, str], Mapping[int, Settling]]) -> Measured:
        runs = found[kind, "constant"]
        return Measured([run.late("basis") - run.late(other) for run in runs.values()], list(runs), other)

    return read


def _schedule(found: Mapping[tuple[str, str], Mapping[int, Settling]]) -> Measured:
    falling, constant = found["mlp", "cosine"], found["mlp", "constant"]
    values = [falling[seed].late("basis") - constant[seed].late("basis") for seed in constant]
    return Measured(values, list(constant), "a constant learning rate")


def difference(found: Runs, first: str, second: str) -> Measured:
    """Points of accuracy for each seed and test image, shape ``(seeds, images)``."""
    seeds = list(found[first])
    values = [100.0 * (found[first][s].right.astype(float) - found[second][s].right) for s in seeds]
    return Measured(np.array(values), seeds, second)


def _points(second: str) -> Callable[[Runs], Measured]:
    return lambda found: difference(found, "OIALR", second)


def _ratio(count: Callable[[Run], float]) -> Callable[[Runs], Measured]:
    def read(found: Runs) -> Measured:
        full, own = found["full rank"], found["OIALR"]
        return Measured([count(own[seed]) / count(full[seed]) for seed in own], list(own), "full rank")

    return read


def _calmer(found: Mapping[str, Mapping[int, Curve]]) -> Measured:
    full, own = found["full rank"], found["OIALR"]
    return Measured([full[seed].growth - own[seed].growth for seed in own], list(own), "full rank")


def unchanged(profile: Profile) -> list[float]:
    """Relative change of the outputs by conversion and one turn, for three kinds of model."""
    models = (
        (nn.Sequential(nn.Linear(12, 40), nn.Tanh(), nn.Linear(40, 9)), (7, 12)),
        (nn.Conv2d(8, 16, 3, padding=1, groups=4), (2, 8, 6, 6)),
        (nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True), (3, 5, 16)),
    )
    changes, rng = [], torch.Generator().manual_seed(0)
    for model, shape in models:
        model.double()
        x = torch.randn(shape, generator=rng, dtype=torch.float64)
        before = model(x).detach()
        adaptive = OIALR(
            model, torch.optim.SGD(model.parameters()), Schedule(1, 1, cutoff=0.0), keep_last=False
        )
        adaptive.update()
        adaptive.update()
        changes.append(float((model(x).detach() - before).norm() / before.norm()))
    return changes


def _unchanged(found: list[float]) -> Measured:
    return Measured(found, list(range(len(found))), "the model before")


SETTLING = Experiment(
    "does the basis settle",
    settling,
    {
        "C1m": _lead("mlp", "mixing"),
        "C1n": _lead("cnn", "mixing"),
        "C1w": _lead("mlp", "whole weight"),
        "C1v": _lead("cnn", "whole weight"),
        "C1s": _schedule,
    },
)
CONTEST = Experiment(
    "full rank, OIALR and its rivals",
    contest,
    {
        "C2": _points("full rank"),
        "C4a": _points("random basis"),
        "C4b": _points("cut at the end"),
        "C4c": _points("cut, then all"),
        "C5a": _ratio(lambda run: run.counts.trained),
        "C5b": _ratio(lambda run: run.counts.stored),
        "C5c": _ratio(lambda run: run.state_bytes),
    },
)
TUNED = Experiment(
    "both sides tuned", tuned, {"C3": lambda found: difference(found.runs, "OIALR", "full rank")}
)
FORECASTS = Experiment("a forecaster that overfits", forecasts, {"C6": _calmer})
UNCHANGED = Experiment("the function stays", unchanged, {"P1": _unchanged})

EXPERIMENTS = (SETTLING, CONTEST, TUNED, FORECASTS, UNCHANGED)

__all__ = [
    "CONTEST",
    "EXPERIMENTS",
    "FORECASTS",
    "GRADIENTS",
    "MEASURES",
    "NETWORKS",
    "RATES",
    "RIVALS",
    "SETTLING",
    "TUNED",
    "UNCHANGED",
    "VARIANTS",
    "Curve",
    "Run",
    "Runs",
    "Setting",
    "Settling",
    "Tuned",
    "difference",
    "first_steps",
    "follow",
    "forecast",
    "network",
    "pictures",
    "train",
]
