"""The experiments of the chapter: which trainings they are made of, and what stands beside them without a network."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch

from efficient_ai.recycle._baselines import fit_ridge, persistence, seasonal_naive
from efficient_ai.recycle._methods import RAW, RESIDUAL
from efficient_ai.recycle._runs import Job, Plain, Result, source, train_many
from efficient_ai.recycle._scores import quantile_levels
from efficient_ai.recycle._windows import Windows, windows
from efficient_ai.recycle.profiles import Profile

COUNTRIES = ("DE", "FR", "ES", "IT", "PL", "GB", "NL", "AT")
"""One country for each seed of the experiments on a single series."""

DAY_TOKENS = (
    "ReCycle",
    "ReCycle, zero head",
    "ReCycle, zero head, dropout",
    "days, no residual",
    "days, no profile",
)
LINEAR = ("NLinear", "DLinear")
SLOW = ("hourly tokens", "PatchTST", "Autoformer")
CONTROLLED = ("synthetic, exact weeks", "synthetic, all days alike", "synthetic", "synthetic, drift")


def contest(size: Profile) -> dict[str, list[Job]]:
    """All networks on all countries: by method, one job per seed."""
    jobs = {
        name: [Job("europe", name, s, size.fast) for s in size.seed_list]
        for name in (*DAY_TOKENS[:-1], *LINEAR)
    }
    jobs[DAY_TOKENS[-1]] = [Job("europe", DAY_TOKENS[-1], s, size.fast) for s in range(size.slow_seeds)]
    for name in SLOW:
        jobs[name] = [Job("europe", name, s, size.slow) for s in range(size.slow_seeds)]
    return jobs


def second_series(size: Profile) -> dict[str, list[Job]]:
    """The networks that are not slow on the household."""
    return {
        name: [Job("household", name, s, size.household) for s in size.seed_list]
        for name in (*DAY_TOKENS, *LINEAR)
    }


def path(size: Profile) -> dict[str, list[Job]]:
    """What else makes or breaks it, each with a zero head."""
    head = "ReCycle, zero head"
    return {
        "causal profiles of the history": [
            Job("europe", head, s, size.fast, variant="causal") for s in range(size.path_seeds)
        ],
        "no holidays known": [
            Job("europe without holidays", head, s, size.fast) for s in range(size.path_seeds)
        ],
        "scaled part by part": [
            Job("europe, scaled as the authors do", head, s, size.fast) for s in range(size.path_seeds)
        ],
        "each country alone": [
            Job(f"europe:{COUNTRIES[s % len(COUNTRIES)]}", head, s, size.controlled_on(size.fast))
            for s in range(size.path_seeds)
        ],
    }


def few_days(size: Profile) -> dict[str, dict[int, list[Job]]]:
    """Residual and raw networks on the last days of 2018, another country for each seed."""
    return {
        name: {
            days: [
                Job(f"europe:{COUNTRIES[s % len(COUNTRIES)]}", name, s, size.small, days=days)
                for s in size.seed_list
            ]
            for days in size.few_days
        }
        for name in ("ReCycle, zero head", "days, no residual")
    }


def controlled(size: Profile) -> dict[str, dict[str, list[Job]]]:
    """Synthetic series whose ingredients are known, another one for each seed."""
    return {
        kind: {
            name: [Job(kind, name, s, size.controlled) for s in range(size.path_seeds)]
            for name in ("ReCycle, zero head", "days, no residual")
        }
        for kind in CONTROLLED
    }


def all_others(size: Profile) -> dict[str, dict]:
    """Everything but the contest, in one tree, so that the processes start once."""
    return {
        "household": second_series(size),
        "path": path(size),
        "controlled": controlled(size),
        "few days": few_days(size),
    }


def train_tree(tree: Mapping, workers: int, progress: bool = True) -> dict:
    """Train nested dictionaries of lists of jobs; the results in the same nest."""
    leaves: list[Job] = []
    _walk(tree, leaves.append)
    results = iter(train_many(leaves, workers, progress))
    return _walk(tree, lambda job: next(results))


def _walk(tree: Mapping | list, at_leaf: Callable[[Job], Result | None]):
    if isinstance(tree, Mapping):
        return {key: _walk(branch, at_leaf) for key, branch in tree.items()}
    return [at_leaf(job) for job in tree]


def without_network(name: str, stride: int, test_stride: int) -> dict[str, Plain]:
    """Persistence, seasonal naive, the profile, and three linear maps, on the same test windows as the networks.

    Args:
        name: of the panel.
        stride: days between the training windows of the linear maps.
        test_stride: days between the test windows.
    """
    data = source(name)
    cuts = {
        kind: {part: windows(data, part, recipe, step) for part, step in zip(("train", "valid", "test"), (stride, 3, test_stride), strict=True)}
        for kind, recipe in (("raw", RAW), ("residual", RESIDUAL))
    }  # fmt: skip
    test = cuts["residual"]["test"]
    found = {
        "persistence": Plain.of(persistence(test), test),
        "last week": Plain.of(seasonal_naive(test), test),
        "profile": Plain.of(test.profile, test),
    }
    calendar_days = (
        7 if data.cycle <= 24 else 2
    )  # of quarter hours a week has more numbers than there are windows
    for label, kind, days, calendar in (
        ("ridge", "raw", 7, False),
        ("ridge on residuals", "residual", 7, False),
        ("ridge with profile and calendar", "raw", calendar_days, True),
    ):
        cut = cuts[kind]
        began = time.process_time()
        ridge = fit_ridge(cut["train"], cut["valid"], days, residual=kind == "residual", calendar=calendar)
        spent = time.process_time() - began
        found[label] = Plain.of(ridge(cut["test"]), cut["test"], ridge.parameters, spent)
    return found


def profile_quantiles(train: Windows, cut: Windows, n: int) -> torch.Tensor:
    """The profile with the quantiles of its own past errors: what a quantile network has to beat.

    The errors of the training windows are sorted by series, lead day and hour.

    Returns:
        shape ``(windows, F, cycle, n)``, for the ``n`` equidistant levels
    """
    levels = quantile_levels(n).numpy()
    spread = np.zeros((int(cut.series.max()) + 1, *cut.y.shape[1:], n), np.float32)
    for i in np.unique(cut.series):
        left_over = (train.y - train.profile).numpy()[train.series == i]
        spread[i] = np.moveaxis(np.quantile(left_over, levels, axis=0), 0, -1)
    return cut.profile.unsqueeze(-1) + torch.from_numpy(spread[cut.series])


def chosen_on_validation(results: Mapping[str, list[Result]]) -> str:
    """The ReCycle variant with the smallest best validation error, mean over seeds; the test part is not asked."""
    ours = {name: found for name, found in results.items() if name.startswith("ReCycle")}
    return min(ours, key=lambda name: np.mean([min(r.curve) for r in ours[name]]))
