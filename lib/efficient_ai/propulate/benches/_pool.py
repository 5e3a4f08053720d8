"""A pool that stays fast: right parents, in the right proportions, at a cost that is counted in comparisons."""

import random
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from operator import eq, ge, gt, le, lt
from typing import NamedTuple

from efficient_ai import checks


def _counted(compare: Callable) -> Callable:
    def method(self: "Looked", other: "Looked") -> bool:
        Looked.count += 1
        if Looked.count > Looked.limit:
            told = f"more than {Looked.limit:,} comparisons of losses: this grows with the population."
            raise checks.CheckFailed(told)
        return compare(self._value, other._value)

    return method


class Looked:
    """A loss that counts how often it is compared, and is nothing but comparable."""

    count = 0
    limit = float("inf")
    __slots__ = ("_value",)

    def __init__(self, value: float):
        self._value = value

    __lt__, __le__, __gt__, __ge__, __eq__ = map(_counted, (lt, le, gt, ge, eq))

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return repr(self._value)


class Candidate(NamedTuple):
    """An evaluated candidate: its number, and a loss that counts its comparisons."""

    name: int
    loss: Looked


_ALLOWED = 600  # comparisons per step

Functions = tuple[Callable, Callable, Callable, Callable]
"""What the reader writes: ``make_pool(size)``, ``add(pool, candidate)``, ``withdraw(pool, candidate)``, ``parents(pool, rng)``."""


def parents_from_the_best(functions: Functions, withdrawn: int, seed: int = 0) -> None:
    """Pairs out of the 4 best of 30 minus those ``withdrawn`` meanwhile, the best among them; both different, all in use."""
    rng = random.Random(seed)
    _draws_from_the_best(functions, *_filled(functions, 4, 30, withdrawn, rng), rng)


def parents_from_the_last(functions: Functions, candidates: int = 500, seed: int = 0) -> None:
    """As :func:`parents_from_the_best`, when all but 6 of many ``candidates`` have left in any order: none may be forgotten."""
    rng = random.Random(seed)
    make_pool, add, withdraw, _ = functions
    pool, everyone = make_pool(4), [Candidate(name, Looked(rng.random())) for name in range(candidates)]
    for candidate in everyone:
        add(pool, candidate)
    rng.shuffle(everyone)
    for candidate in everyone[6:]:
        withdraw(pool, candidate)
    left = sorted(everyone[:6], key=lambda one: one.loss)
    _draws_from_the_best(functions, pool, [candidate.name for candidate in left[:4]], rng)


def _draws_from_the_best(functions: Functions, pool: object, best: list[int], rng: random.Random) -> None:
    parents = functions[3]
    used = set()
    for _ in range(300):
        pair = parents(pool, rng)
        checks.equal("the number of parents", len(pair), 2)
        names = [parent.name for parent in pair]
        checks.holds("two parents", names[0] != names[1], f"candidate {names[0]} is both of them.")
        for name in names:
            told = f"candidate {name} is none of the 4 best that are left, {sorted(best)}."
            checks.holds("a parent", name in best, told)
        used.update(names)
    checks.equal("those that became parents in 300 draws", sorted(used), sorted(best))


def pairs_equally_likely(functions: Functions, draws: int = 24_000, seed: int = 0) -> None:
    """All 12 ordered pairs of the 4 best must be equally frequent, by a chi-square test."""
    (_, _, _, parents), rng = functions, random.Random(seed)
    pool, best = _filled(functions, 4, 30, 0, rng)
    counts = Counter(tuple(parent.name for parent in parents(pool, rng)) for _ in range(draws))
    expected = draws / 12
    square = sum((counts[pair] - expected) ** 2 / expected for pair in permutations(best, 2))
    told = (
        f"their frequencies in {draws} draws give a chi-square of {square:.0f} with 11 degrees of freedom; "
        "by chance it is above 50 once in a million."
    )
    checks.holds("the pairs (first parent, second parent)", square < 50, told)


def stays_cheap(functions: Functions, few: int, many: int) -> None:
    """The comparisons per step may grow with the logarithm of the population, and not faster."""
    low, high = (comparisons_per_step(functions, n) for n in (few, many))
    told = f"{low:.1f} with {few:,} candidates, {high:.1f} with {many:,}; a logarithm would not even double."
    checks.holds("comparisons of losses per step", high <= 2.5 * low + 5, told)


def comparisons_per_step(functions: Functions, n: int, seed: int = 0) -> float:
    """Mean number of comparisons in a step while the population grows from ``0.8 n`` to ``n`` candidates.

    A step adds a candidate and draws parents; in one of ten, the first parent leaves. Losses fall slowly, as in a search.
    Raises ``CheckFailed`` when a step takes more than 600 on average: an answer without hope is stopped soon.
    """
    (make_pool, add, withdraw, parents), rng = functions, random.Random(seed)
    pool = make_pool(8)
    Looked.count, Looked.limit = 0, _ALLOWED * n
    begin = 0
    for name in range(n):
        if name == round(0.8 * n):
            begin = Looked.count
        add(pool, Candidate(name, Looked(rng.random() - name / n)))
        if name < 20:
            continue
        first, _ = parents(pool, rng)
        if rng.random() < 0.1:
            withdraw(pool, first)
    Looked.limit = float("inf")
    return (Looked.count - begin) / (n - round(0.8 * n))


def _filled(
    functions: Functions, size: int, n: int, withdrawn: int, rng: random.Random
) -> tuple[object, list[int]]:
    """A pool after ``n`` additions and ``withdrawn`` departures of good ones and others; the names of the best left."""
    make_pool, add, withdraw, _ = functions
    pool, losses = make_pool(size), [rng.random() for _ in range(n)]
    everyone = [Candidate(name, Looked(loss)) for name, loss in enumerate(losses)]
    by_loss = sorted(range(n), key=losses.__getitem__)
    leaving = by_loss[: withdrawn - withdrawn // 3] + by_loss[n // 2 : n // 2 + withdrawn // 3]
    for candidate in everyone:
        add(pool, candidate)
    for name in leaving:
        withdraw(pool, everyone[name])
    return pool, [name for name in by_loss if name not in leaving][:size]
