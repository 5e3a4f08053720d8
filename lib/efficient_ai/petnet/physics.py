"""The physics of two photons of 511 keV: Compton scattering, attenuation, rates. Formulas of the appendix of any textbook.

Energies in keV, lengths in mm, times in s unless said otherwise.
"""

import math
from functools import cache

import numpy as np

from efficient_ai import data
from efficient_ai.petnet import _valid

ELECTRON_KEV = 510.99895  # rest energy of the electron, and of each photon of an annihilation (CODATA 2018)
ELECTRON_RADIUS_CM = 2.8179403e-13  # classical electron radius (CODATA 2018)
LIGHT_MM_PER_S = 2.99792458e11
FWHM = 2 * math.sqrt(2 * math.log(2))  # full width at half maximum of a normal law, in standard deviations


def klein_nishina_total(energy: np.ndarray | float) -> np.ndarray | float:
    """Cross-section of Compton scattering on a free electron at rest, in cm^2."""
    a = np.asarray(energy) / ELECTRON_KEV
    log = np.log1p(2 * a)
    first = (1 + a) / a**2 * (2 * (1 + a) / (1 + 2 * a) - log / a)
    return 2 * np.pi * ELECTRON_RADIUS_CM**2 * (first + log / (2 * a) - (1 + 3 * a) / (1 + 2 * a) ** 2)


def klein_nishina_density(cosine: np.ndarray, energy: float) -> np.ndarray:
    """Probability density of the cosine of the scattering angle, by solid angle: integrates to 1 over -1 to 1."""
    ratio = scattered_share(cosine, energy)
    density = ratio**2 * (ratio + 1 / ratio - 1 + np.asarray(cosine) ** 2)
    return np.pi * ELECTRON_RADIUS_CM**2 * density / klein_nishina_total(energy)


def scattered_share(cosine: np.ndarray | float, energy: np.ndarray | float) -> np.ndarray | float:
    """Energy after Compton scattering by an angle, over that before."""
    return 1 / (1 + np.asarray(energy) / ELECTRON_KEV * (1 - np.asarray(cosine)))


def sample_cosine(energy: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cosines of Compton scattering angles of photons of ``energy``, shape ``(n,)``.

    Draws the share of energy that is kept from the mixture of 1/x and x, which covers the law, and rejects the rest;
    the rejected ones are drawn again together until none is left.

    Raises:
        ValueError: energies that are none.
    """
    energy = _valid.finite("energy", energy).astype(float)
    if len(energy) and energy.min() <= 0:
        raise ValueError("a photon has an energy above 0 keV")
    a = energy / ELECTRON_KEV
    least = 1 / (1 + 2 * a)  # the share that is left after scattering straight back
    cosine = np.empty(len(energy))
    todo = np.arange(len(energy))
    while len(todo):
        low, k = least[todo], a[todo]
        reciprocal = -np.log(low)
        linear = (1 - low**2) / 2
        u = rng.random(len(todo))
        share = np.where(
            rng.random(len(todo)) * (reciprocal + linear) < reciprocal,
            low**u,
            np.sqrt(low**2 + u * (1 - low**2)),
        )
        drawn = 1 - (1 / share - 1) / k
        good = rng.random(len(todo)) < 1 - share * (1 - drawn**2) / (1 + share**2)
        cosine[todo[good]] = drawn[good]
        todo = todo[~good]
    return np.clip(cosine, -1, 1)


def widest_angle(threshold: float, energy: float = ELECTRON_KEV) -> float:
    """Largest angle, in radians, after which a photon still has ``threshold`` keV."""
    cosine = 1 - ELECTRON_KEV * (1 / threshold - 1 / energy)
    return math.acos(max(min(cosine, 1.0), -1.0))


@cache
def _attenuation() -> tuple[dict[str, int], np.ndarray, np.ndarray]:
    with np.load(data.open_dataset("photon_attenuation"), allow_pickle=False) as file:
        names = {str(name): i for i, name in enumerate(file["material"])}
        return names, file["energy_kev"].astype(float), file["coefficient_per_cm"].astype(float)


def materials() -> list[str]:
    """The materials of the table."""
    return list(_attenuation()[0])


def attenuation(material: str, energy: np.ndarray | float, process: str = "total") -> np.ndarray:
    """Linear attenuation coefficient in 1/mm, interpolated on logarithmic scales.

    Args:
        material: one of :func:`materials`.
        energy: 10 to 700 keV.
        process: ``"total"``, ``"photo"``, ``"compton"`` or ``"rayleigh"``.

    Raises:
        KeyError: no such material or process; the message lists those there are.
        ValueError: an energy beyond the table.
    """
    names, energies, table = _attenuation()
    processes = ("total", "photo", "compton", "rayleigh")
    if material not in names or process not in processes:
        raise KeyError(f"{material!r}, {process!r}: choose from {list(names)} and {list(processes)}")
    energy = np.asarray(energy, dtype=float)
    if not np.all((energy >= energies[0]) & (energy <= energies[-1])):
        raise ValueError(
            f"energies must be numbers from {energies[0]:g} to {energies[-1]:g} keV: the table ends there"
        )
    values = table[names[material], processes.index(process)]
    return np.exp(np.interp(np.log(energy), np.log(energies), np.log(values))) / 10


def solid_angle(radius: float, length: float) -> float:
    """Share of all directions from the centre that meet a ring scanner of this radius and axial length."""
    return length / 2 / math.hypot(radius, length / 2)


def randoms_rate(window: float, rate1: np.ndarray | float, rate2: np.ndarray | float) -> np.ndarray | float:
    """Random coincidences per second of two detectors: ``2 tau S1 S2``, for ``|t1 - t2| <= tau = window``."""
    return 2 * window * rate1 * rate2


def counted(rate: np.ndarray | float, dead_time: float, paralysable: bool) -> np.ndarray | float:
    """Rate that a detector with a dead time counts of a true ``rate``."""
    rate = np.asarray(rate, dtype=float)
    return rate * np.exp(-rate * dead_time) if paralysable else rate / (1 + rate * dead_time)


def necr(trues: np.ndarray, scatters: np.ndarray, randoms: np.ndarray) -> np.ndarray:
    """Noise-equivalent count rate ``T^2 / (T + S + R)``; 0 where nothing is counted."""
    prompts = np.asarray(trues) + scatters + randoms
    return np.divide(np.square(trues), prompts, out=np.zeros_like(prompts, dtype=float), where=prompts > 0)
