"""Fit a forecaster to one's own series: fold, learn, and choose by validation."""

from collections.abc import Collection, Sequence

import numpy as np

from efficient_ai.recycle import _candidates
from efficient_ai.recycle._candidates import CANDIDATES
from efficient_ai.recycle._clock import seconds_of, whole_seconds
from efficient_ai.recycle._forecaster import Forecaster
from efficient_ai.recycle._scores import errors, per_series, quantile_levels
from efficient_ai.recycle._series import Source, days_of_holidays, folded, side_by_side, times_of, with_future
from efficient_ai.recycle._windows import Recipe, Split, Windows, windows

WINDOWS_PER_EPOCH = 4000
ENOUGH = 50  # windows of a series, for quantiles of every lead day of its own
SHARE = 0.15  # of the days, for validation and once more for the choice


def fit(
    times,
    values,
    zone: str | None = None,
    country: str | None = None,
    holidays: Collection | None = None,
    *,
    clock: str | None = None,
    step=None,
    history: int = 21,
    forecast: int = 7,
    levels: int = 9,
    candidates: Sequence[str] = CANDIDATES,
    epochs: int = 30,
    seed: int = 0,
    after_epoch=None,
) -> Forecaster:
    """Fit some forecasts to one's own series and choose the one that errs least on days it has not seen.

    The days are cut in order: 70 % for training, 15 % for validation, where the penalty of the ridge and the epoch of the
    network are chosen, and the last 15 %, on which the candidates are compared and whose errors become the quantiles. Of
    equal candidates the simpler one is taken. Several series share one ridge and one network.

    Args:
        times, zone, clock, step: as in :func:`efficient_ai.recycle.local_days`; None for the index of ``values``.
        values: a column or a table of numbers, ``(steps,)`` or ``(steps, series)``: arrays, or a pandas Series or DataFrame;
            NaN where missing. Means over their steps, not a meter that counts up.
        country, holidays: as in :func:`efficient_ai.recycle.calendar`.
        history: days that a forecast reads.
        forecast: days that it can reach.
        levels: quantiles, equidistant; 9 for 0.1 to 0.9.
        candidates: of :data:`CANDIDATES`; last week takes part if the history has one.
        epochs: of the network, at most.
        seed: of the network.
        after_epoch: called with the index of each epoch of the network and its history so far.

    Raises:
        ValueError: what is no such series, or too short; candidates that are not known.
    """
    recipe = Recipe(history, forecast)
    _check(candidates, levels=levels, epochs=epochs)
    able = [name for name in CANDIDATES if name in candidates]
    if history < _candidates.WEEK and "last week" in able:
        able.remove("last week")
    if not able:
        raise ValueError(
            f"a history of {history} days does not reach back to last week: give at least {_candidates.WEEK}"
        )
    times = times_of(times, values)
    source = Source(
        zone or seconds_of(times)[1],
        country,
        days_of_holidays(holidays),
        clock,
        None if step is None else whole_seconds(step),
    )
    names, found = folded(times, values, source)
    dates, days = side_by_side(names, found)
    data = with_future(names, dates, days, source, recipe, _split(len(dates), recipe))
    best, scores, kept = None, {}, None
    for name in able:
        cut = _cutter(data, _candidates.of_candidate(name, recipe))
        model = _candidates.fit_candidate(name, cut, epochs, seed, after_epoch)
        test = cut("test")
        forecasts = _candidates.forecast(name, model, test)
        scores[name] = float(per_series(errors(forecasts, test), test).mean())
        if best is None or scores[name] < scores[best]:
            best, kept = name, (model, _spread(forecasts.numpy(), test, levels))
    reports = {name: one.report() for name, one in zip(names, found, strict=True)}
    return Forecaster(data, len(dates) - 1, recipe, source, best, scores, *kept, found[0].phase, reports)


def _check(candidates: Sequence[str], **counts: int) -> None:
    if isinstance(candidates, str) or not candidates or not set(candidates) <= set(CANDIDATES):
        raise ValueError(f"candidates are some of {', '.join(CANDIDATES)}; got {candidates!r}")
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise ValueError(f"{name} is a number, at least 1; got {count!r}")


def _split(days: int, recipe: Recipe) -> Split:
    part = max(int(SHARE * days), recipe.forecast)
    needed = recipe.history + 7 * recipe.n + recipe.forecast
    if days - 2 * part < needed:
        raise ValueError(
            f"{days} whole days are too few: a history of {recipe.history} and a forecast of {recipe.forecast} days need at "
            f"least {_fewest(recipe)}; give more data, or a shorter history="
        )
    return Split((0, days - 2 * part), (days - 2 * part, days - part), (days - part, days))


def _fewest(recipe: Recipe) -> int:
    needed = recipe.history + 7 * recipe.n + recipe.forecast
    days = needed
    while days - 2 * max(int(SHARE * days), recipe.forecast) < needed:
        days += 1
    return days


def _cutter(data, recipe: Recipe):
    """Windows of a part, in the training part so many that an epoch stays short."""
    first, stop = data.split.train
    stride = 1 + (stop - first) * len(data.names) // WINDOWS_PER_EPOCH
    stride += stride % 7 == 0  # every forecast would begin on the same weekday

    def cut(part: str) -> Windows:
        return windows(data, part, recipe, stride if part == "train" else 1)

    return cut


def _spread(forecasts: np.ndarray, cut: Windows, levels: int) -> np.ndarray:
    """Quantiles of what was missed, by series, lead day and step; ``(series, F, cycle, levels)``.

    With few windows those of all lead days are taken together.
    """
    wanted, found = quantile_levels(levels).numpy(), []
    for i in np.unique(cut.series):
        missed = (cut.y.numpy() - forecasts)[cut.series == i]
        if len(missed) < ENOUGH:
            missed = missed.reshape(-1, 1, missed.shape[2])
        fan = np.moveaxis(np.quantile(missed, wanted, axis=0), 0, -1)
        found.append(np.broadcast_to(fan, (*cut.y.shape[1:], levels)))
    return np.stack(found).astype(float)
