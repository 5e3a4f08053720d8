"""Which source is used: the first of a fixed order that can be read. What was passed over, and why, stays visible."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from efficient_ai.metering._amd import amdsmi
from efficient_ai.metering._board import HWMON, hwmon, ipmi
from efficient_ai.metering._cray import PM_COUNTERS, pm_counters
from efficient_ai.metering._estimate import CpuModel, cpu_time
from efficient_ai.metering._nvml import nvml
from efficient_ai.metering._perf import EVENTS, perf
from efficient_ai.metering._rapl import POWERCAP, rapl
from efficient_ai.metering._sensors import Source, Status
from efficient_ai.metering._slurm import Run, run_tool, slurm

_HOSTS = ("pm_counters", "rapl", "perf", "hwmon", "ipmi")  # of one host, the best first
_BOARDS = ("nvml", "amdsmi")


def survey(
    powercap: Path = POWERCAP,
    hwmon_root: Path = HWMON,
    nvml_library: Any = None,
    environment: Mapping[str, str] | None = None,
    run: Run = run_tool,
    cray: Path = PM_COUNTERS,
    events: Path = EVENTS,
    amd_library: Any = None,
) -> list[Status]:
    """Every source with its state, best first. All arguments stand in for the machine's own, for tests."""
    environment = os.environ if environment is None else environment
    return [
        slurm(environment, run),
        pm_counters(cray),
        rapl(powercap),
        perf(events),
        nvml(nvml_library, environment),
        amdsmi(amd_library, environment),
        hwmon(hwmon_root),
        ipmi(run),
        cpu_time(),
    ]


@cache
def survey_here() -> tuple[Status, ...]:
    """:func:`survey` of this machine, looked at once per process."""
    return tuple(survey())


def best(
    statuses: list[Status] | tuple[Status, ...] | None = None,
    cores: float | None = None,
    model: CpuModel | None = None,
) -> Source:
    """The source to use.

    In this order: the job's energy from Slurm; the node's counter of a Cray; processor counters, with those of the boards if
    there are any; a power meter of the whole node; boards, with an estimate for the processor; the estimate alone. Where an
    estimate is part of it, the source's notes say why each other source is not used.

    Args:
        statuses: of :func:`survey`; those of this machine if not given.
        cores, model: of an estimate, see :func:`cpu_time`.
    """
    statuses = statuses or survey_here()
    found = {status.name: status.source for status in statuses if status.source}
    if "slurm" in found:
        return found["slurm"]
    boards = [found[name] for name in _BOARDS if name in found]
    for name in _HOSTS:
        if name in found:
            parts = boards if found[name].processors or name in ("rapl", "perf") else []
            return sum(parts, start=found[name])
    why = [str(status) for status in statuses if status.state != "ok"]
    estimate = cpu_time(model, cores=cores).source
    whole = sum([*boards[1:], estimate], start=boards[0]) if boards else estimate
    return replace(whole, notes=[*whole.notes, *why])
