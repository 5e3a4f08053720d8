"""Genes keep their type and their limits, whatever is done to them."""

import pickle
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from efficient_ai.propulate import (
    Choice,
    CrossoverUniform,
    Float,
    Gaussian,
    Individual,
    InitUniform,
    Integer,
    IntervalMutationNormal,
    LogFloat,
    Ordinal,
    PointMutation,
    Space,
)

MIXED = Space(
    {
        "n": Integer(1, 9),
        "act": Choice("relu", "tanh", "sig"),
        "x": Float(-2, 3),
        "rate": LogFloat(1e-4, 1e-1),
        "batch": Ordinal(16, 32, 64, 128),
    }
)


@given(st.integers(0, 2**32), st.integers(1, 30))
def test_any_number_of_operations_stays_in_the_space(seed, steps):
    rng = Random(seed)
    genes = MIXED.sample(rng)
    operators = [
        lambda g: PointMutation(MIXED, 1.0, points=2)(g, rng),
        lambda g: IntervalMutationNormal(MIXED, 0.5, points=2)(g, rng),
        lambda g: IntervalMutationNormal(MIXED, 0.5, points=3, grids=True)(g, rng),
        lambda g: Gaussian(MIXED, 0.5)(g, rng),
        lambda g: InitUniform(MIXED, 0.3)(g, rng),
        lambda g: CrossoverUniform(0.5)(
            [Individual(g, 0.0, 0, 0), Individual(MIXED.sample(rng), 0.0, 0, 1)], rng
        ),
    ]
    for _ in range(steps):
        genes = rng.choice(operators)(genes)
        assert MIXED.contains(genes)
        assert [type(value) for value in genes] == [int, str, float, float, int]
    assert pickle.loads(pickle.dumps(genes)) == genes


def test_a_category_that_is_set_is_the_category_that_is_read():
    """The one-hot coding of the authors' package can keep the old entry of a category that is not the first gene."""
    rng = Random(0)
    mutate = PointMutation(MIXED, 1.0, points=len(MIXED))
    seen = {MIXED.as_dict(mutate((5, "relu", 0.0, 1e-2, 16), rng))["act"] for _ in range(200)}
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
        lambda: LogFloat(-1, 1), lambda: Integer(0.5, 2), lambda: Choice("a"), lambda: Choice("a", "a"), lambda: Ordinal(1),
        lambda: Ordinal(2, 1), lambda: Ordinal("a", "b"), lambda: Ordinal(0, float("inf")),
        lambda: Space({}), lambda: Space({"x": (0.0, 1.0)}),
    ],
)  # fmt: skip
def test_bad_limits_are_refused(make):
    with pytest.raises(ValueError):
        make()


@given(st.integers(0, 2**32))
def test_the_unit_cube_and_back(seed):
    genes = MIXED.sample(Random(seed))
    vector = MIXED.to_vector(genes)
    assert vector.shape == (MIXED.width,) == (7,) and (vector >= 0).all() and (vector <= 1).all()
    back = MIXED.from_vector(vector)
    assert MIXED.contains(back)
    assert back[:2] == genes[:2] and back[4] == genes[4]
    assert back[2] == pytest.approx(genes[2], abs=1e-14) and back[3] == pytest.approx(genes[3], rel=1e-13)


def test_borders_of_the_unit_cube_are_borders_of_the_space():
    low, high = (1, "relu", -2.0, 1e-4, 16), (9, "relu", 3.0, 1e-1, 128)
    assert (
        MIXED.from_vector([0.0, 1, 0, 0, 0.0, 0.0, 0.0])
        == low
        == MIXED.from_vector([-3, 1, 0, 0, -1, -1, -1])
    )
    assert (
        MIXED.from_vector([1.0, 1, 0, 0, 1.0, 1.0, 1.0]) == high == MIXED.from_vector([9, 1, 0, 0, 2, 2, 2])
    )


def test_a_uniform_point_is_a_uniform_candidate():
    """Rounding to the nearest whole number would give the two border values half their share."""
    points = np.random.default_rng(0).uniform(size=(9000, MIXED.width))
    drawn = [MIXED.from_vector(point) for point in points]
    for place, values in ((0, range(1, 10)), (1, ("relu", "tanh", "sig")), (4, (16, 32, 64, 128))):
        for value in values:
            share = sum(genes[place] == value for genes in drawn) / 9000
            assert share == pytest.approx(1 / len(values), abs=0.02)


def test_a_new_category_clears_the_old_one():
    """In the authors' one-hot coding a category that is not the first gene keeps its old entry when it is set anew."""
    for old in ("relu", "tanh", "sig"):
        for new in ("relu", "tanh", "sig"):
            genes = MIXED.from_vector(MIXED.to_vector((3, old, 0.5, 1e-3, 32)))
            changed = (genes[0], new, *genes[2:])
            assert MIXED.from_vector(MIXED.to_vector(changed))[1] == new


@pytest.mark.parametrize("bad", [[0.5] * 6, [0.5] * 8, [float("nan")] + [0.5] * 6])
def test_bad_points_are_refused(bad):
    with pytest.raises(ValueError, match="7 numbers"):
        MIXED.from_vector(bad)


def test_a_step_on_a_grid_always_moves_and_stays_on_it():
    rng = Random(0)
    whole, grid = Integer(0, 100), Ordinal(16, 32, 64, 128)
    moved = [whole.step(50, 0.05, rng) - 50 for _ in range(4000)]
    assert 0 not in moved and min(moved) < -5 and max(moved) > 5 and abs(np.mean(moved)) < 0.4
    assert {grid.step(32, 0.01, rng) for _ in range(100)} == {16, 64}
    assert {grid.step(128, 0.01, rng) for _ in range(100)} == {64, 128}
