"""How people use it: coroutines, generators, threads, sensors that raise, cells, the command line."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from efficient_ai import metering
from efficient_ai.metering import __main__ as command


def awaited(coroutine):
    """Its result, from a loop in a thread of its own: tests in a browser leave theirs running in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def steady(clock, watts=50.0, **options):
    trace = metering.Trace("steady", [0, 10_000], [watts])
    return metering.measure(
        "x", source=metering.replay(trace, clock=clock), period=None, clock=clock, **options
    )


def test_a_coroutine_is_measured_from_its_first_step_to_its_last():
    clock = Clock()

    @steady(clock)
    async def work():
        for _ in range(4):
            clock.now += 1
            await asyncio.sleep(0)
        return 7

    assert awaited(work()) == 7
    assert [m.joules for m in work.measurements] == [pytest.approx(200)]


def test_a_generator_is_measured_while_it_runs_also_if_it_is_left():
    clock = Clock()

    @steady(clock)
    def work():
        for i in range(4):
            clock.now += 1
            yield i
        return "done"

    assert list(work()) == [0, 1, 2, 3]
    half = work()
    next(half), next(half)
    half.close()
    assert [m.joules for m in work.measurements] == [pytest.approx(200), pytest.approx(100)]


def test_an_asynchronous_generator_too():
    clock = Clock()

    @steady(clock)
    async def work():
        for i in range(3):
            clock.now += 1
            yield i

    async def all_of_it():
        return [i async for i in work()]

    assert awaited(all_of_it()) == [0, 1, 2]
    assert [m.joules for m in work.measurements] == [pytest.approx(150)]


def test_regions_pair_per_thread():
    clock, gates = Clock(), [threading.Event() for _ in range(4)]
    m = steady(clock).start()
    part = m.region("part")

    def one():
        with part:
            gates[0].set()
            gates[1].wait(10)

    def other():
        with part:
            gates[2].set()
            gates[3].wait(10)

    first, second = threading.Thread(target=one), threading.Thread(target=other)
    first.start(), gates[0].wait(10)
    clock.now = 1
    second.start(), gates[2].wait(10)
    clock.now = 3
    gates[1].set(), first.join()  # 0 to 3
    clock.now = 10
    gates[3].set(), second.join()  # 1 to 10
    m.stop()
    assert sorted(round(one.joules) for one in part.measurements()) == [150, 450]


def test_regions_of_tasks_and_of_generators_that_overlap_pair_with_themselves():
    clock = Clock()
    m = steady(clock).start()
    part = m.region("part")

    @part
    def work():
        yield
        yield

    a, b = work(), work()
    next(a)
    clock.now = 1
    next(b)
    clock.now = 3
    a.close()
    clock.now = 10
    b.close()

    async def task(start, end):
        with part:
            await start
            clock.now += end

    async def both():
        loop = asyncio.get_running_loop()
        gates = loop.create_future(), loop.create_future()
        tasks = [asyncio.create_task(task(gates[0], 2)), asyncio.create_task(task(gates[1], 5))]
        await asyncio.sleep(0)
        gates[0].set_result(None)
        await tasks[0]
        gates[1].set_result(None)
        await tasks[1]

    awaited(both())
    m.stop()
    assert sorted(round(one.joules) for one in part.measurements()) == [100, 150, 350, 450]


def test_a_sensor_that_raises_leaves_a_note_and_no_hole_in_the_program():
    clock, calls = Clock(), []

    def read():
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("driver gone")
        return 50.0 * clock.now

    source = metering.Source("measured:rapl", [metering.Sensor("package-0", read)], "test")
    m = metering.measure("x", source=source, period=None, clock=clock).start()
    for clock.now in (1.0, 2.0):
        m.sampler.sweep()
    result = m.stop()
    assert result.joules == pytest.approx(100) and result.gaps == 1
    assert any("package-0 could not be read: RuntimeError: driver gone" in note for note in result.notes)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "text"])
def test_a_reading_that_is_no_number_has_failed(value):
    clock = Clock()
    source = metering.Source("measured:rapl", [metering.Sensor("package-0", lambda: value)], "test")
    with metering.measure("x", source=source, period=None, clock=clock) as m:
        clock.now = 5
    assert m.source == "estimated:cpu-time" and any("could not be read" in note for note in m.notes)


def test_the_background_thread_survives_a_sensor_that_raises():
    def read():
        raise OSError("busy")

    m = metering.measure(
        "x", source=metering.Source("measured:x", [metering.Sensor("s", read)], "t"), period=0.01
    ).start()
    time.sleep(0.1)
    assert m.sampler._thread.is_alive() and m.sampler.sweeps > 2
    m.stop()


def test_training_that_raises_ends_its_meter():
    import torch

    from efficient_ai import training

    def loss(prediction, target):
        raise KeyError("mine")

    data = torch.zeros(4, 1), torch.zeros(4, 1)
    model = torch.nn.Linear(1, 1)
    with pytest.raises(KeyError) as caught:
        training.fit(
            model, data, data, loss, torch.optim.SGD(model.parameters()), epochs=1, batch_size=2, seed=0
        )
    assert caught.tb is not None  # the traceback keeps the frames, and the meter in them, alive
    assert "energy" not in {thread.name for thread in threading.enumerate()}


def test_it_prints_itself():
    clock = Clock()
    m = steady(clock)
    assert repr(m) == "x: not started"
    with m:
        clock.now = 2
        assert repr(m).startswith("so far, x: 100 J")
    clock.now = 9
    assert repr(m).startswith("x: 100 J") and "replayed:steady" in m.measurement._repr_html_()


def test_decorating_runs_no_program_and_looks_for_no_sensor():
    code = """
import subprocess, sys
def refuse(*a, **k): raise SystemExit("a program was started")
subprocess.run = subprocess.Popen = refuse
import os
os.environ["SLURM_JOB_ID"] = "7"
from efficient_ai import metering
@metering.measure("x")
def work(): pass
metering.measure("y")
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_requiring_a_measurement_refuses_a_replay():
    with pytest.raises(metering.EnergyError, match="only replayed:t can be had here"):
        metering.measure("x", require="measured", source=metering.replay(metering.Trace("t", [0, 1], [1.0])))


def test_ranks_of_one_host_are_told_that_measure_job_is_meant(monkeypatch):
    monkeypatch.setenv("MPI_LOCALNRANKS", "4")
    clock = Clock()
    with steady(clock) as m:
        clock.now = 1
    assert any("4 MPI ranks share this host" in note and "measure_job is meant" in note for note in m.notes)


def test_repeats_warm_up_until_the_power_is_steady_and_tell_what_is_believable():
    clock, watts = Clock(), iter([100.0, 60.0, 51.0, 50.5, 50.0, 51.0, 49.0, 50.0, 60.0, 61.0, 59.0])
    used = [0.0]
    source = metering.Source("measured:x", [metering.Sensor("s", lambda: used[0], update=0.0)], "test")

    def work():
        clock.now += 10
        used[0] += 10 * next(watts)

    options = dict(source=source, period=None, clock=clock)
    one = metering.repeat(work, 4, **options)
    other = metering.repeat(work, 3, warm_up=0, **options)
    assert len(one.warm_up) == 4 and one.steady and one.joules == pytest.approx(500)
    assert one.deviation == pytest.approx(8.165, abs=0.01)
    apart = metering.difference(one, other)
    assert apart.believable and apart.joules == pytest.approx(100)
    assert apart.least == pytest.approx(2 * (8.165**2 / 4 + 10**2 / 3) ** 0.5, abs=0.01)
    assert not metering.difference(one, one).believable
    with pytest.raises(ValueError, match="no scatter"):
        metering.difference(one, metering.Repeats(other.measurements[:1], (), False))
    guess = metering.Measurement("x", 1, 1, 1, 1, "estimated:cpu-time")
    with pytest.raises(ValueError, match="cannot be compared"):
        metering.difference(one, metering.Repeats([guess, guess], (), False))


def test_raw_readings_are_saved_and_drawn(tmp_path):
    clock = Clock()
    with steady(clock) as m:
        for clock.now in (1.0, 2.0, 3.0):
            m.sampler.sweep()
    rows = metering.save(m, tmp_path / "r.csv").read_text().splitlines()
    assert rows[0] == "seconds,sensor,kind,unit,value" and "2.0,steady,counter,J,100.0" in rows
    saved = json.loads(metering.save(m, tmp_path / "r.json").read_text())
    assert saved["measurement"]["joules"] == pytest.approx(150) and len(saved["readings"]) == len(rows) - 1
    assert metering.picture(m).startswith("<svg") and "replayed:steady" in metering.picture(m)
    with pytest.raises(metering.EnergyError, match="readings are saved"):
        metering.save(m, tmp_path / "r.txt")
    with pytest.raises(metering.EnergyError, match="not started"):
        metering.save(metering.measure("y"), tmp_path / "r.csv")


def test_the_command_line_measures_a_command(tmp_path, capfd):
    name = str(tmp_path / "out")
    code = [
        "run",
        "--repeat",
        "2",
        "--period",
        "0.1",
        "--save",
        name,
        "--",
        sys.executable,
        "-c",
        "print('mine', sum(range(10**6)))",
    ]
    assert command.main(code) == 0
    said = capfd.readouterr().out
    assert said.count("mine") == 2 and "deviation from run to run" in said and "source: " in said
    saved = json.loads((tmp_path / "out.json").read_text())
    assert len(saved["runs"]) == 2 and saved["runs"][0]["cpu_seconds"] > 0
    assert (tmp_path / "out.csv").exists() and "<svg" in (tmp_path / "out.svg").read_text()


def test_the_command_line_says_what_is_wrong(capfd):
    assert command.main(["run", "--", sys.executable, "-c", "raise SystemExit(3)"]) == 3
    assert command.main(["run", "--", "/nowhere/to/be/found"]) == 127
    assert "nothing is concluded" in (said := capfd.readouterr().err) and "can be started" in said
    for wrong in (["run"], ["run", "--repeat", "0", "--", "true"], ["run", "--period", "0", "--", "true"]):
        with pytest.raises(SystemExit):
            command.main(wrong)


def test_the_command_line_lists_the_sensors(capsys):
    assert command.main(["sensors"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("slurm", "rapl", "perf", "nvml", "used: "))


@pytest.mark.parametrize("name", ["metering", "energy"])
def test_both_names_start_it(name):
    done = subprocess.run(
        [sys.executable, "-m", f"efficient_ai.{name}", "run", "--", sys.executable, "-c", "pass"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0 and "source: " in done.stdout
