"""Processor and memory energy from the powercap tree of Linux (RAPL), each joule once.

The tree is ``/sys/class/powercap/intel-rapl:N`` for packages with children ``intel-rapl:N:M``; AMD uses the same names.
The flat folder lists parents and children, and the children stand once more inside their parents: real paths tell them
apart. ``core`` and ``uncore`` are parts of their package, ``psys`` contains the packages, ``intel-rapl-mmio`` repeats
one: none of these is summed. ``dram`` stands beside the package and is.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from efficient_ai.metering._sensors import Sensor, Source, Status, origin

POWERCAP = Path("/sys/class/powercap")
_ZONE = re.compile(r"intel-rapl:\d+(:\d+)?")
_TWIN = re.compile(r"intel-rapl-mmio:\d+(:\d+)?")
UPDATE, GAIN = 0.001, 0.03  # the counter moves about every millisecond; a few per cent of the package
PACKAGE_W, DRAM_W = 2000.0, 500.0  # of a zone that does not tell its own
HOW = (
    'ask the administrator for a group that may read it (udev rule: SUBSYSTEM=="powercap", RUN+="/bin/chmod -R g+r ..."), or for '
    "the capability CAP_PERFMON or kernel.perf_event_paranoid=0, with which the perf events say the same"
)


@dataclass(frozen=True)
class Zone:
    """One folder of the tree.

    Args:
        path: real path, so that links to it are the same zone.
        name: content of its ``name`` file.
        span: joules of ``max_energy_range_uj``, ``None`` if that cannot be read.
        state: ``"ok"``, ``"denied"`` (the file is there and not for us) or ``"missing"`` (no counter, or nothing in it).
        detail: the reason where the state is not ok.
    """

    path: Path
    name: str
    span: float | None
    state: str
    detail: str = ""


def zones(root: Path = POWERCAP) -> list[Zone]:
    """Every zone of the tree once, packages before their children."""
    found = {path.resolve(): path for path in _walk(root)}
    return [_zone(path) for path in sorted(found, key=lambda path: (len(path.parts), str(path)))]


def rapl(root: Path = POWERCAP) -> Status:
    """Packages and their memory as one source, or the reason why there is none."""
    root = Path(root)
    if not root.is_dir():
        return Status("rapl", "missing", f"{root} is not there: a virtual machine, a container, or no Linux")
    found = zones(root)
    wanted = [zone for zone in found if _kind(zone) in ("package", "dram")]
    if not wanted:
        return Status("rapl", "missing", f"no package zone below {root}")
    denied = [zone for zone in wanted if zone.state == "denied"]
    packages = [zone for zone in wanted if _kind(zone) == "package" and zone.state == "ok"]
    if denied:  # a sum without one of the packages would look like a measurement of all of them
        return Status(
            "rapl", "denied", f"{denied[0].path / 'energy_uj'} is for root only (since Linux 5.10); {HOW}"
        )
    broken = [zone for zone in wanted if _kind(zone) == "package" and zone.state != "ok"]
    if broken or not packages:
        return Status("rapl", "missing", f"{broken[0].path if broken else root}: {broken[0].detail}")
    summed = [zone for zone in wanted if zone.state == "ok"]
    first = {}  # of a socket with several dies; they may all show one counter
    for zone in packages:
        first.setdefault(_socket(zone), _name(zone))
    sensors = [
        Sensor(
            _name(zone),
            partial(read_joules, zone.path / "energy_uj"),
            span=zone.span,
            update=UPDATE,
            gain=GAIN,
            limit=_limit(zone),
            twin="" if zone not in packages or first[_socket(zone)] == _name(zone) else first[_socket(zone)],
        )
        for zone in summed
    ]
    beside = [f"{_name(zone)}: {_why_not(zone)}" for zone in found if zone not in summed]
    beside += [f"{twin.name}: repeats a package" for twin in sorted(root.glob("intel-rapl-mmio:*"))]
    return Status(
        "rapl",
        "ok",
        f"{len(sensors)} zones below {root}",
        Source(origin(root, POWERCAP, "rapl"), sensors, _covers(packages, summed), beside),
    )


def _covers(packages: list[Zone], summed: list[Zone]) -> str:
    """What is in the sum, and which package has its memory in it."""
    covers = f"{len(packages)} processor package{'s' if len(packages) > 1 else ''}"
    above = {zone.path.parent for zone in summed if _kind(zone) == "dram"}
    with_memory = [zone for zone in packages if zone.path in above]
    if len(with_memory) == len(packages):
        return f"{covers} and memory"
    if not with_memory:
        return f"{covers}, memory not included"
    without = [_name(zone) for zone in packages if zone.path not in above]
    return f"{covers} and memory, that of {', '.join(without)} not included"


def _socket(zone: Zone) -> str:
    """``package-0`` of ``package-0-die-1``."""
    return re.sub(r"-die-\d+$", "", zone.name)


def _limit(zone: Zone) -> float:
    """Largest power: twice what the zone says it may draw for long, for it may draw more for moments."""
    names = [f"constraint_{i}_{what}_uw" for i in range(3) for what in ("max_power", "power_limit")]
    told = max((read_joules(zone.path / name) or 0.0 for name in names), default=0.0)
    otherwise = DRAM_W if _kind(zone) == "dram" else PACKAGE_W
    return max(2 * told, 100.0) if told else otherwise


def read_joules(path: Path) -> float | None:
    """The counter in joules; ``None`` if it cannot be read, is empty, or is no number. Never 0 for a failure."""
    try:
        return int(path.read_text()) / 1e6
    except (OSError, ValueError):
        return None


def _walk(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if _ZONE.fullmatch(path.name) and path.is_dir():
            yield path
            yield from (child for child in path.iterdir() if _ZONE.fullmatch(child.name) and child.is_dir())


def _zone(path: Path) -> Zone:
    span = read_joules(path / "max_energy_range_uj")
    name = _text(path / "name") or "?"
    try:
        text = (path / "energy_uj").read_text()
    except PermissionError as error:
        return Zone(path, name, span, "denied", str(error))
    except OSError as error:
        return Zone(path, name, span, "missing", str(error))
    if not text.strip().isdigit():
        return Zone(path, name, span, "missing", f"energy_uj holds {text.strip()!r}")
    return Zone(path, name, span, "ok")


def _kind(zone: Zone) -> str:
    """``package``, ``dram``, ``part`` (of a package), ``psys`` or ``other``."""
    child = bool(_ZONE.fullmatch(zone.path.parent.name))
    if not child:
        return "package" if zone.name.startswith("package") else "psys" if zone.name == "psys" else "other"
    return zone.name if zone.name == "dram" else "part"


def _name(zone: Zone) -> str:
    inside = _ZONE.fullmatch(zone.path.parent.name)
    return f"{_text(zone.path.parent / 'name')} {zone.name}" if inside else zone.name


def _why_not(zone: Zone) -> str:
    if zone.state != "ok":
        return f"{zone.state}, {zone.detail}"
    reasons = {"part": "part of its package", "psys": "contains the packages"}
    return reasons.get(_kind(zone), "unknown zone")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
