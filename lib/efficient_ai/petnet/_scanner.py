"""A ring scanner and what lies in it, in millimetres: what the Monte Carlo needs to know."""

import math
from dataclasses import dataclass, field

import numpy as np

from efficient_ai.petnet import _valid
from efficient_ai.petnet._detector import Detector
from efficient_ai.petnet.physics import ELECTRON_KEV, FWHM, attenuation


@dataclass(frozen=True)
class Scanner:
    """A cylinder of crystals around the z axis.

    The default is a preclinical ring of the size of the SAFIR prototype (published sizes and resolutions; LSO in place
    of LYSO).

    Args:
        detector: rings and crystals per ring.
        radius: inner radius, mm.
        length: axial length, mm.
        depth: of a crystal, mm.
        material: of the crystals.
        energy_fwhm: relative energy resolution at 511 keV; it grows as one over the root of the energy.
        time_fwhm: time resolution of one crystal, s; of a coincidence it is the root of two larger.
        window: lowest and highest energy that is accepted, keV.
        dead_time: of one read-out after a hit, s.
        share: neighbouring crystals of a ring that share one read-out, and with it the dead time.
        paralysable: whether a hit in the dead time prolongs it.

    Raises:
        ValueError: a size, resolution or window that is none.
        KeyError: an unknown material.
    """

    detector: Detector = field(default_factory=lambda: Detector(16, 180))
    radius: float = 57.0
    length: float = 35.6
    depth: float = 13.0
    material: str = "LSO"
    energy_fwhm: float = 0.138
    time_fwhm: float = 194e-12 / math.sqrt(2)
    window: tuple[float, float] = (391.0, 601.0)
    dead_time: float = 0.0
    share: int = 1
    paralysable: bool = False

    def __post_init__(self):
        for name in ("radius", "length", "depth"):
            _valid.number(name, getattr(self, name), 0, above=True)
        for name in ("energy_fwhm", "time_fwhm", "dead_time"):
            _valid.number(name, getattr(self, name), 0)
        _valid.count("share", self.share, 1)
        attenuation(self.material, ELECTRON_KEV)
        low, high = _valid.finite("window of energies", self.window, (2,), 0)
        if not low < high:
            raise ValueError(
                f"a window of energies from {low:g} to {high:g} keV is empty: give the lower one first"
            )

    def crystal(self, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        """The crystal at a point of the inner surface; -1 beyond the ends."""
        detector = self.detector
        turn = np.arctan2(y, x) * (1 / (2 * np.pi))
        turn += turn < 0
        column = (turn * detector.per_ring).astype(np.int32) % detector.per_ring
        ring = np.floor((z / self.length + 0.5) * detector.rings).astype(np.int32)
        outside = (ring < 0) | (ring >= detector.rings)
        crystal = ring * detector.per_ring + column
        crystal[outside] = -1
        return crystal

    def centres(self) -> np.ndarray:
        """Centre of the front face of each crystal, shape ``(crystals, 3)``."""
        detector = self.detector
        ring, column = detector.place(np.arange(detector.crystals))
        angle = 2 * np.pi * (column + 0.5) / detector.per_ring
        z = ((ring + 0.5) / detector.rings - 0.5) * self.length
        return np.stack([self.radius * np.cos(angle), self.radius * np.sin(angle), z], axis=1)

    def measured(self, energy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """What the crystal reports of a deposited energy, keV."""
        sigma = self.energy_fwhm / FWHM * np.sqrt(ELECTRON_KEV * energy)
        return energy + sigma * rng.standard_normal(len(energy))


@dataclass(frozen=True)
class Phantom:
    """A cylinder around the z axis with radioactive rods in it.

    Args:
        radius, length: of the cylinder, mm; 0 for a source in air.
        material: of the cylinder.
        rods: ``(x, y, radius, weight)`` of each rod, mm; the weight is its activity per area. A radius of 0 makes a
            line, whose weight is its activity.
        rod_length: length of the rods, mm; 0 for points in the middle.

    The rods may be longer or wider than the cylinder, or beside it: what is sent out there passes the cylinder only if its
    line meets it.

    Raises:
        ValueError: a size below zero, or rods without activity.
        KeyError: an unknown material.
    """

    radius: float = 12.5
    length: float = 70.0
    material: str = "water"
    rods: tuple[tuple[float, float, float, float], ...] = ((10.0, 0.0, 0.0, 1.0),)
    rod_length: float = 70.0

    def __post_init__(self):
        for name in ("radius", "length", "rod_length"):
            _valid.number(name, getattr(self, name), 0)
        attenuation(self.material, ELECTRON_KEV)
        rods = _valid.finite("rods", self.rods, (len(self.rods), 4))
        if not len(rods) or rods[:, 2:].min() < 0 or not rods[:, 3].sum() > 0:
            raise ValueError("rods need radii and weights of at least 0, and one of them a weight above it")

    @property
    def reach(self) -> float:
        """Largest distance of a decay from the axis, mm."""
        return max(math.hypot(x, y) + radius for x, y, radius, _ in self.rods)

    def positions(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Places of ``n`` decays, shape ``(n, 3)``."""
        x, y, radius, weight = np.array(self.rods, dtype=float).T
        amount = np.where(radius > 0, weight * np.pi * radius**2, weight)
        rod = rng.choice(len(x), n, p=amount / amount.sum())
        distance, angle = radius[rod] * np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
        z = self.rod_length * (rng.random(n) - 0.5)
        return np.stack([x[rod] + distance * np.cos(angle), y[rod] + distance * np.sin(angle), z], axis=1)


MOUSE = Phantom()
"""The mouse phantom of NEMA NU 4: 25 mm wide, 70 mm long, a line source 10 mm off the axis."""

RODS = Phantom(
    radius=15.0,
    length=30.0,
    rods=(
        *(
            (8 * math.cos(math.pi / 3 * i), 8 * math.sin(math.pi / 3 * i), radius, 4.0)
            for i, radius in enumerate((0.8, 1.2, 1.6, 2.0, 2.5, 3.0))
        ),
        (0.0, 0.0, 13.0, 1.0),
    ),
    rod_length=28.0,
)
"""A picture to reconstruct: six hot rods in a warm background, in water."""
