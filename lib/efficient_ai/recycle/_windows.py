"""Many series, one network: normalised days with their calendar, and the windows that are cut from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np
import torch

from efficient_ai.recycle._calendar import Calendar
from efficient_ai.recycle._folding import MAX_MISSING
from efficient_ai.recycle._profiles import VARIANTS, run_up, window_profiles


@dataclass(frozen=True)
class Split:
    """Chronological parts as ranges of days, by the index of the days that are *forecast*.

    A window belongs to the part in which all its forecast days lie. Its history may reach back into the part before:
    at the origin that is the past.
    """

    train: tuple[int, int]
    valid: tuple[int, int]
    test: tuple[int, int]

    def __post_init__(self):
        parts = (self.train, self.valid, self.test)
        borders = [border for part in parts for border in part]
        whole = all(isinstance(b, Integral) and not isinstance(b, bool) for b in borders)
        ordered = (
            [len(part) for part in parts] == [2, 2, 2] and borders == sorted(borders) and borders[0] >= 0
        )
        if not whole or not ordered or any(first == stop for first, stop in parts):
            raise ValueError(
                "train, valid and test are ranges of days, none empty, one after the other and without an overlap; "
                f"got {parts}"
            )


@dataclass(frozen=True)
class Panel:
    """Series that share one network, folded and scaled to [0, 1] by the smallest and largest *training* value.

    Args:
        names: of the series.
        days: normalised, float64, shape ``(series, days, cycle)``; a missing day is NaN.
        types: day types, shape ``(series, days)``.
        metadata: shape ``(series, days, m)``.
        dates: ``datetime64[D]``, shape ``(days,)``.
        low, high: training minimum and maximum of each series in its own unit, shape ``(series,)``.
        split: the parts.
        unit: of the series before scaling.
    """

    names: tuple[str, ...]
    days: np.ndarray
    types: np.ndarray
    metadata: np.ndarray
    dates: np.ndarray
    low: np.ndarray
    high: np.ndarray
    split: Split
    unit: str = ""

    @property
    def cycle(self) -> int:
        """Steps in a day."""
        return self.days.shape[2]

    def only(self, *series: int) -> "Panel":
        """The panel with these series alone."""
        chosen = list(series)
        return Panel(
            tuple(self.names[i] for i in chosen), self.days[chosen], self.types[chosen], self.metadata[chosen],
            self.dates, self.low[chosen], self.high[chosen], self.split, self.unit,
        )  # fmt: skip

    def denormalise(self, values: np.ndarray, series: np.ndarray) -> np.ndarray:
        """``values`` ``(windows, ...)`` of the series with these indices ``(windows,)`` in their own unit."""
        shape = (len(series),) + (1,) * (np.ndim(values) - 1)
        low, high = self.low[series].reshape(shape), self.high[series].reshape(shape)
        return values * (high - low) + low


def panel(
    names: Sequence[str],
    days: np.ndarray,
    calendars: Sequence[Calendar],
    split: Split,
    unit: str = "",
    scale_on: str = "train",
) -> Panel:
    """Scale folded series and put them side by side.

    Args:
        days: shape ``(series, days, cycle)``, in ``unit``.
        calendars: one per series, over the same days.
        split: the parts.
        scale_on: ``"train"`` takes minimum and maximum of the training days. ``"each part"`` scales every part by its
            own, as the authors' code does: a look ahead, here for comparison only.

    Raises:
        ValueError: calendars or a split that do not fit, a calendar with other dates, names that are there twice, or a
            series without a spread where it is scaled; the message names it.
    """
    days = np.asarray(days, dtype=float)
    dates = calendars[0].dates
    if len(names) != len(days) or len(calendars) != len(days) or days.shape[1] != len(dates):
        raise ValueError(
            f"{len(names)} names, {len(calendars)} calendars, days of shape {days.shape}: they must agree"
        )
    if scale_on not in ("train", "each part"):
        raise ValueError(f"scale_on must be 'train' or 'each part', got {scale_on!r}")
    if any(not np.array_equal(other.dates, dates) for other in calendars) or split.test[1] > len(dates):
        raise ValueError(f"calendars and split must be those of the same {len(dates)} days")
    if len(set(names)) < len(names):
        raise ValueError(f"a name is there twice: {', '.join(map(str, names))}")
    low, high = _limits(days, split, "train", names)
    scaled = (days - low[:, None, None]) / (high - low)[:, None, None]
    if scale_on == "each part":
        for name in ("valid", "test"):
            part = getattr(split, name)
            lows, highs = _limits(days, split, name, names)
            scaled[:, slice(*part)] = (days[:, slice(*part)] - lows[:, None, None]) / (highs - lows)[
                :, None, None
            ]
    return Panel(
        tuple(names), scaled, np.stack([c.types for c in calendars]), np.stack([c.metadata for c in calendars]),
        dates, low, high, split, unit,
    )  # fmt: skip


def _limits(days: np.ndarray, split: Split, part: str, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value of each series in a part."""
    shown = days[:, slice(*getattr(split, part))]
    known = np.isfinite(shown)
    low = np.where(known, shown, np.inf).min(axis=(1, 2))
    high = np.where(known, shown, -np.inf).max(axis=(1, 2))
    flat = [str(name) for name, moves in zip(names, high > low, strict=True) if not moves]
    if flat:
        raise ValueError(
            f"constant or missing in the part {part!r}, so there is nothing to scale by: {', '.join(flat)}; leave it out"
        )
    return low, high


@dataclass(frozen=True)
class Recipe:
    """How a window becomes the input of a network.

    Args:
        history: historic days H.
        forecast: forecast days F.
        variant: of the historic profile.
        n: days in the mean of a profile.
        residual_input: the encoder sees days minus their profile, else the days themselves.
        decoder_profile: the decoder sees the profile of the forecast days, else zeros.
        calendar: the metadata is given, else there are no such columns.
    """

    history: int = 21
    forecast: int = 7
    variant: str = "last"
    n: int = 3
    residual_input: bool = True
    decoder_profile: bool = True
    calendar: bool = True

    def __post_init__(self):
        for name in ("history", "forecast", "n"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
                raise ValueError(f"{name} is a number of days, at least 1; got {value!r}")
        if self.variant not in VARIANTS:
            raise ValueError(f"unknown variant {self.variant!r}: choose one of {', '.join(VARIANTS)}")


@dataclass(frozen=True)
class Windows:
    """Windows as tensors.

    Args:
        x: float32, shape ``(windows, H + F, cycle + m)``: first the historic days, then the forecast days with their
            profile (or zeros) in place of values; the last ``m`` columns are the metadata.
        y: the forecast days, normalised, float32, shape ``(windows, F, cycle)``.
        profile: profile of the forecast days, float32, shape ``(windows, F, cycle)``.
        raw: the historic days as they are, normalised, float32, shape ``(windows, H, cycle)``.
        series: index of the series, shape ``(windows,)``.
        origin: index of the last historic day, shape ``(windows,)``.
        recipe: how they were cut.
        names: of the series.
        left_out: windows of each series that were not cut, since too many of their days are missing.
    """

    x: torch.Tensor
    y: torch.Tensor
    profile: torch.Tensor
    raw: torch.Tensor
    series: np.ndarray
    origin: np.ndarray
    recipe: Recipe
    names: tuple[str, ...]
    left_out: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.y)

    def take(self, chosen: np.ndarray) -> "Windows":
        """The windows with these indices."""
        index = torch.as_tensor(np.asarray(chosen))
        tensors = {name: getattr(self, name)[index] for name in ("x", "y", "profile", "raw")}
        return replace(self, **tensors, series=self.series[chosen], origin=self.origin[chosen])


def windows(
    data: Panel, part: str | tuple[int, int], recipe: Recipe | None = None, stride: int = 1
) -> Windows:
    """All windows of a part, one per series and origin, ``stride`` days apart; never less than a whole day.

    The first window of a series begins after its own run-up, counted from its first day that is not missing, so that
    its profiles are means of ``n`` days. A missing historic day is shown as its profile, which is to say with a residual
    of zero. Left out, and counted, are windows with a missing day among the forecast days, and those whose history misses
    more than a tenth of its days (:data:`MAX_MISSING`).

    Args:
        part: ``"train"``, ``"valid"``, ``"test"``, or a range of forecast days.

    Raises:
        ValueError: a part that is none, or in which a series has no window; the message names it.
    """
    recipe = recipe or Recipe()
    first, stop = _range(data, part)
    if isinstance(stride, bool) or not isinstance(stride, Integral) or stride < 1:
        raise ValueError(f"the stride is a number of days, at least 1; got {stride!r}")
    before = recipe.history + max(run_up(recipe.variant, recipe.n), 7 * recipe.n)
    starts = np.arange(max(first, before), stop - recipe.forecast + 1, stride)
    if len(starts) == 0:
        raise ValueError(
            f"days {first} to {stop} hold no window of {recipe.history} + {recipe.forecast} days"
        )
    history = starts[:, None] - recipe.history + np.arange(recipe.history)
    future = starts[:, None] + np.arange(recipe.forecast)
    pieces, left_out = [], {}
    for i, name in enumerate(data.names):
        known = np.isfinite(data.days[i]).all(axis=1)
        begun = starts >= before + (known.argmax() if known.any() else len(known))
        whole = begun & known[future].all(axis=1) & (known[history].mean(axis=1) >= 1 - MAX_MISSING)
        if not whole.any():
            raise ValueError(
                f"series {name!r} has no window of {recipe.history} + {recipe.forecast} days in days {first} to {stop}, "
                "too many are missing: leave it out"
            )
        left_out[name] = int((~whole).sum())
        pieces.append((i, *_cut(data, i, history[whole], future[whole], recipe)))
    return _stacked(pieces, data, recipe, left_out)


def ahead(data: Panel, recipe: Recipe, last: int) -> Windows:
    """The window of each series whose last historic day is ``last``, with nothing known of its forecast days: no ``y``.

    Raises:
        ValueError: too short a history, a calendar that ends before the forecast, or a series of which more than a tenth
            of the history is missing; the message names it.
    """
    history = last + 1 - recipe.history + np.arange(recipe.history)[None]
    future = last + 1 + np.arange(recipe.forecast)[None]
    needed = recipe.history + max(run_up(recipe.variant, recipe.n), 7 * recipe.n)
    if last + 1 < needed or future.max() >= len(data.dates):
        raise ValueError(
            f"a forecast needs {needed} days before it and the calendar of {recipe.forecast} after it"
        )
    for name, days in zip(data.names, data.days, strict=True):
        missing = np.isnan(days[history[0]]).any(axis=1)
        if missing.mean() > MAX_MISSING:
            raise ValueError(
                f"series {name!r} misses {missing.sum()} of the last {recipe.history} days before the forecast"
            )
    pieces = [(i, *_cut(data, i, history, future, recipe)) for i in range(len(data.names))]
    return _stacked(pieces, data, recipe, dict.fromkeys(data.names, 0))


def _stacked(pieces, data: Panel, recipe: Recipe, left_out: Mapping[str, int]) -> Windows:
    x, y, profile, raw = (
        torch.from_numpy(np.concatenate([piece[k] for piece in pieces]).astype(np.float32))
        for k in (1, 2, 3, 4)
    )
    series = np.concatenate([np.full(len(piece[2]), piece[0]) for piece in pieces])
    origin = np.concatenate([piece[5] for piece in pieces])
    return Windows(x, y, profile, raw, series, origin, recipe, data.names, left_out)


def _range(data: Panel, part: str | tuple[int, int]) -> tuple[int, int]:
    if isinstance(part, str):
        if part not in ("train", "valid", "test"):
            raise ValueError(f"unknown part {part!r}: choose train, valid, test, or a range of days")
        return getattr(data.split, part)
    first, stop = part
    if not 0 <= first < stop <= len(data.dates):
        raise ValueError(f"the record has days 0 to {len(data.dates)}; got the range {part}")
    return first, stop


def _cut(data: Panel, i: int, history: np.ndarray, future: np.ndarray, recipe: Recipe):
    days = data.days[i]
    past, coming = window_profiles(days, data.types[i], history, future, recipe.variant, recipe.n)
    raw = np.where(np.isnan(days[history]), past, days[history])
    shown = raw - past if recipe.residual_input else raw
    given = coming if recipe.decoder_profile else np.zeros_like(coming)
    rows = np.concatenate([shown, given], axis=1)
    if recipe.calendar:
        calendar = data.metadata[i][np.concatenate([history, future], axis=1)]
        rows = np.concatenate([rows, calendar], axis=2)
    return rows, days[future], coming, raw, history[:, -1]
