"""How each claim is read from what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from efficient_ai.ab_training._runs import METHODS, Job, Outcome
from efficient_ai.ab_training._schedule import NODES, PUBLISHED, Schedule
from efficient_ai.ab_training._traffic import Bytes, Plan, run_bytes, total
from efficient_ai.ab_training.experiments import _on_ranks
from efficient_ai.ab_training.profiles import Profile, scaled
from efficient_ai.ab_training.published import MODELS
from efficient_ai.ledger import Experiment, Measured

PLAIN, RESTARTS, AB = "data parallel", "data parallel, restarts", "AB, with-stale"
LOCAL = ("local SGD", "local SGD, restarts")
CASES = (
    {"mode": "with-stale"}, {"mode": "full"}, {"mode": "only-learned"}, {"mode": "only-b"},
    {"mode": "with-stale", "histories": "reset"}, {"kind": "local"}, {"kind": "synchronous"},
)  # fmt: skip
"""Of which all bytes are counted."""
TIMED = Schedule(40, 8, 16, 2, 4)
"""Of 40 steps 12 at full rank, as in the published schedules."""

Results = Mapping[str, Sequence[Outcome]]


# ----- traffic of the published runs


@dataclass(frozen=True)
class Traffic:
    """Bytes of one published run by formula, of all ranks.

    Args:
        nodes: with four ranks each.
        sent: by method: ``"data parallel"``, ``"AB"``, ``"local SGD"``.
    """

    nodes: int
    sent: dict[str, Bytes]

    def cut(self, method: str) -> float:
        """Share of the bytes between nodes that is saved."""
        return 1 - self.sent[method].between / self.sent[PLAIN].between


def run_traffic(size: Profile) -> dict[str, Traffic]:
    """The nine published runs."""
    found = {}
    for name, schedule in PUBLISHED.items():
        sizes, nodes = MODELS[name.split(",")[0]], NODES[name]
        base = Plan(4 * nodes, 4, moments=1)
        plans = {
            PLAIN: replace(base, kind="synchronous"),
            "AB": base,
            "local SGD": replace(base, kind="local"),
        }
        found[name] = Traffic(
            nodes, {m: total(run_bytes(schedule, plan, sizes)) for m, plan in plans.items()}
        )
    return found


def _cuts(found: Mapping[str, Traffic], against: str | None = None) -> Measured:
    chosen = {name: t for name, t in found.items() if name.startswith("ResNet")}
    values = [t.cut(against) / t.cut("AB") if against else t.cut("AB") for t in chosen.values()]
    return Measured(values, list(chosen), "AB" if against else PLAIN)


TRAFFIC = Experiment(
    "traffic of the published schedules", run_traffic, {"C1": _cuts, "C1b": lambda r: _cuts(r, "local SGD")}
)


# ----- identities on ranks


def _run_counted(size: Profile, cluster: Any) -> list[dict]:
    return cluster.run(_on_ranks.all_counted, CASES, timeout=size.patience)[0]


def _names() -> list[str]:
    return [", ".join(case.values()) for case in CASES]


def _over_formula(found: list[dict]) -> Measured:
    values, names = [], []
    for case, name in zip(found, _names(), strict=True):
        for way in ("between", "inside"):
            values.append(getattr(case["counted"], way) / getattr(case["formula"], way))
            names.append(f"{name}, {way}")
    return Measured(values, names, "the formula")


def _silence(found: list[dict]) -> Measured:
    apart = [
        (c["between while apart"], n) for c, n in zip(found, _names(), strict=True) if n != "synchronous"
    ]
    return Measured([float(v) for v, _ in apart], [n for _, n in apart], "none")


COUNTED = Experiment("bytes of short runs", _run_counted, {"P1": _over_formula, "P2": _silence}, ranks=4)


def _run_merges(size: Profile, cluster: Any) -> list[float]:
    return cluster.run(_on_ranks.merge_errors, range(size.exact_seeds), timeout=size.patience)[0]


MERGES = Experiment(
    "merges by messages",
    _run_merges,
    {"C6": lambda r: Measured(r, list(range(len(r))), "the algebra")},
    ranks=4,
)


# ----- trainings


def _base(size: Profile) -> Job:
    return Job(PLAIN, size.schedule(), width=size.width, depth=size.depth, batch=size.batch)


def _run_jobs(size: Profile, cluster: Any, jobs: Sequence[Job]) -> list[Outcome]:
    return cluster.run(_on_ranks.trainings, list(jobs), timeout=size.patience)[0]


def methods(size: Profile) -> list[str]:
    """Those that run in this profile."""
    few = [PLAIN, RESTARTS, *LOCAL, AB]
    return list(METHODS) if size.peers else few


@dataclass(frozen=True)
class Contest:
    """Every method at its own best rate.

    Args:
        rates: chosen on validation data.
        results: for each method one outcome per seed.
    """

    rates: dict[str, float]
    results: dict[str, list[Outcome]]

    def test(self, method: str) -> np.ndarray:
        """Test accuracy in per cent by seed."""
        return np.array([o.test for o in self.results[method]])

    def better(self, names: Sequence[str]) -> str:
        """The one with the higher mean validation accuracy."""
        return max(names, key=lambda m: float(np.mean([o.valid for o in self.results[m]])))


def tuned(size: Profile, cluster: Any, names: Sequence[str]) -> dict[str, float]:
    """The learning rate of the best mean validation accuracy, for every method from the same list and with the same seeds."""
    if len(size.rates) == 1:
        return dict.fromkeys(names, size.rates[0])
    seeds = range(1000, 1000 + size.tune_seeds)
    grid = [(m, rate, seed) for m in names for rate in size.rates for seed in seeds]
    found = _run_jobs(size, cluster, [replace(_base(size), method=m, rate=r, seed=s) for m, r, s in grid])
    scores: dict[tuple, float] = {}
    for (m, rate, _), outcome in zip(grid, found, strict=True):
        scores[m, rate] = scores.get((m, rate), 0.0) + outcome.valid
    return {m: max(size.rates, key=lambda rate, m=m: scores[m, rate]) for m in names}


def run_contest(size: Profile, cluster: Any) -> Contest:
    """Tune every method alike, then train it with other seeds."""
    names = methods(size)
    rates = tuned(size, cluster, names)
    pairs = [(m, seed) for seed in size.seed_list for m in names]
    found = _run_jobs(
        size, cluster, [replace(_base(size), method=m, rate=rates[m], seed=s) for m, s in pairs]
    )
    results: dict[str, list[Outcome]] = {m: [] for m in names}
    for (m, _), outcome in zip(pairs, found, strict=True):
        results[m].append(outcome)
    return Contest(rates, results)


def _gain(contest: Contest, against: Sequence[str]) -> Measured:
    rival = contest.better(against)
    gain = contest.test(AB) - contest.test(rival)
    return Measured(gain.tolist(), list(range(len(gain))), f"{rival}, rate {contest.rates[rival]:g}")


def _as_quiet(contest: Contest) -> list[str]:
    """Methods without a low rank of ours that send no more between groups than AB; if there is none, the one that sends least."""
    sent = {m: float(np.mean([o.between for o in found])) for m, found in contest.results.items()}
    others = [m for m in sent if not m.startswith("AB")]
    return [m for m in others if sent[m] <= sent[AB]] or [min(others, key=sent.__getitem__)]


def _counted_cut(contest: Contest) -> Measured:
    pairs = zip(contest.results[AB], contest.results[PLAIN], strict=True)
    cuts = [1 - a.between / p.between for a, p in pairs]
    return Measured(cuts, list(range(len(cuts))), PLAIN)


def _spreads(contest: Contest) -> Measured:
    spreads = [o.spread for outcomes in contest.results.values() for o in outcomes]
    return Measured(spreads, list(range(len(spreads))), "rank 0")


CONTEST = Experiment(
    "every method at its own rate",
    run_contest,
    {
        "C1c": _counted_cut,
        "C2": lambda r: _gain(r, [PLAIN]),
        "C2b": lambda r: _gain(r, LOCAL),
        "C2c": lambda r: _gain(r, [PLAIN, RESTARTS]),
        "C2d": lambda r: _gain(r, _as_quiet(r)),
        "P3": _spreads,
    },
    ranks=4,
)


def run_compression(size: Profile, cluster: Any) -> dict[str, list[Outcome]]:
    """Data parallel training, and AB at every cut-off, a wide network."""
    base = replace(_base(size), rate=size.rates[len(size.rates) // 2], width=2 * size.width)
    kinds = {PLAIN: base} | {f"cut-off {c:g}": replace(base, method=AB, cutoff=c) for c in size.cutoffs}
    pairs = [(name, replace(job, seed=seed)) for seed in size.seed_list for name, job in kinds.items()]
    found = _run_jobs(size, cluster, [job for _, job in pairs])
    results: dict[str, list[Outcome]] = {name: [] for name in kinds}
    for (name, _), outcome in zip(pairs, found, strict=True):
        results[name].append(outcome)
    return results


def _chosen(found: Results) -> list[Outcome]:
    """By seed the most compressed network that lost at most a point of validation accuracy, or the uncompressed one."""
    rows = []
    for seed, plain in enumerate(found[PLAIN]):
        ours = [outcomes[seed] for name, outcomes in found.items() if name != PLAIN]
        good = [o for o in ours if o.valid >= plain.valid - 1]
        rows.append(max(good, key=lambda o: o.compression, default=plain))
    return rows


COMPRESSION = Experiment(
    "compression over the cut-off",
    run_compression,
    {
        "C3": lambda r: Measured([o.compression for o in _chosen(r)], list(range(len(r[PLAIN]))), PLAIN),
        "C3b": lambda r: Measured(
            [o.test - p.test for o, p in zip(_chosen(r), r[PLAIN], strict=True)],
            list(range(len(r[PLAIN]))),
            PLAIN,
        ),
    },
    ranks=4,
)


def _paired(size: Profile, cluster: Any, variants: Mapping[Any, Job]) -> dict[Any, dict[str, list[Outcome]]]:
    keys = [(v, m, s) for v in variants for s in size.seed_list for m in (PLAIN, AB)]
    jobs = [replace(variants[v], method=m, seed=s, rate=size.rates[len(size.rates) // 2]) for v, m, s in keys]
    found: dict[Any, dict[str, list[Outcome]]] = {v: {PLAIN: [], AB: []} for v in variants}
    for (v, m, _), outcome in zip(keys, _run_jobs(size, cluster, jobs), strict=True):
        found[v][m].append(outcome)
    return found


def run_small(size: Profile, cluster: Any) -> dict[str, list[Outcome]]:
    """Few training images."""
    return _paired(size, cluster, {"few": replace(_base(size), images=size.small)})["few"]


def _difference(found: Results, value: Any) -> Measured:
    values = [value(a) - value(p) for a, p in zip(found[AB], found[PLAIN], strict=True)]
    return Measured(values, list(range(len(values))), PLAIN)


SMALL = Experiment(
    "few training images",
    run_small,
    {
        "C4": lambda r: _difference(r, lambda o: o.train - o.test),
        "C4b": lambda r: _difference(r, lambda o: o.test),
    },
    ranks=4,
)


def run_batches(size: Profile, cluster: Any) -> dict[int, dict[str, list[Outcome]]]:
    """As many epochs with every batch per rank, by batch and method."""
    variants = {}
    for batch in size.batches:
        steps = max(30, round(size.steps * size.batch / batch))
        variants[batch] = replace(_base(size), batch=batch, schedule=scaled(steps))
    return _paired(size, cluster, variants)


def _batch_effect(found: Mapping[int, Results]) -> Measured:
    small, large = found[min(found)][AB], found[max(found)][AB]
    return Measured([s.test - b.test for s, b in zip(small, large, strict=True)], list(range(len(small))),
                    f"AB, {min(found)} and {max(found)} samples per rank")  # fmt: skip


BATCHES = Experiment("batch sizes", run_batches, {"C5": _batch_effect}, ranks=4)


def run_times(size: Profile, cluster: Any) -> dict[str, dict[str, list[float]]]:
    """Seconds of 40 steps by link and method, rounds interleaved."""
    names = (PLAIN, LOCAL[1], AB)
    found: dict[str, dict[str, list[float]]] = {}
    base = replace(_base(size), schedule=TIMED)
    for name, rate in (("slow link", size.link), ("one machine", None)):
        order = [m for _ in range(size.timed) for m in names]
        outcomes = _run_jobs(size, cluster, [replace(base, method=m, link=rate) for m in order])
        found[name] = {
            m: [o.seconds for o, own in zip(outcomes, order, strict=True) if own == m] for m in names
        }
    return found


def _ratio(times: Mapping[str, list[float]], against: str) -> Measured:
    values = [a / b for a, b in zip(times[AB], times[against], strict=True)]
    return Measured(values, list(range(len(values))), against)


TIMES = Experiment(
    "seconds on a slow link and without",
    run_times,
    {
        "C7": lambda r: _ratio(r["slow link"], PLAIN),
        "C7b": lambda r: _ratio(r["one machine"], PLAIN),
        "C7c": lambda r: _ratio(r["slow link"], LOCAL[1]),
    },
    ranks=4,
)

EXPERIMENTS = (TRAFFIC, COUNTED, MERGES, CONTEST, COMPRESSION, SMALL, BATCHES, TIMES)
