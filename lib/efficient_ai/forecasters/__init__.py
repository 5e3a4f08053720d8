"""Compact forecasting transformers of the field, written for this book: what its chapters compare with.

All map ``(batch, steps, channels)`` to ``(batch, horizon, channels)``.
"""

from efficient_ai.forecasters._autoformer import AutoCorrelation, Autoformer, moving_average
from efficient_ai.forecasters._patchtst import PatchTST

__all__ = ["AutoCorrelation", "Autoformer", "PatchTST", "moving_average"]
