"""ReCycle: a day is a token, and a network forecasts what the habit leaves over (Weyrauch et al. 2024)."""

from efficient_ai.recycle._baselines import DLinear, NLinear, Ridge, fit_ridge, persistence, seasonal_naive
from efficient_ai.recycle._calendar import METADATA, TYPES, Calendar, calendar, day_types, weekdays
from efficient_ai.recycle._folding import MAX_MISSING, Days, fold, local_days, plausible
from efficient_ai.recycle._network import (
    HourlyTwin,
    ReCycle,
    attention_scores,
    parameter_formula,
    parameters,
)
from efficient_ai.recycle._profiles import VARIANTS, mean_of_last, profile_table, profiles, run_up
from efficient_ai.recycle._scores import (
    absolute_error,
    errors,
    mae,
    mase,
    per_series,
    pinball,
    quantile_levels,
)
from efficient_ai.recycle._windows import Panel, Recipe, Split, Windows, panel, windows

__all__ = [
    "MAX_MISSING",
    "METADATA",
    "TYPES",
    "VARIANTS",
    "Calendar",
    "DLinear",
    "Days",
    "HourlyTwin",
    "NLinear",
    "Panel",
    "ReCycle",
    "Recipe",
    "Ridge",
    "Split",
    "Windows",
    "absolute_error",
    "attention_scores",
    "calendar",
    "day_types",
    "errors",
    "fit_ridge",
    "fold",
    "local_days",
    "mae",
    "mase",
    "mean_of_last",
    "panel",
    "parameter_formula",
    "parameters",
    "per_series",
    "persistence",
    "pinball",
    "plausible",
    "profile_table",
    "profiles",
    "quantile_levels",
    "run_up",
    "seasonal_naive",
    "weekdays",
    "windows",
]
