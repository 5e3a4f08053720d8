"""How each claim is read from what was measured."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from efficient_ai.f3._blocks import mlp, one_hot
from efficient_ai.f3._memory import checkpointed_step, peak_bytes
from efficient_ai.f3._rules import DRTP, F3, Backpropagation, Rule
from efficient_ai.f3._runs import Job, make_trainer
from efficient_ai.f3._tasks import load_task
from efficient_ai.f3._trainer import Trainer
from efficient_ai.f3.experiments import _contest, _ranks
from efficient_ai.f3.experiments._contest import CLASS_TASKS, Column
from efficient_ai.f3.profiles import Profile
from efficient_ai.ledger import Experiment, Measured

# ----- memory


def run_memory(size: Profile) -> dict[str, list[int]]:
    """Peak bytes of activations for each depth of the profile, by method; widths of 256, batch of 64."""
    found: dict[str, list[int]] = {"BP": [], "BP with checkpoints": [], "DFA": [], "F³": []}
    x, y = torch.randn(64, 256), one_hot(torch.arange(64) % 10, 10)
    for depth in size.depths:
        for name, rule in (("BP", Backpropagation()), ("DFA", F3(delay=0)), ("F³", F3())):
            blocks = mlp([256] * (depth + 1) + [10], seed=0)
            trainer = Trainer(
                blocks, rule, functional.binary_cross_entropy, _ranks.adam, sample=x[:2], samples=64
            )
            found[name].append(peak_bytes(lambda t=trainer: t.step(x, y, torch.arange(64)), trainer.stage))
        chain = nn.Sequential(*mlp([256] * (depth + 1) + [10], seed=0))
        found["BP with checkpoints"].append(
            peak_bytes(
                lambda c=chain: checkpointed_step(c, x.clone(), y, functional.binary_cross_entropy), chain
            )
        )
    return found


MEMORY = Experiment(
    "peak memory of activations over depth",
    run_memory,
    {"M1": lambda r: Measured([r["F³"][-1] / r["F³"][0]], ["widths of 256"], "the shallowest network")},
)


# ----- identities


def run_identities(size: Profile) -> dict[str, dict[int, float]]:
    """Largest differences, by property and seed."""
    x, y = load_task("digits").train
    first, local = {}, {}
    for seed in size.seed_list:
        both = [make_trainer(Job("digits", rule, 1e-3, seed, depth=2, width=40)) for rule in (F3(), DRTP)]
        for trainer in both:
            trainer.epoch(x, y, 50)
        first[seed] = _ranks.largest_difference(both[0].stage.state_dict(), both[1].stage.state_dict())
        gradients = []
        for other in (seed, seed + 1000):
            blocks = [*mlp([64, 40], output="tanh", seed=seed), *mlp([40, 40, 10], seed=other)]
            trainer = Trainer(
                blocks,
                F3(),
                functional.binary_cross_entropy,
                _ranks.adam,
                sample=x[:2],
                samples=len(x),
                seed=seed,
            )
            trainer.step(x[:50], y[:50], torch.arange(50), update=False)
            gradients.append([p.grad.clone() for p in blocks[0].parameters()])
        local[seed] = _ranks.largest_difference(*gradients)
    return {"first epoch": first, "later blocks replaced": local}


IDENTITIES = Experiment(
    "identities",
    run_identities,
    {
        "P1": lambda r: Measured(
            list(r["first epoch"].values()), list(r["first epoch"]), "DRTP, same seed and order"
        ),
        "P2": lambda r: Measured(
            list(r["later blocks replaced"].values()),
            list(r["later blocks replaced"]),
            "the same block, other successors",
        ),
    },
)


# ----- on ranks


def run_equality(size: Profile, cluster: Any) -> dict[int, dict]:
    """For 2 and 4 ranks: difference from serial, bytes counted and by formula for F³ and BP, traffic and logs of F³."""
    torch.set_num_threads(1)
    rules: tuple[Rule, ...] = (F3(), F3(delay=2), DRTP)
    runs = cluster.run(_ranks.pipeline_runs, rules, timeout=size.patience)[0]
    serial = {rule: _ranks.serial_state(rule) for rule in rules}
    found = {}
    for n in (2, cluster.n):
        mine = {rule: run for (ranks, rule), run in runs.items() if ranks == n}
        back = mine.pop(Backpropagation())
        found[n] = {
            "difference": max(_ranks.largest_difference(serial[rule], run[0]) for rule, run in mine.items()),
            "counted": [int(t.bytes().sum()) for t in (mine[F3()][1], back[1])],
            "formula": [_ranks.bytes_by_formula(n, 3, 32, 4, 8, back=b) for b in (False, True)],
            "traffic": mine[F3()][1],
            "logs": mine[F3()][2],
        }
    return found


def _unlocked(found: Mapping[int, dict]) -> Measured:
    logs, values = found[4]["logs"], []
    for epoch in range(3):
        first = {e[2]: e[4] for e in logs[0] if e[0] == "work" and e[1] == epoch}
        last = {e[2]: e[3] for e in logs[-1] if e[0] == "work" and e[1] == epoch}
        values.append(float(np.mean([first[b] <= last[b] for b in first])))
    return Measured(values, [0, 1, 2], "the last of four ranks")


EQUALITY = Experiment(
    "pipeline and serial training",
    run_equality,
    {
        "P3": lambda r: Measured(
            [e["difference"] for e in r.values()],
            list(r),
            "serial training with F³; on 4 ranks with a delay of 2 and DRTP, too",
        ),
        "P4": lambda r: Measured(
            [
                max(abs(c / f - 1) for c, f in zip(e["counted"], e["formula"], strict=True))
                for e in r.values()
            ],
            list(r),
            "the formula",
        ),
        "M2": _unlocked,
    },
    ranks=4,
)


def _ratio(times: list, side: str, reference: str) -> Measured:
    ratios = {t.speed.name: np.array(getattr(t, reference)) / np.array(getattr(t, side)) for t in times}
    name = min(ratios, key=lambda k: float(np.exp(np.log(ratios[k]).mean())))
    return Measured(ratios[name].tolist(), list(range(len(ratios[name]))), f"{reference}, {name}")


SPEEDS = Experiment(
    "seconds of an epoch on two ranks",
    _ranks.speeds,
    {"T1": lambda r: _ratio(r, "f3", "serial"), "T2": lambda r: _ratio(r, "f3", "gpipe")},
    ranks=4,
)


# ----- processor seconds


def run_costs(size: Profile) -> dict[str, list[float]]:
    """Processor seconds of a step by method, rounds interleaved: 8 hidden blocks of 512, batch of 64, one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    x, y = torch.randn(64, 512), one_hot(torch.arange(64) % 10, 10)
    rules = {m: _contest.RULES[m] for m in ("BP", "DFA", "DRTP", "F³", "LLO", "Mono-Forward")}
    trainers = {
        m: Trainer(
            mlp([512] * 9 + [10], seed=0),
            r,
            functional.binary_cross_entropy,
            _ranks.adam,
            sample=x[:2],
            samples=64,
        )
        for m, r in rules.items()
    }
    found: dict[str, list[float]] = {m: [] for m in rules}
    for repeat in range(size.cost_repeats + 1):
        for m, trainer in trainers.items():
            began = time.process_time()
            for _ in range(5):
                trainer.step(x, y, torch.arange(64))
            if repeat:
                found[m].append((time.process_time() - began) / 5)
    torch.set_num_threads(threads)
    return found


COSTS = Experiment(
    "processor seconds of a step",
    run_costs,
    {
        "E2": lambda r: Measured(
            [f / b for f, b in zip(r["F³"], r["BP"], strict=True)], list(range(len(r["BP"]))), "BP"
        )
    },
)


# ----- the contest


def _classes(columns: Mapping[str, Column]) -> list[Column]:
    return [c for c in columns.values() if c.cell.task in CLASS_TASKS]


def _seeds(column: Column) -> list[int]:
    return [100 + k for k in range(len(column.results["BP"]))]


def _mean_gain(columns: Mapping[str, Column], reference: str) -> Measured:
    chosen = _classes(columns)
    gains = np.mean([c.errors(reference) - c.errors("F³") for c in chosen], axis=0)
    return Measured(gains.tolist(), _seeds(chosen[0]), reference)


def _share_of_gap(chosen: list[Column], share: float) -> Measured:
    left = np.mean(
        [(c.errors("DRTP") - c.errors("F³")) - share * (c.errors("DRTP") - c.errors("BP")) for c in chosen],
        axis=0,
    )
    return Measured(left.tolist(), _seeds(chosen[0]), "DRTP and BP")


def _rival_gain(columns: Mapping[str, Column]) -> Measured:
    chosen = _classes(columns)
    gains = np.mean([c.errors(c.rival) - c.errors("F³") for c in chosen], axis=0)
    return Measured(
        gains.tolist(), _seeds(chosen[0]), ", ".join(f"{c.rival} on {c.cell.name}" for c in chosen)
    )


CONTEST = Experiment(
    "every method on every task",
    _contest.contest,
    {
        "C1": lambda r: _mean_gain(r, "DRTP"),
        "C1b": lambda r: _share_of_gap([next(iter(_classes(r)))], 0.56),
        "C2": lambda r: _share_of_gap([c for c in r.values() if c.cell.task not in CLASS_TASKS], 0.7),
        "C3": lambda r: _mean_gain(r, "DFA"),
        "C4": _rival_gain,
    },
)


def _variations_after_contest(size: Profile) -> dict:
    """For ``verify``: tunes F³ alone, then varies it."""
    return _contest.variations(size, _tuned(size))


def _tuned(size: Profile) -> Column:
    """Rates of F³, DRTP and DFA on digits with two hidden blocks, tuned as in the contest."""
    cell = next(c for c in size.cells if c.task == "digits" and c.depth == 2)
    rates = {}
    for name in ("F³", "DRTP", "DFA"):
        jobs = [
            _contest.job(cell, _contest.RULES[name], rate, seed)
            for rate in size.rates
            for seed in range(size.tune_seeds)
        ]
        valid = np.array([r.valid[-1] for r in _contest.train_many(jobs, size.workers)])
        rates[name] = size.rates[int(valid.reshape(len(size.rates), -1).mean(1).argmin())]
    return Column(cell, rates, {}, {})


def _eight_bits(found: Mapping) -> Measured:
    pairs = zip(found["table of 8 bits"], found["F³"], strict=True)
    return Measured(
        [a.test - b.test for a, b in pairs], list(range(len(found["F³"]))), "the table of 32 bits"
    )


VARIATIONS = Experiment("one change at a time", _variations_after_contest, {"C5": _eight_bits})


def _closer(found: Mapping[str, np.ndarray]) -> Measured:
    means = {name: found[name][:, -1].mean(1) for name in ("F³", "DRTP")}
    return Measured((means["DRTP"] - means["F³"]).tolist(), list(range(len(means["F³"]))), "DRTP")


ANGLES = Experiment(
    "angles between signal and gradient",
    lambda size: _contest.angle_curves(size, _tuned(size)),
    {
        "A1": _closer,
        "A2": lambda r: Measured(r["F³"][:, -1].max(1).tolist(), list(range(len(r["F³"]))), "a right angle"),
    },
)


def _transformer_gain(column: Column) -> Measured:
    gains = column.errors("DRTP") - column.errors("F³")
    return Measured(gains.tolist(), _seeds(column), "DRTP")


PAPER_RATE = Experiment(
    "one rate for all",
    _contest.at_paper_rate,
    {
        "C1p": lambda c: Measured(
            (c.errors("DRTP") - c.errors("F³")).tolist(), _seeds(c), "DRTP at the same rate"
        )
    },
)

TRANSFORMER = Experiment("the transformer", _contest.transformer, {"C7": _transformer_gain})

EXPERIMENTS = (
    MEMORY,
    IDENTITIES,
    EQUALITY,
    SPEEDS,
    COSTS,
    CONTEST,
    VARIATIONS,
    ANGLES,
    PAPER_RATE,
    TRANSFORMER,
)
