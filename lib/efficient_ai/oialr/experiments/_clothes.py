"""Trainings on pictures of clothes: full rank, adaptive, and the rivals at the same ranks and steps."""

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from efficient_ai import data, training
from efficient_ai.oialr._adaptive import OIALR
from efficient_ai.oialr._rivals import factorise
from efficient_ai.oialr._schedule import Schedule
from efficient_ai.oialr._state import Counts, counts, optimizer_bytes
from efficient_ai.oialr.profiles import Profile

WARM, EVERY, CUTOFF = 0.2, 0.1, 0.3


@dataclass(frozen=True)
class Setting:
    """What a search may choose: learning rate, and for the adaptive run when, how often and how much is cut."""

    rate: float
    cutoff: float = CUTOFF
    warm: float = WARM
    every: float = EVERY


@dataclass
class Run:
    """One training.

    Args:
        right: whether each test image was named rightly, shape ``(tests,)``.
        valid: accuracy on the validation images.
        counts: what the trained model holds.
        state_bytes: of the optimiser at the end.
        seconds: processor time of the training steps.
        ranks: of each converted weight at the end.
        history: of the ranks.
        model: as trained.
    """

    right: np.ndarray
    valid: float
    counts: Counts
    state_bytes: int
    seconds: float
    ranks: dict[str, int] = field(default_factory=dict)
    history: list = field(default_factory=list)
    model: nn.Module | None = None

    @property
    def accuracy(self) -> float:
        """Per cent."""
        return 100 * float(self.right.mean())


@cache
def pictures(images: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Fashion-MNIST, each 2 x 2 pixels averaged; shapes ``(n, 196)`` and ``(n,)``."""
    found = data.fashion_mnist(train=images)

    def part(x: np.ndarray, y: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        small = functional.avg_pool2d(torch.from_numpy(x)[:, None], 2).flatten(1)
        return (small - 0.286) / 0.32, torch.from_numpy(y)

    return {
        "train": part(found.x_train, found.y_train),
        "valid": part(found.x_valid, found.y_valid),
        "test": part(found.x_test, found.y_test),
    }


def network(kind: str, hidden: int, seed: int) -> nn.Module:
    """``"mlp"`` with three hidden layers, or ``"cnn"`` with three convolutions; for rows of 196 pixels, ten classes."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if kind == "mlp":
            sizes = (196, hidden, hidden, hidden)
            hiddens = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
            return nn.Sequential(*hiddens, nn.Linear(hidden, 10))
        channels = max(6, hidden // 12)
        return nn.Sequential(
            nn.Unflatten(1, (1, 14, 14)), nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(2 * channels, 2 * channels, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * channels, 64), nn.ReLU(), nn.Linear(64, 10),
        )  # fmt: skip


def cosine(steps: int) -> Callable[[int], float]:
    """Share of the learning rate at each step: from 1 to 0 along half a cosine."""
    return lambda step: 0.5 * (1 + math.cos(math.pi * min(1, step / steps)))


def batches(x, y, profile: Profile, seed: int) -> Iterator:
    rng = training.generator(seed)
    for _ in range(profile.epochs):
        yield from training.batches(x, y, profile.batch, rng)


def schedule(setting: Setting, steps: int) -> Schedule:
    """The schedule of a setting, in steps."""
    delay, every = (max(1, round(share * steps)) for share in (setting.warm, setting.every))
    return Schedule(delay, every, setting.cutoff)


def train(
    variant: str, profile: Profile, seed: int, setting: Setting | None = None, ranks=None, keep=False
) -> Run:
    """Train one variant; all begin with the same weights, see the same batches, and take the same number of steps.

    Args:
        variant: ``"full rank"``, ``"OIALR"``, ``"random basis"``, ``"cut at the end"``, ``"cut, then S"`` (full rank until
            the warm-up ends, one cut to the final ranks, then S alone, as LoRA-XS does) or ``"cut, then all"`` (then all
            factors, as Cuttlefish does).
        ranks: at the end; needed by all but the first two.
        keep: the trained model in the result.
    """
    setting = setting or Setting(profile.rate)
    sets, steps = pictures(profile.images), profile.steps
    model = network("mlp", profile.hidden, seed)
    if variant == "random basis":
        factorise(model, ranks, "random", seed)
    optimizer, rates = _optimizer(model, setting.rate, steps)
    adaptive = OIALR(model, optimizer, schedule(setting, steps)) if variant == "OIALR" else None
    began, switch = time.process_time(), max(1, round(setting.warm * steps))
    for step, (x, y) in enumerate(batches(*sets["train"], profile, seed)):
        if step == switch and variant in ("cut, then S", "cut, then all"):
            factorise(model, ranks, "svd" if variant.endswith("S") else "free")
            optimizer, rates = _optimizer(model, setting.rate, steps, step)
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        optimizer.step()
        rates.step()
    seconds = time.process_time() - began
    if variant == "cut at the end":
        model = copy.deepcopy(model)
        factorise(model, ranks)
    model.eval()
    with torch.no_grad():
        right = (model(sets["test"][0]).argmax(1) == sets["test"][1]).numpy()
        valid = float((model(sets["valid"][0]).argmax(1) == sets["valid"][1]).float().mean())
    return Run(
        right, 100 * valid, counts(model), optimizer_bytes(optimizer), seconds,
        adaptive.ranks if adaptive else dict(ranks or {}), adaptive.history if adaptive else [], model if keep else None,
    )  # fmt: skip


def _optimizer(model: nn.Module, rate: float, steps: int, done: int = 0):
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    share = cosine(steps)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share(step + done))


RIVALS = ("random basis", "cut at the end", "cut, then S", "cut, then all")
VARIANTS = ("full rank", "OIALR", *RIVALS)


def contest(profile: Profile) -> dict[str, dict[int, Run]]:
    """Each variant under each seed; the rivals get the ranks that the adaptive run of the same seed ended with."""
    found: dict[str, dict[int, Run]] = {name: {} for name in VARIANTS}
    for seed in profile.seed_list:
        found["full rank"][seed] = train("full rank", profile, seed, keep=True)
        own = found["OIALR"][seed] = train("OIALR", profile, seed, keep=seed == 0)
        for name in RIVALS:
            found[name][seed] = train(name, profile, seed, ranks=own.ranks)
    return found


@dataclass(frozen=True)
class Tuned:
    """The better of some settings for each side, chosen on validation images, and its test runs."""

    settings: dict[str, Setting]
    runs: dict[str, dict[int, Run]]


def tuned(profile: Profile) -> Tuned:
    """As many random settings for full rank as for OIALR, of one seed that no test run uses; the best of each is tested."""
    rng = np.random.default_rng(2024)
    trials: dict[str, list] = {"full rank": [], "OIALR": []}
    for _ in range(profile.trials):
        rates = 10 ** rng.uniform(-3.5, -2, size=2)
        cutoff, warm, every = rng.uniform(0.05, 0.6), rng.uniform(0.05, 0.5), rng.uniform(0.05, 0.2)
        for name, rate in zip(trials, rates, strict=True):
            setting = Setting(float(rate), float(cutoff), float(warm), float(every))
            trials[name].append((train(name, profile, 1000, setting).valid, len(trials[name]), setting))
    best = {name: max(own)[2] for name, own in trials.items()}
    runs = {
        name: {seed: train(name, profile, seed, setting) for seed in profile.seed_list}
        for name, setting in best.items()
    }
    return Tuned(best, runs)
