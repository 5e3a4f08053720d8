"""The operators obey the laws that define them."""

from random import Random
from statistics import fmean, stdev

import pytest

from efficient_ai.propulate import (
    Choice,
    Compose,
    CrossoverUniform,
    Float,
    Individual,
    InitUniform,
    Integer,
    IntervalMutationNormal,
    PointMutation,
    Population,
    SelectMin,
    SelectUniform,
    Space,
    default_propagator,
)

PLANE = Space({"x": Float(-10, 10), "y": Float(0, 1)})


def population(n):
    return Population(Individual((float(i), 0.5), float(i), 0, i) for i in range(n))


def test_crossover_takes_the_stated_share_from_the_first_parent():
    parents = [Individual((0.0,) * 50, 0.0, 0, 0), Individual((1.0,) * 50, 1.0, 0, 1)]
    rng = Random(0)
    share = 1 - fmean(fmean(CrossoverUniform(0.7)(parents, rng)) for _ in range(400))
    assert share == pytest.approx(0.7, abs=0.01)


def test_point_mutation_changes_exactly_the_points():
    rng, space = Random(0), Space({str(i): Float(0, 1) for i in range(6)})
    for points in (1, 3, 6):
        child = PointMutation(space, 1.0, points=points)((0.5,) * 6, rng)
        assert sum(value != 0.5 for value in child) == points
    unchanged = sum(PointMutation(space, 0.4)((0.5,) * 6, rng) == (0.5,) * 6 for _ in range(4000))
    assert unchanged / 4000 == pytest.approx(0.6, abs=0.03)
    with pytest.raises(ValueError, match="7 points in a space of 6"):
        PointMutation(space, 1.0, points=7)


def test_normal_step_has_the_stated_width_and_one_gene():
    rng = Random(0)
    steps = []
    for _ in range(20_000):
        x, y = IntervalMutationNormal(PLANE, 0.02)((0.0, 0.5), rng)
        assert (x == 0.0) != (y == 0.5)
        if x != 0.0:
            steps.append(x)
    assert stdev(steps) == pytest.approx(0.02 * 20, rel=0.03)
    assert fmean(steps) == pytest.approx(0, abs=0.02)


def test_normal_step_leaves_categories_alone():
    space = Space({"a": Choice(1, 2), "n": Integer(1, 5)})
    assert IntervalMutationNormal(space, 0.5)((1, 3), Random(0)) == (1, 3)


def test_selection():
    rng = Random(0)
    assert [ind.loss for ind in SelectMin(3)(population(10), rng)] == [0, 1, 2]
    with pytest.raises(ValueError, match=r"SelectMin\(3\) was given 2"):
        SelectMin(3)(population(2), rng)
    for _ in range(50):
        first, second = SelectUniform(2)(population(4).best(4), rng)
        assert first != second


def test_default_propagator_starts_random_and_then_breeds_from_the_best():
    rng = Random(0)
    breed = default_propagator(PLANE, 4, mutation=0.0, sigma=1e-9, random_share=0.0)
    early = [breed(population(3), rng)[0] for _ in range(200)]
    assert stdev(early) == pytest.approx(20 / 12**0.5, rel=0.15)
    late = {round(breed(population(50), rng)[0]) for _ in range(200)}
    assert late == {0, 1, 2, 3}  # only the four best of fifty have children


def test_default_propagator_keeps_its_share_of_random_candidates():
    breed = default_propagator(PLANE, 4, mutation=0.0, sigma=1e-9)
    rng, known = Random(0), population(8)
    random = sum(abs(x - round(x)) > 1e-6 for x, _ in (breed(known, rng) for _ in range(20_000)))
    assert random / 20_000 == pytest.approx(0.1, abs=0.01)


def test_same_seed_same_children():
    breed, known = default_propagator(PLANE, 4), population(8)
    first, again, other = (
        [breed(known, rng) for _ in range(20)] for rng in (Random(1), Random(1), Random(2))
    )
    assert first == again != other


@pytest.mark.parametrize(
    "bad", [{"pool_size": 1}, {"pool_size": 4, "mutation": 1.1}, {"pool_size": 4, "first_share": -0.1}]
)
def test_bad_settings_are_refused(bad):
    with pytest.raises(ValueError):
        default_propagator(PLANE, **bad)
    with pytest.raises(ValueError):
        Compose()
    assert InitUniform(PLANE, 0.0)((1.0, 0.5), Random(0)) == (1.0, 0.5)
