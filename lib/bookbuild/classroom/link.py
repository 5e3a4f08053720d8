"""The side that checks: calls a student's functions in their process, and lends what they may use of ours."""

import builtins
import contextlib
import operator
import socket
import sys
import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from bookbuild.classroom.guest.codec import Frame, Refused, Writer
from bookbuild.classroom.guest.reading import Reader
from bookbuild.classroom.guest.serving import PREFIX
from bookbuild.classroom.guest.wire import PLACE, Gone, Wire
from bookbuild.classroom.lending import by_value, packed, refused
from efficient_ai.checks import CheckFailed

_OPERATIONS: dict[str, Callable] = {
    "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge, "eq": operator.eq,
    "ne": operator.ne, "truth": bool, "float": float, "int": int, "iter": iter, "next": next, "len": len,
    "item": operator.getitem, "contains": operator.contains, "get": getattr,
}  # fmt: skip


class Guest:
    """Something that lives in the student's process: a function, a class, an object of one. It is never ours."""

    def __init__(self, session: "Session", target: int | str, kind: str):
        self.__dict__.update(_session=session, _target=target, _kind=kind)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._session.ask("call", self, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._session.ask("get", self, (name,))

    def __iter__(self) -> Any:
        return iter(self._session.ask("list", self))

    def __getitem__(self, key: Any) -> Any:
        return self._session.ask("item", self, (key,))

    def __len__(self) -> int:
        return int(self._session.ask("len", self))

    def __repr__(self) -> str:
        return f"an object of type {self._kind}"

    def __reduce__(self) -> tuple:
        if type(self._target) is not str:
            raise TypeError("this lives in one process of the student's and cannot go to a rank")
        return _on_rank, (self._session.address, self._session.opaque, self._target)


class Session:
    """A connection to a fresh copy of the student's process.

    Args:
        address: of the socket that it answers at.
        opaque: functions whose results stay in the student's process.
    """

    def __init__(self, address: str, opaque: tuple[str, ...] = ()):
        self.address, self.opaque = address, opaque
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(address)
        self._wire = Wire(connection)
        self._frame = Frame(host=True)
        self._live: set[int] = set()
        self._done: list[Frame] = []
        self._lent: dict[int, Any] = {}
        self._classes: dict[str, type] = {}
        self._errors: list[BaseException] = []
        self._depth, self._place, self._broken = 0, None, ""

    def answer(self, name: str) -> Guest:
        """A function or class of the student's, by name."""
        return Guest(self, name, "function")

    def close(self) -> None:
        """Hang up, with which the copy ends."""
        self._wire.close()

    def ask(self, what: str, guest: Guest, args: tuple = (), kwargs: dict | None = None) -> Any:
        """Have something done there; the result, or the error that it raised, at the student's line."""
        if self._broken:
            raise CheckFailed(self._broken)
        self._depth += 1
        opaque = what == "call" and guest._target in self.opaque
        try:
            self._send(("call", "hold" if opaque else what, guest, args, tuple((kwargs or {}).items())))
            return self._until_done()
        except Gone:
            self._broken = f"the process of your answers ended{self._where()}: an exit, a crash, or more memory than there is."
            raise CheckFailed(self._broken) from None
        except Refused as error:
            self._broken = f"the answer cannot be read: {error}."
            raise CheckFailed(self._broken) from None
        except BaseException as error:
            if not isinstance(error, Exception):
                self._broken = "the process of your answers was given up in the middle of a call."
            raise
        finally:
            self._depth -= 1
            if self._depth == 0:
                if self.address in _RANKS:  # a buffer may still be on its way
                    self._done.append(self._frame)
                self._frame, self._live = Frame(host=True), set()

    def _where(self) -> str:
        if not self._place:
            return ""
        from efficient_ai.checks._reader import Line

        return f", last seen in {Line(self._place[1], self._place[2], '')}"

    def _until_done(self) -> Any:
        while True:
            message = self._receive()
            head = message[0] if type(message) is tuple and message else None
            if head == "done":
                return self._with_gradient(message[1])
            if head == "error":
                self._raise(*message[1:])
            if head != "back":
                raise Refused("what came is no answer")
            *asked, place = message[1:]
            self._place = _place(*place) if place is not None else self._place
            reply = at(self._place, lambda asked=asked: self._lend(*asked))
            self._send(reply, message[1] in ("call", "next"))

    def _with_gradient(self, value: Any) -> Any:
        """A tensor that was made of ours with a gradient: here, too, it has one, which is asked for there."""
        if not (type(value) is tuple and len(value) == 4 and value[0] == "made"):
            return value
        from bookbuild.classroom.gradient import through

        _, result, made, given = value
        mine = [each for each in given if id(each) in self._frame.numbers]
        if len(mine) != len(given) or not isinstance(made, Guest):
            raise Refused("a result of nothing that was given")
        return through(result, mine, lambda outer: self.ask("pull", made, (outer,)))

    def _receive(self) -> Any:
        found = self._next()
        while isinstance(found, _Place):
            self._place = found
            found = at(found, self._next)
        reader = Reader(self._frame, self._from_tag, self._shell, self._may_change)
        return reader.message(found)

    def _next(self) -> Any:
        tag, data = self._wire.receive()
        if tag != PLACE:
            return data
        parts = data.decode("utf-8", "replace").split("\n")
        if len(parts) != 3 or not parts[1].isdigit():
            raise Refused("what came is no place")
        return _place(*parts)

    def _send(self, value: Any, all_states: bool = True) -> None:
        self._wire.send(Writer(self._frame, self._to_tag, folders=True).message(value, all_states))

    def _raise(self, kinds: Any, text: Any, place: Any, token: Any) -> None:
        if type(token) is int and 0 < token <= len(self._errors):
            raise self._errors[token - 1]
        known = (getattr(builtins, kind, None) for kind in kinds if type(kind) is str)
        kind = next((k for k in known if isinstance(k, type) and issubclass(k, Exception)), RuntimeError)
        if kind in (StopIteration, UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError):
            kind = RuntimeError
        error = kind(str(text)[:2000])
        if type(kinds[0]) is str and kinds[0] != kind.__name__:
            error = kind(f"{kinds[0]}: {text}"[:2000])
        if kind is NameError:
            error.name = None

        def throw() -> None:
            raise error

        if type(place) is tuple and len(place) == 3:
            at(_place(*place), throw)
        throw()

    # What the host lends.

    def _lend(self, what: Any, target: Any, args: Any, pairs: Any) -> tuple:
        try:
            kwargs = dict(pairs)
            if what == "call" and callable(target) and not isinstance(target, (type, Guest)):
                result = target(*args, **kwargs)
            elif what in _OPERATIONS and not isinstance(target, Guest):
                if what == "get" and (reason := refused(target, args[0])):
                    raise AttributeError(reason)
                result = _OPERATIONS[what](target, *args)
                if what == "get":
                    self._live_values(result)
            else:
                raise Refused("that cannot be asked for")
            return ("reply", result)
        except (Gone, Refused):
            raise
        except Exception as error:
            self._errors.append(error)
            return ("raise", type(error).__name__, str(error)[:500], len(self._errors))

    def _live_values(self, value: Any) -> None:
        """What is fetched from a lent object is that object's own: changes to it are changes to ours."""
        if type(value) in (list, dict, set):
            self._live.add(self._frame.number(value))

    def _may_change(self, number: int, value: Any) -> bool:
        mine = number % 2 == 0
        return not mine or number in self._live or type(value) is Random or isinstance(value, np.random.Generator) or is_record(value)  # fmt: skip

    def _to_tag(self, value: Any) -> tuple[bytes, Any]:
        kind = type(value)
        if kind is Guest:
            if value._session is self:
                return (b"A" if type(value._target) is str else b"g"), value._target
            raise TypeError("an answer of another process")
        if isinstance(value, Path):
            return b"W", str(value)
        if kind.__module__ == "torch" and kind.__name__ == "dtype":
            return b"y", str(value).removeprefix("torch.")
        if isinstance(value, range):
            return b"V", (value.start, value.stop, value.step)
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            self._classes[kind.__name__] = kind
            return b"n", (kind.__name__, kind._fields, tuple(value))
        if is_record(value):
            self._classes[kind.__name__] = kind
            return b"o", (kind.__name__, tuple(vars(value)), tuple(vars(value).values()))
        if isinstance(value, (type({}.keys()), type({}.values()), type({}.items()))):
            return b"=", list(value)
        if by_value(value):
            return b"P", packed(value)
        self._lent[id(value)] = value
        return b"h", id(value)

    def _from_tag(self, tag: bytes, plain: Any) -> Any:
        if tag == b"=":
            return plain
        if tag == b"h":
            return self._lent[plain]
        if tag == b"g" and type(plain) is tuple and len(plain) == 2 and type(plain[0]) is int:
            return Guest(self, plain[0], str(plain[1])[:60])
        if tag == b"y":
            dtype = getattr(sys.modules.get("torch"), str(plain), None)
            if type(dtype).__name__ == "dtype":
                return dtype
        if tag == b"W" and type(plain) is str:
            return Path(plain)
        if tag == b"V":
            return range(*plain)
        if tag == b"M":
            from bookbuild.classroom.lending import mpi_constant

            return mpi_constant(plain)
        if tag == b"n":
            name, _, values = plain
            return self._classes[name]._make(values)
        raise Refused("a value of an unknown kind")

    def _shell(self, name: str, names: tuple) -> Any:
        kind = self._classes[name]
        if set(names) != {field.name for field in fields(kind)}:
            raise Refused(f"an object of {name} with other fields")
        return object.__new__(kind)


class _Place(tuple):
    """A line of the student's: file, line, function."""


def _place(file: object, line: object, function: object) -> _Place:
    """A place as the other side tells it, whatever it tells."""
    number = int(line) if type(line) is int or str(line).isdigit() else 1
    name = str(function)[:100]
    return _Place(
        (
            f"{PREFIX}{str(file).removeprefix(PREFIX)[:40]}",
            max(1, min(number, 10_000)),
            name if name.isprintable() else "?",
        )
    )


def is_record(value: Any) -> bool:
    """Whether this is an instance of a data class that holds fields and can do nothing."""
    kind = type(value)
    if not is_dataclass(kind) or not hasattr(value, "__dict__") or kind.__dataclass_params__.frozen:
        return False
    own = {name for each in kind.__mro__[:-1] for name in vars(each)} - {f.name for f in fields(kind)}
    return not any(not name.startswith("_") for name in own)


def at(place: tuple | None, call: Callable[[], Any]) -> Any:
    """Call from a frame that stands for a line of the student's: stacks and tracebacks of this process then name it."""
    if place is None:
        return call()
    found: list[Any] = []
    exec(_frame(*place), {"call": call, "found": found})
    return found[0]


@cache
def _frame(file: str, line: int, function: str) -> types.CodeType:
    code = compile("\n" * (line - 1) + "found.append(call())", file, "exec")
    return code.replace(co_name=function)


def _on_rank(address: str, opaque: tuple[str, ...], name: str) -> Guest:
    """The same function in a process of its own for this rank; all functions of a rank share one."""
    if address not in _RANKS:
        with contextlib.suppress(ImportError):
            from bookbuild.classroom.lending import plain_messages

            plain_messages()
        _RANKS[address] = Session(address, opaque)
    return _RANKS[address].answer(name)


_RANKS: dict[str, Session] = {}
