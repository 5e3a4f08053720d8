"""The processor's counters, read from a tree of plain files: each joule once, every failure visible."""

import errno
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai import metering
from efficient_ai.metering.faketree import SPAN_UJ, PowercapTree


class Clock:
    """Seconds that a test turns by hand; it begins at 0."""

    now = 0.0

    def __call__(self):
        return self.now


def meter(tree, clock, **options):
    status = metering.rapl(tree.root)
    assert status.state == "ok", status
    return metering.measure("x", source=status.source, period=None, clock=clock, **options)


def joules(tree, watts, seconds, steps=1, clock=None):
    """What the instrument says while the zones draw ``watts``."""
    clock = clock or Clock()
    m = meter(tree, clock).start()
    for _ in range(steps):
        tree.advance(watts, seconds / steps)
        clock.now += seconds / steps
        if steps > 1:
            m.sampler.sweep()
    return m.stop()


def test_a_plain_package_with_memory_is_exact(tmp_path):
    m = joules(PowercapTree(tmp_path), {"package-0": 50, "package-0 core": 30, "package-0 dram": 5}, 10)
    assert m.joules == pytest.approx(550, abs=1e-5), "core is part of the package, dram is not"
    assert m.watts == pytest.approx(55) and m.seconds == 10
    assert m.parts == pytest.approx({"package-0": 500, "package-0 dram": 50})


def test_two_packages_are_summed(tmp_path):
    tree = PowercapTree(tmp_path, packages=2)
    m = joules(tree, {"package-0": 50, "package-1": 70, "package-0 dram": 5, "package-1 dram": 7}, 10)
    assert m.joules == pytest.approx(1320, abs=1e-5)


def test_psys_core_uncore_and_the_mmio_twin_are_named_and_not_summed(tmp_path):
    tree = PowercapTree(tmp_path, children=("core", "uncore", "dram"), psys=True, twin=True)
    draws = {
        "package-0": 50, "package-0 core": 30, "package-0 uncore": 4, "package-0 dram": 5, "psys": 90, "twin": 50,
    }  # fmt: skip
    assert joules(tree, draws, 10).joules == pytest.approx(550, abs=1e-5)
    beside = " / ".join(metering.rapl(tmp_path).source.beside)
    for left_out in (
        "package-0 core: part of its package",
        "package-0 uncore",
        "psys: contains",
        "intel-rapl-mmio:0",
    ):
        assert left_out in beside


def test_children_that_stand_twice_in_the_tree_are_one_zone(tmp_path):
    tree = PowercapTree(tmp_path, packages=2)
    assert (tmp_path / "intel-rapl:0:1").is_symlink() and (
        tmp_path / "intel-rapl:0" / "intel-rapl:0:1"
    ).is_dir()
    zones = metering.zones(tree.root)
    assert len(zones) == 6 == len({zone.path for zone in zones})


def test_the_tree_of_an_amd_processor_has_no_memory_and_says_so(tmp_path):
    tree = PowercapTree(tmp_path, children=("core",))
    assert joules(tree, {"package-0": 50, "package-0 core": 30}, 10).joules == pytest.approx(500, abs=1e-5)
    assert "memory not included" in metering.rapl(tmp_path).source.covers


def test_one_wrap(tmp_path):
    tree = PowercapTree(tmp_path, children=())
    tree.set("package-0", SPAN_UJ / 1e6 - 100)
    m = joules(tree, {"package-0": 50}, 10)
    assert m.joules == pytest.approx(500, abs=1e-5) and m.wraps == 1


def test_a_wrap_exactly_at_a_reading(tmp_path):
    tree = PowercapTree(tmp_path, children=())
    tree.set("package-0", SPAN_UJ / 1e6 - 100)
    m = joules(tree, {"package-0": 50}, 4, steps=2)  # the first step ends where the counter shows 0
    assert m.joules == pytest.approx(200, abs=1e-5) and m.wraps == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0, 0.999), min_size=1, max_size=40),
    st.integers(10_000_000, SPAN_UJ),
    st.floats(0, 1),
)
def test_any_energy_in_steps_below_one_range_is_unwrapped_to_a_microjoule_per_step(steps, span_uj, begin):
    span, true, series = (
        span_uj / 1e6,
        begin * span_uj / 1e6,
        metering.Series(True, span_uj / 1e6, limit=1e12),
    )
    start = true
    for i, step in enumerate([0.0, *steps]):
        true += step * span
        series.add(float(i), round(true * 1e6) % span_uj / 1e6)
    window = series.energy(0.0, float(len(steps)))
    assert window.joules == pytest.approx(true - start, abs=2e-6 * (1 + len(steps)), rel=1e-9)


def test_a_reset_is_not_taken_for_a_wrap_and_what_it_hides_is_told(tmp_path):
    """Driver loaded again after 3 s: as a wrap it would be 262 kJ in a second."""
    tree, clock = PowercapTree(tmp_path, children=()), Clock()
    tree.set("package-0", 1000)
    m = meter(tree, clock).start()
    for second in range(1, 11):
        clock.now = second
        if second == 4:
            tree.set("package-0", 10)
        else:
            tree.advance({"package-0": 50}, 1)
        m.sampler.sweep()
    result = m.stop()
    assert result.joules == pytest.approx(500, abs=1e-4) and result.filled == pytest.approx(50, abs=1e-4)
    assert result.resets == 1 and result.wraps == 0 and result.low <= 450.01
    assert any("reset" in note for note in result.notes)


def test_denied_and_missing_are_different_and_both_are_seen(tmp_path, monkeypatch):
    assert metering.rapl(tmp_path / "none").state == "missing"
    (tmp_path / "empty").mkdir()
    assert metering.rapl(tmp_path / "empty").state == "missing"
    tree = PowercapTree(tmp_path / "tree", packages=2)
    forbid(monkeypatch, "intel-rapl:1/energy_uj")
    status = metering.rapl(tree.root)
    assert status.state == "denied" and status.source is None, "one package of two is not the machine"
    assert "root only" in status.detail


def forbid(monkeypatch, ending):
    """A file that only root may read; the tests may run as root, whom no mode keeps out."""
    real = Path.read_text

    def read_text(self, *args, **kwargs):
        if str(self).endswith(ending):
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", read_text)


def test_denied_memory_is_not_left_out_in_silence(tmp_path, monkeypatch):
    tree = PowercapTree(tmp_path)
    forbid(monkeypatch, "intel-rapl:0:1/energy_uj")
    assert metering.rapl(tree.root).state == "denied"


def test_permission_that_is_lost_while_measuring_is_a_gap_not_zero(tmp_path, monkeypatch):
    tree, clock = PowercapTree(tmp_path, children=()), Clock()
    tree.set("package-0", 700)
    m = meter(tree, clock).start()
    for second in (1, 2, 3):
        clock.now = second
        tree.advance({"package-0": 50}, 1)
        with monkeypatch.context() as patch:
            if second == 2:
                forbid(patch, "energy_uj")
            m.sampler.sweep()
    result = m.stop()
    assert result.joules == pytest.approx(150, abs=1e-5), "a counter does not mind a reading that is missing"
    assert result.gaps == 1


@pytest.mark.parametrize("content", ["", "  \n", "not a number"])
def test_an_empty_or_broken_reading_is_missing_never_zero(tmp_path, content):
    tree, clock = PowercapTree(tmp_path, children=()), Clock()
    tree.set("package-0", 100)
    m = meter(tree, clock).start()
    clock.now = 1
    (tree.zones["package-0"] / "energy_uj").write_text(content)
    m.sampler.sweep()
    clock.now = 2
    tree.set("package-0", 101)
    result = m.stop()
    assert result.joules == pytest.approx(1, abs=1e-5), "taken as 0 it would look like a wrap: 262 kJ"
    assert result.gaps == 1
    (tree.zones["package-0"] / "energy_uj").write_text(content)
    assert metering.rapl(tmp_path).state == "missing"


def test_a_file_that_vanishes_leaves_a_part_that_is_told_to_be_filled_in(tmp_path):
    tree, clock = PowercapTree(tmp_path, children=()), Clock()
    m = meter(tree, clock).start()
    for second in range(1, 5):
        clock.now = second
        tree.advance({"package-0": 50}, 1)
        m.sampler.sweep()
    shutil.rmtree(tree.zones["package-0"])
    clock.now = 5
    result = m.stop()
    assert result.joules == pytest.approx(250, abs=1e-4) and result.filled == pytest.approx(50, abs=1e-4)
    assert result.low <= 200.01 and any("not covered" in note for note in result.notes)


def test_a_tree_that_is_gone_at_once_leaves_an_estimate_that_calls_itself_one(tmp_path):
    tree, clock = PowercapTree(tmp_path, children=()), Clock()
    m = meter(tree, clock).start()
    shutil.rmtree(tree.root)
    clock.now = 2
    result = m.stop()
    assert result.source == "estimated:cpu-time"
    assert any("gave no two readings of package-0" in note for note in result.notes)


def test_a_fake_tree_never_calls_itself_a_measurement(tmp_path):
    source = metering.rapl(PowercapTree(tmp_path / "fake").root).source
    assert source.label == "replayed:fake" and not source.measured
    with pytest.raises(metering.EnergyError, match="replayed:fake"):
        metering.measure("x", source=source, require="measured")


def test_the_kernel_s_own_tree_is_a_measurement(tmp_path, monkeypatch):
    from efficient_ai.metering import _rapl

    tree = PowercapTree(tmp_path)
    monkeypatch.setattr(_rapl, "POWERCAP", tree.root)
    source = metering.rapl(tree.root).source
    assert source.label == "measured:rapl" and source.measured


def test_a_driven_tree_is_read_while_it_moves(tmp_path):
    """In real time, with a thread that reads and one that advances the counter over its end."""
    tree = PowercapTree(tmp_path, children=(), span_uj=50_000_000)
    source = metering.rapl(tmp_path).source
    with tree.drive({"package-0": lambda t: 45 + 40 * min(t, 1.0)}) as driver:
        driver.write()
        before = tree.true_joules["package-0"]
        with metering.measure("x", source=source, period=0.02) as m:
            while tree.true_joules["package-0"] < 60:
                time.sleep(0.01)
        after = tree.true_joules["package-0"]
    least, most = 60 - before - 1e-5, after - before + 1e-5
    if any(
        "without a reading" in note for note in m.notes
    ):  # the reader did not get its turn: told, and still true
        assert m.low <= most and m.high >= least
    else:
        assert m.wraps == 1 and least <= m.joules <= most


def test_a_load_that_writes_its_own_energy_is_measured_to_a_microjoule(tmp_path):
    """Nothing is used before and after the load, so no edge of a window can hide an error."""
    tree = PowercapTree(tmp_path, packages=2)
    with metering.measure("x", source=metering.rapl(tmp_path).source, period=0.01) as m:
        for step in range(40):
            tree.advance({"package-0": 5.0 * step, "package-1": 33.3, "package-1 dram": 4.2}, 0.02)
            time.sleep(0.005)
    true = sum(joules for zone, joules in tree.true_joules.items() if "core" not in zone)
    assert m.joules == pytest.approx(true, abs=3e-6)
