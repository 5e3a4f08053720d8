"""Which neurons stay: widths, quotas and ties."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from efficient_ai.surgery import Anatomy, Surgery

ORDERS = ("joint", "sequential")


def select(
    anatomies: Sequence[Anatomy],
    scored: Callable[[int, list[dict] | None], list[np.ndarray]],
    order: str,
    asked,
    shares: Sequence[float] | None,
) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
    """For each group ``(member, unit)`` of what stays, int64 of shape ``(width, 2)``, and the scores.

    Args:
        scored: scores of a group, one array per member; takes the group's index and, if the order is sequential, the units
            of each member that are left in groups that are cut already.
        order, asked, shares: as ``order``, ``widths`` and ``shares`` of :func:`fuse`.
    """
    if order not in ORDERS:
        raise Surgery(f"order={order!r}: choose one of {', '.join(ORDERS)}")
    sizes = widths(anatomies, asked)
    if sizes is None and (order == "sequential" or shares is not None):
        raise Surgery('widths="global" compares all groups at once: use order="joint" and no shares')
    counts = quota(anatomies, sizes, shares) if sizes is not None else None
    groups = range(len(anatomies[0].groups))
    kept: list = [None] * len(groups)
    scores: list = [None] * len(groups)
    left: list[dict] | None = [{} for _ in anatomies] if order == "sequential" else None
    for g in reversed(groups):
        scores[g] = scored(g, left)
        if sizes is None:
            continue
        kept[g] = largest(scores[g], sizes[g], counts[g] if counts else None)
        for m, units in enumerate(left or ()):
            units[g] = kept[g][kept[g][:, 0] == m, 1]
    if sizes is None:
        kept = largest_anywhere(scores, sum(g.units for g in anatomies[0].groups))
    return [np.array(k, dtype=np.int64).reshape(-1, 2) for k in kept], scores


def widths(anatomies: Sequence[Anatomy], asked) -> list[int] | None:
    """Width of each group after the cut; ``None`` where it is chosen globally.

    The released code keeps ``int(n * (1 - ratio))`` neurons, which rounds to one too few for three, five, six or seven
    members; here the count is exact.
    """
    groups = anatomies[0].groups
    have = [sum(a.groups[g].units for a in anatomies) for g in range(len(groups))]
    if asked is None:
        found = [g.units for g in groups]
    elif isinstance(asked, str):
        if asked != "global":
            raise Surgery(f'widths={asked!r}: give widths by group, a share, or "global"')
        return None
    elif isinstance(asked, Mapping):
        unknown = set(asked) - {g.name for g in groups}
        if unknown:
            raise Surgery(f"no groups named {sorted(unknown)}; there are {[g.name for g in groups]}")
        found = [asked.get(g.name, g.units) for g in groups]
    elif isinstance(asked, int | float) and not isinstance(asked, bool):
        if not 0 < asked <= 1:
            raise Surgery(f"widths={asked}: a share of all members' neurons lies above 0 and at most at 1")
        found = [max(1, round(asked * n)) for n in have]
    else:
        raise Surgery(f"widths={asked!r}: give widths by group, a share, or 'global'")
    for group, n, most in zip(groups, found, have, strict=True):
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= most:
            raise Surgery(
                f"{group.name}: a width of {n!r} is not a whole number from 1 to {most}, all that the members have"
            )
    return [int(n) for n in found]


def quota(anatomies: Sequence[Anatomy], sizes: Sequence[int], shares) -> list[list[int]] | None:
    """How many neurons each member gives to each group: largest remainders, so that they sum to its width."""
    if shares is None:
        return None
    given = np.asarray(shares, dtype=float)
    if given.shape != (len(anatomies),) or not (given >= 0).all() or abs(given.sum() - 1) > 1e-9:
        raise Surgery(f"shares={shares}: give {len(anatomies)} numbers, none negative, that sum to 1")
    found = []
    for g, n in enumerate(sizes):
        counts = np.floor(given * n + 1e-9).astype(int)
        rest = np.argsort(-(given * n - counts), kind="stable")[: n - counts.sum()]
        counts[rest] += 1
        for m, (count, a) in enumerate(zip(counts, anatomies, strict=True)):
            if count > a.groups[g].units:
                raise Surgery(
                    f"{a.groups[g].name}: member {m} has {a.groups[g].units} neurons, its share asks for {count}"
                )
        found.append(counts.tolist())
    return found


def largest(scores: Sequence[np.ndarray], n: int, counts: Sequence[int] | None) -> np.ndarray:
    """The ``n`` largest of all members, or so many of each: ``(member, unit)`` in this order, int64 of shape ``(n, 2)``."""
    members = np.repeat(np.arange(len(scores)), [len(s) for s in scores])
    units = np.concatenate([np.arange(len(s)) for s in scores])
    if counts is None:
        chosen = np.sort(_top(np.concatenate(scores), n))
    else:
        starts = np.cumsum([0, *(len(s) for s in scores)])
        each = zip(starts, scores, counts, strict=False)
        chosen = np.concatenate([start + np.sort(_top(s, c)) for start, s, c in each])
    return np.stack([members[chosen], units[chosen]], axis=1)


def largest_anywhere(scores: Sequence[Sequence[np.ndarray]], total: int) -> list[np.ndarray]:
    """The ``total`` largest of all groups, at least one in each; scores are divided by the mean of their group."""
    flat = [np.concatenate(s) / max(np.concatenate(s).mean(), 1e-300) for s in scores]
    for values in flat:
        values[np.argmax(values)] = np.inf  # a layer without neurons computes nothing
    group = np.concatenate([np.full(len(v), g) for g, v in enumerate(flat)])
    chosen = group[_top(np.concatenate(flat), total)]
    return [largest(s, int((chosen == g).sum()), None) for g, s in enumerate(scores)]


def _top(scores: np.ndarray, n: int) -> np.ndarray:
    return np.argsort(-scores, kind="stable")[:n]
