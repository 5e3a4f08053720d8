"""Wrong small steps."""

from mutants import Mutant

# The right step with the places to get wrong.
_STEP = """
import random


def small_step(genes, limits, sigma, rng):
    child = {copy}
    real = [name for name in genes if name in limits]
    {guard}
    name = {choice}
    low, high = limits{interval}
    child[name] = {moved}
    {clip}
    return child
"""


def _step(
    copy="dict(genes)",
    interval="[name]",
    guard="if not real: return child",
    choice="rng.choice(real)",
    moved="child[name] + rng.gauss(0, sigma * (high - low))",
    clip="child[name] = min(max(child[name], low), high)",
):
    return _STEP.format(copy=copy, interval=interval, guard=guard, choice=choice, moved=moved, clip=clip)


def _wrong(name: str, says: str, hidden: bool = True, **places) -> Mutant:
    return Mutant(name, answer="step", source=_step(**places), fails="step-test", says=says, hidden=hidden)


MUTANTS = [
    _wrong("moves the parent itself", "the parent afterwards", hidden=False, copy="genes"),
    _wrong(
        "redraws the gene in all of its interval",
        "standard deviation of the steps of 'rate'",
        moved="rng.uniform(low, high)",
    ),
    _wrong(
        "moves any gene",
        "the genes in which a child differs from its parent",
        hidden=False,
        choice="rng.choice(list(genes))",
        interval=".get(name, (0, 1))",
        moved="rng.random()",
    ),
    _wrong("always the first real gene", "share of steps of `rate`: found 1", choice="real[0]"),
    _wrong(
        "the same step for every interval",
        "standard deviation of the steps of 'width'",
        moved="child[name] + rng.gauss(0, sigma)",
    ),
    _wrong("leaves the interval", "share on the border, 0.01 away: found 0", clip=""),
    _wrong(
        "draws again until it is inside",
        "share on the border, 0.01 away: found 0",
        moved="next(x for x in iter(lambda: genes[name] + rng.gauss(0, sigma * (high - low)), None) if low < x < high)",
    ),
    _wrong("expects a real gene", "IndexError", guard=""),
    _wrong(
        "draws from the generator of the whole process",
        "children from the same seed",
        moved="child[name] + random.gauss(0, sigma * (high - low))",
    ),
]
