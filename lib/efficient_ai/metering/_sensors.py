"""What every source of energy readings has in common."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from efficient_ai.metering._integrate import LIMIT_W

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
        update: seconds between two updates inside the sensor: the uncertainty of a window's edge.
        gain: relative uncertainty of its scale.
        limit: watts above which a step of the counter is a reset.
        scope: what it sees: ``"host"``, ``"job"`` (all nodes of a batch job) or ``"processes"`` (this one and its children).
        factor: the true value lies between joules / factor and joules * factor; 1 for a measurement.
    """

    name: str
    read: Callable[[], float | None]
    counter: bool = True
    span: float | None = None
    update: float = 0.001
    gain: float = 0.0
    limit: float = LIMIT_W
    scope: str = "host"
    factor: float = 1.0


@dataclass(frozen=True)
class Source:
    """Sensors that are summed, under one label.

    Args:
        label: ``measured:rapl``, ``measured:nvml``, ``measured:slurm``, ``measured:hwmon``, ``measured:ipmi``,
            ``replayed:<trace>`` or ``estimated:cpu-time``; two of them joined by `` + `` where both are summed.
        sensors: summed; no two of them measure the same joules.
        covers: what is in the number, in a few words.
        beside: names of sensors that were found and are not summed, with the reason.
        notes: why nothing better is used.
    """

    label: str
    sensors: Sequence[Sensor]
    covers: str
    beside: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def measured(self) -> bool:
        """True if every joule in it comes from a sensor of this machine."""
        return all(label.startswith("measured:") for label in self.label.split(" + "))

    def __add__(self, other: "Source") -> "Source":
        """Both, summed, under both labels."""
        return Source(
            f"{self.label} + {other.label}",
            [*self.sensors, *other.sensors],
            f"{self.covers}; {other.covers}",
            [*self.beside, *other.beside],
        )


def origin(root: Path, kernel: Path, name: str) -> str:
    """``measured:<name>`` for a tree of the kernel, ``replayed:<folder>`` for any other: a fake is never a measurement."""
    return f"measured:{name}" if root.resolve() == kernel.resolve() else f"replayed:{root.name}"


@dataclass(frozen=True)
class Status:
    """What was found when a source was looked for.

    Args:
        name: of the source, as in its label.
        state: one of :data:`STATES`.
        detail: what exactly, with the path.
        source: the source, if ``state`` is ``"ok"``.
    """

    name: str
    state: str
    detail: str
    source: Source | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.state} ({self.detail})"
