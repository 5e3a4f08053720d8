"""Precision, recall and F1: of hits up to a tolerance in time, as the paper's evaluation does, and of pairs."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.petnet._events import Hits, Pairs


@dataclass(frozen=True)
class Score:
    """What was found, what was found wrongly, what was missed.

    Args:
        true, false, missed: true positives, false positives, false negatives.
        mean_gap: mean distance in time of a match, in bins; NaN without one.
    """

    true: int
    false: int
    missed: int
    mean_gap: float = float("nan")

    @property
    def precision(self) -> float:
        """Share of the output that is right; NaN if there is no output."""
        return self.true / (self.true + self.false) if self.true + self.false else float("nan")

    @property
    def recall(self) -> float:
        """Share of the target that was found; NaN if there is no target."""
        return self.true / (self.true + self.missed) if self.true + self.missed else float("nan")

    @property
    def f1(self) -> float:
        """Harmonic mean of both, 2 TP / (2 TP + FP + FN); 0 for a silent output."""
        total = 2 * self.true + self.false + self.missed
        return 2 * self.true / total if total else float("nan")


def score_hits(output: Hits, target: Hits, tolerance: int) -> Score:
    """Match hits of the same sample and crystal, the closest in time first.

    All at distance 0 are matched, then those at 1, and so on to ``tolerance``; a hit is matched once. At equal distance
    the earlier output comes first.

    Args:
        output, target: hits with times in whole bins.
        tolerance: largest distance of a match, in bins.
    """
    steps = int(max(output.time.max(initial=0), target.time.max(initial=0))) + 2 * tolerance + 1
    crystals = int(max(output.crystal.max(initial=0), target.crystal.max(initial=0))) + 1

    def key(hits: Hits) -> np.ndarray:
        # A gap of the tolerance between two crystals, so that no shift leads from one to the next.
        return (hits.sample * crystals + hits.crystal) * steps + hits.time + tolerance

    left, wanted = key(output), key(target)
    # Most outputs of a bad network are near no target at all; they are sorted out once, not at every distance.
    ends = np.concatenate([[np.iinfo(np.int64).min // 2], np.sort(wanted), [np.iinfo(np.int64).max // 2]])
    after = np.searchsorted(ends, left)
    near = np.minimum(ends[after] - left, left - ends[after - 1]) <= tolerance
    hopeless, left = int((~near).sum()), left[near]
    matched, gaps = 0, 0
    for distance in range(tolerance + 1):
        for shift in (distance, -distance) if distance else (0,):
            hit = np.isin(left + shift, wanted, kind="sort")
            if hit.any():
                wanted = np.setdiff1d(wanted, left[hit] + shift, assume_unique=True)
                left = left[~hit]
                matched += int(hit.sum())
                gaps += distance * int(hit.sum())
    return Score(matched, hopeless + len(left), len(wanted), gaps / matched if matched else float("nan"))


def score_pairs(output: Pairs, target: Pairs, tolerance: int) -> Score:
    """Match pairs of the same two crystals and sample whose mean times lie within ``tolerance`` bins of each other.

    Unlike :func:`score_hits` this asks which hit belongs to which.
    """
    size = int(max(each.max(initial=0) for p in (output, target) for each in (p.first, p.second))) + 1

    def as_hits(pairs: Pairs) -> Hits:
        low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
        return Hits.sort(pairs.sample, low * size + high, np.rint(pairs.time.mean(axis=1)).astype(np.int64))

    return score_hits(as_hits(output), as_hits(target), tolerance)
