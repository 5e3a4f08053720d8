"""Comparisons that name the first difference: the index, the shape, the type, the bytes."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np

from efficient_ai.checks._exact import Number, exact, is_array, items, key, numpy
from efficient_ai.checks._failure import CheckFailed

_LONG = 80  # characters of one value in a message


def describe(value: object) -> str:
    """One short phrase for any value; for arrays and tensors the type, the shape and the size in bytes."""
    if value is None:
        return "None (is a `return` missing?)"
    if is_array(value) and numpy(value).ndim > 0:
        array = numpy(value)
        return f"an array of {array.dtype} with shape {array.shape}, {array.nbytes} bytes"
    text = _shown(value)
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."


def _shown(value: object) -> str:
    try:
        return repr(numpy(value).item() if is_array(value) or isinstance(value, np.generic) else value)
    except Exception:  # the reader's own class, perhaps unfinished
        return f"an object of type {type(value).__name__}"


def equal(what: str, found: object, expected: object) -> None:
    """Demand that two values are the same; the message names the first index or key that differs, however deep.

    Numbers are compared exactly, whatever their types; NaN is NaN. A list, a tuple and an array with the same items are the
    same. Other objects must be of the expected type and equal to what is expected.
    """
    if key(found) == key(expected):
        return
    have, want = items(found), items(expected)
    if have is not None and want is not None:
        if is_array(found) and is_array(expected) and numpy(found).shape != numpy(expected).shape:
            raise CheckFailed(f"{what} is {describe(found)}, expected shape {numpy(expected).shape}.")
        for index, (one, other) in enumerate(zip(have, want, strict=False)):
            _same(f"{what}[{index}]", one, other)
        raise CheckFailed(f"{what} has {len(have)} items, expected {len(want)}.")
    if isinstance(found, dict) and isinstance(expected, dict):
        same_items(f"the keys of {what}", dict.keys(found), expected)
        by_key = {key(k): value for k, value in dict.items(found)}
        for k, other in expected.items():
            _same(f"{what}[{k!r}]", by_key[key(k)], other)
    if isinstance(found, (set, frozenset)) and isinstance(expected, (set, frozenset)):
        same_items(what, found, expected)
    raise CheckFailed(f"{what} is {describe(found)}, expected {describe(expected)}.")


def _same(what: str, found: object, expected: object) -> None:
    """One item of a list: shown whole where it is short, else the first difference inside it."""
    if key(found) != key(expected):
        if all(not is_array(value) and len(_shown(value)) <= _LONG for value in (found, expected)):
            raise CheckFailed(f"{what} is {describe(found)}, expected {describe(expected)}.")
        equal(what, found, expected)


def close(
    what: str,
    found: object,
    expected: object,
    *,
    tolerance: float = 1e-12,
    relative: float = 0.0,
    dtype: object = None,
) -> None:
    """Demand that numbers or arrays agree: ``|found - expected| <= tolerance + relative * |expected|``, element by element.

    The shape must be that of ``expected``; the type is only looked at if ``dtype`` names one. Integers, fractions and
    decimals are compared exactly, without rounding. Infinity is close to the same infinity only, NaN to NaN.
    """
    if not (tolerance >= 0 and relative >= 0):
        raise ValueError(f"tolerances are not negative: got {tolerance} and {relative}")
    wanted = _numbers("the expected value", expected)
    array = _numbers(what, found)
    if array.shape != wanted.shape:
        raise CheckFailed(
            f"{what} has shape {array.shape}, expected {wanted.shape}. Found {describe(found)}; "
            f"expected {wanted.size * array.itemsize} bytes of that type."
        )
    if dtype is not None and array.dtype != np.dtype(dtype):
        raise CheckFailed(
            f"{what} is {describe(array)}, expected {np.dtype(dtype)}, {wanted.size * np.dtype(dtype).itemsize} bytes."
        )
    if array.dtype.kind in "fc" and wanted.dtype.kind in "fc":
        wrong = _floats_apart(array, wanted, tolerance, relative)
    else:
        wrong = list(_exactly_apart(array, wanted, _arithmetic(tolerance), _arithmetic(relative)))
    if not wrong:
        return
    flat, off, allowed = wrong[0]
    index = tuple(int(i) for i in np.unravel_index(flat, array.shape)) if array.ndim else ()
    difference = f"found {describe(array[index])}, expected {describe(wanted[index])} (off by {off:.3g}, allowed {allowed:.3g})"
    if array.ndim == 0:
        raise CheckFailed(f"{what}: {difference}.")
    raise CheckFailed(
        f"{what}: {len(wrong)} of {array.size} values differ. First at index "
        f"{index if len(index) > 1 else index[0]}: {difference}. It is {describe(array)}."
    )


def _floats_apart(
    array: np.ndarray, wanted: np.ndarray, tolerance: float, relative: float
) -> list[tuple[int, float, float]]:
    """Flat index, difference and what is allowed, of all elements that differ too much."""
    # In float16 a large difference, or what is allowed, would be infinite.
    wide = np.result_type(array, wanted, np.float64)
    array, wanted = array.astype(wide).ravel(), wanted.astype(wide).ravel()
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(array - wanted)
        allowed = tolerance + relative * np.abs(wanted)
        near = np.isfinite(array) & np.isfinite(wanted) & (off <= allowed)
    parts = [(array.real, wanted.real), (array.imag, wanted.imag)]
    same = np.all([(one == other) | (np.isnan(one) & np.isnan(other)) for one, other in parts], axis=0)
    return [(int(i), float(off[i]), float(allowed[i])) for i in np.flatnonzero(~(near | same))]


def _exactly_apart(
    array: np.ndarray, wanted: np.ndarray, tolerance: Number, relative: Number
) -> Iterator[tuple[int, float, float]]:
    """The same without rounding, for integers, fractions and decimals, also beside floats."""
    for flat, (one, other) in enumerate(zip(_scalars(array), _scalars(wanted), strict=True)):
        found, expected = exact(one), exact(other)
        if key(found) == key(expected):
            continue
        if not (_finite(found) and _finite(expected)):
            yield flat, math.inf if _infinite(found) or _infinite(expected) else math.nan, float(tolerance)
            continue
        found, expected = _arithmetic(found), _arithmetic(expected)
        if (off := abs(found - expected)) > (allowed := tolerance + relative * abs(expected)):
            yield flat, _rounded(off), _rounded(allowed)


def _scalars(array: np.ndarray) -> list:
    return array.ravel().tolist() if array.dtype.kind != "O" else list(array.ravel())


def _arithmetic(number: Number) -> Number:
    """Floats as fractions: their sums and products are not rounded."""
    return Fraction(number) if isinstance(number, float) and math.isfinite(number) else number


def _finite(number: Number) -> bool:
    return not isinstance(number, (float, complex)) or bool(np.isfinite(number))


def _infinite(number: Number) -> bool:
    return isinstance(number, (float, complex)) and bool(np.isinf(number))


def _rounded(number: Number) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def same_items(what: str, found: Iterable, expected: Iterable) -> None:
    """Demand the same items as often, in any order (equal multisets); the message names what is missing or too many."""
    try:
        have, want = list(found), list(expected)
    except TypeError:
        raise CheckFailed(f"{what} is {describe(found)}, expected a list.") from None
    shown = {key(item): item for item in (*want, *have)}
    counts = Counter(map(key, have)), Counter(map(key, want))
    for problem, keys in (
        ("lacks", counts[1] - counts[0]),
        ("has too often or should not have", counts[0] - counts[1]),
    ):
        if keys:
            example = min(describe(shown[each]) for each in keys)
            raise CheckFailed(
                f"{what} has {len(have)} items, expected {len(want)}; "
                f"it {problem} {keys.total()}, for example {example}."
            )


def holds(what: str, condition: object, otherwise: str) -> None:
    """Demand that ``condition`` is true; ``otherwise`` says what was found instead.

    It is a truth value, or an array of them that must all be true. What is neither, NaN for one, does not hold.
    """
    true = numpy(condition) if is_array(condition) or isinstance(condition, np.generic) else condition
    if isinstance(true, np.ndarray):
        true = true.dtype.kind == "b" and bool(true.all())
    if true is not True and not (isinstance(true, int) and int.__add__(true, 0)):
        raise CheckFailed(f"{what}: {otherwise}")


def _numbers(what: str, found: object) -> np.ndarray:
    """The value as an array of numbers; integers that are too large for NumPy, fractions and decimals stay as they are."""
    try:
        array = numpy(found)
        if array.dtype.kind == "f" and not is_array(found) and not isinstance(found, (float, np.floating)):
            array = _exact_list(found, array)
    except ValueError:  # rows of different lengths
        raise CheckFailed(f"{what} is {describe(found)}: its rows have different lengths.") from None
    if array.dtype.kind == "O":
        for index, value in np.ndenumerate(array):
            if exact(value) is None:
                where = "".join(f"[{i}]" for i in index)
                raise CheckFailed(f"{what}{where} is {describe(value)}, expected numbers.")
    elif array.dtype.kind not in "biufc":
        raise CheckFailed(f"{what} is {describe(found)}, expected numbers.")
    return array


def _exact_list(found: object, array: np.ndarray) -> np.ndarray:
    """A list that NumPy rounds to floats though it holds integers beyond them: as objects."""
    if not (np.abs(array.astype(float)) > 2.0**53).any():
        return array
    exactly = np.asarray(found, dtype=object)
    return exactly if exactly.shape == array.shape else array
