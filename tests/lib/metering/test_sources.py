"""The other sources, each with a stand-in for its tool or driver; what cannot be read says why."""

import os
import subprocess
import sys
import time

import pytest

from efficient_ai import metering


class Nvml:
    """A driver with boards of our making."""

    class NVMLError(Exception):
        pass

    def __init__(self, boards=2, counters=True, power=True, driver=True):
        self.boards, self.counters, self.power, self.driver, self.mj = boards, counters, power, driver, 0

    def nvmlInit(self):
        if not self.driver:
            raise self.NVMLError("Driver Not Loaded")

    def nvmlDeviceGetCount(self):
        return self.boards

    def nvmlDeviceGetHandleByIndex(self, i):
        return i

    def nvmlDeviceGetTotalEnergyConsumption(self, board):
        if not self.counters:
            raise self.NVMLError("Not Supported")
        return self.mj

    def nvmlDeviceGetPowerUsage(self, board):
        if not self.power:
            raise self.NVMLError("Not Supported")
        return 55_000


def test_nvml_counters_are_millijoules_and_idle_boards_count():
    driver, now = Nvml(boards=2), [0.0]
    m = metering.measure("x", source=metering.nvml(driver).source, period=None, clock=lambda: now[0]).start()
    driver.mj, now[0] = 110_000, 2.0
    result = m.stop()
    assert result.joules == pytest.approx(220) and result.source == "measured:nvml"
    assert result.low <= 0.95 * 220 and 1.05 * 220 <= result.high, "the scale of the board"
    assert result.uncertainty == pytest.approx(0.05 * 220 + 2 * 1000 * 0.1, rel=0.1), "an update at each edge"


def test_a_board_without_counter_gives_power_which_needs_a_period():
    source = metering.nvml(Nvml(boards=1, counters=False)).source
    assert [sensor.counter for sensor in source.sensors] == [False] and source.sensors[0].read() == 55
    with pytest.raises(metering.EnergyError, match="needs a period"):
        metering.measure("x", source=source, period=None)


def test_nvml_without_driver_board_or_permission():
    assert metering.nvml(Nvml(driver=False)).state == "missing"
    assert metering.nvml(Nvml(boards=0)).state == "missing"
    assert metering.nvml(Nvml(counters=False, power=False)).state == "denied"


def tools(**answers):
    """A stand-in for the command line: what each tool prints, or the error it raises."""

    def run(command):
        answer = answers.get(command[0], FileNotFoundError(command[0]))
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    return run


JOB = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "2", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_NODES": "2"}


def test_slurm_gives_the_energy_of_a_job_alone_on_its_nodes():
    joules, now = [1000], [0.0]
    status = metering.slurm(JOB, tools(squeue="NO\n", sstat=lambda: f"{joules[0]}\n"))
    m = metering.measure("x", source=status.source, period=None, clock=lambda: now[0]).start()
    joules[0], now[0] = 91_000, 300.0
    result = m.stop()
    assert result.joules == 90_000 and result.source == "measured:slurm"
    assert result.uncertainty > 300 * 30, "the node's sensor is slow: at least its update period at each edge"


def test_slurm_asks_for_the_step_that_covers_all_nodes():
    asked = []

    def run(command):
        asked.append(command)
        return "NO" if command[0] == "squeue" else "1000"

    assert metering.slurm(JOB, run).source.covers == "2 whole node(s)" and "7.0" in asked[-1]
    batch = {"SLURM_JOB_ID": "7", "SLURM_JOB_NUM_NODES": "1"}
    assert metering.slurm(batch, run).state == "ok" and "7.batch" in asked[-1]
    several = metering.slurm(batch | {"SLURM_JOB_NUM_NODES": "3"}, run)
    assert several.state == "off" and "first of its 3 nodes" in several.detail


@pytest.mark.parametrize("sharing", ["OK", "YES", "USER", ""])
def test_slurm_on_a_shared_node_is_refused(sharing):
    status = metering.slurm(JOB, tools(squeue=sharing, sstat="1000"))
    assert status.state == "shared" and status.source is None


@pytest.mark.parametrize("text", ["", "\n", "0", "4294967294", "18446744073709551614", "-", "n/a"])
def test_slurm_values_that_are_none_are_refused(text):
    assert metering.consumed(text) is None
    assert metering.slurm(JOB, tools(squeue="NO", sstat=text)).state == "off"


def test_slurm_outside_of_a_job_without_tools_and_on_later_ranks():
    assert metering.slurm({}, tools()).state == "missing"
    assert metering.slurm(JOB, tools()).state == "missing"
    assert metering.slurm(JOB | {"SLURM_PROCID": "3"}, tools(squeue="NO", sstat="5")).state == "off"


def chip(root, number, name, **files):
    folder = root / f"hwmon{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(name + "\n")
    for file, content in files.items():
        (folder / file).write_text(str(content))


def test_hwmon_takes_the_node_s_meter_and_names_what_it_leaves_out(tmp_path):
    chip(tmp_path, 0, "power_meter", power1_average=312_000_000)
    chip(tmp_path, 1, "amd_energy", energy1_input=5_000_000, energy1_label="Esocket0")
    chip(tmp_path, 2, "nvme", power1_input=3_000_000)
    source = metering.hwmon(tmp_path).source
    assert [sensor.read() for sensor in source.sensors] == [312.0] and source.covers == "whole node"
    assert any("amd_energy" in name for name in source.beside) and any(
        "nvme" in name for name in source.beside
    )


def test_hwmon_of_sockets_leaves_out_the_cores(tmp_path):
    chip(tmp_path, 0, "amd_energy", energy1_input=1_000_000, energy1_label="Ecore000",
         energy2_input=5_000_000, energy2_label="Esocket0")  # fmt: skip
    sensors = metering.hwmon(tmp_path).source.sensors
    assert [(sensor.read(), sensor.counter) for sensor in sensors] == [(5.0, True)]


def test_hwmon_missing_and_unreadable(tmp_path):
    assert metering.hwmon(tmp_path / "none").state == "missing"
    chip(tmp_path, 0, "nvme", power1_input=3_000_000)
    assert metering.hwmon(tmp_path).state == "missing"
    chip(tmp_path, 1, "power_meter", power1_average="")
    assert metering.hwmon(tmp_path).state == "denied"


REPLY = "    Instantaneous power reading:                   {} Watts\n    Minimum during sampling period: 90 Watts\n"


def test_ipmi():
    status = metering.ipmi(tools(ipmitool=REPLY.format(228)))
    assert status.source.label == "measured:ipmi" and status.source.sensors[0].read() == 228
    assert metering.ipmi(tools()).state == "missing"
    assert metering.ipmi(tools(ipmitool=OSError("Could not open device"))).state == "denied"
    assert metering.ipmi(tools(ipmitool=REPLY.format(0))).state == "off"


def found(**states):
    """A survey in which some sources can be read."""
    names = ("slurm", "rapl", "nvml", "hwmon", "ipmi")
    made = [
        metering.Status(name, "ok", "", metering.Source(f"measured:{name}", [], name))
        if name in states
        else metering.Status(name, "missing", f"no {name}")
        for name in names
    ]
    return [*made, metering.cpu_time()]


@pytest.mark.parametrize(
    ("there", "label"),
    [
        (("slurm", "rapl", "nvml", "hwmon"), "measured:slurm"),
        (("rapl", "nvml", "ipmi"), "measured:rapl + measured:nvml"),
        (("rapl",), "measured:rapl"),
        (("hwmon", "ipmi", "nvml"), "measured:hwmon"),
        (("ipmi", "nvml"), "measured:ipmi"),
        (("nvml",), "measured:nvml + estimated:cpu-time"),
        ((), "estimated:cpu-time"),
    ],
)
def test_the_ladder(there, label):
    source = metering.best(found(**dict.fromkeys(there, True)))
    assert source.label == label and source.measured == ("estimated" not in label)


def test_nothing_falls_back_in_silence():
    why = metering.best(found()).notes
    assert [line.split(":")[0] for line in why] == ["slurm", "rapl", "nvml", "hwmon", "ipmi"]
    assert [line.split(":")[0] for line in metering.best(found(nvml=True)).notes] == [
        "slurm",
        "rapl",
        "hwmon",
        "ipmi",
    ]
    assert metering.best(found(rapl=True)).notes == ()


def test_the_survey_of_this_machine_has_a_state_for_every_source():
    statuses = metering.survey()
    assert [status.name for status in statuses] == [
        "slurm", "pm_counters", "rapl", "perf", "nvml", "amdsmi", "hwmon", "ipmi", "cpu-time",
    ]  # fmt: skip
    assert all(status.state in metering.STATES and status.detail for status in statuses)
    assert all((status.source is not None) == (status.state == "ok") for status in statuses)


BURN = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"


def test_processor_time_of_children_counts_while_they_live_and_after():
    before = metering.tree_seconds()
    child = subprocess.Popen([sys.executable, "-c", BURN.format(0.4) + "import sys; print(1, flush=True); sys.stdin.read()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    child.stdout.readline()
    living = metering.tree_seconds() - before
    child.stdin.close()
    child.wait()
    ended = metering.tree_seconds() - before
    assert living >= 0.35 and ended >= 0.35
    child.stdout.close()


def test_processor_time_of_grandchildren_counts():
    before = metering.tree_seconds()
    inner = BURN.format(0.3) + "import sys; print(1, flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    child.stdout.readline()
    assert metering.tree_seconds() - before >= 0.25
    child.stdin.close()
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("lists_children", [True, False])
def test_descendants_are_found_with_and_without_the_kernel_s_lists(tmp_path, lists_children):
    """A /proc of files: our child 11, its child 12, a stranger 13, and 14, which ended while we looked."""
    from efficient_ai.metering._accounts import _TICK, _tree

    me = os.getpid()

    def process(pid, parent, ticks, children):
        task = tmp_path / str(pid) / "task" / str(pid)
        task.mkdir(parents=True)
        (tmp_path / str(pid) / "stat").write_text(
            f"{pid} (a (b) c) S {parent} " + "0 " * 9 + f"{ticks} 0 0 0 20 0 1 0 {pid}"
        )
        if lists_children:
            (task / "children").write_text(children)

    process(me, 1, 900, "11 14")
    process(11, me, 100, "12")
    process(12, 11, 50, "")
    process(13, 1, 7, "")
    assert sum(a.own for a in _tree(tmp_path, me).values()) == pytest.approx(150 / _TICK)


def test_the_estimate_follows_its_formula():
    model = metering.CpuModel(idle=1.0, busy=10.0, factor=2.0)
    source = metering.cpu_time(model, cores=3).source
    with metering.measure("x", source=source, period=None) as m:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
    assert m.joules == pytest.approx(3 * m.seconds + 10 * m.cpu_seconds, rel=0.2)
    assert m.low == pytest.approx(m.joules / 2) and m.high == pytest.approx(m.joules * 2)
    assert m.source == "estimated:cpu-time" and "10 W" in m.covers


def test_machine_seconds_hold_at_least_ours():
    machine = metering.machine_seconds()
    assert machine is None or machine > 0
    assert os.getpid()
