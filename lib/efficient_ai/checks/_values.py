"""Comparisons that name the first difference: the index, the shape, the type, the bytes."""

from collections import Counter
from collections.abc import Hashable, Iterable

import numpy as np

from efficient_ai.checks._failure import CheckFailed


def describe(value: object) -> str:
    """One short phrase for any value; for arrays and tensors the type, the shape and the size in bytes."""
    if value is None:
        return "None (is a `return` missing?)"
    if hasattr(value, "dtype") and getattr(value, "shape", ()) != ():
        array = _numpy(value)
        return f"an array of {array.dtype} with shape {array.shape}, {array.nbytes} bytes"
    text = repr(value.item() if isinstance(value, np.generic) else value)
    if len(text) > 80:
        text = text[:77] + "..."
    return text


def equal(what: str, found: object, expected: object) -> None:
    """Demand ``found == expected`` exactly; for lists and tuples the message names the first index that differs."""
    if isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        for index, (one, other) in enumerate(zip(found, expected, strict=False)):
            if not _same(one, other):
                raise CheckFailed(f"{what}[{index}] is {describe(one)}, expected {describe(other)}.")
        if len(found) != len(expected):
            raise CheckFailed(f"{what} has {len(found)} items, expected {len(expected)}.")
    elif not _same(found, expected):
        raise CheckFailed(f"{what} is {describe(found)}, expected {describe(expected)}.")


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

    The shape must be that of ``expected``; the type is only looked at if ``dtype`` names one. NaN equals NaN, and
    nothing else does.
    """
    wanted = np.asarray(expected)
    array = _numbers(what, found)
    if array.shape != wanted.shape:
        raise CheckFailed(
            f"{what} has shape {array.shape}, expected {wanted.shape}. Found {describe(array)}; "
            f"expected {wanted.size * array.itemsize} bytes of that type."
        )
    if dtype is not None and array.dtype != np.dtype(dtype):
        raise CheckFailed(
            f"{what} is {describe(array)}, expected {np.dtype(dtype)}, {wanted.size * np.dtype(dtype).itemsize} bytes."
        )
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(array - wanted)
        allowed = tolerance + relative * np.abs(wanted)
        right = (array == wanted) | (off <= allowed) | ((array != array) & (wanted != wanted))
    if right.all():
        return
    index = tuple(int(i) for i in np.argwhere(~right)[0]) if array.ndim else ()
    difference = (
        f"found {describe(array[index])}, expected {describe(wanted[index])} "
        f"(off by {float(off[index]):.3g}, allowed {float(np.broadcast_to(allowed, off.shape)[index]):.3g})"
    )
    if array.ndim == 0:
        raise CheckFailed(f"{what}: {difference}.")
    raise CheckFailed(
        f"{what}: {int((~right).sum())} of {right.size} values differ. First at index "
        f"{index if len(index) > 1 else index[0]}: {difference}. It is {describe(array)}."
    )


def same_items(what: str, found: Iterable[Hashable], expected: Iterable[Hashable]) -> None:
    """Demand the same items as often, in any order (equal multisets); the message names what is missing or too many."""
    if found is None:
        raise CheckFailed(f"{what} is {describe(found)}.")
    have, want = Counter(found), Counter(expected)
    for problem, items in (("lacks", want - have), ("has too often or should not have", have - want)):
        if items:
            example = min(items, key=repr)
            raise CheckFailed(
                f"{what} has {have.total()} items, expected {want.total()}; "
                f"it {problem} {items.total()}, for example {describe(example)}."
            )


def holds(what: str, condition: object, otherwise: str) -> None:
    """Demand that ``condition`` is true; ``otherwise`` says what was found instead."""
    if not condition:
        raise CheckFailed(f"{what}: {otherwise}")


def _numpy(value: object) -> np.ndarray:
    """The value as an array; a torch tensor leaves its device and its gradient behind."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


def _numbers(what: str, found: object) -> np.ndarray:
    try:
        array = _numpy(found)
    except ValueError:  # rows of different lengths
        raise CheckFailed(f"{what} is {describe(found)}: its rows have different lengths.") from None
    if array.dtype.kind not in "biufc":
        raise CheckFailed(f"{what} is {describe(found)}, expected numbers.")
    return array


def _same(one: object, other: object) -> bool:
    if hasattr(one, "dtype") or hasattr(other, "dtype"):
        return np.array_equal(_numpy(one), _numpy(other))
    return bool(one == other)
