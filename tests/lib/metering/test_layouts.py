"""Layouts of real machines, as trees of files and drivers of our making: each joule once, what is missing is named."""

import pytest
from test_sources import Nvml, chip

from efficient_ai import metering
from efficient_ai.metering.faketree import PowercapTree


def over(source, seconds, turn):
    """A window of so many seconds, in which ``turn`` moves the counters."""
    now = [0.0]
    m = metering.measure("x", source=source, period=None, clock=lambda: now[0]).start()
    turn()
    now[0] = seconds
    return m.stop()


def dies(tmp_path, first, second):
    tree = PowercapTree(tmp_path, packages=2, children=())
    for die, joules in enumerate((first, second)):
        (tree.zones[f"package-{die}"] / "name").write_text(f"package-0-die-{die}\n")
        tree.set(f"package-{die}", joules)
    return tree


def test_two_dies_that_mirror_one_counter_count_once(tmp_path):
    tree = dies(tmp_path, 1, 1)
    m = over(metering.rapl(tmp_path).source, 1.0, lambda: [tree.set(f"package-{die}", 69) for die in (0, 1)])
    assert m.joules == pytest.approx(68) and list(m.parts) == ["package-0-die-0"]
    assert any("once more" in note for note in m.notes)


def test_two_dies_with_counters_of_their_own_are_summed(tmp_path):
    tree = dies(tmp_path, 1, 1)
    m = over(
        metering.rapl(tmp_path).source,
        1.0,
        lambda: [tree.set(f"package-{die}", 69 - 20 * die) for die in (0, 1)],
    )
    assert m.joules == pytest.approx(68 + 48)


def test_a_zone_without_memory_shows_in_what_is_covered(tmp_path):
    tree = PowercapTree(tmp_path, packages=2, children=("dram",))
    (tree.zones["package-1 dram"] / "energy_uj").unlink()
    source = metering.rapl(tmp_path).source
    assert source.covers == "2 processor packages and memory, that of package-1 not included"


def test_a_zone_that_falls_silent_shows_in_what_is_covered(tmp_path):
    tree = PowercapTree(tmp_path, packages=2, children=())
    m = over(metering.rapl(tmp_path).source, 10, lambda: (tree.advance({"package-0": 50}, 10), (tree.zones["package-1"] / "energy_uj").unlink()))  # fmt: skip
    assert m.joules == pytest.approx(500) and "without package-1" in m.covers


def test_the_largest_power_is_that_of_the_zone(tmp_path):
    tree = PowercapTree(tmp_path, children=())
    (tree.zones["package-0"] / "constraint_0_max_power_uw").write_text("270000000\n")
    assert [sensor.limit for sensor in metering.rapl(tmp_path).source.sensors] == [540.0]


def test_a_period_that_a_wrap_can_hide_in_is_warned_of(tmp_path):
    source = metering.rapl(PowercapTree(tmp_path, children=(), span_uj=65_532_610_987).root).source
    with pytest.warns(UserWarning, match="may wrap unseen.*take a period below"):
        metering.measure("x", source=source, period=1200)


def test_denied_says_how_to_get_access(tmp_path, monkeypatch):
    from test_powercap import forbid

    tree = PowercapTree(tmp_path)
    forbid(monkeypatch, "intel-rapl:0/energy_uj")
    detail = metering.rapl(tree.root).detail
    assert all(word in detail for word in ("group", "udev", "CAP_PERFMON"))


class Boards(Nvml):
    """Boards with identifiers, of which some may be lost, and parts of boards."""

    def __init__(self, boards=2, lost=(), **options):
        super().__init__(boards=boards, **options)
        self.lost = lost

    def nvmlDeviceGetHandleByIndex(self, i):
        if i in self.lost:
            raise self.NVMLError("GPU is lost")
        return i

    def nvmlDeviceGetUUID(self, board):
        return f"GPU-{board}aaa-bbb"

    def nvmlDeviceGetHandleByUUID(self, name):
        return ("part", int(name.removeprefix("MIG-")[0]))

    def nvmlDeviceGetDeviceHandleFromMigDeviceHandle(self, part):
        return part[1]

    def nvmlDeviceGetPowerManagementLimitConstraints(self, board):
        return [200_000, 700_000]


def test_a_lost_board_is_called_lost_and_drops_no_other():
    source = metering.nvml(Boards(boards=3, lost=(1,)), {}).source
    assert [sensor.name for sensor in source.sensors] == ["gpu 0", "gpu 2"]
    assert "2 GPU boards of 3 (gpu 1 is lost" in source.covers and any(
        "lost" in note for note in source.notes
    )
    assert source.sensors[0].limit == pytest.approx(840)
    assert "lost" in metering.nvml(Boards(boards=1, lost=(0,)), {}).detail


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("1", ["gpu 1"]), ("2,0", ["gpu 2", "gpu 0"]), ("GPU-1aaa", ["gpu 1"]), ("0,9,1", ["gpu 0"]),
        ("MIG-2aaa-x", ["gpu 2"]), ("MIG-GPU-1aaa-bbb/3/0", ["gpu 1"]), ("MIG-0a,MIG-0b", ["gpu 0"]),
    ],
)  # fmt: skip
def test_only_the_boards_that_this_process_may_use_are_charged(wanted, names):
    source = metering.nvml(Boards(boards=3), {"CUDA_VISIBLE_DEVICES": wanted}).source
    assert [sensor.name for sensor in source.sensors] == names
    if "MIG" in wanted:
        assert any("whole board" in note for note in source.notes)


@pytest.mark.parametrize("wanted", ["", "-1", "NoDevFiles"])
def test_no_board_for_this_process_is_no_board(wanted):
    assert metering.nvml(Boards(), {"CUDA_VISIBLE_DEVICES": wanted}).state == "off"


def test_acpi_meters_lie_one_folder_deeper(tmp_path):
    chip(tmp_path / "x", 0, "power_meter")
    chip(tmp_path, 0, "power_meter")
    (tmp_path / "hwmon0" / "device").mkdir()
    (tmp_path / "hwmon0" / "device" / "power1_average").write_text("412000000\n")
    (tmp_path / "hwmon0" / "device" / "power1_average_interval").write_text("300\n")
    source = metering.hwmon(tmp_path).source
    assert [(sensor.read(), sensor.update) for sensor in source.sensors] == [
        (412.0, 0.3)
    ] and not source.processors


def test_the_meters_of_a_grace_module_are_nested_and_counted_once(tmp_path):
    """A module of two sockets: each has a meter of its own that holds those of its parts."""
    number = 0
    for socket in (0, 1):
        for name, watts in (
            ("Module Power", 600),
            ("Grace Power", 300),
            ("CPU Power", 200),
            ("SysIO Power", 60),
        ):
            chip(
                tmp_path,
                number,
                "power_meter",
                power1_average=watts * 10**6,
                power1_oem_info=f"{name} Socket {socket}",
            )
            number += 1
    source = metering.hwmon(tmp_path).source
    assert [sensor.read() for sensor in source.sensors] == [600.0, 600.0] and len(source.beside) == 6
    assert "a GPU in it included" in source.covers and not source.processors


def test_a_grace_processor_alone_leaves_the_boards_to_be_added(tmp_path):
    chip(tmp_path, 0, "power_meter", power1_average=300 * 10**6, power1_oem_info="Grace Power Socket 0")
    chip(tmp_path, 1, "power_meter", power1_average=200 * 10**6, power1_oem_info="CPU Power Socket 0")
    found = metering.hwmon(tmp_path)
    assert [sensor.read() for sensor in found.source.sensors] == [300.0]
    assert (
        metering.best([found, metering.nvml(Boards(), {})]).label
        == "replayed:" + tmp_path.name + " + measured:nvml"
    )


def test_meters_of_unknown_reach_are_not_summed(tmp_path):
    chip(tmp_path, 0, "power_meter", power1_average=500 * 10**6)
    chip(tmp_path, 1, "power_meter", power1_average=180 * 10**6)
    source = metering.hwmon(tmp_path).source
    assert [sensor.read() for sensor in source.sensors] == [500.0] and any(
        "may be a part" in b for b in source.beside
    )


def test_the_counters_of_a_cray_are_of_the_whole_node(tmp_path):
    for name, joules in (
        ("energy", 1000),
        ("cpu_energy", 500),
        ("memory_energy", 90),
        ("accel0_energy", 300),
    ):
        (tmp_path / name).write_text(f"{joules} J 1700000000000000 us\n")
    (tmp_path / "raw_scan_hz").write_text("10\n")
    found = metering.pm_counters(tmp_path)
    m = over(found.source, 20, lambda: (tmp_path / "energy").write_text("9000 J 1700000020000000 us\n"))
    assert (
        m.joules == pytest.approx(8000)
        and len(found.source.beside) == 3
        and found.source.sensors[0].update == 0.1
    )
    assert metering.pm_counters(tmp_path / "none").state == "missing"
    (tmp_path / "energy").write_text("")
    assert metering.pm_counters(tmp_path).state == "off"


class Amd:
    """Two boards with accumulators in units of 15.3 microjoules."""

    ticks = 1_000_000

    def amdsmi_init(self):
        pass

    def amdsmi_get_processor_handles(self):
        return ["a", "b"]

    def amdsmi_get_energy_count(self, board):
        return {"energy_accumulator": self.ticks, "counter_resolution": 15.3, "timestamp": 1}


def test_boards_of_amd():
    driver = Amd()
    source = metering.amdsmi(driver, {"ROCR_VISIBLE_DEVICES": "1"}).source
    m = over(source, 100, lambda: setattr(driver, "ticks", 2_000_000_000))
    assert m.joules == pytest.approx((2_000_000_000 - 1_000_000) * 15.3e-6) and list(m.parts) == ["gpu 1"]
    assert metering.amdsmi(driver, {"ROCR_VISIBLE_DEVICES": ""}).state == "missing"


def events(tmp_path):
    (tmp_path / "events").mkdir()
    for name, content in {"type": "12", "cpumask": "0,18", "events/energy-pkg": "event=0x02", "events/energy-ram": "event=0x03",
                          "events/energy-pkg.scale": "2.3283064365386962890625e-10",
                          "events/energy-ram.scale": "2.3283064365386962890625e-10"}.items():  # fmt: skip
        (tmp_path / name).write_text(content + "\n")


def test_power_events_of_the_kernel(tmp_path):
    events(tmp_path)
    counts, opened = [0], []

    def open_event(unit, event, cpu):
        opened.append((unit, event, cpu))
        return lambda: counts[0]

    source = metering.perf(tmp_path, open_event).source
    assert (
        opened == [(12, 2, 0), (12, 2, 18), (12, 3, 0), (12, 3, 18)]
        and source.covers == "2 processor packages and memory"
    )
    m = over(source, 10, lambda: counts.__setitem__(0, 100 * 2**32))
    assert m.joules == pytest.approx(4 * 100)


def test_power_events_that_are_not_for_everybody(tmp_path):
    events(tmp_path)

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    status = metering.perf(tmp_path, refuse)
    assert status.state == "denied" and "CAP_PERFMON" in status.detail
    assert metering.perf(tmp_path / "none").state == "missing"


def test_slurm_s_joules_of_64_nodes_for_hours_are_right():
    assert metering.consumed("5000000000\n") == 5e9 and metering.consumed("4400000000000") == 4.4e12
    for none in (2**32 - 2, 2**32 - 1, 2**64 - 2, 2**64 - 1):
        assert metering.consumed(str(none)) is None
