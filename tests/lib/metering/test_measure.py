"""``measure``: regions, decorators, clocks, threads that end, and what a number carries."""

import gc
import json
import math
import subprocess
import sys
import threading
import time

import pytest

from efficient_ai import metering

STEADY = metering.Trace("steady", [0, 1000], [50.0])
RAMP = metering.Trace("steps", [0, 1, 2, 3, 4], [10.0, 20.0, 30.0, 40.0])


class Clock:
    def __init__(self, *times):
        self.now = 0.0

    def __call__(self):
        return self.now


def played(trace, clock, counter=True, **options):
    source = metering.replay(trace, counter=counter, clock=clock)
    return metering.measure("x", source=source, period=options.pop("period", None), clock=clock, **options)


def test_a_number_carries_everything_that_belongs_to_it():
    clock = Clock()
    place = metering.Intensity(400, "Atlantis", "2020-01-01", "a test", pue=1.5)
    with played(STEADY, clock, intensity=place, idle_watts=20) as m:
        clock.now = 72
    assert (m.joules, m.seconds, m.watts, m.source) == (3600, 72, 50, "replayed:steady")
    assert m.kwh == pytest.approx(0.001) and m.grams == pytest.approx(0.001 * 1.5 * 400)
    assert m.net_joules == pytest.approx(3600 - 20 * 72)
    assert "Atlantis" in str(m.measurement) and "replayed:steady" in str(m.measurement)
    written = json.loads(json.dumps(m.as_dict()))
    assert written["source"] == "replayed:steady" and written["intensity"]["date"] == "2020-01-01"
    assert written["grams_co2e"] == pytest.approx(m.grams)


def test_net_energy_is_only_given_if_the_idle_power_was_measured():
    clock = Clock()
    with played(STEADY, clock) as m:
        clock.now = 1
    assert m.net_joules is None


@pytest.mark.parametrize(
    "wrong", [{"place": " "}, {"date": ""}, {"source": ""}, {"grams_per_kwh": -1}, {"pue": 0.9}]
)
def test_an_intensity_has_a_place_and_a_date(wrong):
    right = {"grams_per_kwh": 300, "place": "Germany", "date": "2024", "source": "a test"}
    assert metering.Intensity(**right).grams(3.6e6) == 300
    with pytest.raises(ValueError):
        metering.Intensity(**(right | wrong))


def test_numbers_of_the_sheet():
    """960.5 kJ, one host of an example run of perun: 0.2668 kWh, 111.5 g at 417.8 g/kWh."""
    assert 960.5e3 / metering.JOULES_PER_KWH == pytest.approx(0.2668, abs=5e-5)
    assert metering.Intensity(417.8, "Germany", "2021", "sheet").grams(960.5e3) == pytest.approx(
        111.5, abs=0.05
    )


def test_a_region_that_starts_at_exactly_zero_is_a_region():
    clock = Clock()
    m = played(RAMP, clock).start()
    assert m._start.began == m._start.ended == 0.0
    with m.region("first") as first:
        clock.now = 1.0
    clock.now = 4.0
    m.stop()
    assert (
        first.spans == [((0.0, 0.0), (1.0, 1.0))] and first.seconds == 1 and first.joules == pytest.approx(10)
    ), "not the 100 J of the whole run"
    assert m.joules == pytest.approx(100)


def test_regions_add_up_and_may_be_entered_often():
    clock = Clock()
    m = played(RAMP, clock).start()
    part = m.region("part")

    @part
    def work():
        clock.now += 1

    for _ in range(4):
        work()
    m.stop()
    assert [round(one.joules) for one in part.measurements()] == [10, 20, 30, 40]
    assert part.joules == pytest.approx(m.joules) and part.seconds == 4
    assert all(one.source == "replayed:steps" for one in part.measurements())


def test_regions_may_be_nested_and_survive_errors():
    clock = Clock()
    m = played(RAMP, clock).start()
    outer, inner = m.region("outer"), m.region("inner")
    with pytest.raises(KeyError), outer:
        clock.now = 1
        with inner:
            clock.now = 2
            raise KeyError
    clock.now = 3
    m.stop()
    assert outer.joules == pytest.approx(30) and inner.joules == pytest.approx(20)


def test_a_decorated_function_measures_each_call():
    @metering.measure("work", period=None)
    def work(x, fail=False):
        if fail:
            raise KeyError
        return x + 1

    assert work(1) == 2
    with pytest.raises(KeyError):
        work(1, fail=True)
    assert [m.name for m in work.measurements] == ["work", "work"] and work.__name__ == "work"
    assert all(m.joules > 0 for m in work.measurements)


def test_devices_are_waited_for_at_both_edges():
    clock, calls = Clock(), []
    with played(STEADY, clock, sync=lambda: calls.append(clock.now)):
        clock.now = 5
    assert calls == [0.0, 5]


def test_setting_the_wall_clock_back_changes_nothing(monkeypatch):
    source = metering.replay(STEADY)
    with metering.measure("x", source=source, period=0.01) as m:
        monkeypatch.setattr(time, "time", lambda: 0.0)
        time.sleep(0.1)
    assert m.joules == pytest.approx(50 * m.seconds, rel=0.5) and m.seconds >= 0.1


def test_a_clock_that_steps_back_loses_a_reading_and_no_joule():
    clock = Clock()
    m = played(STEADY, clock).start()
    for now in (1, 2, 1.5, 3):
        clock.now = now
        m.sampler.sweep()
    clock.now = 4
    result = m.stop()
    assert result.joules == pytest.approx(200) and m.sampler.refused == 1
    assert any("clock" in note for note in result.notes)


def test_power_is_integrated_on_the_stamps_that_a_late_thread_left():
    clock = Clock()
    m = played(RAMP, clock, counter=False, period=1e6).start()
    for now in (0.5, 1.5, 2.5, 3.5):
        clock.now = now
        m.sampler.sweep()
    clock.now = 3.999
    result = m.stop()
    assert result.joules == pytest.approx(5 + 15 + 25 + 35 + 0.499 * 40)


def test_the_background_thread_keeps_its_period_and_ends():
    m = metering.measure("x", source=metering.replay(STEADY), period=0.05).start()
    time.sleep(0.42)
    m.stop()
    assert 3 <= m.sampler.sweeps <= 11  # on a busy machine a reading may come late, and one is left out
    assert not m.sampler._thread.is_alive()


def test_a_measurement_that_is_forgotten_stops_reading():
    meter = metering.measure("x", source=metering.replay(STEADY), period=0.01).start()
    thread = meter.sampler._thread
    del meter
    gc.collect()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_a_running_measurement_can_be_looked_at():
    m = metering.measure("x", source=metering.replay(STEADY), period=0.01).start()
    time.sleep(0.1)
    so_far = m.joules
    times, watts = m.power()
    assert so_far > 0 and len(times) == len(watts) > 2
    assert sorted(watts)[len(watts) // 2] == pytest.approx(
        50, rel=0.5
    )  # a reading may be late on a busy machine
    assert m.stop().joules >= so_far


def test_wrong_use_says_so():
    m = metering.measure("x", source=metering.replay(STEADY), period=None)
    with pytest.raises(metering.EnergyError, match="not started"):
        m.stop()
    m.start()
    m.stop()
    with pytest.raises(metering.EnergyError, match="already"):
        m.start()
    with pytest.raises(ValueError):
        metering.measure("x", require="guess")
    with pytest.raises(ValueError):
        metering.measure("x", period=0)
    with pytest.raises(AttributeError):
        _ = m.calories


def test_requiring_a_measurement_where_there_is_none_is_an_error():
    with pytest.raises(metering.EnergyError, match=r"estimated:cpu-time"):
        metering.measure("x", source=metering.cpu_time().source, require="measured")


def test_traces_are_exact_and_refuse_what_makes_no_sense():
    assert RAMP.energy(0.5, 2.5) == 5 + 20 + 15 and RAMP.power(2.0) == 30 and RAMP.seconds == 4
    assert RAMP.energy(-1, 5) == 10 + 100 + 40
    for edges, watts in (([0, 1], []), ([0, 1, 1], [1, 2]), ([0], [1])):
        with pytest.raises(ValueError):
            metering.Trace("x", edges, watts)


def test_idle_measures_a_baseline():
    baseline = metering.idle(0.05, source=metering.replay(STEADY), period=0.01)
    assert baseline.watts == pytest.approx(50, rel=0.5)


def test_quantity():
    assert metering.quantity(2412, "J") == "2.41 kJ" and metering.quantity(0.0005, "g") == "500 µg"
    assert metering.quantity(None, "J") == "unknown" and metering.quantity(0.9996, "W") == "1 W"


def test_importing_the_instrument_is_cheap():
    """Every training loop imports it: no numpy, no torch, no figures, nothing of the chapter."""
    code = "import sys; from efficient_ai import metering; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"numpy", "torch", "plotly", "scipy", "mpi4py", "pynvml", "efficient_ai.plotting"} & set(loaded)
    assert not heavy and not [m for m in loaded if m.startswith("efficient_ai.metering.") and "._" not in m]


@pytest.mark.parametrize("rule", ["proportional", "equal", "none"])
def test_attribution_shares_out_what_there_is(rule):
    shares = metering.attribute(100.0, {"a": 3.0, "b": 1.0}, idle_joules=40.0, rule=rule)
    assert sum(shares.values()) == pytest.approx(60.0 if rule == "none" else 100.0)
    expected = {"proportional": 75.0, "equal": 0.75 * 60 + 20, "none": 45.0}[rule]
    assert shares["a"] == pytest.approx(expected)


@pytest.mark.parametrize(
    "wrong",
    [({}, 0.0, "equal"), ({"a": 0.0}, 0.0, "equal"), ({"a": 1.0}, 200.0, "equal"), ({"a": 1.0}, 0.0, "fair")],
)
def test_attribution_refuses(wrong):
    with pytest.raises(ValueError):
        metering.attribute(100.0, *wrong)


def test_threads_are_named_so_that_a_reader_of_a_stack_knows_them():
    m = metering.measure("x", source=metering.replay(STEADY), period=0.5).start()
    assert any(thread.name == "energy" for thread in threading.enumerate())
    m.stop()
    assert math.isfinite(m.joules)
