"""Genes keep their type and their limits, whatever is done to them."""

import pickle
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai.propulate import (
    Choice,
    CrossoverUniform,
    Float,
    Individual,
    InitUniform,
    Integer,
    IntervalMutationNormal,
    LogFloat,
    PointMutation,
    Space,
)

MIXED = Space(
    {
        "n": Integer(1, 9),
        "act": Choice("relu", "tanh", "sig"),
        "x": Float(-2, 3),
        "rate": LogFloat(1e-4, 1e-1),
    }
)


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_any_number_of_operations_stays_in_the_space(seed, steps):
    rng = Random(seed)
    genes = MIXED.sample(rng)
    operators = [
        lambda g: PointMutation(MIXED, 1.0, points=2)(g, rng),
        lambda g: IntervalMutationNormal(MIXED, 0.5, points=2)(g, rng),
        lambda g: InitUniform(MIXED, 0.3)(g, rng),
        lambda g: CrossoverUniform(0.5)(
            [Individual(g, 0.0, 0, 0), Individual(MIXED.sample(rng), 0.0, 0, 1)], rng
        ),
    ]
    for _ in range(steps):
        genes = rng.choice(operators)(genes)
        assert MIXED.contains(genes)
        assert [type(value) for value in genes] == [int, str, float, float]
    assert pickle.loads(pickle.dumps(genes)) == genes


def test_a_category_that_is_set_is_the_category_that_is_read():
    """The one-hot coding of the authors' package can keep the old entry of a category that is not the first gene."""
    rng = Random(0)
    mutate = PointMutation(MIXED, 1.0, points=len(MIXED))
    seen = {MIXED.as_dict(mutate((5, "relu", 0.0, 1e-2), rng))["act"] for _ in range(200)}
    assert seen == {"relu", "tanh", "sig"}


def test_integer_limits_are_included_and_log_scale_is_uniform():
    rng = Random(1)
    assert {MIXED.genes[0].sample(rng) for _ in range(500)} == set(range(1, 10))
    rates = [LogFloat(1e-4, 1e-1).sample(rng) for _ in range(6000)]
    for low, high in ((1e-4, 1e-3), (1e-3, 1e-2), (1e-2, 1e-1)):
        assert sum(low <= rate < high for rate in rates) / 6000 == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Float(1, 1), lambda: Float(2, 1), lambda: Float(0, float("inf")), lambda: LogFloat(0, 1),
        lambda: LogFloat(-1, 1), lambda: Integer(0.5, 2), lambda: Choice("a"), lambda: Choice("a", "a"),
        lambda: Space({}), lambda: Space({"x": (0.0, 1.0)}),
    ],
)  # fmt: skip
def test_bad_limits_are_refused(make):
    with pytest.raises(ValueError):
        make()
