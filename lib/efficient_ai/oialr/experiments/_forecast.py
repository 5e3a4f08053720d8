"""A task on which full rank learns its training data by heart: a forecaster and one real series of few hours."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from efficient_ai import data, training
from efficient_ai.forecasters import Autoformer
from efficient_ai.oialr._adaptive import OIALR
from efficient_ai.oialr._schedule import Schedule
from efficient_ai.oialr._state import counts
from efficient_ai.oialr.profiles import Profile

LOOK, AHEAD, GAP = 48, 24, 5


@dataclass(frozen=True)
class Curve:
    """One training of the forecaster.

    Args:
        valid: mean squared error after each epoch, on the next months.
        trained: share of the dense parameters that trains at the end.
    """

    valid: list[float]
    trained: float

    @property
    def growth(self) -> float:
        """Per cent by which the last error lies above the smallest."""
        return 100 * (self.valid[-1] / min(self.valid) - 1)


def windows(profile: Profile) -> tuple[tuple[torch.Tensor, torch.Tensor], ...]:
    """Training and validation windows of Germany's generation, shapes ``(n, 48, 1)`` and ``(n, 24, 1)``; apart in time."""
    series = data.european_generation()
    values = torch.as_tensor(series.values[series.names.index("DE")], dtype=torch.float32)
    values = values[torch.isfinite(values)]
    hours = profile.hours * GAP + LOOK + AHEAD
    values = (values - values[:hours].mean()) / values[:hours].std()
    every = values.unfold(0, LOOK + AHEAD, GAP)[..., None]
    train, valid = every[: profile.hours], every[profile.hours + 15 :][: max(64, profile.hours // 2)]
    return tuple((part[:, :LOOK], part[:, LOOK:]) for part in (train, valid))


def forecast(variant: str, profile: Profile, seed: int) -> Curve:
    """Train the forecaster in full rank or adaptively; same start, same batches, the same constant learning rate."""
    train, valid = windows(profile)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoformer(LOOK, AHEAD, 1, width=32)
    optimizer, batch = torch.optim.AdamW(model.parameters(), lr=2e-3), 32
    epoch = -(-len(train[0]) // batch)
    if variant == "OIALR":
        OIALR(model, optimizer, Schedule(2 * epoch, epoch, cutoff=0.3))
    dense, rng, curve = counts(model).dense, training.generator(seed), []
    for _ in range(profile.forecast_epochs):
        for x, y in training.batches(*train, batch, rng):
            optimizer.zero_grad()
            functional.mse_loss(model(x), y).backward()
            optimizer.step()
        curve.append(training.evaluate(model, valid, functional.mse_loss))
    return Curve(curve, counts(model).trained / dense)


def forecasts(profile: Profile) -> dict[str, dict[int, Curve]]:
    """Both trainings under each seed."""
    return {
        name: {seed: forecast(name, profile, seed) for seed in profile.seed_list}
        for name in ("full rank", "OIALR")
    }
