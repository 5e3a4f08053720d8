"""From joules to grams: an intensity is an input, and it has a place and a date."""

from dataclasses import dataclass

JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class Intensity:
    """Grams of CO2 equivalents per kilowatt-hour of electricity.

    Args:
        grams_per_kwh: the intensity.
        place: where this electricity is made.
        date: when.
        source: who says so.
        pue: facility power over computer power (power usage effectiveness), 1 if cooling is left out.
    """

    grams_per_kwh: float
    place: str
    date: str
    source: str
    pue: float = 1.0

    def __post_init__(self):
        if self.grams_per_kwh < 0 or self.pue < 1:
            raise ValueError(f"an intensity of {self.grams_per_kwh} g/kWh with a PUE of {self.pue} cannot be")
        if not (self.place.strip() and self.date.strip() and self.source.strip()):
            raise ValueError("an intensity without place, date and source says nothing")

    def grams(self, joules: float) -> float:
        """Grams of CO2 equivalents of this energy."""
        return joules / JOULES_PER_KWH * self.pue * self.grams_per_kwh

    def __str__(self) -> str:
        cooling = f", PUE {self.pue:g}" if self.pue != 1 else ""
        return f"{self.grams_per_kwh:g} g/kWh, {self.place}, {self.date} ({self.source}){cooling}"


GERMANY = Intensity(274.8, "Germany", "2026", "default of perun 1.0.0")
"""The intensity used where none is given. Give your own: it differs tenfold between places and hours."""
