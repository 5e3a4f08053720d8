"""Time series as arrays."""

from dataclasses import dataclass

import numpy as np

from efficient_ai.data._registry import open_dataset


@dataclass(frozen=True)
class Series:
    """Regularly sampled series over the same span of time.

    Args:
        values: float32, shape ``(series, steps)``; NaN where the source has no value.
        names: what each series is, length ``series``.
        times: start of each step, ``datetime64``, shape ``(steps,)``, evenly spaced.
        zone: the clock of ``times``: ``"UTC"``, or in words what is known of it.
        unit: of ``values``.
    """

    values: np.ndarray
    names: tuple[str, ...]
    times: np.ndarray
    zone: str
    unit: str


def european_generation() -> Series:
    """Hourly electricity generation of 20 European countries, all kinds of plants together, 2017 to 2020.

    The countries are those whose record is at least 99.5 % complete, named by their ISO codes in alphabetical order;
    35 066 hours from 2016-12-31 22:00 UTC, which is the New Year's midnight of the easternmost of them. The unit is
    MW. Gaps are NaN. Everything else is as the source has it: single hours of nearly nothing, and one of 100 GW in
    Lithuania, are errors of reporting that a user of the data must expect.
    """
    with np.load(open_dataset("european_generation")) as arrays:
        values = arrays["megawatt"].astype(np.float32)
        names = tuple(str(country) for country in arrays["countries"])
        start = arrays["start"]
    values[values < 0] = np.nan
    times = start + np.arange(values.shape[1]).astype("timedelta64[h]")
    return Series(values, names, times, zone="UTC", unit="MW")


def household_power() -> Series:
    """Active power of one household near Paris in quarter hours, December 2006 to November 2010, in kW.

    138 352 steps by a clock that is never set forward or back, so it is not known how it stands to the sun in summer.
    The gaps of the original minutes had been filled before the quarter hours were formed.
    """
    with np.load(open_dataset("household_power")) as arrays:
        values, start = arrays["watt"].astype(np.float32)[None] / 1000, arrays["start"]
    times = start + 15 * np.arange(values.shape[1]).astype("timedelta64[m]")
    return Series(values, ("household",), times, zone="local, never set for summer", unit="kW")
