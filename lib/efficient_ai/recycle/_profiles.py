"""Recent historic profiles: the mean of the last few days of the same type (section 3.3 of our notes on the paper)."""

import numpy as np

VARIANTS = ("last", "own", "causal", "persistence", "tenday")
TENDAY = 10  # days in the mean without types; fixed in the authors' code


def profile_table(days: np.ndarray, types: np.ndarray, n: int = 3) -> np.ndarray:
    """P[l, k] = mean of the last ``n`` days j <= l of type k: what a day of type k looks like, known at the end of l.

    ``n`` counts days of that type, not weeks. A missing day (NaN) is passed over. Before a type has occurred its
    profile is 0.

    Args:
        days: shape ``(days, cycle)``; whole numbers give a mean that is none.
        types: 0, 1 or 2, shape ``(days,)``.
        n: days in the mean, at least 1.

    Returns:
        shape ``(days, 3, cycle)``

    Raises:
        ValueError: no day in the mean, or types that are not 0, 1, 2 or not as many as the days.
    """
    days, types = np.asarray(days), np.asarray(types)
    if isinstance(n, bool) or n != int(n) or n < 1:
        raise ValueError(f"a profile is the mean of at least one day, got n={n}")
    if days.ndim != 2 or types.shape != days.shape[:1] or not np.isin(types, (0, 1, 2)).all():
        raise ValueError(f"days need one type each, 0 to 2: {types.shape} for {days.shape}")
    if not np.issubdtype(days.dtype, np.floating):
        days = days.astype(float)
    table = np.zeros((len(days), 3, days.shape[1]), dtype=days.dtype)
    known = np.isfinite(days).all(axis=1)
    for kind in range(3):
        chosen = np.flatnonzero((types == kind) & known)
        if len(chosen) == 0:
            continue
        # Added up anew for every day: the difference of two running sums would forget small days after large ones.
        mean = np.zeros((len(chosen) + 1, days.shape[1]))  # row s: after s days of this type
        for back in range(min(n, len(chosen))):
            mean[back + 1 :] += days[chosen[: len(chosen) - back]]
        mean[1:] /= np.minimum(np.arange(1, len(chosen) + 1), n)[:, None]
        table[:, kind] = mean[np.searchsorted(chosen, np.arange(len(days)), side="right")]
    return table


def mean_of_last(days: np.ndarray, n: int) -> np.ndarray:
    """Mean of the last ``n`` days up to and with each day, whatever their type; shape ``(days, cycle)``."""
    return profile_table(days, np.zeros(len(days), int), n)[:, 0]


def run_up(variant: str, n: int = 3) -> int:
    """Days that must have passed before the first historic day, so that its profile is a mean of ``n`` days."""
    return {"last": 0, "persistence": 1, "tenday": TENDAY}.get(variant, 7 * n)


def window_profiles(
    days: np.ndarray,
    types: np.ndarray,
    history: np.ndarray,
    future: np.ndarray,
    variant: str = "last",
    n: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
    """Profiles of the historic and of the forecast days of many windows. No day after a window's origin is read.

    The origin is the last historic day. ``last``: every historic day is compared with what is known at the origin.
    ``own``: with what was known at its own end (so with 1/n of itself). ``causal``: with what was known the evening
    before. ``persistence``: with the day before. ``tenday``: with the ten days before. Forecast days get what the
    origin knows about their type; of the last two variants, the origin or the mean of the ten days up to it.

    Args:
        days: shape ``(days, cycle)``.
        types: shape ``(days,)``; the types of forecast days come from the calendar.
        history: indices of the historic days, shape ``(windows, H)``.
        future: indices of the forecast days, shape ``(windows, F)``.
        variant: one of :data:`VARIANTS`.
        n: days in the mean.

    Returns:
        ``(windows, H, cycle)`` and ``(windows, F, cycle)``

    Raises:
        ValueError: unknown variant, or a window that begins before the profiles do.
    """
    if variant not in VARIANTS:
        raise ValueError(f"unknown variant {variant!r}: choose one of {', '.join(VARIANTS)}")
    if history.min() < (variant != "last" and variant != "own"):
        raise ValueError(f"variant {variant!r} needs a day before the first historic one")
    origin = history[:, -1]
    if variant in ("persistence", "tenday"):
        recent = mean_of_last(days, 1 if variant == "persistence" else TENDAY)
        return recent[history - 1], np.repeat(recent[origin][:, None], future.shape[1], axis=1)
    table = profile_table(days, types, n)
    known_at = {
        "last": np.broadcast_to(origin[:, None], history.shape),
        "own": history,
        "causal": history - 1,
    }
    return table[known_at[variant], types[history]], table[origin[:, None], types[future]]
