"""The side that answers: calls the student's functions when asked, and asks back for what the host keeps."""

import collections
import operator
import pickle
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from .codec import Frame, Refused, Writer, is_tensor
from .reading import Reader
from .wire import MESSAGE, PLACE, Gone, Wire

PREFIX = "answer cell "  # how the file names of a student's cells begin
_PLAIN = (bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset)


class HostError(Exception):
    """An error in what the host lends; it goes back to the host as it came."""

    def __init__(self, text: str, token: int):
        super().__init__(text)
        self.token = token


def asked(name: str) -> Any:
    """A method of :class:`Lent` that asks the host to do it."""

    def method(self: "Lent", *args: Any) -> Any:
        return self._ask(name, self, args)

    return method


class Lent:
    """An object of the host's. What is done with it is done there."""

    def __init__(self, ask: Any, number: int):
        self.__dict__.update(_ask=ask, _number=number)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._ask("get", self, (name,))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask("call", self, args, kwargs)

    def __iter__(self) -> "Lent":
        return self._ask("iter", self, ())

    def __hash__(self) -> int:
        return hash(("lent", self._number))

    __next__, __len__, __getitem__, __contains__ = map(asked, ("next", "len", "item", "contains"))
    __lt__, __le__, __gt__, __ge__, __eq__, __ne__ = map(asked, ("lt", "le", "gt", "ge", "eq", "ne"))
    __bool__, __float__, __int__ = map(asked, ("truth", "float", "int"))


class Service:
    """One connection to the host."""

    def __init__(self, wire: Wire, namespace: dict[str, Any]):
        self._wire, self._names = wire, namespace
        self._frame = Frame(host=False)
        self._given: dict[int, Any] = {}
        self._classes: dict[str, type] = {}
        self._depth = 0
        self._main = threading.get_ident()
        threading.Thread(target=self._tell_place, daemon=True).start()

    def serve(self) -> None:
        """Answer until the host hangs up."""
        while True:
            try:
                self._answer(self._receive())
            except Gone:
                return

    def _receive(self) -> Any:
        _, data = self._wire.receive()
        return Reader(self._frame, self._from_tag, self._shell, folder=_new_folder).message(data)

    def _send(self, value: Any, all_states: bool = True) -> None:
        self._wire.send(Writer(self._frame, self._to_tag).message(value, all_states), MESSAGE)

    def _answer(self, message: tuple) -> None:
        _, what, target, args, pairs = message[:5]
        self._depth += 1
        try:
            self._send(("done", self._do(what, target, args, dict(pairs))))
        except Gone:
            raise
        except Refused as error:
            self._send(("error", ("TypeError",), f"what it returns cannot be read: {error}", None, 0))
        except BaseException as error:
            self._send(_told(error))
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._frame = Frame(host=False)

    def _do(self, what: str, target: Any, args: tuple, kwargs: dict) -> Any:
        if what == "pull":  # gradients of an earlier result by the tensors that it was made of
            return gradients(target, args[0])
        found = _do(what, target, args, kwargs)
        if what == "call" and is_tensor(found) and found.requires_grad:
            given = [
                each
                for each in self._frame.objects.values()
                if is_tensor(each) and each.requires_grad and each.is_leaf
            ]
            if given:
                return ("made", found, Held((found, given)), tuple(given))
        return found

    def _ask(self, what: str, target: Any, args: tuple, kwargs: dict | None = None) -> Any:
        self._send(
            ("back", what, target, args, tuple((kwargs or {}).items()), place_of(sys._getframe())),
            what in ("call", "next"),
        )
        while True:
            message = self._receive()
            if message[0] == "reply":
                return message[1]
            if message[0] == "raise":
                _, kind, text, token = message
                if kind in ("StopIteration", "AttributeError", "KeyError", "IndexError"):
                    raise getattr(_Builtins, kind)(text)
                raise HostError(text, token)
            self._answer(message)  # the host calls a function of ours meanwhile

    def _tell_place(self) -> None:
        before = None
        while True:
            time.sleep(0.5)
            place = place_of(sys._current_frames().get(self._main))
            if place and place != before:
                try:
                    self._wire.send("\n".join(map(str, place)).encode(), PLACE)
                except (Gone, Refused):
                    return
                before = place

    # Values.

    def _to_tag(self, value: Any) -> tuple[bytes, Any]:
        kind = type(value)
        if kind is Lent:
            return b"h", value._number
        if kind is Held:
            value = value.value
            self._given[id(value)] = value
            return b"g", (id(value), type(value).__name__)
        if kind.__name__ in self._classes and self._classes[kind.__name__] is kind:
            if isinstance(value, tuple):
                return b"n", (kind.__name__, kind._fields, tuple(value))
            return b"o", (kind.__name__, tuple(vars(value)), tuple(vars(value).values()))
        if kind.__module__ == "torch" and kind.__name__ == "dtype":
            return b"y", str(value).removeprefix("torch.")
        if isinstance(value, Path):
            return b"W", str(value)
        if kind.__name__ == "Constant" and kind.__module__ == "mpi4py.MPI":
            return b"M", value.name
        if isinstance(value, range):
            return b"V", (value.start, value.stop, value.step)
        if isinstance(value, (collections.deque, type({}.keys()), type({}.values()), type({}.items()))):
            return b"=", list(value)
        for plain in _PLAIN:
            if isinstance(value, plain):
                return b"=", plain(value)
        self._given[id(value)] = value
        return b"g", (id(value), kind.__name__)

    def _from_tag(self, tag: bytes, plain: Any) -> Any:
        if tag == b"h":
            return Lent(self._ask, plain)
        if tag == b"g":
            return self._given[plain]
        if tag == b"A":
            return self._names[plain]
        if tag == b"P":  # what the host lends as it is; the host trusts itself, and so may we
            return pickle.loads(plain)
        if tag == b"y":
            return getattr(sys.modules["torch"], plain)
        if tag == b"W":
            return Path(plain)
        if tag == b"V":
            return range(*plain)
        if tag == b"n":
            name, fields, values = plain
            if name not in self._classes:
                self._classes[name] = collections.namedtuple(name, fields)
            return self._classes[name]._make(values)
        raise Refused(f"a value of the kind {tag!r}")

    def _shell(self, name: str, fields: tuple) -> Any:
        if name not in self._classes:
            from dataclasses import make_dataclass

            self._classes[name] = make_dataclass(name, fields)
        return object.__new__(self._classes[name])


class Held:
    """A result that stays here."""

    def __init__(self, value: Any):
        self.value = value


class _Builtins:
    StopIteration, AttributeError, KeyError, IndexError = StopIteration, AttributeError, KeyError, IndexError


def _new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="given-"))


def gradients(made: tuple, outer: Any) -> tuple:
    """The gradients of a result by what it was made of, one tensor each or None."""
    import torch

    result, given = made
    return torch.autograd.grad(result, given, outer, allow_unused=True, retain_graph=True)


def _do(what: str, target: Any, args: tuple, kwargs: dict) -> Any:
    if what == "call":
        return target(*args, **kwargs)
    if what == "hold":
        return Held(target(*args, **kwargs))
    if what == "value":
        return target
    if what == "get":
        return getattr(target, args[0])
    if what == "list":
        found = []
        for each in target:
            found.append(each)
            if len(found) > 1_000_000:
                raise ValueError("it yields more than a million items")
        return found
    return {"item": operator.getitem, "len": len}[what](target, *args)


def _told(error: BaseException) -> tuple:
    kinds = tuple(each.__name__ for each in type(error).__mro__)
    text = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], str) else str(error)
    place, trace = None, error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(PREFIX):
            place = (name, trace.tb_lineno, trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return ("error", kinds, text[:2000], place, error.token if isinstance(error, HostError) else 0)


def place_of(frame: Any) -> tuple[str, int, str] | None:
    """The innermost line of the student's that a frame stands in: file, line, function."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(PREFIX):
            return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return None
