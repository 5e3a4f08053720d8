"""Counters and power between explicit edges, on the stamps as they are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai import metering
from efficient_ai.metering._integrate import trapezoid


def series(times, values, counter=False, **options):
    made = metering.Series(counter, **options)
    for time, value in zip(times, values, strict=True):
        made.add(float(time), value)
    return made


def test_delta():
    assert metering.delta(10.0, 12.5, 100.0) == 2.5
    assert metering.delta(99.0, 1.0, 100.0) == 2.0
    assert metering.delta(None, 1.0, 100.0) is None and metering.delta(1.0, None, 100.0) is None
    assert metering.delta(5.0, 1.0, None) is None, "a counter without a range does not fall"


def test_a_counter_is_not_turned_into_power_and_integrated_again():
    """Section 5 of the sheet: readings 0, 10, 110 J. Power and trapezoid with the first value doubled gives 65 J."""
    window = series([0, 1, 2], [0.0, 10.0, 110.0], counter=True).energy(0, 2)
    assert window.joules == 110


def test_a_failed_reading_is_missing_and_not_a_wrap():
    window = series([0, 1, 2], [100.0, None, 101.0], counter=True, span=262_143.3).energy(0, 2)
    assert window.joules == 1.0 and window.gaps == 1 and window.wraps == 0


def test_the_trapezoid_uses_the_stamps_and_not_the_period():
    watts = [10.0, 20.0, 40.0]
    assert series([0, 1, 5], watts).energy(0, 5).joules == 15 + 4 * 30


@given(
    st.lists(st.floats(0.01, 3), min_size=2, max_size=20),
    st.lists(st.floats(0, 300), min_size=3, max_size=21),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_windows_that_touch_add_up_for_counters_and_for_power(steps, values, one, two):
    n = min(len(steps) + 1, len(values))
    times = np.concatenate([[0], np.cumsum(steps)])[:n]
    cut, end = sorted((one * times[-1], two * times[-1]))
    for made in (series(times, values[:n]), series(times, np.cumsum(values[:n]), counter=True, limit=1e9)):
        whole = made.energy(0.0, end).joules
        assert made.energy(0.0, cut).joules + made.energy(cut, end).joules == pytest.approx(whole, abs=1e-6)


def test_the_edges_of_a_window_are_interpolated():
    power = series([0, 1, 2, 3], [0.0, 10.0, 20.0, 30.0])
    assert power.energy(0.5, 2.5).joules == pytest.approx(2 * 15)
    counter = series([0, 1, 2, 3], [0.0, 10.0, 20.0, 30.0], counter=True)
    assert counter.energy(0.5, 2.5).joules == pytest.approx(20)


def test_beyond_the_record_the_mean_power_is_assumed_and_told():
    window = series([0, 1, 2], [50.0, 50.0, 50.0]).energy(0.0, 4.0)
    assert window.joules == pytest.approx(200) and window.filled == pytest.approx(100)


def test_a_window_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="before it starts"):
        series([0, 1], [1.0, 1.0]).energy(1.0, 0.0)


def test_readings_in_the_wrong_order_are_put_in_order():
    """Two threads, or the rows of a file: the counter must not look as if it had fallen."""
    times, joules = [0, 2, 1, 3, 4], [0.0, 20.0, 10.0, 30.0, 40.0]
    window = series(times, joules, counter=True, span=1000.0).energy(0, 4)
    assert window.joules == 40 and window.wraps == 0
    assert series(times, [1.0, 3.0, 2.0, 4.0, 5.0]).energy(0, 4).joules == pytest.approx(12)


def test_a_second_reading_of_the_same_moment_is_refused():
    made = series([0, 1], [0.0, 10.0], counter=True)
    assert not made.add(1.0, 11.0) and made.energy(0, 1).joules == 10


def test_the_trapezoid_errs_by_the_curvature_at_the_ends():
    """For smooth power: true minus estimate is about -(step ** 2 / 12) (P'(b) - P'(a))."""
    step, power = 0.1, lambda t: 100 + 50 * math.sin(t)
    times = np.arange(0, 5 + step / 2, step)
    true = 500 + 50 * (1 - math.cos(5))
    error = true - trapezoid(times, [power(t) for t in times], 0, 5)
    assert error == pytest.approx(-(step**2) / 12 * 50 * (math.cos(5) - 1), rel=0.01)


def test_a_record_of_resets_alone_has_no_energy_rather_than_none_at_all():
    made = series([0, 0.001, 0.002], [100.0, 0.0, 50.0], counter=True, span=262_143.3, limit=1000.0)
    window = made.energy(0, 0.002)
    assert window.joules is None and window.resets == 2


def test_two_wraps_in_one_step_cannot_be_seen():
    """Why a sampler must be faster than range over power; the instrument cannot know better."""
    window = series([0, 1], [0.0, 210.0 % 100], counter=True, span=100.0).energy(0, 1)
    assert window.joules == 10
