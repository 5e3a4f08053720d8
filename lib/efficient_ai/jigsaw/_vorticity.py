"""A global atmosphere of one layer: the barotropic vorticity equation on the rotating sphere, solved with harmonics."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from efficient_ai.jigsaw._sphere import Sphere

OMEGA = 7.292e-5
"""Rotation of the Earth in 1/s."""
DAY = 86400.0


@dataclass(frozen=True)
class Climate:
    """What drives and damps the flow; all zero is free flow, which conserves energy and enstrophy.

    Args:
        jet: speed in m/s of two jets at 45 degrees north and south towards which the zonal mean is drawn.
        relaxation: time scale in days; 0 for none.
        mountain: height of two mountain ranges as a fraction of the depth of the fluid.
        damping: time in hours in which the smallest scale of a truncation of 42 decays to 1/e, by an eighth-order diffusion; a
            coarser model has the same coefficient; 0 for none.
    """

    jet: float = 70.0
    relaxation: float = 8.0
    mountain: float = 0.15
    damping: float = 4.0


FREE = Climate(jet=0.0, relaxation=0.0, mountain=0.0, damping=0.0)


class Atmosphere:
    """The equation d zeta / dt = - div((zeta + f + f h) u) - (zeta - zeta_jet) / tau - nu del^8 zeta, at one resolution.

    Args:
        truncation: highest degree of the harmonics.
        climate: forcing.
        hours: length of a time step (Runge and Kutta's, fourth order).
    """

    def __init__(self, truncation: int, climate: Climate = Climate(), hours: float = 0.5):
        self.sphere, self.climate, self.dt = Sphere(truncation), climate, hours * 3600
        s = self.sphere
        f = 2 * OMEGA * s.mu[:, None]
        self.height = mountains(s.latitude, 2 * np.pi * np.arange(s.lon) / s.lon) * climate.mountain
        self.background = s.grid(s.spec(f + 2 * OMEGA * np.abs(s.mu[:, None]) * self.height * np.sign(f)))
        self.target = s.spec(jet_vorticity(s, climate.jet))
        self.rate = 1 / (climate.relaxation * DAY) if climate.relaxation else 0.0
        degree = s.n * (s.n + 1.0) / (42 * 43.0)
        self.loss = np.exp(-self.dt / (climate.damping * 3600) * degree**4) if climate.damping else 1.0

    def tendency(self, zeta: np.ndarray) -> np.ndarray:
        """d zeta / dt of spectral vorticity ``[..., m, n]``, without the diffusion."""
        s = self.sphere
        u, v = s.wind(zeta)
        total = s.grid(zeta) + self.background
        change = -s.divergence(total * u, total * v) * s.mask
        return change + self.rate * (self.target - zeta)

    def step(self, zeta: np.ndarray) -> np.ndarray:
        """One time step; the diffusion is applied afterwards, exactly."""
        h, f = self.dt, self.tendency
        k1 = f(zeta)
        k2 = f(zeta + h / 2 * k1)
        k3 = f(zeta + h / 2 * k2)
        k4 = f(zeta + h * k3)
        return (zeta + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)) * self.loss

    def run(self, zeta: np.ndarray, samples: int, hours: float = 6.0) -> Iterator[np.ndarray]:
        """``samples`` states, one every ``hours``, the first one after that time."""
        steps = round(hours * 3600 / self.dt)
        for _ in range(samples):
            for _ in range(steps):
                zeta = self.step(zeta)
            yield zeta

    def start(self, members: int, seed: int) -> np.ndarray:
        """The jets with random disturbances of degree 3 to 10: ``[members, m, n]``."""
        s, rng = self.sphere, np.random.default_rng(seed)
        t = s.truncation
        noise = rng.standard_normal((members, 11, 11, 2)) @ np.array([1, 1j])
        spec = np.zeros((members, t + 1, t + 1), complex)
        top = min(11, t + 1)
        spec[:, :top, :top] = noise[:, :top, :top]
        spec[:, 0] = spec[:, 0].real
        band = (s.n >= 3) & (s.n <= 10) & s.mask
        return self.target + 4e-6 * spec * band

    def energy(self, zeta: np.ndarray) -> np.ndarray:
        """Mean kinetic energy in m^2/s^2."""
        s = self.sphere
        u, v = s.wind(zeta)
        return s.mean((u**2 + v**2) / s.cos[:, None] ** 2) / 2

    def enstrophy(self, zeta: np.ndarray) -> np.ndarray:
        """Mean of (zeta + f)^2 / 2 in 1/s^2."""
        return self.sphere.mean((self.sphere.grid(zeta) + self.background) ** 2) / 2

    def flops(self, hours: float = 6.0) -> float:
        """Operations of a forecast of one state over ``hours``, transforms only: five per tendency, four tendencies a step."""
        return round(hours * 3600 / self.dt) * 4 * 5 * self.sphere.transform_flops()


def jet_vorticity(sphere: Sphere, speed: float) -> np.ndarray:
    """Vorticity on the grid of two zonal jets, 12 degrees wide, at 45 degrees north and south."""
    u = speed * np.exp(-(((np.abs(np.degrees(sphere.latitude)) - 45) / 12) ** 2))
    u_cos = (u * sphere.cos)[:, None] * np.ones(sphere.lon)
    return sphere.grid(sphere.divergence(np.zeros_like(u_cos), -u_cos) * sphere.mask)  # - d(u cos) / dmu / a


def mountains(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Two smooth mountain ranges in the north and one in the south, height 1."""
    lat, lon = np.degrees(latitude)[:, None], np.degrees(longitude)[None, :]
    height = np.zeros((len(latitude), len(longitude)))
    for centre, east, wide, high in ((45, 90, 20, 1.0), (40, 250, 12, 0.8), (-30, 290, 10, 0.7)):
        away = (lon - east + 180) % 360 - 180
        height += high * np.exp(-((away / wide) ** 2) - ((lat - centre) / 15) ** 2)
    return height


def rossby_haurwitz(sphere: Sphere, wave: int, degree: int, speed: float) -> np.ndarray:
    """A single harmonic of order ``wave``: it travels west unchanged, by 2 Omega / (n (n + 1)) radians a second."""
    spec = np.zeros((sphere.truncation + 1, sphere.truncation + 1), complex)
    spec[wave, degree] = speed
    return spec
