"""The checks of the exercises judge values of every kind: exact numbers, large integers, NaN, nested lists, liars."""

import unittest.mock
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai import checks


def passes(check, *args, **kwargs):
    try:
        check("x", *args, **kwargs)
    except checks.CheckFailed:
        return False
    return True


def message(check, *args, **kwargs):
    with pytest.raises(checks.CheckFailed) as caught:
        check("x", *args, **kwargs)
    return str(caught.value)


class Yes:
    """Claims to be equal to everything, and to be true."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return hash(3)


def liar(base):
    return type("Liar", (Yes, base), {})


LIARS = [Yes(), unittest.mock.ANY, liar(int)(7), liar(float)(7.0), liar(str)("no"), liar(list)([7]), liar(Fraction)(7)]  # fmt: skip
THINGS = [
    3,
    3.0,
    "three",
    None,
    [3],
    (1, 3),
    {"a": 3},
    {3},
    np.array([3]),
    np.float64(3),
    Fraction(3),
    True,
    1j,
]


@pytest.mark.parametrize("thing", THINGS, ids=repr)
def test_what_claims_to_be_equal_to_everything_is_not(thing):
    for one in LIARS:
        assert not passes(checks.equal, one, thing)
        assert not passes(checks.equal, [one], [thing])
        assert not passes(checks.equal, {"k": one}, {"k": thing})
        assert not passes(checks.equal, np.array([one, None], dtype=object), [thing, None])
        assert not passes(checks.same_items, [one], [thing])
    for one in LIARS[:2]:
        assert "expected numbers" in message(checks.close, one, 3.0)
        assert not passes(checks.holds, one, "no")


@pytest.mark.parametrize(
    "kind", [Fraction, Decimal, int, np.uint8, np.int64, np.uint64, np.float16, float, complex]
)
def test_numbers_of_every_kind_pass_where_they_are_right_and_only_there(kind):
    for expected in (3, 3.0, Fraction(3), Decimal(3), np.uint16(3), np.float32(3)):
        for check in (checks.close, checks.equal):
            assert passes(check, kind(3), expected)
            assert passes(check, [kind(3), kind(4)], [expected, 4])
            assert not passes(check, kind(2), expected)
            assert not passes(check, [kind(4), kind(4)], [expected, 4])


def test_exact_results_beside_rounded_ones():
    checks.close("x", Fraction(4, 3), 4 / 3)
    checks.close("x", Decimal("0.1"), 0.1)
    checks.close("x", [Fraction(1, 3), Decimal("0.5"), 2], [1 / 3, 0.5, 2.0])
    checks.close("x", 4 / 3, Fraction(4, 3))
    assert not passes(checks.close, Fraction(4, 3) + Fraction(1, 10**6), 4 / 3)
    assert "off by 0.0833" in message(checks.close, Decimal("1.25"), Fraction(4, 3))


def test_the_difference_of_unsigned_integers_is_not_the_whole_range():
    assert "off by 1, allowed 1e-12" in message(checks.close, np.uint64(1), np.uint64(2))
    assert "off by 2" in message(checks.close, np.array([5, 0], np.uint8), np.array([5, 2], np.uint8))
    assert "off by 1.84e+19" in message(checks.close, np.uint64(2**64 - 1), 0)
    assert passes(checks.close, np.uint8(200), 100, tolerance=100)


@given(st.integers(), st.integers(1, 100))
def test_integers_of_any_size_are_compared_exactly(number, step):
    assert passes(checks.close, number, number) and passes(checks.close, [number, 0], [number, 0])
    for check in (checks.close, checks.equal):
        assert not passes(check, number + step, number)
        assert not passes(check, [number + step, -1], [number, -1])
    assert not passes(checks.close, 2**53 + 1, float(2**53))


@pytest.mark.parametrize("endless", [float("inf"), -float("inf")])
@pytest.mark.parametrize("relative", [0.0, 0.5])
@pytest.mark.parametrize("kind", [float, Decimal, np.float16, complex])
def test_an_infinite_expectation_takes_the_same_infinity_only(endless, relative, kind):
    given = kind(endless)
    assert passes(checks.close, given, endless, relative=relative)
    assert passes(checks.close, [0.0, given], [0.0, endless], relative=relative)
    for wrong in (0.0, 1e308, -endless, float("nan"), 10**400, Fraction(1, 3)):
        assert not passes(checks.close, wrong, endless, relative=relative)
        assert not passes(checks.close, given, wrong, relative=relative)
        assert not passes(checks.close, [0, wrong], [0, endless], relative=relative)


def test_small_floats_do_not_overflow_into_agreement():
    assert not passes(checks.close, np.float16(60000), np.float16(-60000), relative=1.5)
    assert not passes(checks.close, np.float16(100), np.float16(60000), relative=1e-3, tolerance=100)


@pytest.mark.parametrize("nan", [float("nan"), np.float32("nan"), Decimal("NaN"), Decimal("sNaN")], ids=repr)
def test_nan_is_nan_and_nothing_else(nan):
    for check in (checks.close, checks.equal):
        assert passes(check, nan, float("nan"))
        assert passes(check, [1, nan], np.array([1, np.nan]))
        assert not passes(check, nan, 0.0) and not passes(check, 0.0, nan)
    assert passes(checks.same_items, [nan, 1], [1, float("nan")])
    assert not passes(checks.same_items, [nan, nan], [1, float("nan")])
    assert not passes(checks.holds, nan, "it is NaN")
    assert not passes(checks.close, complex(1, float("nan")), complex(2, float("nan")))


def test_nested_lists_and_arrays_name_the_place_of_the_difference():
    checks.equal("x", [np.arange(3), [1, (2,)]], [[0, 1, 2], (1, [2])])
    checks.equal("x", {"a": np.ones(2)}, {"a": [1, 1]})
    assert "x[1][0] is 5, expected 2" in message(checks.equal, [[1], np.array([5])], [[1], np.array([2])])
    assert "x['a'][1] is 3.0, expected 1" in message(checks.equal, {"a": np.array([1.0, 3])}, {"a": [1, 1]})
    assert "x[0] is [1], expected [1, 2]" in message(checks.equal, [[1]], [[1, 2]])
    long = list(range(40))
    assert "x[1][39] is 0, expected 39" in message(checks.equal, [1, [*long[:-1], 0]], [1, long])
    assert "x[0] has 39 items, expected 40" in message(checks.equal, [long[:-1]], [long])
    assert "lacks 1, for example 'b'" in message(checks.equal, {"a": 1}, {"a": 1, "b": 2})
    assert "expected shape (2, 3)" in message(checks.equal, np.zeros((3, 2)), np.zeros((2, 3)))
    assert not passes(checks.equal, np.zeros((0, 3)), np.zeros((0, 2)))
    assert "x[1] is 'a', expected numbers" in message(checks.close, [Fraction(1), "a"], [1, 2])
    assert "x[1] is None (is a `return` missing?), expected numbers" in message(
        checks.close, [1, None], [1, 2]
    )


def test_items_that_cannot_be_hashed_are_counted_too():
    checks.same_items("x", [[1, 2], np.array([3]), {"a": []}], [{"a": []}, (3,), [1, 2]])
    assert "lacks 1, for example [2]" in message(checks.same_items, [[1], [1]], [[1], [2]])
    assert "expected a list" in message(checks.same_items, 5, [5])


def test_tensors_in_lists_and_of_small_types():
    torch = pytest.importorskip("torch")
    checks.close("x", [torch.tensor(1.0, requires_grad=True), 2.0], [1, 2])
    checks.close("x", torch.ones(2, dtype=torch.bfloat16), [1, 1])
    checks.equal("x", torch.Size([2, 3]), (2, 3))
    checks.equal("x", torch.tensor([1, 2]), [1, 2])
    assert "x[1] is 2" in message(checks.equal, torch.tensor([1, 2]), [1, 3])


def test_a_condition_is_a_truth_value_or_an_array_of_them():
    for true in (True, np.bool_(True), np.array([True, True]), 1):
        assert passes(checks.holds, true, "no")
    for false in (False, None, 0, np.array([True, False]), 0.5, "yes", [0], float("nan"), np.array([1.0])):
        assert not passes(checks.holds, false, "no")


def test_an_object_whose_repr_fails_is_still_described():
    class Unfinished:
        def __repr__(self):
            raise AttributeError("name")

    assert "an object of type Unfinished" in message(checks.equal, Unfinished(), 3)


def test_tolerances_that_allow_nothing_are_the_authors_mistake():
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="not negative"):
            checks.close("x", 1, 1, tolerance=wrong)


def test_code_that_ends_the_program_fails_its_task():
    with pytest.raises(checks.CheckFailed, match="SystemExit"), checks.Task("exit", "first", "second"):
        raise SystemExit
