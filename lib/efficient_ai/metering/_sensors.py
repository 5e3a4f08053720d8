"""What every source of energy readings has in common."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from efficient_ai.metering._integrate import LIMIT_W

if TYPE_CHECKING:
    from efficient_ai.metering._estimate import Estimate

STATES = ("ok", "denied", "missing", "off", "shared")
"""Why a source can or cannot be read: readable; there but not for this user; not there; there and switched off or
without a value; there, but its numbers hold other users too."""


class EnergyError(RuntimeError):
    """No energy can be given; the message says why and what to do."""


@dataclass(frozen=True)
class Sensor:
    """One thing that can be read.

    Args:
        name: what it measures, for example ``"package-0"`` or ``"gpu 1"``.
        read: returns joules (counter) or watts (power), or ``None`` if the reading failed.
        counter: True for a cumulative counter in joules.
        span: joules at which the counter starts again.
        update: seconds between two updates inside the sensor.
        gain: relative uncertainty of its scale.
        limit: largest power in watts: bounds what is used between two updates, and tells a wrap from a reset.
        scope: what it sees: ``"host"``, or ``"job"`` (all nodes of a batch job).
        twin: the sensor whose counter this one may only repeat; if it does, it is left out.
        pace: seconds between two readings in the background at least, for a sensor that is dear to read.
    """

    name: str
    read: Callable[[], float | None]
    counter: bool = True
    span: float | None = None
    update: float = 0.001
    gain: float = 0.0
    limit: float = LIMIT_W
    scope: str = "host"
    twin: str = ""
    pace: float = 0.0

    def __post_init__(self):
        if not (
            0 < self.limit < math.inf and 0 <= self.update < math.inf and (self.span is None or self.span > 0)
        ):
            raise ValueError(
                f"sensor {self.name}: limit {self.limit} W, update {self.update} s, span {self.span} J: "
                "give a largest power above 0, an update period and, if it wraps, a range above 0"
            )
        if self.scope not in ("host", "job"):
            raise ValueError(f"sensor {self.name}: scope is 'host' or 'job', not {self.scope!r}")

    @property
    def longest_period(self) -> float:
        """Seconds between two readings that no wrap can hide in."""
        return math.inf if self.span is None else self.span / self.limit


@dataclass(frozen=True)
class Source:
    """Sensors that are summed, under one label; and the processor's estimate, if it is part of the sum.

    Args:
        label: ``measured:rapl``, ``measured:nvml``, ``measured:slurm``, ..., ``replayed:<trace>`` or ``estimated:cpu-time``; two of
            them joined by `` + `` where both are summed.
        sensors: summed; no two of them measure the same joules.
        covers: what is in the number, in a few words.
        beside: names of sensors that were found and are not summed, with the reason.
        notes: why nothing better is used.
        estimate: what the processes used by a model.
        processors: True if it sees the processors alone, so that boards are to be added.
    """

    label: str
    sensors: Sequence[Sensor]
    covers: str
    beside: Sequence[str] = ()
    notes: Sequence[str] = ()
    estimate: "Estimate | None" = None
    processors: bool = False

    @property
    def measured(self) -> bool:
        """True if every joule in it comes from a sensor of this machine."""
        return is_measured(self.label)

    def __add__(self, other: "Source") -> "Source":
        """Both, summed, under both labels."""
        return Source(
            f"{self.label} + {other.label}",
            [*self.sensors, *other.sensors],
            f"{self.covers}; {other.covers}",
            [*self.beside, *other.beside],
            [*self.notes, *other.notes],
            self.estimate or other.estimate,
        )


def is_measured(label: str) -> bool:
    """True if every part of a label names a sensor that was read: a sum with an estimate in it is no measurement."""
    return bool(label) and all(part.startswith("measured:") for part in label.split(" + "))


def origin(root: Path, kernel: Path, name: str) -> str:
    """``measured:<name>`` for a tree of the kernel, ``replayed:<folder>`` for any other: a fake is never a measurement."""
    return f"measured:{name}" if root.resolve() == kernel.resolve() else f"replayed:{root.name}"


@dataclass(frozen=True)
class Status:
    """What was found when a source was looked for.

    Args:
        name: of the source, as in its label.
        state: one of :data:`STATES`.
        detail: what exactly, with the path; where access is denied, how to get it.
        source: the source, if ``state`` is ``"ok"``.
    """

    name: str
    state: str
    detail: str
    source: Source | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.state} ({self.detail})"
