"""Messages between answers and checks: what goes in comes out, and bytes that are no message are refused."""

import random
from fractions import Fraction

import numpy as np
import pytest

from bookbuild.classroom.guest.codec import Frame, Refused, Writer
from bookbuild.classroom.guest.reading import Reader
from efficient_ai.checks._exact import key


def _other(value):
    raise Refused(f"an object of type {type(value).__name__}")


def _refuse(*_):
    raise Refused("unknown")


def _there(value):
    return Reader(Frame(host=False), _refuse, _refuse).message(
        Writer(Frame(host=True), _other).message(value)
    )


VALUES = [
    None, True, 0, -(10**40), 0.1, float("inf"), 1 + 2j, "text \ud800", b"bytes", Fraction(1, 3), ..., slice(1, None),
    [1.0, 2.0], [1, "a", [2.5]], {"a": {1, 2}, (1, 2): None}, frozenset({1}), np.float32(0.1), np.bool_(True),
    np.arange(6.0).reshape(2, 3), np.zeros((0, 3), dtype=np.int8), np.asfortranarray(np.eye(3)),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_arrives_as_it_was(value):
    """A value that goes to another process arrives as it was, types of numbers and arrays included."""
    found = _there(value)
    assert type(found) is type(value)
    assert found == value if isinstance(value, (slice, type(...))) else key(found) == key(value)
    if isinstance(value, np.ndarray):
        assert (found.dtype, found.shape) == (value.dtype, value.shape)


def test_one_object_stays_one_and_generators_go_on():
    """Two references to one list arrive as one list; a generator goes on with the numbers it would have given."""
    one = [1]
    found = _there([one, one])
    assert found[0] is found[1]
    for rng in (random.Random(3), np.random.default_rng(3)):
        assert _there(rng).random() == rng.random()


def test_a_buffer_that_is_filled_later_is_filled_on_both_sides():
    """An array that changes after it was sent arrives changed with the next message, in the same place."""
    ours, theirs, buffer = Frame(host=True), Frame(host=False), np.zeros(3)
    reader = Reader(theirs, _refuse, _refuse)
    found = reader.message(Writer(ours, _other).message((buffer,)))[0]
    buffer[:] = 7
    reader.message(Writer(ours, _other).message("done"))
    assert found.tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    "value", [object(), np.array(["text"]), 1 << 5000], ids=["object", "text array", "long"]
)
def test_what_cannot_be_sent_is_refused(value):
    """What is no plain data is refused before anything is sent."""
    with pytest.raises(Refused):
        Writer(Frame(host=True), _other).message(value)


def test_bytes_that_are_no_message_are_refused():
    """Whatever bytes come, the end is a value or a refusal: messages cut short, and with random bytes in them."""
    whole = Writer(Frame(host=True), _other).message([VALUES, random.Random(1), np.random.default_rng(1)])
    rng = random.Random(0)
    for trial in range(400):
        data = bytearray(whole if trial % 2 else whole[: rng.randrange(len(whole))])
        for _ in range(rng.randrange(1, 6)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            Reader(Frame(host=False), _refuse, _refuse).message(bytes(data))
        except Refused:
            pass
