"""Pools that breed from the wrong ones, or that get slow."""

from mutants import Mutant

_BOUNDED = """
import bisect


def make_pool(size):
    return {"size": size, "best": []}


def add(pool, candidate):
    bisect.insort(pool["best"], candidate, key=lambda one: one.loss)
    del pool["best"][2 * pool["size"] :]


def withdraw(pool, candidate):
    pool["best"] = [one for one in pool["best"] if one.name != candidate.name]


def parents(pool, rng):
    return rng.sample(pool["best"][: pool["size"]], 2)
"""

_SORTED_PAIR = """
import bisect


def make_pool(size):
    return {"size": size, "known": []}


def add(pool, candidate):
    bisect.insort(pool["known"], candidate, key=lambda one: one.loss)


def withdraw(pool, candidate):
    del pool["known"][bisect.bisect_left(pool["known"], candidate.loss, key=lambda one: one.loss)]


def parents(pool, rng):
    first, second = sorted(rng.sample(range(pool["size"]), 2))
    return pool["known"][first], pool["known"][second]
"""

_SORTS_FOR_EVERY_CHILD = """
def make_pool(size):
    return {"size": size, "known": {}}


def add(pool, candidate):
    pool["known"][candidate.name] = candidate


def withdraw(pool, candidate):
    del pool["known"][candidate.name]


def parents(pool, rng):
    return rng.sample(sorted(pool["known"].values(), key=lambda one: one.loss)[: pool["size"]], 2)
"""

# Right, with an inbox that is sorted into the rest when it is full: cheap as long as it never is.
_SORTS_AT_TIMES = """
import bisect


def make_pool(size):
    return {"size": size, "known": [], "inbox": []}


def by_loss(one):
    return one.loss


def add(pool, candidate):
    bisect.insort(pool["inbox"], candidate, key=by_loss)
    if len(pool["inbox"]) == 5_000:
        pool["known"] = sorted(pool["known"] + pool["inbox"], key=by_loss)
        pool["inbox"] = []


def withdraw(pool, candidate):
    for part in ("known", "inbox"):
        at = bisect.bisect_left(pool[part], candidate.loss, key=by_loss)
        if at < len(pool[part]) and pool[part][at].name == candidate.name:
            del pool[part][at]


def parents(pool, rng):
    size = pool["size"]
    return rng.sample(sorted(pool["known"][:size] + pool["inbox"][:size], key=by_loss)[:size], 2)
"""


def _wrong(name: str, source: str, fails: str, says: str, hidden: bool = True) -> Mutant:
    return Mutant(name, answer="pool", source=source, fails=fails, says=says, hidden=hidden)


MUTANTS = [
    _wrong(
        "remembers twice the best and no more",
        _BOUNDED,
        "pool-test",
        "those that became parents in 300 draws",
    ),
    _wrong(
        "remembers the best and six more",
        _BOUNDED.replace('2 * pool["size"]', 'pool["size"] + 6'),
        "pool-test",
        "Sample larger than population",
    ),
    _wrong(
        "remembers a hundred and no more",
        _BOUNDED.replace('2 * pool["size"]', "100"),
        "pool-test",
        "Sample larger than population",
    ),
    _wrong("the better parent comes first", _SORTED_PAIR, "pool-test", "above 50 once in a million"),
    _wrong(
        "sorts for every child",
        _SORTS_FOR_EVERY_CHILD,
        "cheap-test",
        "more than 180,000 comparisons of losses",
        hidden=False,
    ),
    _wrong("sorts now and then", _SORTS_AT_TIMES, "cheap-test", "comparisons of losses per step"),
]
