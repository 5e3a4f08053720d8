"""The nine benchmark functions of the paper, plain, shifted and rotated.

Digalakis and Margaritis (2001), functions F1 to F7, and the two double funnels of Lunacek, Whitley and Sutton (2008), in the
dimensions and boxes that the paper uses. Needs numpy only, so that other environments can import it, too.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Function:
    """A function to minimise over the box ``[-bound, bound]`` in ``dimension`` variables, its minimum known.

    Call it with a candidate as a search hands it out (values by name), with a vector of shape ``(dimension,)``, or with a
    batch of shape ``(n, dimension)``: a float for one candidate, an array of shape ``(n,)`` for a batch.

    Args:
        name: as in the paper; shifts and rotations are appended to it.
        dimension: number of variables.
        bound: half the width of the box.
        formula: from a batch, shape ``(n, dimension)``, to values, shape ``(n,)``; with noise, it is also given a generator.
        centre: where the formula itself has its minimum, shape ``(dimension,)``.
        minimum: the value there. Of ``quartic`` no measured value can be smaller, but its mean there is ``sqrt(60 / pi)``.
        continued: False if the formula has smaller values outside of the box. Then a point that a shift or rotation takes
            out of it counts as the nearest point of the box plus the squared distance to it.
        second: the minimum of the wrong funnel, shape ``(dimension,)``; only the two double funnels have one.
        draws: whether every call draws noise; see :meth:`noisy`.
        shift: how far the minimum was moved, shape ``(dimension,)``.
        rotation: how the axes were turned about the minimum, shape ``(dimension, dimension)``.
        rng: source of the noise.
    """

    name: str
    dimension: int
    bound: float
    formula: Callable[..., np.ndarray]
    centre: np.ndarray
    minimum: float = 0.0
    continued: bool = True
    second: np.ndarray | None = None
    draws: bool = False
    shift: np.ndarray | None = None
    rotation: np.ndarray | None = None
    rng: np.random.Generator | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables: ``x1`` to ``xN``."""
        return tuple(f"x{i}" for i in range(1, self.dimension + 1))

    @property
    def space(self):
        """The box as a :class:`~efficient_ai.propulate.Space` of real numbers."""
        from efficient_ai.propulate._space import Float, Space

        return Space({name: Float(-self.bound, self.bound) for name in self.names})

    @property
    def minimiser(self) -> np.ndarray:
        """Where the minimum is, shape ``(dimension,)``. ``step`` has many; this is one in the middle of them."""
        return self.centre if self.shift is None else self.centre + self.shift

    def __call__(self, x: Mapping[str, float] | np.ndarray) -> float | np.ndarray:
        if isinstance(x, Mapping):
            x = [x[name] for name in self.names]
        x = np.asarray(x, dtype=float)
        if x.ndim not in (1, 2) or x.shape[-1] != self.dimension:
            raise ValueError(
                f"{self.name} takes ({self.dimension},) or (n, {self.dimension}) numbers, not {x.shape}"
            )
        values = self._values(np.atleast_2d(x))
        return float(values[0]) if x.ndim == 1 else values

    def _values(self, x: np.ndarray) -> np.ndarray:
        penalty = 0.0
        if self.shift is not None:
            x = x - self.shift
        if self.rotation is not None:
            x = self.centre + (x - self.centre) @ self.rotation.T
        if not self.continued and (self.shift is not None or self.rotation is not None):
            inside = np.clip(x, -self.bound, self.bound)
            penalty = ((x - inside) ** 2).sum(axis=1)
            x = inside
        if not self.draws:
            return self.formula(x) + penalty
        if self.rng is None:
            raise ValueError(f"{self.name} draws noise in every call: use {self.name}.noisy(generator)")
        return self.formula(x, self.rng) + penalty

    def noisy(self, rng: np.random.Generator) -> "Function":
        """The same function with a source for its noise; functions without noise return themselves."""
        return replace(self, rng=rng) if self.draws else self

    def shifted(self, vector) -> "Function":
        """The same function with its minimum moved by ``vector``, a number or shape ``(dimension,)``; the box stays.

        Raises:
            ValueError: the minimum would leave the box.
        """
        shift = np.broadcast_to(np.asarray(vector, dtype=float), (self.dimension,))
        shift = shift.copy() if self.shift is None else self.shift + shift
        if (np.abs(self.centre + shift) > self.bound).any():
            raise ValueError(f"this shift takes the minimum of {self.name} out of the box +-{self.bound}")
        return replace(self, name=self.name + " shifted", shift=shift)

    def rotated(self, by) -> "Function":
        """The same function turned about its minimum, so that its valleys lie along no axis; minimum and box stay.

        Args:
            by: an orthogonal matrix, shape ``(dimension, dimension)``, or a seed for a random one. A random rotation of a
                double funnel is drawn among those that leave the second funnel where it is, too.

        Raises:
            ValueError: the matrix has another shape or is not orthogonal.
        """
        if np.ndim(by) == 0:
            by = random_rotation(self.dimension, by, self._towards_second)
        by = np.asarray(by, dtype=float)
        if by.shape != (self.dimension,) * 2 or not np.allclose(by @ by.T, np.eye(self.dimension), atol=1e-8):
            raise ValueError(f"a rotation of {self.name} is an orthogonal matrix of {self.dimension} rows")
        rotation = by if self.rotation is None else self.rotation @ by
        return replace(self, name=self.name + " rotated", rotation=rotation)

    def in_right_funnel(self, x: Mapping[str, float] | np.ndarray) -> bool:
        """Whether a candidate of a double funnel is nearer to the minimum than to the bottom of the wrong funnel.

        Raises:
            ValueError: the function has no second funnel.
        """
        if self.second is None:
            raise ValueError(f"{self.name} has one funnel; the double ones are bisphere and birastrigin")
        if isinstance(x, Mapping):
            x = [x[name] for name in self.names]
        wrong = self._towards_second
        away = np.asarray(x, dtype=float) - self.minimiser
        return bool(away @ away < (away - wrong) @ (away - wrong))

    @property
    def _towards_second(self) -> np.ndarray | None:
        """From the minimum to the bottom of the wrong funnel, as the function lies now."""
        if self.second is None:
            return None
        wrong = self.second - self.centre
        return wrong if self.rotation is None else self.rotation.T @ wrong


def random_rotation(dimension: int, seed: int, keep: np.ndarray | None = None) -> np.ndarray:
    """A rotation drawn uniformly, shape ``(dimension, dimension)``, the same for the same seed.

    Args:
        dimension: rows of the matrix.
        seed: of numpy's generator.
        keep: a vector that the rotation leaves as it is, shape ``(dimension,)``; without it, none in particular.
    """
    rng = np.random.default_rng(seed)
    if keep is None:
        return _rotation(dimension, rng)
    basis, _ = np.linalg.qr(np.column_stack([keep, rng.standard_normal((dimension, dimension - 1))]))
    inner = np.eye(dimension)
    inner[1:, 1:] = _rotation(dimension - 1, rng)
    return basis @ inner @ basis.T


def _rotation(dimension: int, rng: np.random.Generator) -> np.ndarray:
    """QR of a Gaussian matrix. Uniform only with the signs taken out of R; one column decides the sign of the determinant."""
    q, r = np.linalg.qr(rng.standard_normal((dimension, dimension)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return q


def _sphere(x):
    return (x**2).sum(axis=1)


def _rosenbrock(x):
    return 100 * (x[:, 0] ** 2 - x[:, 1]) ** 2 + (1 - x[:, 0]) ** 2


def _step(x):
    return np.trunc(x).sum(axis=1)  # towards zero, not down: the plateau around zero is two wide


def _quartic(x, rng):
    weights = np.arange(1, x.shape[1] + 1)
    return np.abs((weights * x**4 + rng.standard_normal(x.shape)).sum(axis=1))


def _rastrigin(x):
    return 10 * x.shape[1] + (x**2 - 10 * np.cos(2 * np.pi * x)).sum(axis=1)


def _griewank(x):
    return 1 + (x**2).sum(axis=1) / 4000 - np.cos(x / np.sqrt(np.arange(1, x.shape[1] + 1))).prod(axis=1)


def _schwefel(x):
    return 418.982887 * x.shape[1] - (x * np.sin(np.sqrt(np.abs(x)))).sum(axis=1)


_RIGHT = 2.5  # m1 of the double funnels in every variable
_DEPTH = 1.0  # d: how much higher the bottom of the wrong funnel is, per variable


def _width_and_wrong(dimension: int) -> tuple[float, float]:
    """s and m2 of Lunacek et al.: the wrong funnel is wider by 1/s, and its rim meets the other one's at the origin."""
    s = 1 - math.sqrt(1 / (2 * math.sqrt(dimension + 20) - 8.2))
    return s, -math.sqrt((_RIGHT**2 - _DEPTH) / s)


def _bisphere(x):
    s, wrong = _width_and_wrong(x.shape[1])
    right = ((x - _RIGHT) ** 2).sum(axis=1)
    return np.minimum(right, _DEPTH * x.shape[1] + s * ((x - wrong) ** 2).sum(axis=1))


def _birastrigin(x):
    return _bisphere(x) + 10 * (1 - np.cos(2 * np.pi * (x - _RIGHT))).sum(axis=1)


_FUNNELS = {"centre": np.full(30, _RIGHT), "second": np.full(30, _width_and_wrong(30)[1])}

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("sphere", 2, 5.12, _sphere, np.zeros(2)),
        Function("rosenbrock", 2, 2.048, _rosenbrock, np.ones(2)),
        Function("step", 5, 5.12, _step, np.full(5, -5.06), minimum=-25.0, continued=False),
        Function("quartic", 30, 1.28, _quartic, np.zeros(30), draws=True),
        Function("rastrigin", 20, 5.12, _rastrigin, np.zeros(20)),
        Function("griewank", 10, 600.0, _griewank, np.zeros(10)),
        # With the customary constant, which is rounded, the smallest value is just below zero.
        Function("schwefel", 10, 500.0, _schwefel, np.full(10, 420.968746), -2.72434e-6, continued=False),
        Function("bisphere", 30, 5.12, _bisphere, **_FUNNELS),
        Function("birastrigin", 30, 5.12, _birastrigin, **_FUNNELS),
    )
}
"""The nine functions by name, in the order of the paper."""

_RASTRIGIN = FUNCTIONS["rastrigin"]
_SHIFTED = _RASTRIGIN.shifted(np.random.default_rng(1).uniform(-4, 4, _RASTRIGIN.dimension))

HARDER: dict[str, Function] = {
    function.name: function for function in (_SHIFTED, _RASTRIGIN.rotated(1), _SHIFTED.rotated(1))
}
"""Rastrigin with its minimum off the middle of the box, with its valleys along no axis, and both, by name."""
