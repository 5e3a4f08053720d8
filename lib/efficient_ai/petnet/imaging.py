"""From coincidences to a picture across the scanner: sinogram, filtered back-projection, and MLEM."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from skimage.transform import iradon

from efficient_ai.petnet import _valid
from efficient_ai.petnet._scanner import Phantom, Scanner
from efficient_ai.petnet.physics import ELECTRON_KEV, attenuation


@dataclass(frozen=True)
class Grid:
    """Where a sinogram and its picture are sampled; the axial direction is summed up.

    Args:
        pixels: of the square picture, along a side: an odd number, so that one is in the middle.
        size: length of a side, mm.
        angles: directions of lines, over half a turn.

    Raises:
        ValueError: an even number of pixels, or a size that is none.
    """

    pixels: int = 37
    size: float = 37.0
    angles: int = 90

    def __post_init__(self):
        _valid.count("pixels", self.pixels, 1)
        _valid.count("angles", self.angles, 1)
        _valid.number("size", self.size, 0, above=True)
        if self.pixels % 2 == 0:
            raise ValueError(f"{self.pixels} pixels have none in the middle: give an odd number")

    @property
    def pitch(self) -> float:
        """Side of a pixel and distance of two lines, mm."""
        return self.size / self.pixels

    @cached_property
    def theta(self) -> np.ndarray:
        """Directions of the normals of the lines, radians, shape ``(angles,)``."""
        return np.pi * (np.arange(self.angles) + 0.5) / self.angles

    @cached_property
    def coordinates(self) -> tuple[np.ndarray, np.ndarray]:
        """x and y of each pixel, mm, shape ``(pixels, pixels)``; rows run along y."""
        edge = (np.arange(self.pixels) + 0.5) * self.pitch - self.size / 2
        return tuple(np.meshgrid(edge, edge))

    @cached_property
    def disc(self) -> np.ndarray:
        """The pixels that every direction sees, shape ``(pixels, pixels)``."""
        x, y = self.coordinates
        return x**2 + y**2 < (self.size / 2 - self.pitch) ** 2

    @cached_property
    def matrix(self) -> sparse.csr_matrix:
        """Projection of pixels on lines: each pixel is shared by the two lines next to it.

        Shape ``(pixels * angles, pixels * pixels)``; line ``s`` of direction ``a`` is row ``s * angles + a``.
        """
        x, y = (each.ravel() for each in self.coordinates)
        offset = np.outer(np.cos(self.theta), x) + np.outer(np.sin(self.theta), y)
        line = (offset + self.size / 2) / self.pitch - 0.5
        lower = np.floor(line).astype(int)
        share = line - lower
        angle = np.broadcast_to(np.arange(self.angles)[:, None], line.shape)
        pixel = np.broadcast_to(np.arange(len(x))[None, :], line.shape)
        rows, columns, values = [], [], []
        for which, weight in ((lower, 1 - share), (lower + 1, share)):
            inside = (which >= 0) & (which < self.pixels)
            rows.append((which * self.angles + angle)[inside])
            columns.append(pixel[inside])
            values.append(weight[inside])
        shape = (self.pixels * self.angles, len(x))
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        return sparse.coo_matrix(entries, shape=shape).tocsr()


def sinogram(scanner: Scanner, first: np.ndarray, second: np.ndarray, grid: Grid) -> np.ndarray:
    """Counts of lines by offset and direction, shape ``(pixels, angles)``; lines beyond the picture are left out.

    Raises:
        ValueError: crystals that the scanner does not have, or not as many first as second ones.
    """
    columns = scanner.detector.per_ring
    first, second = (_valid.whole("crystal", each, 0, scanner.detector.crystals) for each in (first, second))
    _valid.equally_long(first=first, second=second)
    angle1, angle2 = (2 * np.pi * (crystal % columns + 0.5) / columns for crystal in (first, second))
    normal = (angle1 + angle2) / 2
    offset = scanner.radius * np.cos((angle1 - angle2) / 2)
    offset = np.where(np.floor(normal / np.pi) % 2 == 1, -offset, offset)
    line = np.floor((offset + grid.size / 2) / grid.pitch).astype(int)
    direction = np.floor((normal % np.pi) / np.pi * grid.angles).astype(int) % grid.angles
    inside = (line >= 0) & (line < grid.pixels)
    counts = np.zeros((grid.pixels, grid.angles))
    np.add.at(counts, (line[inside], direction[inside]), 1)
    return counts


def survival(phantom: Phantom, grid: Grid) -> np.ndarray:
    """Probability that both photons of a line leave the phantom unscattered, shape ``(pixels, angles)``.

    The same for every decay on the line: one photon has to cross what the other has not.
    """
    offset = (np.arange(grid.pixels) + 0.5) * grid.pitch - grid.size / 2
    chord = 2 * np.sqrt(np.maximum(phantom.radius**2 - offset**2, 0))
    stopped = sum(attenuation(phantom.material, ELECTRON_KEV, process) for process in ("compton", "photo"))
    return np.repeat(np.exp(-stopped * chord)[:, None], grid.angles, axis=1)


def truth(phantom: Phantom, grid: Grid) -> np.ndarray:
    """Activity per area of the rods of a phantom in each pixel, shape ``(pixels, pixels)``; lines fill one pixel."""
    x, y = grid.coordinates
    picture = np.zeros_like(x)
    for rod_x, rod_y, radius, weight in phantom.rods:
        if radius > 0:
            picture += weight * ((x - rod_x) ** 2 + (y - rod_y) ** 2 < radius**2)
        else:
            picture.flat[np.argmin((x - rod_x) ** 2 + (y - rod_y) ** 2)] += weight / grid.pitch**2
    return picture


def filtered_back_projection(counts: np.ndarray, grid: Grid, sensitivity: np.ndarray) -> np.ndarray:
    """Picture from a sinogram that was divided by the sensitivity of its lines (ramp filter with a Hann window).

    Counts may be below zero here, as they are when randoms were subtracted: the method is linear.

    Raises:
        ValueError: counts that are not numbers, or another shape than that of the grid.
    """
    shape = (grid.pixels, grid.angles)
    counts = _valid.finite("counts", counts, shape).astype(float)
    sensitivity = _valid.finite("sensitivity", sensitivity, shape, 0)
    corrected = np.divide(counts, sensitivity, out=np.zeros_like(counts), where=sensitivity > 0)
    picture = iradon(corrected, np.degrees(grid.theta), filter_name="hann", circle=True)
    # scikit-image turns counter-clockwise with rows downwards; our rows run along y and the normal is (cos, sin).
    return picture[::-1] * grid.disc


def mlem(
    counts: np.ndarray,
    grid: Grid,
    sensitivity: np.ndarray,
    *,
    iterations: int,
    background: np.ndarray | float = 0.0,
) -> list[np.ndarray]:
    """Maximum-likelihood expectation maximisation (Shepp and Vardi, 1982), from a flat picture.

    Args:
        counts: sinogram, shape ``(pixels, angles)``.
        sensitivity: expected counts per unit of line integral, the same shape: geometry times survival.
        iterations: how many; each keeps the expected number of counts equal to the measured one.
        background: expected scattered and random counts, the same shape or one number.

    Returns:
        the picture after each iteration, shape ``(pixels, pixels)`` each.

    Raises:
        ValueError: counts, sensitivity or background below zero, not numbers, or of another shape. Counts are below zero
            when randoms were subtracted: give the prompts, and the randoms as ``background``.
    """
    shape = (grid.pixels, grid.angles)
    _valid.count("iterations", iterations, 1)
    if np.any(np.asarray(counts) < 0):
        raise ValueError(
            "counts below zero have no likelihood: give all prompts as counts, and what was subtracted as background"
        )
    matrix, weight = grid.matrix, _valid.finite("sensitivity", sensitivity, shape, 0).ravel()
    measured = _valid.finite("counts", counts, shape).ravel()
    added = _valid.finite("background", np.broadcast_to(background, shape), shape, 0).astype(float).ravel()
    seen = matrix.T @ weight
    usable = (seen > 1e-9 * seen.max()) & grid.disc.ravel()
    picture = usable.astype(float)
    pictures = []
    for _ in range(iterations):
        expected = weight * (matrix @ picture) + added
        ratio = np.divide(measured, expected, out=np.zeros_like(expected), where=expected > 0)
        update = matrix.T @ (weight * ratio)
        picture = np.divide(picture * update, seen, out=np.zeros_like(picture), where=usable)
        pictures.append(picture.reshape(grid.pixels, grid.pixels))
    return pictures


def picture_error(picture: np.ndarray, true: np.ndarray, grid: Grid) -> float:
    """Root mean square difference to the true picture over the root mean square of it, both scaled to the same sum.

    Raises:
        ValueError: pictures that are not numbers, or of another shape than the grid's.
    """
    shape = (grid.pixels, grid.pixels)
    picture, true = _valid.finite("picture", picture, shape), _valid.finite("true picture", true, shape)
    ours, wanted = picture[grid.disc], true[grid.disc]
    if ours.sum() <= 0:
        return float("inf")
    ours = ours * wanted.sum() / ours.sum()
    return float(np.sqrt(np.mean((ours - wanted) ** 2) / np.mean(wanted**2)))
