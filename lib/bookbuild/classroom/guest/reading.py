"""The other direction: from bytes to values. Whatever the bytes are, the end is a value or a refusal."""

import random
import struct
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .codec import DEEPEST, Frame, Refused

_STREAMS = ("PCG64", "PCG64DXSM", "MT19937", "SFC64", "Philox")


class Reader:
    """Reads messages into a frame.

    Args:
        frame: the objects that both sides know.
        other: turns ``(tag, plain value)`` of what is no plain data into a value.
        shell: makes an empty object of fields for ``(class name, names of the fields)``.
        may_change: whether the state of an object that this side owns is taken from the other side.
        folder: makes a new folder for one that is sent; None where none is accepted.
    """

    def __init__(
        self,
        frame: Frame,
        other: Callable[[bytes, Any], Any],
        shell: Callable[[str, tuple], Any],
        may_change: Callable[[int, Any], bool] = lambda number, value: True,
        folder: Callable[[], Path] | None = None,
    ):
        self.frame, self._other, self._shell = frame, other, shell
        self._may_change, self._folder = may_change, folder

    def message(self, data: bytes) -> Any:
        """The value of a message; the objects of the frame are brought up to date before."""
        try:
            return self._message(data)
        except Refused:
            raise
        except (
            Exception
        ) as error:  # cut short, lengths that lie, keys that cannot be keys, texts that are no numbers
            raise Refused(f"what came is no message ({type(error).__name__}: {error})"[:200]) from None

    def _message(self, data: bytes) -> Any:
        (count,), at = struct.unpack_from("<I", data), 4
        states: list[tuple[int, bytes]] = []
        for _ in range(count):
            number, length = struct.unpack_from("<qI", data, at)
            at += 12
            if at + length > len(data):
                raise Refused("it is cut short")
            states.append((number, data[at : at + length]))
            at += length
        new = {number for number, _ in states if number not in self.frame.objects}
        for number, state in states:
            if number in new:
                self.frame.enter(number, self._empty(state))
        for number, state in states:
            value = self.frame.objects[number]
            if number in new or self._may_change(number, value):
                self._fill(number, value, state)
        value, at = self._value(data, at, 0)
        if at != len(data):
            raise Refused("something follows the value")
        return value

    def _empty(self, state: bytes) -> Any:
        tag = state[:1]
        if tag in (b"l", b"d"):
            return []
        if tag in (b"m", b"e"):
            return {} if tag == b"m" else set()
        if tag == b"R":
            return random.Random()
        if tag == b"G":
            name = self._value(state, 1, 1)[0][0]
            if name not in _STREAMS:
                raise Refused(f"a stream of random numbers of the kind {name}")
            return np.random.Generator(getattr(np.random, name)())
        if tag == b"y":
            return self._array(self._value(state, 1, 1)[0])
        if tag == b"x":
            return self._tensor(self._value(state, 1, 1)[0])
        if tag == b"o":
            name, fields, _ = self._value_without_references(state)
            return self._shell(name, fields)
        if tag == b"p" and self._folder:
            return self._folder()
        raise Refused(f"an object of the kind {tag!r}")

    def _value_without_references(self, state: bytes) -> tuple:
        """Name and fields of an object; its values may refer to objects that are not there yet."""
        at = 2 + 4
        name, at = self._value(state, at, 1)
        fields, _ = self._value(state, at, 1)
        return name, fields, None

    def _fill(self, number: int, value: Any, state: bytes) -> None:
        tag = state[:1]
        if tag == b"d":
            value[:] = np.frombuffer(state, "<f8", offset=1).tolist()
        elif tag in (b"l", b"e", b"m"):
            found, at = [], 1
            while at < len(state):
                each, at = self._value(state, at, 1)
                found.append(each)
            if tag == b"l":
                value[:] = found
            else:
                value.clear()
                value.update(found if tag == b"e" else zip(found[::2], found[1::2], strict=True))
        elif tag == b"R":
            version, words, spare = self._value(state, 1, 1)[0]
            value.setstate((version, tuple(np.frombuffer(words, "<u4").tolist()), spare))
        elif tag == b"G":
            name, inner, has, spare = self._value(state, 1, 1)[0]
            value.bit_generator.state = {
                "bit_generator": name,
                "state": dict(inner),
                "has_uint32": has,
                "uinteger": spare,
            }
        elif tag == b"y":
            self._same_shape(value, self._array(self._value(state, 1, 1)[0]))
        elif tag == b"x":
            new = self._tensor(self._value(state, 1, 1)[0])
            if tuple(new.shape) != tuple(value.shape) or new.dtype != value.dtype:
                raise Refused("a tensor that changed its shape or type")
            value.data.copy_(new.detach())
        elif tag == b"o":
            _, fields, values = self._value(state, 1, 1)[0]
            for name, each in zip(fields, values, strict=True):
                object.__setattr__(value, name, each)
        elif tag == b"p":
            _write(value, self._value(state, 1, 1)[0])
        self.frame.states[number] = state

    def _same_shape(self, value: np.ndarray, new: np.ndarray) -> None:
        if new.shape != value.shape or new.dtype != value.dtype:
            raise Refused("an array that changed its shape or type")
        if value.flags.writeable:
            value[...] = new

    def _array(self, parts: tuple) -> np.ndarray:
        kind, shape, content, whole = parts
        _check_shape(shape)
        if kind == "O":
            array = np.empty(len(content), dtype=object)
            array[:] = content
            return array.reshape(shape)
        dtype = np.dtype(kind)
        if dtype.kind not in "biufc" or dtype.fields or dtype.subdtype:
            raise Refused(f"an array of {kind[:20]}")
        array = np.frombuffer(content, dtype).reshape(shape)
        if whole is True:
            return array.copy()
        apart = np.empty((*shape, 2), dtype)[..., 0]  # with gaps, as it was: MPI takes no such array
        apart[...] = array
        return apart

    def _tensor(self, parts: tuple) -> Any:
        import torch

        name, shape, content, gradient = parts
        _check_shape(shape)
        dtype = getattr(torch, name, None)
        if not isinstance(dtype, torch.dtype):
            raise Refused(f"a tensor of {name[:20]}")
        raw = torch.from_numpy(np.frombuffer(content, np.uint8).copy())
        tensor = (raw.view(dtype) if len(content) else torch.empty(0, dtype=dtype)).reshape(shape)
        return tensor.requires_grad_() if gradient is True else tensor

    def _value(self, data: bytes, at: int, depth: int) -> tuple[Any, int]:
        if depth > DEEPEST:
            raise Refused("it is nested too deep")
        tag, at = data[at : at + 1], at + 1
        if tag in b"NET0" and tag:
            return {b"N": None, b"E": ..., b"T": True, b"0": False}[tag], at
        if tag == b"f":
            return struct.unpack_from("<d", data, at)[0], at + 8
        if tag == b"c":
            return complex(*struct.unpack_from("<dd", data, at)), at + 16
        if tag == b"r":
            number = struct.unpack_from("<q", data, at)[0]
            return self.frame.objects[number], at + 8
        if tag in (b"i", b"s", b"b", b"F", b"D", b"a"):
            (length,) = struct.unpack_from("<I", data, at)
            content, at = data[at + 4 : at + 4 + length], at + 4 + length
            if len(content) != length:
                raise Refused("it is cut short")
            return _leaf(tag, content), at
        if tag in (b"t", b"z"):
            (count,), at = struct.unpack_from("<I", data, at), at + 4
            found = []
            for _ in range(count):
                each, at = self._value(data, at, depth + 1)
                found.append(each)
            return (tuple(found) if tag == b"t" else frozenset(found)), at
        plain, at = self._value(data, at, depth + 1)
        if tag == b"S":
            return slice(*plain), at
        return self._other(tag, plain), at


def _leaf(tag: bytes, content: bytes) -> Any:
    if tag == b"b":
        return content
    if tag == b"a":
        kind, _, raw = content.partition(b":")
        dtype = np.dtype(kind.decode())
        if dtype.kind not in "biufc":
            raise Refused("a number of an unknown type")
        return np.frombuffer(raw, dtype)[0]
    text = content.decode("utf-8", "surrogatepass")
    if tag == b"s":
        return text
    if len(text) > 2000:
        raise Refused("a number of too many digits")
    return {b"i": int, b"F": Fraction, b"D": Decimal}[tag](text)


def _check_shape(shape: tuple) -> None:
    if not all(type(each) is int and each >= 0 for each in shape):
        raise Refused("a shape of something else than numbers")


def _write(root: Path, files: tuple) -> None:
    """Make a folder equal to what was sent."""
    wanted = {name for name, _ in files}
    for path in sorted(root.rglob("*"), reverse=True):
        name = str(path.relative_to(root))
        if path.is_file() and name not in wanted:
            path.unlink()
    for name, content in files:
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.chmod(0o600)
        path.write_bytes(content or b"")
        if content is None:
            path.chmod(0)
