"""ReCycle: a day is a token, and a network forecasts what the habit leaves over (Weyrauch et al. 2024)."""

from efficient_ai.recycle._baselines import DLinear, NLinear, Ridge, fit_ridge, persistence, seasonal_naive
from efficient_ai.recycle._calendar import METADATA, TYPES, Calendar, calendar, day_types, weekdays
from efficient_ai.recycle._cost import Cost, cpu_latency, epoch_cost, latency, multiplications
from efficient_ai.recycle._folding import MAX_MISSING, Days, fold, local_days, plausible
from efficient_ai.recycle._methods import METHODS, Method, Stepwise, build
from efficient_ai.recycle._network import (
    HourlyTwin,
    ReCycle,
    attention_scores,
    parameter_formula,
    parameters,
)
from efficient_ai.recycle._profiles import VARIANTS, mean_of_last, profile_table, run_up, window_profiles
from efficient_ai.recycle._runs import Budget, Job, Plain, Result, parts, predict, source, train, train_many
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
from efficient_ai.recycle.claims import CLAIMS
from efficient_ai.recycle.profiles import PROFILES, Profile

__all__ = [
    "CLAIMS",
    "MAX_MISSING",
    "METADATA",
    "METHODS",
    "PROFILES",
    "TYPES",
    "VARIANTS",
    "Budget",
    "Calendar",
    "Cost",
    "DLinear",
    "Days",
    "HourlyTwin",
    "Job",
    "Method",
    "NLinear",
    "Panel",
    "Plain",
    "Profile",
    "ReCycle",
    "Recipe",
    "Result",
    "Ridge",
    "Split",
    "Stepwise",
    "Windows",
    "absolute_error",
    "attention_scores",
    "build",
    "calendar",
    "cpu_latency",
    "day_types",
    "epoch_cost",
    "errors",
    "fit_ridge",
    "fold",
    "latency",
    "local_days",
    "mae",
    "mase",
    "mean_of_last",
    "multiplications",
    "panel",
    "parameter_formula",
    "parameters",
    "parts",
    "per_series",
    "persistence",
    "pinball",
    "plausible",
    "predict",
    "profile_table",
    "quantile_levels",
    "run_up",
    "seasonal_naive",
    "source",
    "train",
    "train_many",
    "weekdays",
    "window_profiles",
    "windows",
]
