"""The node's counters of HPE Cray machines: files of joules below ``/sys/cray/pm_counters``, readable by everybody.

A file holds ``<value> J <time in microseconds> us``; ``energy`` is the whole node, ``raw_scan_hz`` how often it is renewed. Source:
the documentation of HPE Cray EX, and Slurm's plug-in ``acct_gather_energy/pm_counters``, which reads the same files.
"""

from functools import partial
from pathlib import Path

from efficient_ai.metering._sensors import Sensor, Source, Status, origin

PM_COUNTERS = Path("/sys/cray/pm_counters")
GAIN, LIMIT_W = 0.05, 10_000.0


def pm_counters(root: Path = PM_COUNTERS) -> Status:
    """The energy of the whole node; processors, memory and accelerators are parts of it and named beside."""
    root = Path(root)
    if not root.is_dir():
        return Status("pm_counters", "missing", f"{root} is not there: no HPE Cray node")
    try:
        first = read_value(root / "energy")
    except PermissionError:
        return Status("pm_counters", "denied", f"{root / 'energy'} is not readable; ask the site")
    if first is None:
        return Status("pm_counters", "off", f"{root / 'energy'} has no value")
    hertz = read_value(root / "raw_scan_hz") or 10.0
    sensor = Sensor("node", partial(read_value, root / "energy"), update=1 / hertz, gain=GAIN, limit=LIMIT_W)
    beside = [f"{path.name}: part of the node" for path in sorted(root.glob("*_energy"))]
    source = Source(origin(root, PM_COUNTERS, "pm_counters"), [sensor], "whole node", beside)
    return Status("pm_counters", "ok", str(root), source)


def read_value(path: Path) -> float | None:
    """The number at the beginning of a file; ``None`` if there is none."""
    try:
        return float(path.read_text().split()[0])
    except PermissionError:
        raise
    except (OSError, IndexError, ValueError):
        return None
