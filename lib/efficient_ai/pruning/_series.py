"""The series that are forecast: real ones and a made-up one, standardised, cut into windows in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from efficient_ai import data
from efficient_ai.forecasters.seq2seq import time_marks

HISTORY, HORIZON = 96, 24
COUNTRIES = ("DE", "ES", "FR", "GB", "IT", "NL", "PL")
PARTS = ("train", "valid", "test")
_SHARES = (0.0, 0.7, 0.8, 1.0)  # as the study divides its larger series


@dataclass(frozen=True)
class Bed:
    """Several series over the same steps.

    Args:
        name: which.
        values: standardised with mean and deviation of the training part, float32 ``(steps, series)``.
        marks: time marks, float32 ``(steps, columns)``.
        daily: steps in a day.
    """

    name: str
    values: Tensor
    marks: Tensor
    daily: int

    @property
    def series(self) -> int:
        return self.values.shape[1]

    def starts(self, part: str, stride: int = 1) -> np.ndarray:
        """First steps of the windows that lie wholly in a part; no target of one part is in another one.

        Raises:
            ValueError: the part is shorter than one window.
        """
        which = PARTS.index(part)
        begin, end = (round(share * len(self.values)) for share in _SHARES[which : which + 2])
        if end - begin < HISTORY + HORIZON:
            raise ValueError(
                f"{part} has {end - begin} steps and a window needs {HISTORY + HORIZON}: give a longer series"
            )
        return np.arange(begin, end - HISTORY - HORIZON + 1, stride)

    def windows(self, starts: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Histories ``(n, 96, series)``, time marks ``(n, 120, columns)``, targets ``(n, 24, series)``."""
        index = torch.as_tensor(np.asarray(starts))[:, None] + torch.arange(HISTORY + HORIZON)
        both = self.values[index]
        return both[:, :HISTORY], self.marks[index], both[:, HISTORY:]


@lru_cache(maxsize=8)
def bed(name: str, seed: int = 0) -> Bed:
    """``"Europe"``: hourly generation of seven countries; ``"household"``: one household, hourly; ``"synthetic"``.

    Args:
        seed: of the synthetic series.
    """
    if name == "Europe":
        found = data.european_generation()
        rows = [found.names.index(country) for country in COUNTRIES]
        return of(name, found.values[rows].T, found.times)
    if name == "household":
        found = data.household_power()
        steps = len(found.times) // 4
        return of(
            name, found.values[:, : 4 * steps].reshape(1, steps, 4).mean(2).T, found.times[: 4 * steps : 4]
        )
    if name == "synthetic":
        return _synthetic(seed)
    raise ValueError(f"there is no bed {name!r}: choose Europe, household or synthetic")


def of(name: str, values: np.ndarray, times: np.ndarray) -> Bed:
    """A bed of your own series.

    Args:
        values: shape ``(steps, series)``; gaps (NaN) are filled by straight lines.
        times: of the steps, datetime64, evenly spaced.

    Raises:
        ValueError: another shape, uneven or falling times, a series without a value, or one that never changes.
    """
    values, times = np.asarray(values, np.float64), np.asarray(times)
    if values.ndim != 2 or len(values) != len(times):
        raise ValueError(f"{values.shape} values do not fit to {times.shape} times: pass (steps, series)")
    if np.isinf(values).any():
        raise ValueError("a series holds infinite values: mark what is missing as NaN")
    gaps = np.unique(np.diff(times.astype("datetime64[s]")).astype(np.int64))
    if len(gaps) != 1 or gaps[0] <= 0:
        raise ValueError("the times must rise by equal steps: resample the series first")
    filled = values.copy()
    for column in filled.T:
        known = np.flatnonzero(~np.isnan(column))
        if not len(known):
            raise ValueError("a series holds no value at all: leave it out")
        column[:] = np.interp(np.arange(len(column)), known, column[known])
    train = filled[: round(_SHARES[1] * len(filled))]
    spread = train.std(0)
    if (spread == 0).any():
        raise ValueError(f"series {int(np.argmin(spread))} never changes in the training part: leave it out")
    scaled = ((filled - train.mean(0)) / spread).astype(np.float32)
    minutes = gaps[0] % 3600 != 0
    return Bed(
        name,
        torch.from_numpy(scaled),
        torch.from_numpy(time_marks(times, bool(minutes))),
        max(1, round(86400 / gaps[0])),
    )


def _synthetic(seed: int) -> Bed:
    """Days and weeks of five sources with autoregressive noise, mixed into five series."""
    rng, steps = np.random.default_rng(seed), 12_000
    t = np.arange(steps)[:, None]
    phase = rng.uniform(0, 2 * np.pi, (3, 5))
    waves = sum(
        a * np.sin(2 * np.pi * t / p + phase[i]) for i, (a, p) in enumerate(((1, 24), (0.6, 168), (0.5, 12)))
    )
    noise = np.zeros((steps, 5))
    for i in range(1, steps):
        noise[i] = 0.8 * noise[i - 1] + 0.3 * rng.normal(size=5)
    mixed = (waves + noise) @ (np.eye(5) + 0.3 * rng.normal(size=(5, 5)))
    return of("synthetic", mixed, np.datetime64("2020-01-06T00") + np.arange(steps))


@torch.no_grad()
def errors(model: nn.Module, bed: Bed, starts: Sequence[int], batch: int = 64) -> Tensor:
    """Mean squared error of every window, ``(n,)``; the size of the batches changes nothing, and none is left out."""
    if not len(starts):
        raise ValueError("there is no window to judge by")
    was = model.training
    model.eval()
    found = []
    for i in range(0, len(starts), batch):
        x, marks, y = bed.windows(starts[i : i + batch])
        given = (x, marks) if model.sizes.marks else (x,)
        found.append((model(*given) - y).square().mean((1, 2)))
    model.train(was)
    return torch.cat(found)


def naive(bed: Bed, starts: Sequence[int]) -> float:
    """Mean squared error of the last day, repeated."""
    x, _, y = bed.windows(starts)
    days = -(-HORIZON // bed.daily)
    return float((x[:, -bed.daily :].repeat(1, days, 1)[:, :HORIZON] - y).square().mean())


def ridge(bed: Bed, train: Sequence[int], valid: Sequence[int], test: Sequence[int]) -> float:
    """Mean squared error of one linear map from history to forecast, the same for all series, closed form.

    Its penalty is chosen on the validation windows.
    """

    def table(starts):
        x, _, y = bed.windows(starts)
        last = x[:, -1:]
        flat = (t.transpose(1, 2).reshape(-1, t.shape[1]).double() for t in (x - last, y - last))
        return (*flat, y, last)

    x, y, *_ = table(train)
    gram, cross, scores = x.T @ x, x.T @ y, []
    for penalty in (1e-2, 1.0, 1e2, 1e4):
        weights = torch.linalg.solve(gram + penalty * torch.eye(len(gram), dtype=torch.float64), cross)
        scores.append(tuple(_ridge_error(weights, *table(part)) for part in (valid, test)))
    return min(scores)[1]


def _ridge_error(weights: Tensor, x: Tensor, _, y: Tensor, last: Tensor) -> float:
    said = (x @ weights).reshape(len(y), y.shape[2], y.shape[1]).transpose(1, 2) + last
    return float((said - y).square().mean())
