"""The series of the chapter, folded and ready: European generation, one household, and a generator for questions."""

from collections.abc import Sequence

import numpy as np

from efficient_ai import data
from efficient_ai.recycle._calendar import calendar
from efficient_ai.recycle._folding import Days, local_days, plausible
from efficient_ai.recycle._windows import Panel, Split, panel

ZONES = {
    "AT": "Europe/Vienna", "BE": "Europe/Brussels", "CZ": "Europe/Prague", "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen", "ES": "Europe/Madrid", "FI": "Europe/Helsinki", "FR": "Europe/Paris",
    "GB": "Europe/London", "GR": "Europe/Athens", "HU": "Europe/Budapest", "IE": "Europe/Dublin",
    "IT": "Europe/Rome", "LT": "Europe/Vilnius", "NL": "Europe/Amsterdam", "PL": "Europe/Warsaw",
    "PT": "Europe/Lisbon", "RO": "Europe/Bucharest", "RS": "Europe/Belgrade", "SI": "Europe/Ljubljana",
}  # fmt: skip


def europe_days(countries: Sequence[str] | None = None) -> dict[str, Days]:
    """Generation of each country in MW, folded at its own midnight, with its implausible readings taken out."""
    series = data.european_generation()
    wanted = series.names if countries is None else countries
    first_two_years = slice(0, int(np.searchsorted(series.times, np.datetime64("2019-01-01"))))
    return {
        name: local_days(plausible(values, first_two_years), series.times, ZONES[name])
        for name, values in zip(series.names, series.values, strict=True)
        if name in wanted
    }


def europe(scale_on: str = "train", holidays: bool = True, countries: Sequence[str] | None = None) -> Panel:
    """All countries in one panel: trained on 2017 and 2018, validated on 2019, tested on 2020.

    Args:
        scale_on: see :func:`efficient_ai.recycle.panel`.
        holidays: False forgets all public holidays, to see what they are worth.
        countries: only these, by their codes.
    """
    days = europe_days(countries)
    dates = next(iter(days.values())).dates
    bounds = np.searchsorted(dates, np.array(["2019-01-01", "2020-01-01"], "datetime64[D]"))
    split = Split((0, int(bounds[0])), (int(bounds[0]), int(bounds[1])), (int(bounds[1]), len(dates)))
    calendars = [calendar(dates, name if holidays else None) for name in days]
    return panel(tuple(days), np.stack([d.values for d in days.values()]), calendars, split, "MW", scale_on)


def household(hourly: bool = False) -> Panel:
    """One household in quarter hours, or in hours: 60 % of its days for training, 20 % for validation, 20 % for the test."""
    series = data.household_power()
    days = local_days(series.values[0], series.times)
    values = days.values.reshape(len(days.values), 24, 4).mean(axis=2) if hourly else days.values
    return panel(series.names, values[None], [calendar(days.dates, "FR")], shares(len(values)), "kW")


def shares(days: int, train: float = 0.6, valid: float = 0.2) -> Split:
    """The chronological split by shares of the days."""
    first, second = int(train * days), int((train + valid) * days)
    return Split((0, first), (first, second), (second, days))


def synthetic(
    seed: int,
    days: int = 1096,
    weather: float = 0.035,
    noise: float = 0.018,
    drift: float = 0.0,
    holidays: bool = True,
    weekly: bool = True,
) -> Panel:
    """One made-up load series whose every ingredient can be switched, from Monday 2015-01-05 on.

    The day has a shape for each of its three types; a year goes up and down by 12 %; the weather, one AR(1) number a
    day (0.9), moves whole days; an AR(1) of the hours (0.8) adds noise; a drift lets the level grow.

    Args:
        seed: of all random numbers.
        days: length.
        weather: how far a usual deviation of the weather moves the load; 0 for none.
        noise: standard deviation of the hourly innovations; 0 for none.
        drift: relative growth in 365 days.
        holidays: Germany's public holidays look like Sundays.
        weekly: False makes all days alike.
    """
    rng = np.random.default_rng(seed)
    dates = np.datetime64("2015-01-05", "D") + np.arange(days)
    known = calendar(dates, "DE" if holidays else None)
    hour = np.arange(24)
    shapes = np.stack([
        1 + 0.25 * _bump(hour, 11, 3) + 0.30 * _bump(hour, 19, 2.5) - 0.25 * _bump(hour, 3, 3),
        0.88 + 0.20 * _bump(hour, 12, 3) + 0.22 * _bump(hour, 19, 2.5) - 0.22 * _bump(hour, 4, 3),
        0.80 + 0.18 * _bump(hour, 12.5, 3) + 0.20 * _bump(hour, 19.5, 2.5) - 0.20 * _bump(hour, 5, 3),
    ])  # fmt: skip
    shape = shapes[known.types] if weekly else np.broadcast_to(shapes[0], (days, 24))
    outside = _ar1(rng, days, 0.9)
    season = 1 + (0.12 * np.cos(2 * np.pi * np.arange(days) / 365.25) if weather or noise else 0) * np.ones(
        days
    )
    swing = 1 + weather * outside[:, None] * (1 + 0.5 * np.cos(2 * np.pi * (hour - 18) / 24))
    growth = (1 + drift) ** (np.arange(days) / 365)
    values = shape * (season * growth)[:, None] * swing + (noise * _ar1(rng, days * 24, 0.8, 1.0)).reshape(
        days, 24
    )
    return panel((f"synthetic {seed}",), values[None], [known], shares(days))


def _bump(hour: np.ndarray, centre: float, width: float) -> np.ndarray:
    """A Gaussian bump on the circle of 24 hours."""
    distance = (hour - centre + 12) % 24 - 12
    return np.exp(-0.5 * (distance / width) ** 2)


def _ar1(rng: np.random.Generator, length: int, memory: float, innovation: float | None = None) -> np.ndarray:
    """An AR(1) series; without ``innovation`` its stationary variance is 1."""
    from scipy.signal import lfilter

    spread = np.sqrt(1 - memory**2) if innovation is None else innovation
    return lfilter([1.0], [1.0, -memory], rng.normal(0, spread, length))
