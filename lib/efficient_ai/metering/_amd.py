"""Energy of AMD boards by the counter of AMD SMI: an accumulator and its resolution in microjoules.

Source of the names: documentation of the Python package ``amdsmi`` (``amdsmi_get_energy_count``), which comes with ROCm.
"""

import os
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

from efficient_ai.metering._sensors import Sensor, Source, Status

UPDATE, GAIN, LIMIT_W = 0.1, 0.05, 2000.0


def amdsmi(library: Any = None, environment: Mapping[str, str] | None = None) -> Status:
    """The boards that this process may use (``ROCR_VISIBLE_DEVICES``, ``HIP_VISIBLE_DEVICES``), or the reason why there is none.

    Args:
        library: stands in for the module ``amdsmi``.
        environment: stands in for that of the process.
    """
    environment = os.environ if environment is None else environment
    if library is None:
        try:
            library = import_module("amdsmi")
        except (ImportError, OSError, KeyError):  # without ROCm its shared library is not found
            return Status("amdsmi", "missing", "the package amdsmi, which comes with ROCm, is not installed")
    try:
        library.amdsmi_init()
        boards = list(library.amdsmi_get_processor_handles())
    except Exception as error:  # the package's own errors have no common ancestor in all its versions
        return Status("amdsmi", "missing", f"no AMD driver ({error})")
    ours = list(range(len(boards)))
    for name in ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"):  # the second counts what the first leaves
        if name in environment:
            numbers = [part.strip() for part in environment[name].split(",")]
            ours = [ours[int(part)] for part in numbers if part.isdigit() and int(part) < len(ours)]
    sensors, silent = [], []
    for i in ours:
        read = partial(_joules, library, boards[i])
        try:
            read()
            sensors.append(Sensor(f"gpu {i}", read, update=UPDATE, gain=GAIN, limit=LIMIT_W))
        except Exception as error:
            silent.append(f"gpu {i}: {error}")
    if not sensors:
        detail = "; ".join(silent) or ("all boards are hidden" if boards else "the driver knows no board")
        return Status("amdsmi", "denied" if silent else "missing", detail)
    covers = f"{len(sensors)} GPU board{'s' if len(sensors) > 1 else ''}"
    covers += f" of {len(ours)} ({'; '.join(silent)})" if silent else ""
    return Status("amdsmi", "ok", covers, Source("measured:amdsmi", sensors, covers, notes=silent))


def _joules(library: Any, board: Any) -> float:
    answer = library.amdsmi_get_energy_count(board)
    ticks = (
        answer["energy_accumulator"] if "energy_accumulator" in answer else answer["power"]
    )  # its name before ROCm 6.2
    return ticks * answer["counter_resolution"] / 1e6
