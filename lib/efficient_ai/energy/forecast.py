"""The first workload of the authors: forecasting a week of electricity from the week before, with a small LSTM.

As far as the authors' public code tells it: LSTM with 48 units and a linear layer at each of 168 steps, 9 841 parameters; its
cell state begins with random normal numbers. Their data were loads of 14 countries; here it is the generation of 20.
"""

from dataclasses import dataclass

import numpy as np
import torch

from efficient_ai.data import european_generation

WEEK = 168  # hours in, hours out


class Forecaster(torch.nn.Module):
    """LSTM (1 -> ``hidden``) and a linear layer (``hidden`` -> 1) applied at each step.

    Args:
        hidden: units.
        rng: the cell state begins with normal random numbers from it, as in the authors' code; with zeros if not given.
    """

    def __init__(self, hidden: int = 48, rng: torch.Generator | None = None):
        super().__init__()
        self.lstm = torch.nn.LSTM(1, hidden, batch_first=True)
        self.head = torch.nn.Linear(hidden, 1)
        self.rng = rng

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A week ahead, ``(batch, 168)``, from the week before, ``(batch, 168)``."""
        shape = (1, len(x), self.lstm.hidden_size)
        zeros = torch.zeros(shape, device=x.device, dtype=x.dtype)
        start = (
            zeros
            if self.rng is None
            else torch.randn(shape, generator=self.rng, device=x.device, dtype=x.dtype)
        )
        hidden, _ = self.lstm(x.unsqueeze(-1), (zeros, start))
        return self.head(hidden).squeeze(-1)


@dataclass(frozen=True)
class Weeks:
    """Pairs of a week and the next one; inputs and targets float32, shape ``(n, 168)``, scaled by the training years.

    Args:
        train, valid, test: from 2017 and 2018, from 2019, and from 2020.
    """

    train: tuple[torch.Tensor, torch.Tensor]
    valid: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]


def weeks(train: int, valid: int, test: int, seed: int = 0) -> Weeks:
    """Windows drawn at random from all countries; two of a split may overlap, those of different splits never do."""
    series = european_generation()
    values = np.stack([fill_gaps(row) for row in series.values])
    years = series.times.astype("datetime64[Y]").astype(int) + 1970
    training = values[:, years <= 2018]
    low, high = training.min(axis=1, keepdims=True), training.max(axis=1, keepdims=True)
    scaled = ((values - low) / (high - low)).astype(np.float32)
    rng = np.random.default_rng(seed)
    parts = [
        _draw(scaled[:, chosen], n, rng)
        for chosen, n in ((years <= 2018, train), (years == 2019, valid), (years == 2020, test))
    ]
    return Weeks(*parts)


def fill_gaps(values: np.ndarray, days: int = 4) -> np.ndarray:
    """Gaps, zeros and impossible peaks replaced by the mean of the same hour of up to ``days`` days before.

    Args:
        values: hourly, shape ``(hours,)``. A peak is impossible above four times the median of the series.
    """
    filled = np.asarray(values, dtype=float).copy()
    bad = ~np.isfinite(filled) | (filled <= 0) | (filled > 4 * np.nanmedian(filled))
    fallback = np.median(filled[~bad])
    for i in np.flatnonzero(bad):
        before = filled[[i - 24 * d for d in range(1, days + 1) if i >= 24 * d]]
        filled[i] = before.mean() if len(before) else fallback
    return filled


def _draw(scaled: np.ndarray, n: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    countries = rng.integers(len(scaled), size=n)
    starts = rng.integers(scaled.shape[1] - 2 * WEEK + 1, size=n)
    windows = np.stack([scaled[c, s : s + 2 * WEEK] for c, s in zip(countries, starts, strict=True)])
    return torch.from_numpy(windows[:, :WEEK].copy()), torch.from_numpy(windows[:, WEEK:].copy())


def same_as_last_week(x: torch.Tensor) -> torch.Tensor:
    """The baseline that any forecaster has to beat: next week is as this week was."""
    return x
