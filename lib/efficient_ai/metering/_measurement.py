"""The result of a measurement: joules with everything that belongs to them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from efficient_ai.metering._carbon import GERMANY, JOULES_PER_KWH, Intensity


@dataclass(frozen=True, repr=False)
class Measurement:
    """One number of joules with everything that belongs to it.

    Args:
        name: of what was measured.
        joules: all energy of the source between start and end, idle power included (gross).
        low, high: what the readings allow, with the scale of the sensors; a factor for an estimate.
        seconds: wall time.
        source: label, see :class:`Source`.
        covers: what is in the number.
        cpu_seconds: processor time of this process and its children.
        parts: joules by sensor (of one process) or by host (of a job).
        samples, gaps, wraps, resets: readings that were good and that failed, counters that wrapped and were reset.
        filled: joules that no reading covers, at mean power.
        cpu_share: our part of all processor time of the machine meanwhile; ``None`` where that cannot be read.
        idle_watts: power of the same source with nothing running, if it was measured.
        intensity: grams per kilowatt-hour with place and date.
        notes: what a reader of the number must know, among it why no better source was used.
        host: name of the machine.
    """

    name: str
    joules: float
    low: float
    high: float
    seconds: float
    source: str
    covers: str = ""
    cpu_seconds: float = 0.0
    parts: Mapping[str, float] = field(default_factory=dict)
    samples: int = 0
    gaps: int = 0
    wraps: int = 0
    resets: int = 0
    filled: float = 0.0
    cpu_share: float | None = None
    idle_watts: float | None = None
    intensity: Intensity = GERMANY
    notes: tuple[str, ...] = ()
    host: str = ""

    @property
    def watts(self) -> float:
        """Mean power."""
        return self.joules / self.seconds if self.seconds > 0 else 0.0

    @property
    def uncertainty(self) -> float:
        """Half the width of the interval from ``low`` to ``high``, in joules."""
        return (self.high - self.low) / 2

    @property
    def net_joules(self) -> float | None:
        """Without the idle power of the machine; ``None`` if that was not measured."""
        return None if self.idle_watts is None else self.joules - self.idle_watts * self.seconds

    @property
    def kwh(self) -> float:
        return self.joules / JOULES_PER_KWH

    @property
    def grams(self) -> float:
        """Grams of CO2 equivalents at the stated intensity."""
        return self.intensity.grams(self.joules)

    def as_dict(self) -> dict[str, Any]:
        """For a JSON file."""
        derived = {"watts": self.watts, "grams_co2e": self.grams, "net_joules": self.net_joules}
        return asdict(self) | derived | {"notes": list(self.notes)}

    def __str__(self) -> str:
        return (
            f"{self.name}: {quantity(self.joules, 'J')} ({quantity(self.low, 'J')} to {quantity(self.high, 'J')}) in "
            f"{quantity(self.seconds, 's')}, {quantity(self.watts, 'W')}, {self.source}; "
            f"{quantity(self.grams, 'g')} CO2e at {self.intensity}"
        )

    def __repr__(self) -> str:
        return "\n".join([str(self), *(f"  {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{escape(note)}</li>" for note in self.notes)
        return f"<p>{escape(str(self))}</p>" + (f"<ul>{notes}</ul>" if notes else "")


SHOWN = {*Measurement.__dataclass_fields__, "watts", "uncertainty", "net_joules", "kwh", "grams", "as_dict"}


def quantity(value: float | None, unit: str) -> str:
    """Three digits with a prefix: ``2.41 kJ``."""
    if value is None:
        return "unknown"
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ")):
        if abs(value) >= factor * 0.9995:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.3g} {unit}"
