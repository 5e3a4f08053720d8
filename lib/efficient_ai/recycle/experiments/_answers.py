"""How the claims of the chapter follow from its trainings and timings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.recycle import edge
from efficient_ai.recycle._cost import Cost, cpu_latency, epoch_cost
from efficient_ai.recycle._methods import METHODS, build
from efficient_ai.recycle._runs import Job, Plain, Result, predict, source
from efficient_ai.recycle._windows import Windows, windows
from efficient_ai.recycle.experiments import _trainings
from efficient_ai.recycle.profiles import Profile

RIDGE = "ridge with profile and calendar"
RAW_DAYS = "days, no residual"
ZERO_HEAD = "ReCycle, zero head"


@dataclass(frozen=True)
class Contest:
    """Everybody on the same windows of 20 countries.

    Args:
        networks: trainings by method, one per seed.
        without: what has no seeds: profile, repetitions, linear maps in closed form.
    """

    networks: Mapping[str, Sequence[Result]]
    without: Mapping[str, Plain]

    @property
    def best(self) -> str:
        """The ReCycle variant that the validation year chose."""
        return _trainings.chosen_on_validation(self.networks)

    @property
    def rival(self) -> str:
        """The strongest of the networks that are not ours, chosen in the same way."""
        others = {name: self.networks[name] for name in (*_trainings.LINEAR, *_trainings.SLOW)}
        return min(others, key=lambda name: np.mean([min(r.curve) / r.profile_curve for r in others[name]]))


@dataclass(frozen=True)
class Costs:
    """Processor seconds of the transformer on days and of its hourly twin.

    Args:
        epochs: of an epoch, by method, one per repeat.
        single: of one forecast, in seconds.
        windows: of the epoch.
    """

    epochs: Mapping[str, Sequence[Cost]]
    single: Mapping[str, Sequence[float]]
    windows: int


def gains(mine: Sequence[Result], theirs: Sequence[Result] | Plain) -> np.ndarray:
    """Per cent by which the error of each series is below the other's, shape ``(seeds, series)``, paired by seed.

    Both sides have the same test windows, so that the ratio of errors is the ratio of MASE.
    """
    ours = np.array([result.by_series for result in mine])
    if isinstance(theirs, Plain):
        return 100 * (1 - ours / theirs.by_series)
    n = min(len(mine), len(theirs))
    return 100 * (1 - ours[:n] / np.array([result.by_series for result in theirs[:n]]))


def _gain(mine: Sequence[Result], theirs: Sequence[Result] | Plain, baseline: str) -> Measured:
    values = gains(mine, theirs)
    return Measured(values.tolist(), [result.job.seed for result in mine[: len(values)]], baseline)


def _germany(part: str) -> Windows:
    europe = source("europe")
    return windows(europe.only(europe.names.index("DE")), part, METHODS["ReCycle"].recipe)


def _run_tokens(size: Profile) -> dict[str, int]:
    """Floating point operations of one forecast by method."""
    from torch.utils.flop_counter import FlopCounterMode

    x, found = _germany("test").x[:1], {}
    for name in ("ReCycle", "hourly tokens"):
        network = build(
            name, cycle=24, seed=0
        )  # in training mode: the fused path for inference is not counted
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            network(x)
        found[name] = counter.get_total_flops()
    return found


def _run_silent(size: Profile) -> dict[int, float]:
    """Largest difference to the profile by seed, output layer of zeros."""
    cut, found = _germany("test"), {}
    for seed in size.seed_list:
        quiet = build(ZERO_HEAD, cycle=24, seed=seed)
        found[seed] = float((predict(quiet, cut) - cut.profile).abs().max())
    return found


def _run_costs(size: Profile) -> Costs:
    """Both in turns, one thread, so that a slower minute of the machine meets both."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        sample = _germany("train").take(np.arange(size.cost_windows))
        networks = {name: build(name, cycle=24, seed=0) for name in ("ReCycle", "hourly tokens")}
        epochs = {name: [] for name in networks}
        single = {name: [] for name in networks}
        for _ in range(size.cost_repeats):
            for name, network in networks.items():
                epochs[name] += epoch_cost(network, sample, 32, 1)
                single[name].append(cpu_latency(network, sample.x[:1], repeats=30))
    finally:
        torch.set_num_threads(threads)
    return Costs(epochs, single, size.cost_windows)


def _run_contest(size: Profile) -> Contest:
    return Contest(
        _trainings.train_tree(_trainings.contest(size), size.workers),
        _trainings.without_network("europe", size.fast.stride, size.fast.test_stride),
    )


def _run_household(size: Profile) -> dict[str, list[Result]]:
    jobs = {name: _trainings.second_series(size)[name] for name in ("ReCycle", RAW_DAYS)}
    return _trainings.train_tree(jobs, size.workers)


def _run_few_days(size: Profile) -> dict[str, dict[int, list[Result]]]:
    days = short_days(size)
    jobs = {name: {days: by_days[days]} for name, by_days in _trainings.few_days(size).items()}
    return _trainings.train_tree(jobs, size.workers)


def short_days(size: Profile) -> int:
    """The number of training days on which claim C4 is judged."""
    return 60 if 60 in size.few_days else size.few_days[0]


def _run_edge(size: Profile) -> list[edge.Report]:
    return [edge.run("DE", seed, size.edge_epochs) for seed in range(size.edge_runs)]


def _epochs(costs: Costs) -> Measured:
    pairs = zip(costs.epochs["hourly tokens"], costs.epochs["ReCycle"], strict=True)
    ratios = [hours.cpu_seconds / days.cpu_seconds for hours, days in pairs]
    return Measured(ratios, range(len(ratios)), "hourly tokens, equal width")


def _single(costs: Costs) -> Measured:
    ratios = np.divide(costs.single["hourly tokens"], costs.single["ReCycle"])
    return Measured(ratios, range(len(ratios)), "hourly tokens, one window")


def _worst(name: str):
    """Largest validation error over that of the profile, one per seed."""

    def read(contest: Contest) -> Measured:
        results = contest.networks[name]
        ratios = [max(result.curve) / result.profile_curve for result in results]
        return Measured(ratios, [result.job.seed for result in results], "the profile, validation year")

    return read


def _few(few: Mapping[str, Mapping[int, Sequence[Result]]]) -> tuple[list[Result], list[Result]]:
    residual, raw = few[ZERO_HEAD], few[RAW_DAYS]
    days = 60 if 60 in residual else min(residual)
    return residual[days], raw[days]


def _against_raw(few) -> Measured:
    residual, raw = _few(few)
    values = [100 * float(1 - a.mase.mean() / b.mase.mean()) for a, b in zip(residual, raw, strict=True)]
    return Measured(values, [_country(r.job) for r in residual], "raw days, same country")


def _against_profile(few) -> Measured:
    residual = _few(few)[0]
    values = [float(r.mase.mean() / r.profile_mase.mean()) for r in residual]
    return Measured(values, [_country(r.job) for r in residual], "the profile of the country")


def _country(job: Job) -> str:
    return f"{job.source.partition(':')[2]}, seed {job.seed}"


TOKENS = Experiment(
    "operations of one forecast",
    _run_tokens,
    {"C0": lambda r: Measured([r["hourly tokens"] / r["ReCycle"]], [0], "hourly tokens, equal width")},
)
SILENT = Experiment(
    "networks that say nothing",
    _run_silent,
    {"C3a": lambda r: Measured(list(r.values()), list(r), "the profile")},
)
COSTS = Experiment("cost of an epoch and of a forecast", _run_costs, {"C1": _epochs, "C1b": _single})
CONTEST = Experiment(
    "everybody on 20 countries",
    _run_contest,
    {
        "C2a": lambda c: _gain(c.networks["ReCycle"], c.without["profile"], "the profile alone"),
        "C2b": lambda c: _gain(c.networks["ReCycle"], c.networks[RAW_DAYS], "raw days, same seeds"),
        "C3b": _worst("ReCycle"),
        "C3c": _worst(ZERO_HEAD),
        "C6": lambda c: _gain(c.networks[c.best], c.without[RIDGE], f"{RIDGE}, against {c.best}"),
        "C7": lambda c: _gain(c.networks[c.best], c.networks[c.rival], f"{c.rival}, against {c.best}"),
    },
)
HOUSEHOLD = Experiment(
    "one household",
    _run_household,
    {"C2c": lambda h: _gain(h["ReCycle"], h[RAW_DAYS], "raw days, same seeds")},
)
FEW_DAYS = Experiment("few training days", _run_few_days, {"C4": _against_raw, "C4b": _against_profile})
EDGE = Experiment(
    "a limited process",
    _run_edge,
    {
        "C5a": lambda r: Measured([x.latency_ms for x in r], range(len(r)), "ten milliseconds"),
        "C5b": lambda r: Measured([x.peak_mb for x in r], range(len(r)), "512 MB"),
    },
)
EXPERIMENTS = (TOKENS, SILENT, COSTS, CONTEST, HOUSEHOLD, FEW_DAYS, EDGE)
