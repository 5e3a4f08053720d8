"""Classical coincidence sorters: hits in, pairs out. Plain Python, whole arrays, and compiled, with equal answers."""

from dataclasses import dataclass

import numba
import numpy as np
import torch
from torch import Tensor

from efficient_ai.petnet import _valid
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet._events import Hits, Pairs


@dataclass(frozen=True)
class Window:
    """A coincidence window and what is done within it.

    A hit joins the open window while it comes at most ``width`` after the *last* hit in it, so that each hit opens the
    window anew (as in the released code; a textbook window counts from its first hit).

    Args:
        width: in the unit of the times, not negative.
        geometry: if given, two hits are a pair only if they are opposite up to this many crystals and rings.
        multiples: ``"kill"``: a window of three or more hits is dropped; ``"resolve"``: its hits are paired by geometry,
            the closest in time first.
        delays: of each crystal; if given, added to the times first, so that the hits of a pair meet. The pairs have the
            corrected times.

    Raises:
        ValueError: a negative width, an unknown policy, multiples to resolve without geometry, or delays that are none.
    """

    width: float
    geometry: int | None = None
    multiples: str = "kill"
    delays: np.ndarray | None = None

    def __post_init__(self):
        _valid.number("width", self.width, 0)
        if self.geometry is not None:
            _valid.count("geometry", self.geometry)
        _valid.choice("multiples", self.multiples, ("kill", "resolve"))
        if self.delays is not None:
            object.__setattr__(self, "delays", _valid.finite("delays", self.delays))
        if self.multiples == "resolve" and self.geometry is None:
            raise ValueError("multiples can be resolved by geometry only: give geometry, too")


@dataclass(frozen=True)
class Queue:
    """Hits in the order in which a sorter sees them, shape ``(n,)`` each.

    Args:
        order: where each stands in the list.
        sample, crystal: of each.
        time: that the sorter compares: corrected, if the window knows the delays.
        reach: the width, and a few roundings of the latest time more: two times in seconds whose difference *is* the
            width may differ by a little more in 64 bits.
    """

    order: np.ndarray
    sample: np.ndarray
    crystal: np.ndarray
    time: np.ndarray
    reach: float

    @property
    def sizes(self) -> np.ndarray:
        """Hits in each window, shape ``(windows,)``."""
        return np.diff(np.append(self.starts, len(self.order)))

    @property
    def starts(self) -> np.ndarray:
        """Where each window begins, shape ``(windows,)``."""
        begins = np.ones(len(self.order), dtype=bool)
        begins[1:] = (np.diff(self.sample) != 0) | (np.diff(self.time) > self.reach)
        return np.flatnonzero(begins)

    def pairs(self, first: np.ndarray, second: np.ndarray) -> Pairs:
        """Pairs from the places of their hits in this order, sorted by these."""
        sort = np.lexsort((second, first))
        place = np.stack([first[sort], second[sort]], axis=1).astype(np.int64)
        crystal = self.crystal[place]
        return Pairs(
            self.sample[place[:, 0]], crystal[:, 0], crystal[:, 1], self.time[place], self.order[place]
        )


def queue(hits: Hits, detector: Detector, window: Window) -> Queue:
    """How the sorter sees the hits.

    Raises:
        ValueError: a crystal that the detector does not have, or delays of another number of crystals.
    """
    _valid.whole("crystal of hits", hits.crystal, 0, detector.crystals)
    if window.delays is None:
        order, time = np.arange(len(hits)), hits.time
    else:
        _valid.finite("delays of the window", window.delays, (detector.crystals,))
        time = hits.time + window.delays[hits.crystal]
        order = np.lexsort((hits.crystal, time, hits.sample))
        time = time[order]
    roundings = 0.0
    if time.dtype.kind == "f":
        # Never so much that it would matter: a clock that coarse has lost the width already.
        roundings = min(4 * np.finfo(float).eps * float(np.abs(time).max(initial=0.0)), 1e-3 * window.width)
    return Queue(order, hits.sample[order], hits.crystal[order], time, window.width + roundings)


def sort_plain(hits: Hits, detector: Detector, window: Window) -> Pairs:
    """The sorter as a loop over hits, to be read: what the two fast ones must agree with."""
    seen = queue(hits, detector, window)
    sample, crystal, time = seen.sample, seen.crystal, seen.time
    clusters, cluster = [], []
    for hit in range(len(hits)):
        if cluster and not (
            sample[hit] == sample[cluster[-1]] and time[hit] - time[cluster[-1]] <= seen.reach
        ):
            clusters.append(cluster)
            cluster = []
        cluster.append(hit)
    clusters.append(cluster)
    first, second = [], []
    for cluster in clusters:
        for a, b in _pairs_in(cluster, crystal, time, detector, window):
            first.append(a)
            second.append(b)
    return seen.pairs(np.array(first, dtype=int), np.array(second, dtype=int))


def _pairs_in(cluster, crystal, time, detector, window):
    """The pairs that one window gives."""

    def opposite(a, b):
        return window.geometry is None or bool(detector.opposite(crystal[a], crystal[b], window.geometry))

    if len(cluster) == 2:
        return [tuple(cluster)] if opposite(*cluster) else []
    if len(cluster) < 2 or window.multiples == "kill":
        return []
    candidates = [
        (time[b] - time[a], a, b) for i, a in enumerate(cluster) for b in cluster[i + 1 :] if opposite(a, b)
    ]
    pairs, taken = [], set()
    for _, a, b in sorted(candidates):
        if a not in taken and b not in taken:
            pairs.append((a, b))
            taken |= {a, b}
    return pairs


def sort_bins(raster: Tensor, width: int) -> Hits:
    """The plain window as a loop over all bins of a dense raster, as the released code walks through it.

    Args:
        raster: shape ``(steps, samples, crystals)``.
        width: of the window in bins.

    Returns:
        the hits of the accepted pairs.

    Raises:
        ValueError: a raster without the three axes, or a negative width.
    """
    _valid.number("width", width, 0)
    if raster.ndim != 3:
        raise ValueError(f"the raster has shape {tuple(raster.shape)}, not (steps, samples, crystals)")
    kept = []
    for sample in range(raster.shape[1]):
        cluster: list[tuple[int, int]] = []
        for time in range(raster.shape[0]):
            crystals = torch.nonzero(raster[time, sample])[:, 0].tolist()
            if not crystals:
                continue
            if cluster and time - cluster[-1][0] > width:
                if len(cluster) == 2:
                    kept += [(sample, *hit) for hit in cluster]
                cluster = []
            cluster += [(time, crystal) for crystal in crystals]
        if len(cluster) == 2:
            kept += [(sample, *hit) for hit in cluster]
    sample, time, crystal = np.array(kept, dtype=int).reshape(-1, 3).T
    return Hits.sort(sample, crystal, time)


def sort_arrays(hits: Hits, detector: Detector, window: Window) -> Pairs:
    """The same on whole arrays; only windows of three or more hits that are to be resolved are looked at one by one."""
    seen = queue(hits, detector, window)
    crystal, time, start, size = seen.crystal, seen.time, seen.starts, seen.sizes
    first = start[size == 2]
    second = first + 1
    if window.geometry is not None:
        keep = detector.opposite(crystal[first], crystal[second], window.geometry)
        first, second = first[keep], second[keep]
    if window.multiples == "resolve":
        more = [
            pair
            for begin, count in zip(start[size > 2], size[size > 2], strict=True)
            for pair in _pairs_in(list(range(begin, begin + count)), crystal, time, detector, window)
        ]
        extra = np.array(more, dtype=int).reshape(-1, 2)
        first, second = np.concatenate([first, extra[:, 0]]), np.concatenate([second, extra[:, 1]])
    return seen.pairs(first, second)


def sort_compiled(hits: Hits, detector: Detector, window: Window) -> Pairs:
    """The same as a compiled loop."""
    seen = queue(hits, detector, window)
    first, second = _compiled(
        seen.sample,
        seen.crystal,
        seen.time,
        float(seen.reach),
        -1 if window.geometry is None else window.geometry,
        window.multiples == "resolve",
        detector.rings,
        detector.per_ring,
    )
    return seen.pairs(first, second)


@numba.njit(cache=True)
def _opposite(a, b, spread, rings, per_ring):
    around = (b % per_ring - a % per_ring - per_ring // 2) % per_ring
    around = min(around, per_ring - around)
    return around <= spread and abs(b // per_ring - (rings - 1 - a // per_ring)) <= spread


@numba.njit(cache=True)
def _compiled(sample, crystal, time, width, spread, resolve, rings, per_ring):
    n = len(sample)
    first, second = np.empty(n // 2, np.int64), np.empty(n // 2, np.int64)
    found, begin = 0, 0
    for end in range(1, n + 1):
        if end < n and sample[end] == sample[end - 1] and time[end] - time[end - 1] <= width:
            continue
        count = end - begin
        if count == 2:
            if spread < 0 or _opposite(crystal[begin], crystal[begin + 1], spread, rings, per_ring):
                first[found], second[found] = begin, begin + 1
                found += 1
        elif count > 2 and resolve:
            free = np.ones(count, np.bool_)
            while (
                True
            ):  # the closest opposite pair of what is left; the order of the plain loop at equal distance
                best, best_a, best_b = np.inf, -1, -1
                for a in range(count):
                    for b in range(a + 1, count):
                        gap = time[begin + b] - time[begin + a]
                        if free[a] and free[b] and gap < best:
                            if _opposite(crystal[begin + a], crystal[begin + b], spread, rings, per_ring):
                                best, best_a, best_b = gap, a, b
                if best_a < 0:
                    break
                free[best_a] = free[best_b] = False
                first[found], second[found] = begin + best_a, begin + best_b
                found += 1
        begin = end
    return first[:found], second[:found]
