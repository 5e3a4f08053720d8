"""What enters is right or refused: one place for the checks of every list of hits, number and array of this package.

Each function returns the value in the form in which the package works (whole numbers as int64, others as float64) and
raises a ``ValueError`` whose one sentence says what to do.
"""

import math
from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np

LARGEST = 1 << 52
"""Whole numbers up to here are exact in float64 as well, so that no sum or comparison rounds them."""


def number(
    name: str, value, least: float = -math.inf, most: float = math.inf, *, above: bool = False
) -> float:
    """One finite number within bounds; ``above``: more than ``least``, not equal to it."""
    real = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if (
        not real
        or not math.isfinite(value)
        or not (least < value if above else least <= value)
        or value > most
    ):
        raise ValueError(f"{name}={value!r}: give a finite number{_bounds(least, most, above)}")
    return value


def count(name: str, value, least: int = 0, most: int = LARGEST) -> int:
    """One whole number within bounds; True is none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral) or not least <= value <= most:
        raise ValueError(f"{name}={value!r}: give a whole number{_bounds(least, most, False)}")
    return int(value)


def _bounds(least: float, most: float, above: bool) -> str:
    low = f" above {least:g}" if above else f" of at least {least:g}"
    return ("" if least == -math.inf else low) + ("" if most == math.inf else f", at most {most:g}")


def finite(name: str, values, shape: tuple[int, ...] | None = None, least: float = -math.inf) -> np.ndarray:
    """An array of finite numbers in float64, or in int64 if they are of a type for whole numbers.

    Args:
        shape: it must have; None: a list, shape ``(n,)``.
    """
    values = np.asarray(values)
    if values.dtype.kind not in "iuf":
        raise ValueError(f"{name}: numbers are wanted, not values of type {values.dtype}")
    fits = values.ndim == 1 if shape is None else values.shape == tuple(shape)
    if not fits:
        raise ValueError(f"{name} has shape {values.shape}, not {'(n,)' if shape is None else tuple(shape)}")
    if values.size and (not np.all(np.isfinite(values)) or values.min() < least):
        at_least = "" if least == -math.inf else f", at least {least:g}"
        raise ValueError(f"{name}: every value must be a finite number{at_least}; leave out what is none")
    if values.dtype.kind == "f":
        return values.astype(np.float64, copy=False)
    if values.size and (int(values.max()) > LARGEST or int(values.min()) < -LARGEST):
        raise ValueError(
            f"{name} goes beyond 2**52 in size: count from a later beginning, or in a larger unit"
        )
    return values.astype(np.int64, copy=False)


def whole(name: str, values, least: int | None = None, below: int | None = None) -> np.ndarray:
    """A list of whole numbers as int64, whatever their width and sign was; floats must be whole.

    Args:
        below: what all must be smaller than.
    """
    values = finite(name, values)
    if values.dtype != np.int64:
        if not np.array_equal(values, np.rint(values)) or np.abs(values).max(initial=0) > LARGEST:
            raise ValueError(f"{name}: whole numbers are wanted; round them first, or choose a smaller unit")
        values = values.astype(np.int64)
    low, high = values.min(initial=LARGEST), values.max(initial=-LARGEST)
    if (least is not None and low < least) or (below is not None and high >= below):
        bounds = (f" from {least}" if least is not None else "") + (
            f" to {below - 1}" if below is not None else ""
        )
        raise ValueError(f"{name} goes from {low} to {high}; only values{bounds} are there")
    return values


def times(name: str, values) -> np.ndarray:
    """Times in whole units or in seconds; seconds need all 64 bits, for in 32 a clock is lost after some microseconds."""
    values = np.asarray(values)
    if values.dtype in (np.float16, np.float32) and not np.array_equal(values, np.rint(values)):
        raise ValueError(
            f"{name} in {values.dtype}: give float64, or whole ticks; what was rounded away cannot come back"
        )
    return finite(name, values)


def equally_long(**columns: np.ndarray) -> None:
    """Columns of one list."""
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(f"columns of one list must be equally long: {lengths}")


def in_order(what: str, help: str, *columns: np.ndarray, once: bool = False) -> None:
    """Rows ascend by the first column, of equal ones by the second, and so on; ``once``: no two rows are equal."""
    if len(columns[0]) < 2:
        return
    behind = np.full(len(columns[0]) - 1, once)
    for column in reversed(columns):
        before, after = column[:-1], column[1:]
        behind = (after < before) | ((after == before) & behind)
    if behind.any():
        where = int(np.argmax(behind)) + 1
        but_once = ", each once" if once else ""
        raise ValueError(f"{what} must be in order of time{but_once}, and number {where} is not: {help}")


def choice(name: str, value, of: Sequence[str]) -> str:
    """One of some words."""
    if not isinstance(value, str) or value not in of:
        raise ValueError(f"{name}={value!r}: choose one of {', '.join(of)}")
    return value
