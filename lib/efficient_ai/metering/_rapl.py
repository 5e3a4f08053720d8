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
        return Status("rapl", "denied", f"{denied[0].path / 'energy_uj'} is for root only (since Linux 5.10)")
    broken = [zone for zone in wanted if _kind(zone) == "package" and zone.state != "ok"]
    if broken or not packages:
        return Status("rapl", "missing", f"{broken[0].path if broken else root}: {broken[0].detail}")
    summed = [zone for zone in wanted if zone.state == "ok"]
    sensors = [
        Sensor(
            _name(zone),
            partial(read_joules, zone.path / "energy_uj"),
            span=zone.span,
            update=UPDATE,
            gain=GAIN,
        )
        for zone in summed
    ]
    beside = [f"{_name(zone)}: {_why_not(zone)}" for zone in found if zone not in summed]
    beside += [f"{twin.name}: repeats a package" for twin in sorted(root.glob("intel-rapl-mmio:*"))]
    memory = sum(_kind(zone) == "dram" for zone in summed)
    covers = f"{len(packages)} processor package{'s' if len(packages) > 1 else ''}"
    covers += " and memory" if memory else ", memory not included"
    return Status(
        "rapl",
        "ok",
        f"{len(sensors)} zones below {root}",
        Source(origin(root, POWERCAP, "rapl"), sensors, covers, beside),
    )


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
