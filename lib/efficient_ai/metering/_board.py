"""Sensors of the main board: hwmon files of Linux, and IPMI."""

import re
from functools import partial
from pathlib import Path

from efficient_ai.metering._sensors import Sensor, Source, Status, origin
from efficient_ai.metering._slurm import Run, run_tool

HWMON = Path("/sys/class/hwmon")
UPDATE, GAIN, LIMIT_W = 1.0, 0.05, 10_000.0
# Chips of which it is known what they cover.
_KNOWN = {"power_meter": "whole node", "amd_energy": "processor sockets"}
# The meters of an NVIDIA Grace module, the outer ones first: the module holds Grace (and a GPU, if there is one), and Grace its
# cores and its input and output. Source: NVIDIA's guide to the performance tuning of Grace, "power telemetry".
_GRACE = {"module": 0, "grace": 1, "cpu": 2, "sysio": 2}


def hwmon(root: Path = HWMON) -> Status:
    """Power meters of the node or of its modules, else the sockets' energy counters; each joule once.

    A meter that lies inside of another one, and a chip of unknown reach, are named and not summed.
    """
    root, denied, beside = Path(root), [], []
    found: dict[str, list[tuple[Sensor, Path]]] = {}
    for chip in sorted(root.glob("hwmon*")) if root.is_dir() else []:
        name = _text(chip / "name") or _text(chip / "device" / "name")
        files = _meters(chip) or _meters(chip / "device")  # ACPI meters lie one folder deeper
        for file in files:
            label = _label(file)
            if name not in _KNOWN or (name == "amd_energy" and not label.startswith("Esocket")):
                beside.append(f"{name or chip.name} {label}: not known what it covers, or part of a socket")
            elif _micro(file) is None:
                denied.append(str(file))
            else:
                counter = file.name.startswith("energy")
                sensor = Sensor(
                    f"{name} {label}", partial(_micro, file), counter=counter, update=_update(file), gain=GAIN, limit=LIMIT_W
                )  # fmt: skip
                found.setdefault(name, []).append((sensor, file))
    for name, covers in _KNOWN.items():
        if found.get(name):
            kept, inside, what = _outer(found[name]) if name == "power_meter" else (found[name], [], "")
            rest = [f"{other}: overlaps with {name}" for other in found if other != name]
            source = Source(
                origin(root, HWMON, "hwmon"), [sensor for sensor, _ in kept], what or covers, [*beside, *inside, *rest],
                processors=name == "amd_energy" or what.startswith("Grace"),
            )  # fmt: skip
            return Status("hwmon", "ok", f"{name} below {root}", source)
    if denied:
        return Status("hwmon", "denied", f"{denied[0]} cannot be read; ask the administrator for a udev rule")
    return Status("hwmon", "missing", f"no power meter below {root}" + (f" ({beside[0]})" if beside else ""))


def _meters(folder: Path) -> list[Path]:
    files = [*sorted(folder.glob("energy*_input")), *sorted(folder.glob("power*_average"))]
    return files or sorted(folder.glob("power*_input"))


def _outer(meters: list[tuple[Sensor, Path]]) -> tuple[list, list[str], str]:
    """The meters that no other one contains, what to say of the rest, and what they cover if it is not the node."""
    levels = {}
    for sensor, file in meters:
        words = _label(file).lower().split()
        socket = words[words.index("socket") + 1] if "socket" in words[:-1] else ""
        level = next((_GRACE[word] for word in words if word in _GRACE), None)
        if level is not None:
            levels.setdefault(socket, []).append((level, sensor, file))
    if levels:
        kept, beside, outermost = [], [], min(level for found in levels.values() for level, *_ in found)
        for socket, found in levels.items():
            top = min(level for level, *_ in found)
            kept += [(sensor, file) for level, sensor, file in found if level == top]
            beside += [
                f"{sensor.name}: part of another meter of socket {socket}"
                for level, sensor, _ in found
                if level > top
            ]
        named = {file for found in levels.values() for *_, file in found}
        beside += [
            f"{sensor.name}: may hold the modules, or not" for sensor, file in meters if file not in named
        ]
        what = (
            f"{len(levels)} module(s), a GPU in it included"
            if outermost == 0
            else f"Grace, {len(levels)} socket(s)"
        )
        return kept, beside, what
    if len(meters) == 1:
        return meters, [], ""
    first = max(meters, key=lambda meter: meter[0].read() or 0.0)
    return (
        [first],
        [
            f"{sensor.name}: may be a part of {first[0].name}"
            for sensor, _ in meters
            if sensor is not first[0]
        ],
        "",
    )


def ipmi(run: Run = run_tool) -> Status:
    """Power of the whole node from its management controller, through ``ipmitool``; usually for root only."""

    def read() -> float | None:
        try:
            match = re.search(r"Instantaneous power reading:\s*(\d+)\s*Watts", run(command))
        except OSError:
            return None
        return float(match[1]) if match and float(match[1]) > 0 else None

    command = ["ipmitool", "dcmi", "power", "reading"]
    try:
        run(command)
    except FileNotFoundError:
        return Status("ipmi", "missing", "ipmitool is not installed")
    except OSError as error:
        return Status("ipmi", "denied", f"{str(error).strip()[:120]}; ask for the group of /dev/ipmi0")
    if read() is None:
        return Status("ipmi", "off", "the controller gives no power")
    sensor = Sensor("node", read, counter=False, update=UPDATE, gain=GAIN, limit=LIMIT_W, pace=UPDATE)
    return Status("ipmi", "ok", "ipmitool dcmi", Source("measured:ipmi", [sensor], "whole node"))


def _micro(file: Path) -> float | None:
    try:
        return int(file.read_text()) / 1e6
    except (OSError, ValueError):
        return None


def _label(file: Path) -> str:
    """What a meter calls itself; the beginning of its file's name if it does not."""
    number = file.name.split("_")[0]
    texts = (_text(file.parent / f"{number}_{what}") for what in ("label", "oem_info"))
    return next((text for text in texts if text), number)


def _update(file: Path) -> float:
    """Seconds between two updates, from the file that tells the milliseconds, if there is one."""
    told = _text(file.parent / f"{file.name.split('_')[0]}_average_interval")
    return int(told) / 1000 if told.isdigit() and int(told) else UPDATE


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
