"""Precision, recall and F1: of hits up to a tolerance in time, as the paper's evaluation does, and of pairs."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.petnet import _valid
from efficient_ai.petnet._events import Hits, Pairs, on_one_line, span

_FAR = 1 << 61  # further than any two hits on the line


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

    Raises:
        ValueError: times that are not whole, or a tolerance that is none.
    """
    tolerance = min(_valid.count("tolerance", tolerance), span(output, target))
    left, wanted = on_one_line(output, target, tolerance)
    free = np.sort(wanted)
    matched, gaps, hopeless = 0, 0, 0
    while len(left):
        after = np.searchsorted(free, left)
        later = np.append(free, _FAR)[after] - left
        earlier = left - np.append(-_FAR, free)[after]
        gap = np.minimum(later, earlier)
        # A target that is taken makes the gap of an output larger, never smaller: who is too far now is so for good.
        near = gap <= tolerance
        hopeless += int((~near).sum())
        left, gap = left[near], gap[near]
        if not len(left):
            break
        distance = int(gap.min())
        for shift in (distance, -distance) if distance else (0,):
            hit = np.isin(left + shift, free, kind="sort")
            free = np.setdiff1d(free, left[hit] + shift, assume_unique=True)
            left = left[~hit]
            matched += int(hit.sum())
            gaps += distance * int(hit.sum())
    return Score(matched, hopeless, len(free), gaps / matched if matched else float("nan"))


def score_pairs(output: Pairs, target: Pairs, tolerance: int) -> Score:
    """Match pairs of the same two crystals and sample whose mean times lie within ``tolerance`` bins of each other.

    Unlike :func:`score_hits` this asks which hit belongs to which.
    """
    size = int(max(each.max(initial=0) for p in (output, target) for each in (p.first, p.second))) + 1

    def as_hits(pairs: Pairs) -> Hits:
        low, high = np.minimum(pairs.first, pairs.second), np.maximum(pairs.first, pairs.second)
        return Hits.sort(pairs.sample, low * size + high, np.rint(pairs.time.mean(axis=1)).astype(np.int64))

    return score_hits(as_hits(output), as_hits(target), tolerance)
