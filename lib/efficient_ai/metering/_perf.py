"""Processor and memory energy from the kernel's power events (``perf_event_open``): 64 bits, so nothing wraps.

The folder ``/sys/bus/event_source/devices/power`` tells the number of the unit, the events (``energy-pkg``, ``energy-ram``), the joules
of one count (``.scale``) and one processor of each package (``cpumask``). Source: the kernel's ``tools/perf`` and its description of
``perf_event_open``. Needs ``kernel.perf_event_paranoid`` of 0 or less, or the capability CAP_PERFMON.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

from efficient_ai.metering._rapl import DRAM_W, GAIN, HOW, PACKAGE_W, UPDATE
from efficient_ai.metering._sensors import Sensor, Source, Status, origin

EVENTS = Path("/sys/bus/event_source/devices/power")
_SYSCALL = {"x86_64": 298, "aarch64": 241}
_SIZE = 64  # of the first published version of the structure

Open = Callable[[int, int, int], Callable[[], int]]


def open_event(unit: int, event: int, cpu: int) -> Callable[[], int]:
    """A reader of one event on one processor, for all processes.

    Raises:
        OSError: the kernel refuses.
    """
    attributes = struct.pack("IIQ", unit, _SIZE, event).ljust(_SIZE, b"\0")
    library = ctypes.CDLL(None, use_errno=True)
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise OSError(f"the number of perf_event_open on {platform.machine()} is not known here")
    file = library.syscall(number, attributes, -1, cpu, -1, 8)  # 8: closed when another program is started
    if file < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    stream = os.fdopen(file, "rb", buffering=0)  # closed with the last reader
    return lambda: struct.unpack("Q", stream.read(8))[0]


def perf(root: Path = EVENTS, open_event: Open = open_event) -> Status:
    """Packages and their memory as one source, or the reason why there is none.

    Args:
        root, open_event: stand in for the kernel's.
    """
    root = Path(root)
    if not (root / "events" / "energy-pkg").is_file():
        return Status("perf", "missing", f"no event energy-pkg below {root}")
    try:
        unit = int((root / "type").read_text())
        places = _numbers((root / "cpumask").read_text())
        sensors = []
        for event, name, limit in (("energy-pkg", "package", PACKAGE_W), ("energy-ram", "dram", DRAM_W)):
            if not (root / "events" / event).is_file():
                continue
            code = int((root / "events" / event).read_text().strip().removeprefix("event="), 16)
            joules = float((root / "events" / f"{event}.scale").read_text())
            for i, cpu in enumerate(places):
                count = open_event(unit, code, cpu)
                read = partial(lambda count, joules: count() * joules, count, joules)
                sensors.append(Sensor(f"{name}-{i}", read, update=UPDATE, gain=GAIN, limit=limit))
    except PermissionError:
        return Status("perf", "denied", f"the events below {root} are not for everybody; {HOW}")
    except (OSError, ValueError) as error:
        return Status("perf", "missing", f"{root}: {error}")
    covers = f"{len(places)} processor package{'s' if len(places) > 1 else ''}"
    covers += " and memory" if len(sensors) > len(places) else ", memory not included"
    return Status("perf", "ok", str(root), Source(origin(root, EVENTS, "perf"), sensors, covers))


def _numbers(text: str) -> list[int]:
    """``0,18`` or ``0-1`` as numbers."""
    found = []
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found
