"""A small honest Monte Carlo: from decays in a phantom to hits in crystals. All photons at once, in arrays.

What is modelled: positron range, non-collinearity, attenuation and (multiple) Compton scatter in the phantom, the
interaction in the crystal, energy and time resolution, the energy window, dead time. What is not: coherent scatter,
a second interaction in the crystals, light, and everything outside of phantom and crystals.
"""

from dataclasses import dataclass

import numba
import numpy as np

from efficient_ai.petnet import _valid
from efficient_ai.petnet._scanner import Phantom, Scanner
from efficient_ai.petnet.physics import (
    ELECTRON_KEV,
    FWHM,
    LIGHT_MM_PER_S,
    attenuation,
    sample_cosine,
    scattered_share,
)

BRANCHING = 0.967  # share of the decays of fluorine-18 that send out a positron
RANGE_MM, LONGEST_RANGE_MM = 0.6, 2.4  # mean and largest range of these positrons in water
NON_COLLINEARITY = np.radians(0.5) / FWHM  # standard deviation of the angle to a straight line, in each plane
_MOST_DECAYS = 1e10  # the numbers of these decays alone would fill 80 GB
_CHUNK = 1 << 16  # decays that are worked on together: their arrays stay in the cache


@dataclass(frozen=True)
class Physics:
    """What is switched on. All off is geometry alone: straight lines that meet the ring, every hit seen.

    Args:
        positron: range of the positron and non-collinearity of the photons.
        attenuation: the phantom stops and scatters photons.
        scatter: scattered photons go on; if off, a photon that interacts in the phantom is gone.
        crystals: a photon may pass a crystal unseen, leaves an energy, which is blurred and must lie in the window.
        timing: time of flight and time resolution.
    """

    positron: bool = True
    attenuation: bool = True
    scatter: bool = True
    crystals: bool = True
    timing: bool = True


GEOMETRY = Physics(False, False, False, False, False)


COLUMNS = ("time", "crystal", "energy", "decay", "scattered")


@dataclass(frozen=True)
class Scan:
    """Hits of a scan in order of time.

    Args:
        time: s, shape ``(n,)``.
        crystal: shape ``(n,)``.
        energy: as measured, keV, shape ``(n,)``.
        decay: number of the decay, shape ``(n,)``.
        scattered: how often the photon was scattered in the phantom, shape ``(n,)``.
        decays: how many there were in all.
        seconds: how long the scan took.
        lost: hits that fell into the dead time of their read-out.

    Raises:
        ValueError: columns that are not equally long, not numbers, or not in order of time (:meth:`sort` orders them).
    """

    time: np.ndarray
    crystal: np.ndarray
    energy: np.ndarray
    decay: np.ndarray
    scattered: np.ndarray
    decays: int
    seconds: float
    lost: int

    def __post_init__(self):
        for name in ("crystal", "decay", "scattered"):
            object.__setattr__(self, name, _valid.whole(f"{name} of a scan", getattr(self, name), 0))
        object.__setattr__(self, "time", _valid.times("time of a scan", self.time))
        object.__setattr__(self, "energy", _valid.finite("energy of a scan", self.energy))
        _valid.equally_long(**{name: getattr(self, name) for name in COLUMNS})
        _valid.in_order("hits of a scan", "make the scan with Scan.sort", self.time)
        _valid.number("seconds of a scan", self.seconds, 0)

    @classmethod
    def sort(cls, *, decays: int, seconds: float, lost: int = 0, **columns) -> "Scan":
        """A scan from columns in any order; they are put in order of time, then of crystal."""
        columns = {name: np.asarray(columns[name]) for name in COLUMNS}
        _valid.equally_long(**columns)
        order = np.lexsort((columns["crystal"], columns["time"]))
        columns = {name: column[order] for name, column in columns.items()}
        return cls(**columns, decays=decays, seconds=seconds, lost=lost)

    def __len__(self) -> int:
        return len(self.time)


def scan(
    scanner: Scanner,
    phantom: Phantom,
    *,
    activity: float,
    seconds: float,
    seed: int,
    physics: Physics | None = None,
) -> Scan:
    """Let the phantom decay in the scanner.

    Args:
        activity: becquerel, constant over the scan.
        seconds: length of the scan.
        seed: of everything.
        physics: what is switched on; default all.

    Raises:
        ValueError: an activity or length that is none, or a phantom or source that does not fit in the scanner.
    """
    _valid.number("activity", activity, 0)
    _valid.number("seconds", seconds, 0)
    if activity * seconds > _MOST_DECAYS:
        raise ValueError(f"{activity * seconds:.3g} decays do not fit in the memory: scan for a shorter time")
    if phantom.radius >= scanner.radius:
        raise ValueError(
            f"a phantom of radius {phantom.radius} mm does not fit in a scanner of {scanner.radius} mm"
        )
    if phantom.reach + LONGEST_RANGE_MM >= scanner.radius:
        raise ValueError(
            f"a source that reaches {phantom.reach:g} mm off the axis is not inside a scanner of {scanner.radius} mm"
        )
    physics = Physics() if physics is None else physics
    rng = np.random.default_rng(seed)
    decays = int(rng.poisson(activity * seconds))
    parts = [
        _decays(scanner, phantom, physics, first, min(_CHUNK, decays - first), seconds, rng)
        for first in range(0, decays, _CHUNK)
    ]
    columns = {
        name: np.concatenate([part[name] for part in parts]) if parts else np.zeros(0) for name in COLUMNS
    }
    order = np.argsort(columns["time"], kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    columns["crystal"] = columns["crystal"].astype(np.int64)
    alive = np.ones(len(order), dtype=bool)
    if scanner.dead_time > 0:
        channel = columns["crystal"] // scanner.share
        channels = -(-scanner.detector.crystals // scanner.share)
        alive = _alive(columns["time"], channel, scanner.dead_time, scanner.paralysable, channels)
    columns = {name: column[alive] for name, column in columns.items()}
    return Scan(**columns, decays=decays, seconds=seconds, lost=int((~alive).sum()))


def _decays(scanner, phantom, physics, first, n, seconds, rng) -> dict[str, np.ndarray]:
    """Hits of the decays ``first`` to ``first + n``."""
    place = phantom.positions(n, rng)
    time = seconds * rng.random(n)
    decay = np.arange(first, first + n)
    if physics.positron:
        emits = rng.random(n) < BRANCHING
        place, time, decay = place[emits], time[emits], decay[emits]
        n = len(decay)
        reach = np.minimum(rng.exponential(RANGE_MM, n), LONGEST_RANGE_MM)
        place = place + reach[:, None] * _isotropic(n, rng)
    direction = _isotropic(n, rng)
    other = -direction
    if physics.positron:
        # The angle to a straight line is the root of two normal squares: one of each plane.
        angle = NON_COLLINEARITY * np.hypot(*rng.standard_normal((2, n)))
        other = turn(other, np.cos(angle), 2 * np.pi * rng.random(n))
    photons = [_photon(scanner, phantom, physics, place, way, time, decay, rng) for way in (direction, other)]
    return {name: np.concatenate([each[name] for each in photons]) for name in photons[0]}


def _photon(scanner, phantom, physics, place, way, time, decay, rng) -> dict[str, np.ndarray]:
    """One photon of each decay, from where it is born to a crystal; those that reach none are left out."""
    n = len(decay)
    energy, scattered, alive = np.full(n, ELECTRON_KEV), np.zeros(n, dtype=np.int8), np.ones(n, dtype=bool)
    path = np.zeros(n)
    if physics.attenuation and phantom.radius > 0:
        place, way = place.copy(), way.copy()
        _cross(phantom, physics.scatter, place, way, energy, scattered, alive, path, rng)
    distance = _to_cylinder(place, way, scanner.radius)
    end = place + distance[:, None] * way
    crystal = scanner.crystal(*end.T)
    hit = alive & (crystal >= 0)
    crystal, energy, scattered = crystal[hit], energy[hit], scattered[hit]
    time, decay, path = time[hit], decay[hit], path[hit] + distance[hit]
    if physics.timing:
        time = time + path / LIGHT_MM_PER_S + scanner.time_fwhm / FWHM * rng.standard_normal(len(time))
    if physics.crystals:
        radial = np.abs((end[hit, 0] * way[hit, 0] + end[hit, 1] * way[hit, 1]) / scanner.radius)
        through = scanner.depth / np.maximum(radial, 0.2)
        seen, energy = _deposit(scanner, energy, through, rng)
        time, crystal, decay, scattered = (column[seen] for column in (time, crystal, decay, scattered))
    return {"time": time, "crystal": crystal, "energy": energy, "decay": decay, "scattered": scattered}


def _cross(phantom, scatter, place, way, energy, scattered, alive, path, rng) -> None:
    """Take photons through the phantom, in place. Those that are absorbed, or scattered and not wanted, are dead.

    Who is born outside begins where its line enters, if it does; who has left does not come back, for a cylinder bulges
    nowhere inwards.
    """
    to_entry = _way_in(phantom, place, way)
    todo = np.flatnonzero(np.isfinite(to_entry))
    place[todo] += to_entry[todo, None] * way[todo]
    path[todo] += to_entry[todo]
    while len(todo):
        exit_at = _way_out(phantom, place[todo], way[todo])
        compton = attenuation(phantom.material, energy[todo], "compton")
        photo = attenuation(phantom.material, energy[todo], "photo")
        free = rng.exponential(1 / (compton + photo))
        stays = free < exit_at
        step = np.minimum(free, exit_at)
        path[todo] += step
        place[todo] += step[:, None] * way[todo]
        is_compton = rng.random(len(todo)) * (compton + photo) < compton
        goes_on = stays & is_compton & scatter
        alive[todo[stays & ~goes_on]] = False
        todo = todo[goes_on]
        cosine = sample_cosine(energy[todo], rng)
        way[todo] = turn(way[todo], cosine, 2 * np.pi * rng.random(len(todo)))
        energy[todo] *= scattered_share(cosine, energy[todo])
        scattered[todo] += 1
        too_soft = energy[todo] < 10.0  # the table ends here; no window of energy accepts it either
        alive[todo[too_soft]] = False
        todo = todo[~too_soft]


def _deposit(scanner: Scanner, energy, through, rng) -> tuple[np.ndarray, np.ndarray]:
    """Which photons a crystal sees, and the energies it reports of these.

    A photon interacts at most once: absorbed it leaves all its energy, scattered what the electron got; the scattered
    photon leaves the crystal.
    """
    total = attenuation(scanner.material, energy, "photo") + attenuation(scanner.material, energy, "compton")
    interacts = rng.random(len(energy)) < -np.expm1(-total * through)
    photo = rng.random(len(energy)) * total < attenuation(scanner.material, energy, "photo")
    left = energy.copy()
    compton = np.flatnonzero(interacts & ~photo)
    left[compton] -= energy[compton] * scattered_share(sample_cosine(energy[compton], rng), energy[compton])
    reported = scanner.measured(left, rng)
    low, high = scanner.window
    seen = interacts & (reported >= low) & (reported <= high)
    return seen, reported[seen]


# -- geometry ---------------------------------------------------------------------------------------------------------


def _isotropic(n: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors, uniform on the sphere, shape ``(n, 3)``."""
    z = 2 * rng.random(n) - 1
    angle = 2 * np.pi * rng.random(n)
    across = np.sqrt(1 - z * z)
    return np.stack([across * np.cos(angle), across * np.sin(angle), z], axis=1)


def turn(way: np.ndarray, cosine: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Unit vectors turned by an angle of the given ``cosine``, to the side that ``azimuth`` says."""
    sine = np.sqrt(np.maximum(1 - cosine**2, 0))
    # A vector at right angles to each; an axis that is far from it helps.
    steep = np.abs(way[:, 2]) > 0.9
    helper = np.where(steep[:, None], np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    side = np.cross(way, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(way, side)
    turned = (
        cosine[:, None] * way
        + (sine * np.cos(azimuth))[:, None] * side
        + (sine * np.sin(azimuth))[:, None] * up
    )
    return turned / np.linalg.norm(turned, axis=1, keepdims=True)


def _to_cylinder(place: np.ndarray, way: np.ndarray, radius: float) -> np.ndarray:
    """Distance from points inside an endless cylinder to its surface; very long for lines along its axis."""
    across = np.maximum(way[:, 0] ** 2 + way[:, 1] ** 2, 1e-12)
    along = place[:, 0] * way[:, 0] + place[:, 1] * way[:, 1]
    inside = radius**2 - place[:, 0] ** 2 - place[:, 1] ** 2
    return (np.sqrt(np.maximum(along**2 + across * inside, 0)) - along) / across


def _way_in(phantom: Phantom, place: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Distance from any points to where their lines enter the phantom: 0 inside, infinite for lines that miss it."""
    across = np.maximum(way[:, 0] ** 2 + way[:, 1] ** 2, 1e-12)
    along = place[:, 0] * way[:, 0] + place[:, 1] * way[:, 1]
    root = along**2 + across * (phantom.radius**2 - place[:, 0] ** 2 - place[:, 1] ** 2)
    half = np.sqrt(np.maximum(root, 0))
    up = np.where(way[:, 2] < 0, -1.0, 1.0)
    steep = np.maximum(np.abs(way[:, 2]), 1e-12)
    enters = np.maximum((-half - along) / across, (-phantom.length / 2 - up * place[:, 2]) / steep)
    leaves = np.minimum((half - along) / across, (phantom.length / 2 - up * place[:, 2]) / steep)
    meets = (root > 0) & (leaves > np.maximum(enters, 0))
    return np.where(meets, np.maximum(enters, 0), np.inf)


def _way_out(phantom: Phantom, place: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Distance from points in the phantom to where they leave it, by its side or an end."""
    z, wz = place[:, 2], way[:, 2]
    to_end = (phantom.length / 2 - np.sign(wz) * z) / np.maximum(np.abs(wz), 1e-12)
    return np.minimum(_to_cylinder(place, way, phantom.radius), to_end)


@numba.njit(cache=True)
def _alive(time, channel, dead_time, paralysable, channels):
    """Which hits, in order of time, do not fall into the dead time of their read-out."""
    until = np.full(channels, -np.inf)
    alive = np.empty(len(time), np.bool_)
    for i in range(len(time)):
        c = channel[i]
        alive[i] = time[i] >= until[c]
        if alive[i] or paralysable:
            until[c] = time[i] + dead_time
    return alive
