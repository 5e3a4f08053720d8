"""Energy of NVIDIA boards: the counter where the board has one, else its power."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from efficient_ai.metering._sensors import Sensor, Source, Status

UPDATE, GAIN = 0.1, 0.05  # the counter moves every 20 to 100 ms; the maker states 5 per cent
LIMIT_W = 1000.0  # of a board that does not tell its own
PEAK = 1.2  # what a board draws for moments, over the limit that it tells


def nvml(library: Any = None, environment: Mapping[str, str] | None = None) -> Status:
    """The boards that this process may use as one source, or the reason why there is none.

    Boards that only idle count as well: they draw power. ``CUDA_VISIBLE_DEVICES`` says which are ours, by number, identifier,
    or identifier of a part of a board (MIG); of a part the whole board is read, and said so. A board that is lost drops none of
    the others. Needs the package ``nvidia-ml-py``.

    Args:
        library: stands in for the module ``pynvml``.
        environment: stands in for that of the process.
    """
    environment = os.environ if environment is None else environment
    if library is None:
        try:
            library = import_module("pynvml")
        except ImportError:
            return Status("nvml", "missing", "the package nvidia-ml-py is not installed")
    try:
        library.nvmlInit()
        count = library.nvmlDeviceGetCount()
    except library.NVMLError as error:
        return Status("nvml", "missing", f"no NVIDIA driver ({error})")
    if not count:
        return Status("nvml", "missing", "the driver knows no board")
    boards, lost = {}, []
    for i in range(count):
        try:
            boards[i] = library.nvmlDeviceGetHandleByIndex(i)
        except library.NVMLError as error:
            lost.append(f"gpu {i} is lost ({error})")
    try:
        ours, notes = visible(environment.get("CUDA_VISIBLE_DEVICES"), boards, count, library)
    except LookupError as error:
        return Status("nvml", "denied", str(error))
    if not ours:
        return Status("nvml", "off", "CUDA_VISIBLE_DEVICES leaves this process no board")
    sensors, silent = [], []
    for i in ours:
        if i not in boards:
            continue
        board = boards[i]
        counter = partial(_try, library, "nvmlDeviceGetTotalEnergyConsumption", board)
        power = partial(_try, library, "nvmlDeviceGetPowerUsage", board)
        limit = _limit(library, board)
        if counter() is not None:
            sensors.append(Sensor(f"gpu {i}", counter, update=UPDATE, gain=GAIN, limit=limit))
        elif power() is not None:
            sensors.append(
                Sensor(f"gpu {i} (power)", power, counter=False, update=1.0, gain=GAIN, limit=limit)
            )
        else:
            silent.append(f"gpu {i} gives neither energy nor power")
    lost = [text for text in lost if int(text.split()[1]) in ours]
    if not sensors:
        return Status("nvml", "denied" if silent else "missing", "; ".join([*silent, *lost]))
    covers = f"{len(sensors)} GPU board{'s' if len(sensors) > 1 else ''}"
    covers += f" of {len(ours)} ({'; '.join([*lost, *silent])})" if len(sensors) < len(ours) else ""
    beside = [f"gpu {i}: not ours by CUDA_VISIBLE_DEVICES" for i in range(count) if i not in ours]
    return Status(
        "nvml", "ok", covers, Source("measured:nvml", sensors, covers, beside, [*notes, *lost, *silent])
    )


def visible(
    wanted: str | None, boards: Mapping[int, Any], count: int, library: Any
) -> tuple[list[int], list[str]]:
    """Numbers of the boards that ``CUDA_VISIBLE_DEVICES`` leaves, and what to say about them; CUDA stops at the first wrong one.

    Raises:
        LookupError: a part of a board is named, and the driver does not say of which.
    """
    if wanted is None:
        return list(range(count)), []
    ours, notes = [], []
    for name in (part.strip() for part in wanted.split(",")):
        if name.isdigit() and int(name) < count:
            ours.append(int(name))
        elif name.startswith("MIG-"):
            ours.append(_board_of(name, boards, library))
            notes.append(f"{name} is a part of gpu {ours[-1]}, and the whole board is read")
        elif name.startswith("GPU-") and (
            found := [i for i in boards if _identifier(library, boards[i]).startswith(name)]
        ):
            ours.append(found[0])
        else:
            break
    return list(dict.fromkeys(ours)), notes


def _board_of(name: str, boards: Mapping[int, Any], library: Any) -> int:
    if name.startswith("MIG-GPU-"):  # as older drivers name it: board, then numbers of the part
        identifier = name.removeprefix("MIG-").split("/")[0]
    else:
        try:
            part = library.nvmlDeviceGetHandleByUUID(name)
            identifier = _identifier(library, library.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(part))
        except (library.NVMLError, AttributeError) as error:
            raise LookupError(f"the driver does not say which board {name} is a part of ({error})") from error
    found = [i for i in boards if identifier and _identifier(library, boards[i]) == identifier]
    if not found:
        raise LookupError(f"the driver knows no board {identifier}, of which {name} is a part")
    return found[0]


def _identifier(library: Any, board: Any) -> str:
    try:
        name = library.nvmlDeviceGetUUID(board)
    except (library.NVMLError, AttributeError):
        return ""
    return name.decode() if isinstance(name, bytes) else name


def _limit(library: Any, board: Any) -> float:
    try:
        return PEAK * library.nvmlDeviceGetPowerManagementLimitConstraints(board)[1] / 1000 or LIMIT_W
    except (library.NVMLError, AttributeError):
        return LIMIT_W


def _try(library: Any, call: str | Callable, board: Any) -> float | None:
    """Joules or watts (the driver counts thousandths); ``None`` if it refuses."""
    try:
        return getattr(library, call)(board) / 1000
    except library.NVMLError:
        return None
