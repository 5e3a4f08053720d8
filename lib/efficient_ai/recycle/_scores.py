"""How far a forecast is off: MAE, MASE, pinball loss (section 3.9 and 3.10 of our notes on the paper)."""

import warnings

import numpy as np
import torch
from torch import Tensor

from efficient_ai.recycle._baselines import persistence
from efficient_ai.recycle._windows import Windows


def absolute_error(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error, the loss of the paper."""
    return (prediction - target).abs().mean()


def quantile_levels(n: int) -> Tensor:
    """The ``n`` equidistant levels i / (n + 1), i = 1 ... n."""
    return torch.arange(1, n + 1) / (n + 1)


def pinball(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean pinball loss of ``prediction`` ``(..., n)`` for the equidistant levels against ``target`` ``(...)``.

    With ``e = prediction - target`` it is ``abs(e) / 2 - (q - 1/2) * e``: too low costs q, too high costs 1 - q.
    """
    level = quantile_levels(prediction.shape[-1]).to(prediction)
    error = prediction - target.unsqueeze(-1)
    return (error.abs() / 2 - (level - 0.5) * error).mean()


def errors(forecast: Tensor, cut: Windows) -> np.ndarray:
    """Mean absolute error of each window and lead day, normalised units, shape ``(windows, F)``."""
    return (forecast - cut.y).abs().mean(dim=2).numpy()


def per_series(values: np.ndarray, cut: Windows) -> np.ndarray:
    """Mean over the windows of each series, shape ``(series, F)``."""
    return np.stack([values[cut.series == i].mean(axis=0) for i in np.unique(cut.series)])


def mase(forecast: Tensor, cut: Windows) -> np.ndarray:
    """Error of each lead day over that of repeating the last day for the whole horizon, mean over series, shape ``(F,)``.

    The denominator is one number per series: the error of persistence over all windows and lead days of ``cut``. A series
    that stays constant there has none; it is left out of the mean, with a warning that names it.

    Raises:
        ValueError: every series stays constant.
    """
    own = per_series(errors(forecast, cut), cut)
    naive = per_series(errors(persistence(cut), cut), cut).mean(axis=1, keepdims=True)
    moves = naive[:, 0] > 0
    if not moves.all():
        still = [cut.names[i] for i in np.unique(cut.series)[~moves]]
        told = f"constant in all of these windows, so there is no scaled error: {', '.join(still)}"
        if not moves.any():
            raise ValueError(f"{told}; take the mean absolute error")
        warnings.warn(told, stacklevel=2)
    return (own[moves] / naive[moves]).mean(axis=0)


def mae(forecast: Tensor, cut: Windows) -> np.ndarray:
    """Mean absolute error of each lead day in normalised units, mean over series, shape ``(F,)``."""
    return per_series(errors(forecast, cut), cut).mean(axis=0)
