"""Spherical harmonics on a Gaussian grid: the transforms of the solver, in NumPy."""

import numpy as np


class Sphere:
    """Transforms between a grid of ``lat`` x ``lon`` points and harmonics up to degree ``truncation`` (triangular).

    Spectral arrays are complex, ``[..., m, n]`` with order m and degree n up to ``truncation`` (zero where n < m); grid arrays
    are real, ``[..., lat, lon]``, from north to south. Products of two fields are free of aliasing if
    ``lat >= (3 truncation + 1) / 2`` and ``lon >= 3 truncation + 1``.

    Args:
        truncation: highest degree T.
        lat, lon: the grid; the smallest alias-free even one if not given.
        radius: in metres.
    """

    def __init__(
        self, truncation: int, lat: int | None = None, lon: int | None = None, radius: float = 6.371e6
    ):
        t = truncation
        self.truncation, self.radius = t, radius
        self.lat = lat or 2 * ((3 * t + 1 + 3) // 4)
        self.lon = lon or 2 * self.lat
        if self.lat <= t or self.lon <= 2 * t:
            raise ValueError(f"{self.lat} x {self.lon} points cannot hold harmonics up to degree {t}")
        mu, weight = np.polynomial.legendre.leggauss(self.lat)
        self.mu, self.weight = mu[::-1].copy(), weight[::-1].copy()  # north first
        self.latitude = np.arcsin(self.mu)
        self.cos = np.sqrt(1 - self.mu**2)
        self.m = np.arange(t + 1)[:, None]
        self.n = np.arange(t + 1)[None, :]
        self.mask = self.n >= self.m
        self.laplace = -self.n * (self.n + 1.0) / radius**2 * self.mask
        self.inverse_laplace = np.divide(
            1, self.laplace, where=self.laplace != 0, out=np.zeros_like(self.laplace)
        )
        p = _legendre(t + 1, self.mu)  # one degree more, for the derivative
        self.p = p[: t + 1, : t + 1] * self.mask[..., None]
        self.h = _derivative(p, t)
        self._to_grid = np.ascontiguousarray(self.p.transpose(0, 1, 2))
        self._to_spec = np.ascontiguousarray((self.p * self.weight).transpose(0, 2, 1))
        over = self.weight / (1 - self.mu**2)
        self._to_spec_p = np.ascontiguousarray((self.p * over).transpose(0, 2, 1))
        self._to_spec_h = np.ascontiguousarray((self.h * over).transpose(0, 2, 1))

    def grid(self, spec: np.ndarray) -> np.ndarray:
        """Values on the grid."""
        return self._synthesis(spec, self._to_grid)

    def spec(self, grid: np.ndarray) -> np.ndarray:
        """Harmonics of a field, by Gaussian quadrature."""
        return self._analysis(grid, self._to_spec)

    def wind(self, vorticity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(u cos(lat), v cos(lat)) in m/s of the rotational flow with this spectral vorticity in 1/s."""
        psi = vorticity * self.inverse_laplace / self.radius
        u = self._synthesis(-psi, self.h)  # - (1 - mu^2) d psi / d mu / a
        return u, self.grid(1j * self.m * psi)

    def divergence(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Spectral divergence of the vector field with components ``a / cos(lat)`` and ``b / cos(lat)`` on the grid."""
        east = 1j * self.m * self._analysis(a, self._to_spec_p)
        return (east - self._analysis(b, self._to_spec_h)) / self.radius

    def resize(self, spec: np.ndarray, other: "Sphere") -> np.ndarray:
        """The same field in the harmonics of ``other``: cut off, or filled up with zeros."""
        t = min(self.truncation, other.truncation) + 1
        result = np.zeros((*spec.shape[:-2], other.truncation + 1, other.truncation + 1), complex)
        result[..., :t, :t] = spec[..., :t, :t]
        return result

    def mean(self, grid: np.ndarray) -> np.ndarray:
        """Mean over the sphere."""
        return (grid.mean(-1) * self.weight).sum(-1) / 2

    def transform_flops(self) -> float:
        """Operations of one transform in one direction, about: Legendre sums, and 2.5 N log2 N for the Fourier transforms."""
        legendre = (
            8.0 * self.mask.sum() * self.lat / 2
        )  # complex times real, 2 multiplications and 2 additions
        return legendre + self.lat * 2.5 * self.lon * np.log2(self.lon)

    def _synthesis(self, spec: np.ndarray, table: np.ndarray) -> np.ndarray:
        lead = spec.shape[:-2]
        flat = spec.reshape(-1, *spec.shape[-2:]).transpose(1, 0, 2)  # m, batch, n
        waves = _times(flat, table)  # m, batch, lat
        full = np.zeros((flat.shape[1], self.lat, self.lon // 2 + 1), complex)
        full[..., : self.truncation + 1] = waves.transpose(1, 2, 0)
        return np.fft.irfft(full * self.lon, n=self.lon).reshape(*lead, self.lat, self.lon)

    def _analysis(self, grid: np.ndarray, table: np.ndarray) -> np.ndarray:
        lead = grid.shape[:-2]
        flat = grid.reshape(-1, self.lat, self.lon)
        waves = np.fft.rfft(flat)[..., : self.truncation + 1] / self.lon
        spec = _times(waves.transpose(2, 0, 1), table) / 2  # m, batch, n
        return spec.transpose(1, 0, 2).reshape(*lead, self.truncation + 1, self.truncation + 1)


def _times(complex_left: np.ndarray, real_right: np.ndarray) -> np.ndarray:
    """``complex @ real`` as one real product, which is twice as fast."""
    batch = complex_left.shape[1]
    pair = np.concatenate([complex_left.real, complex_left.imag], axis=1)
    out = pair @ real_right
    return out[:, :batch] + 1j * out[:, batch:]


def _legendre(t: int, mu: np.ndarray) -> np.ndarray:
    """Associated Legendre functions ``[m, n, lat]`` with mean square 1 over the sphere for m = 0: integral of P^2 dmu is 2."""
    p = np.zeros((t + 1, t + 1, len(mu)))
    sin = np.sqrt(1 - mu**2)
    p[0, 0] = 1.0
    for m in range(1, t + 1):
        p[m, m] = np.sqrt((2 * m + 1) / (2 * m)) * sin * p[m - 1, m - 1]
    for m in range(t + 1):
        for n in range(m + 1, t + 1):
            e1, e0 = _epsilon(m, n), _epsilon(m, n - 1)
            before = p[m, n - 2] if n - 2 >= m else 0.0
            p[m, n] = (mu * p[m, n - 1] - e0 * before) / e1
    return p


def _derivative(p: np.ndarray, t: int) -> np.ndarray:
    """(1 - mu^2) dP/dmu = (n + 1) eps(n) P(n - 1) - n eps(n + 1) P(n + 1)."""
    h = np.zeros((t + 1, t + 1, p.shape[-1]))
    for m in range(t + 1):
        for n in range(m, t + 1):
            below = (n + 1) * _epsilon(m, n) * p[m, n - 1] if n > m else 0.0
            h[m, n] = below - n * _epsilon(m, n + 1) * p[m, n + 1]
    return h


def _epsilon(m: int, n: int) -> float:
    return float(np.sqrt((n * n - m * m) / (4.0 * n * n - 1)))
