"""Who learns how well: every method tuned with the same budget, judged on seeds that the tuning has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from efficient_ai.f3._angles import angles
from efficient_ai.f3._rules import (
    DFA,
    DRTP,
    F3,
    Backpropagation,
    FeedbackAlignment,
    ForwardForward,
    LastLayerOnly,
    MonoForward,
    Pepita,
    Rule,
)
from efficient_ai.f3._runs import Job, Result, make_trainer, train, train_many
from efficient_ai.f3._tasks import TASKS, load_task
from efficient_ai.f3.profiles import Cell, Profile

RULES: dict[str, Rule] = {
    "BP": Backpropagation(),
    "LLO": LastLayerOnly(),
    "FA": FeedbackAlignment(),
    "DFA": DFA,
    "DRTP": DRTP,
    "F³": F3(),
    "F³, one-hot": F3(signal="error one-hot"),
    "Mono-Forward": MonoForward(),
    "PEPITA": Pepita(),
    "Forward-Forward": ForwardForward(),
}
"""Methods of the contest."""
CLASSES_ONLY = ("F³, one-hot", "Forward-Forward")
PLAUSIBLE = ("Mono-Forward", "PEPITA", "Forward-Forward", "DRTP", "LLO")
"""Rules without weight transport whose blocks need no error that comes back: F³'s rivals."""
CLASS_TASKS = ("digits", "Fashion-MNIST")


@dataclass(frozen=True)
class Column:
    """One cell of the contest.

    Args:
        cell: task and network.
        rates: chosen for each method.
        valid: mean validation error at that rate, from the tuning.
        results: of each method, one per seed.
    """

    cell: Cell
    rates: dict[str, float]
    valid: dict[str, float]
    results: dict[str, list[Result]]

    def errors(self, method: str) -> np.ndarray:
        """Test errors of the seeds, shape ``(seeds,)``."""
        return np.array([result.test for result in self.results[method]])

    @property
    def rival(self) -> str:
        """The strongest plausible method, by validation."""
        return min((m for m in PLAUSIBLE if m in self.valid), key=lambda m: self.valid[m])


def job(cell: Cell, rule: Rule, rate: float, seed: int) -> Job:
    """A training in a cell."""
    return Job(cell.task, rule, rate, seed, cell.depth, cell.width, cell.epochs, cell.batch, cell.share)


def methods(task: str) -> list[str]:
    """Those that can learn a task."""
    return [m for m in RULES if task in CLASS_TASKS or m not in CLASSES_ONLY]


def contest(size: Profile) -> dict[str, Column]:
    """All cells: tune every method, then train it with fresh seeds."""
    tried = [
        (cell, m, rate, seed)
        for cell in size.cells
        for m in methods(cell.task)
        for rate in size.rates
        for seed in range(size.tune_seeds)
    ]
    found = train_many([job(c, RULES[m], rate, seed) for c, m, rate, seed in tried], size.workers)
    scores: dict[tuple, list[float]] = {}
    for (cell, m, rate, _), result in zip(tried, found, strict=True):
        scores.setdefault((cell.name, m, rate), []).append(result.valid[-1])
    best = {}
    for cell in size.cells:
        for m in methods(cell.task):
            best[cell.name, m] = min(size.rates, key=lambda r: np.mean(scores[cell.name, m, r]))
    final = [(cell, m, seed) for cell in size.cells for m in methods(cell.task) for seed in size.seed_list]
    results = train_many([job(c, RULES[m], best[c.name, m], s) for c, m, s in final], size.workers)
    columns = {}
    for cell in size.cells:
        names = methods(cell.task)
        mine = {
            m: [r for (c, n, _), r in zip(final, results, strict=True) if c == cell and n == m] for m in names
        }
        valid = {m: float(np.mean(scores[cell.name, m, best[cell.name, m]])) for m in names}
        columns[cell.name] = Column(cell, {m: best[cell.name, m] for m in names}, valid, mine)
    return columns


def gap_reduction(column: Column, reference: str = "DRTP") -> tuple[float, float, float] | None:
    """Per cent of the reference's gap to BP that F³ takes away, with its 95 % bootstrap interval over seeds.

    ``None`` where there is no gap: BP is not better than the reference by more than the noise of the seeds.
    """
    bp, ref, ours = (column.errors(m) for m in ("BP", reference, "F³"))
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(bp), size=(4000, len(bp)))
    gaps = (ref - bp)[draws].mean(1)
    if not np.isfinite(gaps).all() or np.percentile(gaps, 2.5) <= 0:
        return None
    ratio = 100 * (ref - ours)[draws].mean(1) / gaps
    low, high = np.percentile(ratio, [2.5, 97.5])
    return 100 * float((ref - ours).mean() / (ref - bp).mean()), float(low), float(high)


# ----- one rate for all, that of the authors' code

PAPER_RATE = 1.5e-4


def at_paper_rate(size: Profile) -> Column:
    """BP, LLO, DRTP, DFA and F³ on digits with one hidden block, all at the rate of the authors' code but LLO (100 times as large)."""
    cell = replace(size.cells[0], epochs=size.paper_epochs)
    rates = dict.fromkeys(("BP", "DRTP", "DFA", "F³"), PAPER_RATE) | {"LLO": 100 * PAPER_RATE}
    final = [(m, seed) for m in rates for seed in size.seed_list]
    results = train_many([job(cell, RULES[m], rates[m], seed) for m, seed in final], size.workers)
    mine = {m: [r for (n, _), r in zip(final, results, strict=True) if n == m] for m in rates}
    return Column(cell, rates, {m: float(np.mean([r.valid[-1] for r in mine[m]])) for m in rates}, mine)


# ----- one thing at a time, on digits with two hidden blocks, at F³'s rate

VARIATIONS: dict[str, Rule] = {
    "F³": F3(),
    "table of 16 bits": F3(store="float16"),
    "table of 8 bits": F3(store="8 bit"),
    "table of signs": F3(store="sign"),
    "table of classes": F3(store="class"),
    "begins with zeros": F3(initial="zero"),
    "other sign": F3(sign=-1),
    "delayed loss": F3(signal="loss"),
    "softmax error": F3(signal="error softmax"),
    "B kaiming uniform": F3(feedback="kaiming uniform"),
    "B binomial": F3(feedback="binomial"),
    "B plus minus identity": F3(feedback="plus minus identity"),
}
STORED_BITS = {
    "F³": 320,
    "table of 16 bits": 176,
    "table of 8 bits": 96,
    "table of signs": 24,
    "table of classes": 16,
}
"""Bits of a row for ten classes, with the exponent of a row where it has one."""


def variations(size: Profile, column: Column) -> dict[str, list[Result]]:
    """Each variation and each delay with the same seeds, all at the rate of F³ (stated; nothing else is tuned)."""
    rules = VARIATIONS | {f"delay {k}": F3(delay=k) for k in size.delays}
    rate = column.rates["F³"]
    jobs = [
        (name, job(column.cell, rule, rate, seed)) for name, rule in rules.items() for seed in size.seed_list
    ]
    results = train_many([j for _, j in jobs], size.workers)
    found: dict[str, list[Result]] = {}
    for (name, _), result in zip(jobs, results, strict=True):
        found.setdefault(name, []).append(result)
    return found


# ----- angles


def angle_curves(size: Profile, column: Column) -> dict[str, np.ndarray]:
    """Angles of F³, DRTP and DFA before training and after each epoch, ``(seeds, epochs + 1, hidden blocks)`` each."""
    found = {}
    x, y = load_task(column.cell.task, column.cell.share).train
    index = np.linspace(0, len(x) - 1, 300).astype("int64")
    import torch

    chosen = torch.from_numpy(index)
    for name in ("F³", "DRTP", "DFA"):
        curves = []
        for seed in size.seed_list:
            one = job(column.cell, RULES[name], column.rates[name], seed)
            rows = [angles(make_trainer(one), x[chosen], y[chosen], chosen)]
            train(one, lambda t, _, rows=rows: rows.append(angles(t, x[chosen], y[chosen], chosen)))
            curves.append(rows)
        found[name] = np.array(curves)
    return found


# ----- the transformer

TRANSFORMER_RULES: dict[str, Rule] = {
    "BP": Backpropagation(),
    "DRTP": DRTP,
    "DFA": F3(signal="error softmax", delay=0),
    "F³": F3(signal="error softmax"),
    "Mono-Forward": MonoForward(),
}


def transformer(size: Profile) -> Column:
    """The transformer on digits: each rule at the best of a few rates."""
    cell = Cell("digits", 0, epochs=size.transformer_epochs, batch=100, share=size.transformer_share)
    seeds = size.seed_list[: size.transformer_seeds]

    def jobs(wanted: Sequence[tuple[str, float, int]]) -> list[Job]:
        return [
            replace(job(cell, TRANSFORMER_RULES[m], r, s), layers=size.transformer_layers)
            for m, r, s in wanted
        ]

    tried = [(m, r, 0) for m in TRANSFORMER_RULES for r in size.transformer_rates]
    scores = dict(zip(tried, (res.valid[-1] for res in train_many(jobs(tried), size.workers)), strict=True))
    rates = {m: min(size.transformer_rates, key=lambda r: scores[m, r, 0]) for m in TRANSFORMER_RULES}
    final = [(m, rates[m], s) for m in TRANSFORMER_RULES for s in seeds]
    results = train_many(jobs(final), size.workers)
    mine = {m: [r for (n, *_), r in zip(final, results, strict=True) if n == m] for m in TRANSFORMER_RULES}
    return Column(cell, rates, {m: scores[m, rates[m], 0] for m in rates}, mine)


assert set(CLASS_TASKS) < set(TASKS)
