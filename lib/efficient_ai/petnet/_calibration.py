"""The delays of the crystals from hits alone: nobody says which two belong together, and nobody opens the scanner."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import lsqr

from efficient_ai.petnet import _valid
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet._events import Hits

_LAGS = 4  # a hit is compared with the next ones, so many of them: beyond, hits are rarely close in time
_ROUNDS = 12


def calibrate(hits: Hits, detector: Detector, spread: int, longest: int) -> np.ndarray:
    """Estimate the delay of each crystal.

    Two hits of one decay lie as far apart as the delays of their crystals differ. Of two hits that are opposite and close in
    time nobody knows whether they are of one decay, but most are, and those that are not spread evenly over the gaps. So:
    one equation for each such two hits, least squares, leave out what fits badly, and again, a few times.

    Args:
        hits: in whole bins or ticks, without labels.
        spread: how far from opposite the crystals of a pair may be.
        longest: no delay is longer, in bins.

    Returns:
        whole bins from 0, shape ``(crystals,)``: the delays up to a constant, which hits alone cannot tell. A crystal that
        is in no equation gets the delay in the middle.

    Raises:
        ValueError: fewer close opposite hits than crystals, too few to tell anything.
    """
    _valid.whole("crystal of hits", hits.crystal, 0, detector.crystals)
    time = _valid.whole("time of hits", hits.time)
    _valid.count("longest", longest)
    one, other, gap = _close(hits, time, detector, spread, longest)
    if len(gap) < detector.crystals:
        raise ValueError(
            f"{len(gap)} close opposite hits are too few for {detector.crystals} crystals: calibrate with more samples"
        )
    row = np.arange(len(gap))
    entries = (np.repeat([1.0, -1.0], len(gap)), (np.tile(row, 2), np.concatenate([one, other])))
    matrix = sparse.csr_matrix(entries, shape=(len(gap), detector.crystals))
    delays, fits = np.zeros(detector.crystals), np.ones(len(gap), dtype=bool)
    for _ in range(_ROUNDS):
        delays = lsqr(matrix[fits], gap[fits])[0]
        off = np.abs(gap - matrix @ delays)
        fits = off < max(1.0, 1.5 * np.median(off))
    # The constant is free: take the one with which the delays are nearest to whole numbers, as delays in bins are.
    phase = np.angle(np.exp(2j * np.pi * delays).mean()) / (2 * np.pi)
    whole = np.rint(delays - phase).astype(np.int64)
    told = np.zeros(detector.crystals, dtype=bool)
    told[one[fits]] = told[other[fits]] = True
    whole -= whole[told].min()
    return np.clip(np.where(told, whole, round(longest / 2)), 0, longest)


def _close(hits, time, detector, spread, longest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Crystals and gap in time of hits of one sample that are opposite and at most ``longest`` apart."""
    found = []
    for lag in range(1, _LAGS + 1):
        first = np.arange(max(len(hits) - lag, 0))
        second = first + lag
        gap = time[second] - time[first]
        good = (hits.sample[first] == hits.sample[second]) & (gap <= longest)
        first, second, gap = first[good], second[good], gap[good]
        good = detector.opposite(hits.crystal[first], hits.crystal[second], spread)
        # A hit comes too early by its delay: the gap is the delay of the first less that of the second.
        found.append((hits.crystal[first[good]], hits.crystal[second[good]], gap[good]))
    one, other, gap = (np.concatenate(column) for column in zip(*found, strict=True))
    return one, other, gap.astype(float)
