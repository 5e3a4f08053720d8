"""What a value is, whatever its type claims: two values are the same if their keys are equal.

A key is made of plain tuples, frozen sets and exact numbers. Nothing of the reader's is asked whether it equals
something: an object that says yes to everything is the same as nothing but its own kind.
"""

import math
from collections.abc import Hashable
from decimal import Decimal
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np

Number = int | Fraction | float | complex
"""Python's own numbers, which it compares with each other without rounding; ``complex`` only with an imaginary part."""


def exact(value: object) -> Number | None:
    """The value as an exact number, ``None`` if it is no number: bools, integers, fractions, decimals, floats, complex."""
    if isinstance(value, np.bool_):
        return int(bool(value))
    if isinstance(value, np.complexfloating):
        value = complex(value)
    if isinstance(value, np.timedelta64):  # NumPy calls it an integer
        return None
    if isinstance(value, np.integer):
        return int(value.item())
    if isinstance(value, int):
        return int.__add__(value, 0)  # the number itself, also of a subclass that tells another
    if isinstance(value, Rational):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, Decimal):
        if not value.is_finite():
            return math.nan if value.is_nan() else math.copysign(math.inf, -1 if value.is_signed() else 1)
        return Fraction(*value.as_integer_ratio())
    if isinstance(value, np.floating):
        wide = value.dtype.itemsize > 8 and np.isfinite(value)
        return Fraction(*value.as_integer_ratio()) if wide else float(value)
    if isinstance(value, float):
        return float.__add__(value, 0.0)
    if isinstance(value, complex):
        value = complex.__add__(value, 0)
        return value if value.imag != 0 else exact(value.real)
    return None


def numpy(value: object) -> np.ndarray:
    """The value as an array; torch tensors, also in lists, leave their device and their gradient behind."""
    if isinstance(value, (list, tuple)):
        return np.asarray(
            [numpy(item) if hasattr(item, "detach") or _holds_tensors(item) else item for item in value]
        )
    if hasattr(value, "detach"):
        value = value.detach().cpu().resolve_conj().resolve_neg()
        value = (value.float() if str(value.dtype) in _UNKNOWN_TO_NUMPY else value).numpy()
    return np.asarray(value)


def _holds_tensors(value: object) -> bool:
    return isinstance(value, (list, tuple)) and any(
        hasattr(item, "detach") or _holds_tensors(item) for item in value
    )


_UNKNOWN_TO_NUMPY = ("torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2")


def is_array(value: object) -> bool:
    """Whether this is an array or a tensor; one with no axes is a number."""
    return hasattr(value, "__array__") and hasattr(value, "dtype") and not isinstance(value, np.generic)


def items(value: object) -> list | None:
    """The items of a list, a tuple, an array or a tensor; ``None`` of anything else."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if is_array(value) and (array := numpy(value)).ndim > 0:
        return list(array)
    return None


def key(value: object) -> Hashable:
    """What to compare. Lists, tuples and arrays with equal items are the same, as are 1, 1.0 and True; NaN is NaN."""
    if is_array(value):
        array = numpy(value)
        if array.ndim == 0:
            return key(array[()])
        if array.size == 0:  # the items no longer tell the shape
            return ("items", array.shape) if array.ndim > 1 else ("items", ())
        return ("items", tuple(map(key, array)))
    number = exact(value)
    if number is not None:
        return ("number", _without_nan(number))
    if isinstance(value, str):
        return ("text", str.__str__(value))
    if isinstance(value, (bytes, bytearray)):
        return ("bytes", bytes(memoryview(value)))
    if isinstance(value, (list, tuple)):
        return ("items", tuple(map(key, value)))
    if isinstance(value, dict):
        return ("map", frozenset((key(k), key(v)) for k, v in dict.items(value)))
    if isinstance(value, (set, frozenset)):
        return ("set", frozenset(map(key, value)))
    return _Other(value)


def _without_nan(number: Number) -> Hashable:
    """NaN is not equal to itself; a word is."""
    if isinstance(number, complex):
        return (_without_nan(number.real), _without_nan(number.imag))
    return "NaN" if number != number else number


class _Other:
    """Any other object: the same as one of exactly its own type that says it is equal."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Other) or type(self._value) is not type(other._value):
            return False
        try:
            return self._value is other._value or bool(np.all(self._value == other._value))
        except Exception:  # tables of other rows, for example, refuse the question
            return False

    def __hash__(self) -> int:
        return hash(type(self._value))
