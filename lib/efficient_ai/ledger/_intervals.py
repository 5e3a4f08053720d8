"""Intervals that keep their level when there are few values."""

import math
from collections.abc import Sequence

import numpy as np

from efficient_ai.ledger._verdicts import LedgerError

MEAN, GEOMETRIC_MEAN, MEDIAN = "mean", "geometric mean", "median"
STATISTICS = (MEAN, GEOMETRIC_MEAN, MEDIAN)
FEW = 5
"""An interval over fewer values says so."""
MOST = 10_000
"""Numbers of values beyond which nobody is told how many would decide."""


def interval(values: Sequence, statistic: str = MEAN, level: float = 0.95) -> tuple[float, float, float]:
    """Statistic of ``values`` with an interval that covers the truth with probability ``level``, also for n = 3.

    * ``"mean"``: Student's t. Exact for normal values; the scoreboard says what it covers for skewed ones.
    * ``"geometric mean"``: the same for the logarithms: for ratios, of which 2 and 1/2 are equally far from 1.
    * ``"median"``: order statistics (the sign test turned round), which need no shape of the distribution but six values;
      with fewer, Student's t around the mean, which is the median of a symmetric distribution.

    Where both the seeds and the units of the test set (windows, samples, members) are a sample, give a matrix: its interval has
    the noise of both. The half widths for the means of rows and of columns are added in squares: a little wider than needed,
    never narrower than either alone.

    Args:
        values: shape ``(n,)``, or ``(seeds, units)`` for a mean.
        statistic: one of ``STATISTICS``.
        level: of confidence.

    Returns:
        ``(value, low, high)``. Values that are all equal, and a single value, have an interval of width zero.

    Raises:
        LedgerError: no values, one that is not finite, or one that is not positive for a geometric mean.
    """
    if statistic not in STATISTICS:
        raise LedgerError(f"statistic {statistic!r} is not one of {', '.join(STATISTICS)}")
    if not 0 < level < 1:
        raise LedgerError(f"a level of confidence lies between 0 and 1, got {level}")
    sample = as_sample(values)
    if statistic == GEOMETRIC_MEAN:
        if (sample <= 0).any():
            raise LedgerError(f"a geometric mean needs positive values, got {float(sample.min())}")
        value, low, high = (math.exp(end) for end in interval(np.log(sample), MEAN, level))
        # Rounding of exp(log(x)) must not move a value across its own bound.
        return _clip(value, sample), *((low, high) if low < high else (_clip(value, sample),) * 2)
    if sample.ndim == 2 and statistic == MEDIAN:
        raise LedgerError("a median takes a list of values, not a matrix of seeds and units")
    value = float(np.mean(sample) if statistic == MEAN else np.median(sample))
    if sample.min() == sample.max():
        return (float(sample.flat[0]),) * 3
    if statistic == MEDIAN and (ends := _order_statistics(sample, level)):
        return value, *ends
    middle, half = float(np.mean(sample)), half_width(sample, level)
    return value, min(middle - half, value), max(middle + half, value)


def as_sample(values: Sequence) -> np.ndarray:
    """Values as floats of shape ``(n,)`` or ``(seeds, units)``; a matrix of one row or column is a list."""
    try:
        sample = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise LedgerError(f"an interval needs numbers, a list or a matrix without gaps: {error}") from None
    if sample.ndim not in (1, 2) or sample.size == 0 or not np.isfinite(sample).all():
        raise LedgerError(f"an interval needs a list of finite numbers, got {values!r}")
    return sample.reshape(-1) if 1 in sample.shape else sample


def half_width(sample: np.ndarray, level: float = 0.95) -> float:
    """Half the width of Student's interval of the mean; for a matrix, of rows and columns together."""
    from scipy.stats import t

    def half(means: np.ndarray) -> float:
        return (
            float(t.ppf((1 + level) / 2, means.size - 1))
            * float(np.std(means, ddof=1))
            / math.sqrt(means.size)
        )

    return half(sample) if sample.ndim == 1 else math.hypot(half(sample.mean(0)), half(sample.mean(1)))


def n_to_decide(sample: np.ndarray, distance: float, level: float = 0.95, most: int = MOST) -> int | None:
    """The smallest number of values whose interval would be narrower than ``distance``, if their spread stays.

    Args:
        sample: shape ``(n,)``.
        distance: from the value to the bound that the interval contains.
        most: where to give up.

    Returns:
        the number, or ``None`` if it is above ``most``.
    """
    from scipy.stats import t

    spread = float(np.std(sample, ddof=1))
    sizes = np.arange(2, most + 1)
    narrow = t.ppf((1 + level) / 2, sizes - 1) * spread / np.sqrt(sizes) < distance
    return int(sizes[narrow][0]) if narrow.any() else None


def coverage(draw, truth: float, n: int, *, draws: int = 20_000, seed: int = 0) -> float:
    """Share of intervals of ``n`` values that contain the ``truth``: a simulation, for Student's interval of the mean.

    Args:
        draw: ``draw(generator, shape)`` gives values.
        truth: their mean.
        n: values of each interval.
    """
    from scipy.stats import t

    values = draw(np.random.default_rng(seed), (draws, n))
    half = t.ppf(0.975, n - 1) * values.std(axis=1, ddof=1) / math.sqrt(n)
    return float(np.mean(np.abs(values.mean(axis=1) - truth) <= half))


def _order_statistics(sample: np.ndarray, level: float) -> tuple[float, float] | None:
    """The narrowest pair of values, counted from both ends, between which the median lies with this probability."""
    from scipy.stats import binom

    n = sample.size
    ranks = [k for k in range(1, n // 2 + 1) if 2 * binom.cdf(k - 1, n, 0.5) <= 1 - level]
    if not ranks:
        return None
    ordered = np.sort(sample)
    return float(ordered[ranks[-1] - 1]), float(ordered[n - ranks[-1]])


def _clip(value: float, sample: np.ndarray) -> float:
    return float(np.clip(value, sample.min(), sample.max()))
