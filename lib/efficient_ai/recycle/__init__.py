"""ReCycle: a day is a token, and a network forecasts what the habit leaves over (Weyrauch et al. 2024)."""

from efficient_ai.recycle._baselines import DLinear, NLinear, Ridge, fit_ridge, persistence, seasonal_naive
from efficient_ai.recycle._calendar import METADATA, TYPES, Calendar, calendar, day_types, weekdays
from efficient_ai.recycle._candidates import CANDIDATES
from efficient_ai.recycle._cost import Cost, cpu_latency, epoch_cost, latency, multiplications
from efficient_ai.recycle._fit import fit
from efficient_ai.recycle._fitting import fit_network, predict
from efficient_ai.recycle._folding import MAX_MISSING, Days, fold, local_days, plausible
from efficient_ai.recycle._forecast import Forecast
from efficient_ai.recycle._forecaster import Forecaster, load
from efficient_ai.recycle._methods import METHODS, Method, Stepwise, build
from efficient_ai.recycle._network import (
    HourlyTwin,
    ReCycle,
    attention_scores,
    parameter_formula,
    parameters,
)
from efficient_ai.recycle._profiles import VARIANTS, mean_of_last, profile_table, run_up, window_profiles
from efficient_ai.recycle._runs import Budget, Job, Plain, Result, parts, source, train, train_many
from efficient_ai.recycle._scores import (
    absolute_error,
    errors,
    mae,
    mase,
    per_series,
    pinball,
    quantile_levels,
)
from efficient_ai.recycle._windows import Panel, Recipe, Split, Windows, ahead, panel, windows
from efficient_ai.recycle.claims import CLAIMS
from efficient_ai.recycle.profiles import PROFILES, Profile

__all__ = [
    "CANDIDATES",
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
    "Forecast",
    "Forecaster",
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
    "ahead",
    "attention_scores",
    "build",
    "calendar",
    "cpu_latency",
    "day_types",
    "epoch_cost",
    "errors",
    "fit",
    "fit_network",
    "fit_ridge",
    "fold",
    "latency",
    "load",
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
