"""Values as bytes, between the process that checks and the process that answers. Nothing here can run code.

Unlike a pickle, a message holds plain data only: numbers, text, containers, arrays, tensors, and references. Mutable
objects have numbers in a :class:`Frame`, which lives as long as one call: both sides know the same objects by the same
numbers, and each message carries the new state of those that changed, so that a buffer which is filled later, or a list
that is appended to, is filled and appended to on both sides.
"""

import random
import struct
import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

LARGEST = 1 << 28  # bytes of one message
DEEPEST = 200  # levels of containers in one value
_DTYPES = "biufc"


class Refused(Exception):
    """Bytes that are no message, or a value that cannot be sent."""


class Frame:
    """The mutable objects of one call, by number. The host gives even numbers, the guest odd ones."""

    def __init__(self, host: bool):
        self.objects: dict[int, Any] = {}
        self.numbers: dict[int, int] = {}
        self.states: dict[int, bytes] = {}
        self._next = 2 if host else 1

    def number(self, value: object) -> int:
        """The number of an object, a new one if it has none."""
        if id(value) not in self.numbers:
            self.enter(self._next, value)
            self._next += 2
        return self.numbers[id(value)]

    def enter(self, number: int, value: object) -> None:
        """Know an object of the other side by its number."""
        self.objects[number], self.numbers[id(value)] = value, number


def is_tensor(value: object) -> bool:
    """Whether this is a tensor; torch is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


class Writer:
    """One message. ``other`` turns what is no plain data into ``(tag, plain value)``; ``folders`` go over with their files."""

    def __init__(self, frame: Frame, other: Callable[[Any], tuple[bytes, Any]], folders: bool = False):
        self.frame, self._other, self._folders = frame, other, folders
        self._todo: list[Any] = []
        self._met: set[int] = set()

    def message(self, value: object, all_states: bool = True) -> bytes:
        """The value, behind the states of all objects of the frame that are new or changed, or of those in the value only."""
        self._todo = list(self.frame.objects.values()) if all_states else []
        self._met = set(self.frame.objects) if all_states else set()
        root, states = self._value(value, 0), []
        while self._todo:
            each = self._todo.pop()
            number = self.frame.number(each)
            state = self._state(each)
            if self.frame.states.get(number) != state:
                self.frame.states[number] = state
                states.append(struct.pack("<qI", number, len(state)) + state)
        return struct.pack("<I", len(states)) + b"".join(states) + root

    def _value(self, value: Any, depth: int) -> bytes:
        if depth > DEEPEST:
            raise Refused(f"it is nested more than {DEEPEST} levels deep")
        kind = type(value)
        if value is None or value is Ellipsis:
            return b"N" if value is None else b"E"
        if kind is bool:
            return b"T" if value else b"0"
        if kind is int:
            return _text(b"i", str(value) if abs(value) < 1 << 4000 else _too_long())
        if kind is float:
            return b"f" + struct.pack("<d", value)
        if kind is complex:
            return b"c" + struct.pack("<dd", value.real, value.imag)
        if kind is str:
            return _text(b"s", value)
        if kind in (bytes, bytearray):
            check_size(len(value))
            return _sized(b"b", bytes(value))
        if kind in (Fraction, Decimal):
            return _text(b"F" if kind is Fraction else b"D", str(value))
        if isinstance(value, np.generic) and value.dtype.kind in _DTYPES:
            return _sized(b"a", value.dtype.str.encode() + b":" + value.tobytes())
        if kind is slice:
            return b"S" + self._value((value.start, value.stop, value.step), depth + 1)
        if kind in (tuple, frozenset) or (kind.__name__ == "Size" and isinstance(value, tuple)):
            head = b"z" if kind is frozenset else b"t"
            return (
                head
                + struct.pack("<I", len(value))
                + b"".join(self._value(each, depth + 1) for each in value)
            )
        if (
            kind in (list, dict, set, random.Random, np.random.Generator)
            or isinstance(value, np.ndarray)
            or is_tensor(value)
        ):
            return self._reference(value)
        if self.frame.objects.get(self.frame.numbers.get(id(value))) is value:  # known already
            return self._reference(value)
        if self._folders and isinstance(value, Path) and value.is_dir():
            return self._reference(value)
        tag, plain = self._other(value)
        if tag == b"o":  # an object of fields: state and identity
            return self._reference(value)
        return tag + self._value(plain, depth + 1)

    def _reference(self, value: Any) -> bytes:
        number = self.frame.number(value)
        if number not in self._met:
            self._met.add(number)
            self._todo.append(value)
        return b"r" + struct.pack("<q", number)

    def _state(self, value: Any) -> bytes:
        kind = type(value)
        if kind is list:
            if value and all(type(each) is float for each in value):
                return b"d" + np.array(value, dtype="<f8").tobytes()
            return b"l" + b"".join(self._value(each, 1) for each in value)
        if kind is set:
            return b"e" + b"".join(self._value(each, 1) for each in value)
        if kind is dict:
            return b"m" + b"".join(self._value(k, 1) + self._value(v, 1) for k, v in value.items())
        if kind is random.Random:
            version, words, spare = value.getstate()
            return b"R" + self._value((version, np.array(words, dtype="<u4").tobytes(), spare), 1)
        if kind is np.random.Generator:
            state = value.bit_generator.state
            name, inner = state["bit_generator"], tuple(sorted(state["state"].items()))
            return b"G" + self._value((name, inner, state["has_uint32"], state["uinteger"]), 1)
        if is_tensor(value):
            return b"x" + self._tensor(value)
        if isinstance(value, np.ndarray):
            return b"y" + self._array(value)
        if isinstance(value, Path):
            return b"p" + self._value(_folder(value), 1)
        _, (name, names, values) = self._other(value)
        values = b"t" + struct.pack("<I", len(values)) + b"".join(self._value(each, 3) for each in values)
        return _head(name, names) + values

    def _array(self, array: np.ndarray) -> bytes:
        check_size(array.nbytes)
        if array.dtype.kind not in _DTYPES:
            if array.dtype.kind == "O":  # item by item
                return self._value(("O", array.shape, tuple(array.ravel().tolist()), True), 1)
            raise Refused(f"an array of {array.dtype}")
        whole = bool(array.flags.c_contiguous)
        return self._value((array.dtype.str, array.shape, array.tobytes(), whole), 1)

    def _tensor(self, tensor: Any) -> bytes:
        import torch

        check_size(tensor.numel() * tensor.element_size())
        plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        raw = plain.reshape(-1).view(torch.uint8).numpy().tobytes() if plain.numel() else b""
        return self._value(
            (str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape), raw, tensor.requires_grad), 1
        )


@cache
def _head(name: str, names: tuple[str, ...]) -> bytes:
    """How the state of an object of fields begins: a tuple of its class, the names of its fields, and then their values."""
    fields = b"".join(_text(b"s", each) for each in names)
    return b"ot" + struct.pack("<I", 3) + _text(b"s", name) + b"t" + struct.pack("<I", len(names)) + fields


def _folder(root: Path) -> tuple:
    """What lies in a folder: path, content; None for a file that may not be read."""
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            try:
                with open(path, "rb") as file:
                    content = file.read()
            except PermissionError:
                content = None
            found.append((str(path.relative_to(root)), content))
        elif path.is_dir():
            found.append((str(path.relative_to(root)) + "/", b""))
    return tuple(found)


def check_size(size: int) -> None:
    """Refuse what is too large before it is copied."""
    if size > LARGEST:
        raise Refused(f"{size >> 20} MB, at most {LARGEST >> 20} MB can be sent")


def _too_long() -> str:
    raise Refused("an integer of more than 4000 bits")


def _text(tag: bytes, text: str) -> bytes:
    return _sized(tag, text.encode("utf-8", "surrogatepass"))


def _sized(tag: bytes, content: bytes) -> bytes:
    check_size(len(content))
    return tag + struct.pack("<I", len(content)) + content
