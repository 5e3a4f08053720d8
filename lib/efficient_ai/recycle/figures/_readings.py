"""Sentences and small tables whose words follow from the numbers of the run."""

from collections.abc import Mapping, Sequence

import numpy as np

from efficient_ai.ledger import interval
from efficient_ai.metering import quantity
from efficient_ai.recycle._cost import Cost
from efficient_ai.recycle._runs import Job, Plain, Result, parts, source
from efficient_ai.recycle.edge import Report
from efficient_ai.recycle.experiments import COUNTRIES, chosen_on_validation, gains
from efficient_ai.recycle.experiments import Contest as Answers
from efficient_ai.recycle.figures._results import better_by, values

Contest = Mapping[str, Sequence[Result]]


def _gain(found, other) -> str:
    middle, low, high = interval(gains(found, other))
    return f"{abs(middle):.1f} % {'below' if middle > 0 else 'above'} it [{low:.1f}, {high:.1f}]"


def _sides(found, other, better: str, worse: str, neither: str) -> str:
    _, low, high = interval(gains(found, other))
    return better if low > 0 else worse if high < 0 else neither


def opening(contest: Contest, without: Mapping[str, Plain]) -> str:
    """The finding of the chapter in three sentences: the paper's direction, and who is best of all."""
    best, linear = chosen_on_validation(contest), without["ridge with profile and calendar"]
    verb = _sides(
        contest["ReCycle"], without["profile"], "is better than", "is worse than", "is no different from"
    )
    raw = _sides(contest["ReCycle"], contest["days, no residual"], "better", "worse", "no different")
    last = _sides(
        contest[best], linear,
        "**The best ReCycle variant beats a linear map in closed form**",
        "**A linear map in closed form beats the best ReCycle variant**",
        "**A linear map in closed form is as good as the best ReCycle variant**",
    )  # fmt: skip
    return (
        f"On 20 countries in a year that nobody had seen, the plain recipe {verb} its own profile "
        f"({_gain(contest['ReCycle'], without['profile'])}) and {raw} than the same network without residuals "
        f"({_gain(contest['ReCycle'], contest['days, no residual'])}). {last} ({best}: "
        f"MASE {np.mean(values(contest[best])):.3f}; ridge regression on the last seven days with profile and calendar: "
        f"{values(linear)[0]:.3f}; profile alone: {values(without['profile'])[0]:.3f}), fitted in "
        f"{linear.cpu_seconds:.1f} processor seconds."
    ).replace("no different than", "no different from")


def contest_reading(contest: Contest, without: Mapping[str, Plain], household: Contest, best: str) -> str:
    """What the comparisons of C2 and C6 come to."""
    linear = without["ridge with profile and calendar"]
    home = _sides(
        household["ReCycle"], household["days, no residual"],
        "residuals help as well", "residuals **hurt**", "residuals make no difference that this many seeds can show",
    )  # fmt: skip
    return (
        f"**Claims C2 and C6.** Against the profile: the plain recipe is {_gain(contest['ReCycle'], without['profile'])}, "
        f"{best} (the variant that the validation year chose) {_gain(contest[best], without['profile'])}. Against the network on "
        f"raw days the plain recipe is {_gain(contest['ReCycle'], contest['days, no residual'])}. On one household {home}: "
        f"there it is {_gain(household['ReCycle'], household['days, no residual'])}. Against ridge with profile and calendar, "
        f"{best} is {_gain(contest[best], linear)}. In brackets: 95 % intervals of how far it is below, in per cent."
    )


def path_steps(
    contest: Contest, path: Mapping[str, Sequence[Result]], profile: Plain
) -> dict[str, list[float]]:
    """Per cent below the profile by recipe, one value per seed."""
    head = contest["ReCycle, zero head"]
    steps = {
        "plain recipe": better_by(contest["ReCycle"], profile),
        "zero head": better_by(head, profile),
        "zero head, dropout": better_by(contest["ReCycle, zero head, dropout"], profile),
        "zero head, causal profiles": better_by(path["causal profiles of the history"], profile),
        "zero head, no holidays known": better_by(path["no holidays known"], profile),
        "zero head, scaled part by part": better_by(path["scaled part by part"], profile),
    }
    alone = path["each country alone"]
    rows = _series_of(head[0])
    shared = []
    for seed, result in enumerate(head[: len(alone)]):
        i = rows.index(COUNTRIES[seed % len(COUNTRIES)])
        shared.append(100 * float(1 - result.by_series[i] / result.profile_by_series[i]))
    steps[f"zero head, shared network, seen on {len(alone)} countries"] = shared
    steps[f"zero head, each of these {len(alone)} alone"] = [
        100 * float(1 - r.by_series[0] / r.profile_by_series[0]) for r in alone
    ]
    return steps


def _series_of(result: Result) -> list[str]:
    return list(source(result.job.source).names)


def path_reading(steps: Mapping[str, Sequence[float]]) -> str:
    """Which changes are worth something, paired by seed."""
    pairs = [
        ("zero head", "plain recipe", "The zero head"),
        ("zero head, dropout", "zero head", "Dropout of 0.1 on top"),
        ("zero head, causal profiles", "zero head", "Causal profiles in place of `last`"),
        ("zero head, no holidays known", "zero head", "Forgetting the holidays"),
        ("zero head, scaled part by part", "zero head", "Scaling part by part"),
        (list(steps)[-1], list(steps)[-2], "A network for each country alone, in place of the shared one"),
    ]
    told = []
    for mine, other, what in pairs:
        middle, low, high = interval([a - b for a, b in zip(steps[mine], steps[other], strict=False)])
        sure = "" if low > 0 or high < 0 else ", which may be nothing"
        told.append(f"{what}: {middle:+.1f} points [{low:+.1f}, {high:+.1f}]{sure}")
    return "Effect on the gain over the profile, in points of per cent. " + "; ".join(told) + "."


def controlled_table(controlled: Mapping[str, Contest]) -> dict[str, list]:
    """MASE of the profile and the networks by kind of series, and in how many seeds the best of ours is below the profile."""
    networks = list(next(iter(controlled.values())))
    rows: dict[str, list] = {"series": list(controlled), "profile": []}
    for kind in controlled.values():
        rows["profile"].append(f"{np.mean([r.profile_mase.mean() for r in kind[networks[0]]]):.3f}")
    for name in networks:
        rows[name] = [f"{np.mean(values(kind[name])):.3f}" for kind in controlled.values()]
    rows["zero head below the profile"] = [
        f"{sum(r.mase.mean() < r.profile_mase.mean() for r in kind['ReCycle, zero head'])} of {len(kind[networks[0]])}"
        for kind in controlled.values()
    ]
    return rows


def few_days_reading(few: Mapping[str, Mapping[int, Sequence[Result]]]) -> str:
    """Where the networks cross the profile."""
    told = []
    for name, by_days in few.items():
        below = [
            days
            for days, results in by_days.items()
            if np.mean(values(results)) < np.mean([r.profile_mase.mean() for r in results])
        ]
        where = (
            f"is below the profile from {min(below)} training days on"
            if below
            else "never gets below the profile"
        )
        if below and any(days > min(below) and days not in below for days in by_days):
            where = f"is below the profile with {', '.join(map(str, below))} training days"
        told.append(f"{name!r} {where}")
    return "In the mean of the seeds, " + "; ".join(told) + "."


def profile_error(job: Job) -> float:
    """Validation error of the profile alone, normalised."""
    valid = parts(job)[1]
    return float((valid.profile - valid.y).abs().mean())


def rival_reading(contest: "Answers") -> str:
    """Who of the other networks is the strongest on the validation year, and how ours does against it."""
    mine, theirs = contest.networks[contest.best], contest.networks[contest.rival]
    return (
        f"**Claim C7.** Of the networks that are not ours the validation year chose {contest.rival} (MASE "
        f"{np.mean(values(theirs)):.3f}): {contest.best} is {_gain(mine, theirs)}, with {len(theirs)} "
        f"seed{'' if len(theirs) == 1 else 's'} on the other side."
    )


def cost_rows(
    costs: Mapping[str, Sequence[Cost]],
    single: Mapping[str, Sequence[float]],
    count: int,
    counted: Mapping[str, int],
) -> dict[str, list]:
    """Medians of the cost of an epoch and of one forecast, counted operations, and the ratio of the two rows."""
    seconds = {name: float(np.median([c.cpu_seconds for c in found])) for name, found in costs.items()}
    joules = {name: float(np.median([c.joules for c in found])) for name, found in costs.items()}
    one = {name: float(np.median(found)) for name, found in single.items()}
    names, label = list(costs), next(iter(costs.values()))[0].source

    def ratio(of: Mapping[str, float]) -> str:
        return f"{of['hourly tokens'] / of['ReCycle']:.1f}"

    return {
        "tokens": ["days (ReCycle)" if name == "ReCycle" else "hours" for name in names] + ["ratio"],
        f"epoch of {count} windows, CPU": [quantity(seconds[name], "s") for name in names] + [ratio(seconds)],
        f"energy of it ({label})": [quantity(joules[name], "J") for name in names] + [ratio(joules)],
        "one forecast, CPU": [quantity(one[name], "s") for name in names] + [ratio(one)],
        "operations of it (millions)": [f"{counted[name] / 1e6:.3g}" for name in names] + [ratio(counted)],
    }


def edge_rows(reports: Sequence[Report]) -> dict[str, list]:
    """The reports of the limited processes, one row each; :func:`edge_terms` says what holds for all of them."""
    return {
        "network": [r.method for r in reports],
        "parameters": [r.parameters for r in reports],
        "peak (MB)": [round(r.peak_mb) for r in reports],
        "training (CPU s)": [round(r.train_seconds, 2) for r in reports],
        "epochs": [r.epochs for r in reports],
        "forecast (ms)": [round(r.latency_ms, 2) for r in reports],
        "forecast (mJ)": [round(1e3 * r.forecast_joules, 2) for r in reports],
        "error / profile's": [round(r.error / r.profile_error, 3) for r in reports],
    }


def edge_terms(reports: Sequence[Report]) -> str:
    """Threads, memory of Python and torch alone, and the source of the joules, for a caption."""
    threads, sources = ({getattr(r, name) for r in reports} for name in ("threads", "energy_source"))
    base = round(max(r.base_mb for r in reports))
    return (
        f"Threads: {', '.join(map(str, sorted(threads)))}. {base} MB of each peak are Python and torch. Energy: "
        f"{', '.join(sorted(sources))}."
    )
