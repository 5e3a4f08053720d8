"""Forecasts that a network has to beat: repeating, averaging, and one linear map."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from efficient_ai.recycle._windows import Windows


def persistence(cut: Windows) -> Tensor:
    """The last day, for every forecast day; shape ``(windows, F, cycle)``."""
    return cut.raw[:, -1:].expand(-1, cut.y.shape[1], -1)


def seasonal_naive(cut: Windows, period: int = 7) -> Tensor:
    """The same weekday of the week before; shape ``(windows, F, cycle)``.

    Raises:
        ValueError: a history of less than a period.
    """
    _has(cut, period)
    lead = torch.arange(cut.y.shape[1])
    return cut.raw[:, cut.raw.shape[1] - period + lead % period]


def _has(cut: Windows, days: int) -> None:
    """Windows have so many historic days; a negative index would take others without a word."""
    if isinstance(days, bool) or days != int(days) or not 1 <= days <= cut.raw.shape[1]:
        raise ValueError(
            f"{days} days are asked for and the windows have a history of {cut.raw.shape[1]}: cut longer ones"
        )


@dataclass(frozen=True)
class Ridge:
    """A linear map from the last days to all forecast days, fitted in closed form.

    Args:
        weights: one matrix per lead day, shape ``(F, features, cycle)``.
        days: how many of the last days it reads.
        residual: it reads and forecasts what profiles leave over.
        calendar: it also reads profile and metadata of the day that it forecasts.
        penalty: the one that was best on the validation part.
    """

    weights: np.ndarray
    days: int
    residual: bool
    calendar: bool
    penalty: float

    @property
    def parameters(self) -> int:
        return self.weights.size

    def __call__(self, cut: Windows) -> Tensor:
        """Forecast, shape ``(windows, F, cycle)``."""
        pairs = zip(self._features(cut), self.weights, strict=True)
        forecast = np.stack([(torch.from_numpy(f) @ torch.from_numpy(w)).numpy() for f, w in pairs], axis=1)
        base = cut.profile.numpy() if self.residual else 0.0
        return torch.from_numpy((forecast + base).astype(np.float32))

    def _features(self, cut: Windows):
        return _features(cut, self.days, self.residual, self.calendar)


def fit_ridge(
    train: Windows,
    valid: Windows,
    days: int = 7,
    residual: bool = False,
    calendar: bool = False,
    penalties: Sequence[float] = (0.1, 1.0, 10.0, 100.0, 1000.0),
) -> Ridge:
    """Fit ridge regression on whole day vectors; the penalty is chosen by the error on ``valid``.

    Args:
        train, valid: windows whose input is residual if ``residual`` is.
        days: historic days that it reads, the last ones.
        residual: forecast the residual and add the profile.
        calendar: give it profile and metadata of the forecast day as well.

    Raises:
        ValueError: more days than the history has, windows whose input is not what ``residual`` says, or no penalty.
    """
    for cut in (train, valid):
        _has(cut, days)
        if residual and not cut.recipe.residual_input:
            raise ValueError("residual=True reads residuals: cut the windows with residual_input=True")
    if len(penalties) == 0 or not all(p > 0 and np.isfinite(p) for p in penalties):
        raise ValueError(f"penalties must be some positive numbers, got {penalties}")
    target = (train.y - train.profile if residual else train.y).numpy().astype(float)
    leads = (
        range(target.shape[1]) if calendar else [slice(None)]
    )  # without a calendar all lead days share one matrix
    shown = list(_features(train, days, residual, calendar))[: len(leads)]
    pairs = [
        (torch.from_numpy(f), torch.from_numpy(target[:, lead].reshape(len(f), -1)))
        for f, lead in zip(shown, leads, strict=True)
    ]
    normal = [
        (f.T @ f, f.T @ wanted) for f, wanted in pairs
    ]  # by torch, which keeps to the threads it was given
    best, error = None, np.inf
    for penalty in penalties:
        solved = [_solve(gram, right, penalty) for gram, right in normal]
        weights = np.concatenate([w.reshape(len(w), -1, target.shape[2]).swapaxes(0, 1) for w in solved])
        ridge = Ridge(weights, days, residual, calendar, penalty)
        found = float((ridge(valid) - valid.y).abs().mean())
        if found < error:
            best, error = ridge, found
    return best


def _solve(gram: Tensor, right: Tensor, penalty: float) -> np.ndarray:
    ridge = penalty * torch.eye(len(gram), dtype=gram.dtype)
    ridge[-1, -1] = 1e-9  # the last feature is the constant
    return torch.linalg.solve(gram + ridge, right).numpy()


def _features(cut: Windows, days: int, residual: bool, calendar: bool):
    """One matrix ``(windows, features)`` per lead day, its last column constant."""
    history, cycle = cut.raw.shape[1], cut.raw.shape[2]
    shown = cut.x[:, :history, :cycle] if residual else cut.raw
    past = shown[:, history - days :].flatten(1).numpy().astype(float)
    one = np.ones((len(past), 1))
    for lead in range(cut.y.shape[1]):
        if calendar:
            asked = torch.cat([cut.profile[:, lead], cut.x[:, history + lead, cycle:]], dim=1).numpy()
            yield np.hstack([past, asked, one])
        else:
            yield np.hstack([past, one])


class NLinear(nn.Module):
    """One linear layer from the steps of the history to those of the forecast, after subtracting the last value.

    As all step-wise baselines here it reads the historic values from the input of the networks; the windows must
    be cut with ``residual_input=False``.
    """

    def __init__(self, cycle: int = 24, history: int = 21, forecast: int = 7):
        super().__init__()
        self.cycle, self.history = cycle, history
        self.map = nn.Linear(cycle * history, cycle * forecast)
        nn.init.constant_(self.map.weight, 1 / (cycle * history))
        nn.init.zeros_(self.map.bias)

    def forward(self, x: Tensor) -> Tensor:
        steps = x[:, : self.history, : self.cycle].flatten(1)
        last = steps[:, -1:]
        return (self.map(steps - last) + last).unflatten(1, (-1, self.cycle))


class DLinear(nn.Module):
    """Two linear layers, one for the moving average of 25 steps and one for what it leaves over (Zeng et al. 2023)."""

    def __init__(self, cycle: int = 24, history: int = 21, forecast: int = 7, window: int = 25):
        super().__init__()
        self.cycle, self.history, self.window = cycle, history, window
        self.trend = nn.Linear(cycle * history, cycle * forecast)
        self.rest = nn.Linear(cycle * history, cycle * forecast)
        for layer in (self.trend, self.rest):
            nn.init.constant_(layer.weight, 1 / (cycle * history))
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        steps = x[:, : self.history, : self.cycle].flatten(1)
        half = self.window // 2
        padded = nn.functional.pad(steps.unsqueeze(1), (half, half), mode="replicate")
        trend = nn.functional.avg_pool1d(padded, self.window, stride=1).squeeze(1)
        return (self.trend(trend) + self.rest(steps - trend)).unflatten(1, (-1, self.cycle))
