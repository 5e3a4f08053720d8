"""A small step with one gene: children of one parent, and what the steps to them look like."""

import random
from collections.abc import Callable
from statistics import fmean, stdev

from efficient_ai import checks


def children(step: Callable, parent: dict, limits: dict, sigma: float, n: int) -> list[dict]:
    """``n`` children of ``parent``, all from one generator with a fixed seed. The parent must stay as it is."""
    rng, before = random.Random(1), dict(parent)
    found = [step(parent, limits, sigma, rng) for _ in range(n)]
    checks.equal("the parent afterwards", parent, before)
    return found


def one_gene_each(parent: dict, limits: dict, found: list[dict]) -> dict[str, list[float]]:
    """The steps of each real gene. Every child must differ from its parent in one of them, and stay inside its limits."""
    steps: dict[str, list[float]] = {name: [] for name in limits}
    for child in found:
        if not isinstance(child, dict) or child.keys() != parent.keys():
            checks.equal("a child", child, parent)  # says what it is instead
        changed = [name for name in parent if child[name] != parent[name]]
        if len(changed) != 1 or changed[0] not in limits:
            checks.equal("the genes in which a child differs from its parent", changed, ["one real gene"])
        name = changed[0]
        low, high = limits[name]
        if not low <= child[name] <= high:
            told = f"{child[name]!r} is outside of [{low}, {high}]."
            checks.holds(f"gene {name!r} of a child", False, told)
        steps[name].append(child[name] - parent[name])
    return steps


def spread_is(name: str, steps: list[float], expected: float) -> None:
    """Steps that no border touches must have mean 0 and this standard deviation, up to 3 per cent of it."""
    checks.close(f"standard deviation of the steps of {name!r}", stdev(steps), expected, relative=0.03)
    checks.close(f"mean step of {name!r}", fmean(steps), 0.0, tolerance=0.03 * expected)
