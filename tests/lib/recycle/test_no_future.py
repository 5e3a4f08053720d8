"""Nothing from the future: change the raw series after an origin, and the input of its forecast must stay bit by bit."""

import numpy as np
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import _clock, sources

ORIGIN = 330  # of 400 days: in the test part


def raw(zone_offset=2):
    """400 days of hours in UTC that begin at midnight in Berlin, a load, with gaps where filling could look ahead."""
    rng = np.random.default_rng(0)
    times = np.datetime64("2021-05-31T22", "h") + np.arange(400 * 24)
    hour = np.arange(400 * 24)
    values = 50 + 10 * np.sin(2 * np.pi * hour / 24) + 5 * (hour // 24 % 7 < 5) + rng.normal(size=len(hour))
    return times, values


def network_input(times, values, variant="last", clean=True, holidays=None):
    """Everything between the raw series and the network."""
    if clean:
        values = recycle.plausible(values, slice(0, 200 * 24))
    days = recycle.local_days(values, times, "Europe/Berlin")
    known = recycle.calendar(days.dates, holidays)
    data = recycle.panel(["a"], days.values[None], [known], sources.shares(len(days.values)))
    cut = recycle.windows(data, (100, len(days.values)), recycle.Recipe(variant=variant))
    k = int(np.flatnonzero(cut.origin == ORIGIN)[0])
    return cut.x[k], cut.profile[k], cut.raw[k], cut.y[k]


def border(times, values, at):
    """The index of the first raw step after day ``at`` of the record."""
    midnight = recycle.local_days(values, times, "Europe/Berlin").dates[at + 1]
    seconds = times.astype("datetime64[s]").astype(int)
    local = (seconds + _clock.offsets(seconds, "Europe/Berlin")).astype("datetime64[s]")
    return int(np.flatnonzero(local >= midnight)[0])


GAPS = {
    "whole": lambda values, stop: values,
    "the last hours of the last day": lambda values, stop: values.__setitem__(slice(stop - 2, stop), np.nan),
    "an hour inside": lambda values, stop: values.__setitem__(slice(stop - 12, stop - 11), np.nan),
    "hours on both sides of the origin": lambda values, stop: values.__setitem__(slice(stop - 2, stop + 2), np.nan),
    "the whole last day": lambda values, stop: values.__setitem__(slice(stop - 24, stop), np.nan),
    "an implausible end": lambda values, stop: values.__setitem__(slice(stop - 2, stop), 1e6),
}  # fmt: skip


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("variant", recycle.VARIANTS)
def test_no_path_from_the_raw_series_looks_past_the_origin(gap, variant):
    times, values = raw()
    stop = border(times, values, ORIGIN)
    GAPS[gap](values, stop)
    changed = values.copy()
    changed[stop:] = 1.3 * changed[stop:] + 7
    *inputs, target = network_input(times, values, variant, holidays="DE")
    *again, other = network_input(times, changed, variant, holidays="DE")
    assert all(torch.equal(a, b) for a, b in zip(inputs, again, strict=True))
    assert not torch.equal(target, other), "the change reached the target"


def test_the_last_hours_of_a_day_are_held_and_the_inside_is_interpolated():
    times = np.datetime64("2020-01-01", "h") + np.arange(20 * 24)
    values = np.arange(len(times), dtype=float)
    values[[46, 47, 60, 72, 73]] = np.nan
    days = recycle.local_days(values, times)
    assert days.values[1, 22:].tolist() == [45, 45], "tomorrow is not looked at"
    assert days.values[2, 12] == 60
    assert np.allclose(days.values[3, :2], [72, 73]), "the first hours: between yesterday and this day"
    assert days.filled == 5


def test_a_record_that_begins_with_a_gap_takes_the_next_value_of_its_day():
    times = np.datetime64("2020-01-01", "h") + np.arange(20 * 24)
    values = np.arange(len(times), dtype=float)
    values[:2] = np.nan
    assert recycle.local_days(values, times).values[0, :3].tolist() == [2, 2, 2]
