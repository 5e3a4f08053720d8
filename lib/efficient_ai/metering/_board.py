"""Sensors of the main board: hwmon files of Linux, and IPMI."""

import re
from functools import partial
from pathlib import Path

from efficient_ai.metering._sensors import Sensor, Source, Status, origin
from efficient_ai.metering._slurm import Run, run_tool

HWMON = Path("/sys/class/hwmon")
UPDATE, GAIN = 1.0, 0.05
# Chips of which it is known what they cover: power of the whole node, or of the processors' sockets.
_KNOWN = {"power_meter": "whole node", "amd_energy": "processor sockets"}


def hwmon(root: Path = HWMON) -> Status:
    """A node's power meter, else the sockets' energy counters; chips of unknown reach are named and not summed."""
    root, denied, beside = Path(root), [], []
    found: dict[str, list[Sensor]] = {}
    for chip in sorted(root.glob("hwmon*")) if root.is_dir() else []:
        try:
            name = (chip / "name").read_text().strip()
        except OSError:
            continue
        files = [*sorted(chip.glob("energy*_input")), *sorted(chip.glob("power*_average"))]
        files += [] if files else sorted(chip.glob("power*_input"))
        for file in files:
            label = _label(file)
            if name not in _KNOWN or (name == "amd_energy" and not label.startswith("Esocket")):
                beside.append(f"{name} {label}: not known what it covers, or part of a socket")
            elif _micro(file) is None:
                denied.append(str(file))
            else:
                counter = file.name.startswith("energy")
                sensor = Sensor(
                    f"{name} {label}", partial(_micro, file), counter=counter, update=UPDATE, gain=GAIN
                )
                found.setdefault(name, []).append(sensor)
    for name, covers in _KNOWN.items():
        if found.get(name):
            rest = [f"{other}: overlaps with {name}" for other in found if other != name]
            source = Source(origin(root, HWMON, "hwmon"), found[name], covers, [*beside, *rest])
            return Status("hwmon", "ok", f"{name} below {root}", source)
    if denied:
        return Status("hwmon", "denied", f"{denied[0]} cannot be read")
    return Status("hwmon", "missing", f"no power meter below {root}" + (f" ({beside[0]})" if beside else ""))


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
        return Status("ipmi", "denied", str(error).strip()[:120])
    if read() is None:
        return Status("ipmi", "off", "the controller gives no power")
    sensor = Sensor("node", read, counter=False, update=UPDATE, gain=GAIN)
    return Status("ipmi", "ok", "ipmitool dcmi", Source("measured:ipmi", [sensor], "whole node"))


def _micro(file: Path) -> float | None:
    try:
        return int(file.read_text()) / 1e6
    except (OSError, ValueError):
        return None


def _label(file: Path) -> str:
    try:
        return (file.parent / f"{file.name.split('_')[0]}_label").read_text().strip()
    except OSError:
        return file.name.split("_")[0]
