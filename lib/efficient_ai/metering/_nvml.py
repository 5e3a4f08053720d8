"""Energy of NVIDIA boards: the counter where the board has one, else its power."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from efficient_ai.metering._sensors import Sensor, Source, Status

UPDATE, GAIN = 0.1, 0.05  # the counter moves every 20 to 100 ms; the maker states 5 per cent


def nvml(library: Any = None) -> Status:
    """All boards of this host as one source, or the reason why there is none.

    Boards that only idle count as well: they draw power. Needs the package ``nvidia-ml-py``.

    Args:
        library: stands in for the module ``pynvml``.
    """
    if library is None:
        try:
            library = import_module("pynvml")
        except ImportError:
            return Status("nvml", "missing", "the package nvidia-ml-py is not installed")
    try:
        library.nvmlInit()
        boards = [library.nvmlDeviceGetHandleByIndex(i) for i in range(library.nvmlDeviceGetCount())]
    except library.NVMLError as error:
        return Status("nvml", "missing", f"no NVIDIA driver ({error})")
    if not boards:
        return Status("nvml", "missing", "the driver knows no board")
    sensors = []
    for i, board in enumerate(boards):
        counter = partial(_try, library, library.nvmlDeviceGetTotalEnergyConsumption, board)
        power = partial(_try, library, library.nvmlDeviceGetPowerUsage, board)
        if counter() is not None:
            sensors.append(Sensor(f"gpu {i}", counter, update=UPDATE, gain=GAIN))
        elif power() is not None:
            sensors.append(Sensor(f"gpu {i} (power)", power, counter=False, update=1.0, gain=GAIN))
        else:
            return Status("nvml", "denied", f"board {i} gives neither energy nor power")
    covers = f"{len(boards)} GPU board{'s' if len(boards) > 1 else ''}"
    return Status("nvml", "ok", covers, Source("measured:nvml", sensors, covers))


def _try(library: Any, call: Callable, board: Any) -> float | None:
    """Joules or watts (the driver counts thousandths); ``None`` if it refuses."""
    try:
        return call(board) / 1000
    except library.NVMLError:
        return None
