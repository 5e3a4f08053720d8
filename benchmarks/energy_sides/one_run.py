"""One process, one load, all tools at once. Started by benchmarks/energy.py in the environment of the peers.

    python one_run.py JOB     JOB is JSON; the record is the last line that is printed

The load writes the joules that it "uses" into the fake powercap tree itself, in steps of 20 ms, and nothing is used before
or after it: so the true energy is known to a microjoule, whenever a tool opens or closes its window around the load.
"""

import json
import math
import os
import resource
import sys
import time
from pathlib import Path

from efficient_ai import metering
from efficient_ai.metering.faketree import SPAN_UJ, PowercapTree

STEP = 0.02
# Watts of package 0 over the share of the load that is done, from 0 to 1.
LOADS = {
    "steady": lambda share: 150.0,
    "ramp": lambda share: 40.0 + 200.0 * share,
    "burst": lambda share: 20.0 if share < 0.8 else 250.0,
    "square": lambda share: 250.0 if int(share * 20) % 2 else 50.0,
}


def work(tree: PowercapTree, load: str, seconds: float) -> dict[str, float]:
    """Draw the power of the load for a while; joules by zone."""
    start, last = time.perf_counter(), 0.0
    before = dict(tree.true_joules)
    while last < seconds:
        time.sleep(STEP)
        now = min(time.perf_counter() - start, seconds)
        watts = LOADS[load]((last + now) / 2 / seconds)
        draws = {"package-0": watts, "package-1": 0.4 * watts, "package-0 core": 0.7 * watts,
                 "package-1 core": 0.3 * watts, "package-0 dram": 0.1 * watts, "package-1 dram": 0.1 * watts}  # fmt: skip
        tree.advance(draws, now - last)
        last = now
    return {zone: joules - before[zone] for zone, joules in tree.true_joules.items()}


def codecarbon_tracker(mode: str, root: str | None):
    """The offline tracker; with ``root`` it reads the fake tree, without it has only its model."""
    from codecarbon import OfflineEmissionsTracker
    from codecarbon.core import cpu

    if root:
        inner = cpu.IntelRAPL.__init__
        folder = str(Path(root) / "intel-rapl")

        def at_our_tree(self, rapl_dir="", rapl_include_dram=False, rapl_prefer_psys=False):
            inner(self, folder, rapl_include_dram, rapl_prefer_psys)

        cpu.IntelRAPL.__init__ = at_our_tree
        available = cpu.is_rapl_available
        cpu.is_rapl_available = lambda rapl_dir=None: available(folder)
    return OfflineEmissionsTracker(
        country_iso_code="DEU", tracking_mode=mode, measure_power_secs=1, save_to_file=False, log_level="error",
        rapl_include_dram=True, allow_multiple_runs=True,
    )  # fmt: skip


def codecarbon_says(tracker) -> dict:
    data = tracker.final_emissions_data
    return {
        "cpu": data.cpu_energy * 3.6e6,
        "ram": data.ram_energy * 3.6e6,
        "total": data.energy_consumed * 3.6e6,
    }


kept = {}


def keep(node):
    """What perun found, for :func:`with_perun`."""
    kept["node"] = node


def with_perun(function):
    """Run ``function`` under perun with its default period; what it says, and its raw counters."""
    from perun import perun
    from perun.api.decorator import register_callback
    from perun.configuration import config
    from perun.core import Perun

    for section, key, value in (
        ("output", "data_out", os.environ["PERUN_OUT"]),
        ("monitor", "sampling_period", "1"),
    ):
        config.set(section, key, value)
    Perun(config)
    register_callback(keep)
    answer = perun()(function)()
    sensors, queue = [], [kept["node"]]
    while queue:
        node = queue.pop()
        queue += list(node.nodes.values())
        if node.raw_data is not None and node.raw_data.alt_values is not None:
            raw = node.raw_data
            joules = [int(value) / 1e6 for value in raw.alt_values]
            said = next(m.value for kind, m in node.metrics.items() if kind.name == "ENERGY")
            sensors.append({"id": node.id, "joules": float(said), "counter": joules[-1] - joules[0],
                            "times": [float(t) for t in raw.timesteps], "readings": joules})  # fmt: skip
    return answer, sensors


def on_the_tree(job: dict, folder: Path) -> dict:
    """Ours, CodeCarbon and perun around the same load, at the same time."""
    root = Path(os.environ["FAKE_POWERCAP"])
    tree = PowercapTree(root, packages=2)
    for number, zone in enumerate(tree.zones):
        tree.set(zone, 1000.0 + 111.0 * number)  # different counts, as on a real machine
    if job.get("wrap"):
        tree.set("package-0", SPAN_UJ / 1e6 - 100.0)
    source, tracker, found = metering.rapl(root).source, codecarbon_tracker("machine", str(root)), {}

    def run():
        tracker.start()
        with metering.measure("ours", source=source) as meter:
            found["true"] = work(tree, job["pattern"], job["seconds"])
        tracker.stop()
        found["ours"] = meter.as_dict()

    _, sensors = with_perun(run)
    counted = [zone for zone in found["true"] if not zone.endswith("core")]
    packages = [zone for zone in counted if "dram" not in zone]
    return {
        "true": math.fsum(found["true"][zone] for zone in counted),
        "true_packages": math.fsum(found["true"][zone] for zone in packages),
        "ours": found["ours"]["joules"], "ours_source": found["ours"]["source"],
        "codecarbon": codecarbon_says(tracker),
        "perun": math.fsum(sensor["joules"] for sensor in sensors), "perun_sensors": sensors,
    }  # fmt: skip


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        math.fsum(i * i for i in range(1000))


def estimated(job: dict, folder: Path) -> dict:
    """No sensor: the same loop on one core, and what each tool makes of it."""
    trackers = {mode: codecarbon_tracker(mode, None) for mode in ("machine", "process")}
    for tracker in trackers.values():
        tracker.start()
    with metering.measure("ours", source=metering.cpu_time().source) as meter:
        burn(job["seconds"])
    for tracker in trackers.values():
        tracker.stop()
    says = {mode: codecarbon_says(tracker) for mode, tracker in trackers.items()}
    return {"ours": meter.joules, "ours_low": meter.low, "ours_high": meter.high, "seconds": meter.seconds,
            "cpu_seconds": meter.cpu_seconds} | {f"codecarbon {mode}": value for mode, value in says.items()}  # fmt: skip


def cpu_seconds() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def overhead(job: dict, folder: Path) -> dict:
    """Processor time of a process that only sleeps, while a tool measures it; starting and stopping counted apart."""
    root = Path(os.environ["FAKE_POWERCAP"])
    PowercapTree(root, packages=2)
    tool, seconds = job["tool"], job["seconds"]
    if tool == "perun":
        with_perun(lambda: time.sleep(0.1))  # imports and first start
        spent = []
        for length in (1.0, 1.0 + seconds):
            before = cpu_seconds()
            with_perun(lambda length=length: time.sleep(length))
            spent.append(cpu_seconds() - before)
        return {"share": (spent[1] - spent[0]) / seconds, "start": spent[0]}
    if tool == "codecarbon":
        tracker = codecarbon_tracker("machine", str(root))
        before = cpu_seconds()
        tracker.start()
        started = cpu_seconds()
        time.sleep(seconds)
        ended = cpu_seconds()
        tracker.stop()
        return {"share": (ended - started) / seconds, "start": started - before}
    source = metering.rapl(root).source if tool == "ours" else metering.cpu_time().source
    before = cpu_seconds()
    meter = metering.measure("ours", source=source, period=1 / job["hertz"]).start()
    started = cpu_seconds()
    time.sleep(seconds)
    ended = cpu_seconds()
    meter.stop()
    return {"share": (ended - started) / seconds, "start": started - before}


def formula(job: dict, folder: Path) -> dict:
    """perun's own integration on a counter of 0, 10, 110 J at 0, 1, 2 s, and with a failed reading of 100, (0), 101 J."""
    import numpy as np
    from perun.data_model.data import RawData
    from perun.data_model.measurement_type import Magnitude, MetricMetaData, Unit
    from perun.processing import processEnergyData

    def says(joules):
        span = np.uint64(SPAN_UJ)
        counter = MetricMetaData(Unit.JOULE, Magnitude.MICRO, np.dtype("uint64"), np.uint64(0), span, span)
        stamps = MetricMetaData(Unit.SECOND, Magnitude.ONE, np.dtype("float32"), np.float32(0),
                                np.float32(1e9), np.float32(-1))  # fmt: skip
        micro = np.array([round(j * 1e6) for j in joules], dtype="uint64")
        raw = RawData(np.arange(len(joules), dtype="float32"), micro, stamps, counter)
        return [float(value) for value in processEnergyData(raw)]

    return {"counter 0, 10, 110 J": says([0, 10, 110]), "counter 100, failed, 101 J": says([100, 0, 101])}


PARTS = {"tree": on_the_tree, "estimated": estimated, "overhead": overhead, "formula": formula}

if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    record = PARTS[job["part"]](job, Path(os.environ["PERUN_OUT"]))
    print(json.dumps(record))
