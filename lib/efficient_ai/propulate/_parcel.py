"""Packing messages whose categories may be objects of any kind: they travel as their place in the space."""

import io
import pickle
from collections.abc import Sequence
from typing import Any

_PLAIN = (str, bytes, int, float, bool, type(None))


class Parcel:
    """Packs and unpacks what ranks send to each other.

    A category that is not plain data (a function, a class, a model) is the same object in all messages of a process, and
    need not be sendable: what travels is its number. All ranks hold the same values in the same order; they compare that
    when they meet.

    Args:
        values: all categories of the space, in order.
    """

    def __init__(self, values: Sequence[Any] = ()):
        self.values = list(values)
        self._numbers = {id(value): i for i, value in enumerate(self.values) if not _is_plain(value)}

    def pack(self, message: Any) -> bytes:
        if not self._numbers:
            return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
        buffer = io.BytesIO()
        _Pickler(buffer, self._numbers).dump(message)
        return buffer.getvalue()

    def unpack(self, letter: bytes) -> Any:
        if not self._numbers:
            return pickle.loads(letter)
        return _Unpickler(io.BytesIO(letter), self.values).load()


class _Pickler(pickle.Pickler):
    def __init__(self, buffer, numbers: dict[int, int]):
        super().__init__(buffer, protocol=pickle.HIGHEST_PROTOCOL)
        self._numbers = numbers

    def persistent_id(self, thing: Any) -> int | None:
        return self._numbers.get(id(thing))


class _Unpickler(pickle.Unpickler):
    def __init__(self, buffer, values: list[Any]):
        super().__init__(buffer)
        self._values = values

    def persistent_load(self, number: int) -> Any:
        return self._values[number]


def _is_plain(value: Any) -> bool:
    """Whether a value is data that pickles to an equal one."""
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return type(value) in _PLAIN
