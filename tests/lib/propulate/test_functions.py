"""The benchmark functions have the values, minima and traps of their definitions."""

import math
import pickle
from random import Random

import numpy as np
import pytest

from efficient_ai.propulate.functions import FUNCTIONS, random_rotation

EXACT = [name for name, function in FUNCTIONS.items() if not function.draws]


def test_names_dimensions_and_boxes():
    assert {name: (f.dimension, f.bound) for name, f in FUNCTIONS.items()} == {
        "sphere": (2, 5.12), "rosenbrock": (2, 2.048), "step": (5, 5.12), "quartic": (30, 1.28),
        "rastrigin": (20, 5.12), "griewank": (10, 600), "schwefel": (10, 500), "bisphere": (30, 5.12),
        "birastrigin": (30, 5.12),
    }  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_the_minimum_is_where_it_is_said_to_be(name):
    f = FUNCTIONS[name]
    assert f(f.minimiser) == pytest.approx(f.minimum, abs=1e-10)
    rng = np.random.default_rng(0)
    anywhere = rng.uniform(-f.bound, f.bound, (2000, f.dimension))
    nearby = np.clip(f.minimiser + rng.normal(0, 1e-3 * f.bound, (2000, f.dimension)), -f.bound, f.bound)
    assert f(anywhere).min() >= f.minimum - 1e-9 and f(nearby).min() >= f.minimum - 1e-9


@pytest.mark.parametrize(
    ("name", "x", "value"),
    [
        ("sphere", [3, -4], 25), ("rosenbrock", [0, 0], 1), ("rosenbrock", [-1, 2], 104),
        ("rastrigin", [1] * 20, 20), ("rastrigin", [0.5] * 20, 20 * 20.25), ("griewank", [0] * 10, 0),
        ("schwefel", [0] * 10, 4189.82887), ("bisphere", [0] * 30, 30 * 6.25),
        ("birastrigin", [0] * 30, 30 * 6.25 + 10 * 30 * 2),
    ],
)  # fmt: skip
def test_values_by_hand(name, x, value):
    assert FUNCTIONS[name](np.array(x)) == pytest.approx(value, rel=1e-12, abs=1e-12)


def test_step_cuts_towards_zero():
    """With floor instead, the value at -4.99 would be -25 and the plateau around zero half as wide."""
    step = FUNCTIONS["step"]
    assert step(np.full(5, -4.99)) == -20
    assert step(np.full(5, -0.99)) == step(np.full(5, 0.99)) == 0


def test_the_constant_of_schwefel():
    assert FUNCTIONS["schwefel"](np.full(10, 420.968746)) == pytest.approx(-2.7e-6, rel=0.02)


def test_the_wrong_funnels():
    bisphere, birastrigin = FUNCTIONS["bisphere"], FUNCTIONS["birastrigin"]
    assert bisphere.second == pytest.approx(np.full(30, -2.98359), abs=1e-5)
    assert bisphere(bisphere.second) == pytest.approx(30)
    assert birastrigin(birastrigin.second) == pytest.approx(628.41, abs=0.01)
    assert bisphere.in_right_funnel(np.full(30, 0.0)) and not bisphere.in_right_funnel(np.full(30, -0.3))
    with pytest.raises(ValueError, match="one funnel"):
        FUNCTIONS["sphere"].in_right_funnel([0, 0])


def test_the_noise_of_quartic():
    quartic = FUNCTIONS["quartic"]
    with pytest.raises(ValueError, match=r"quartic.noisy\(generator\)"):
        quartic(np.zeros(30))
    noisy = quartic.noisy(np.random.default_rng(0))
    assert noisy(np.zeros(30)) != noisy(np.zeros(30))  # new noise in every call
    values = noisy(np.zeros((40_000, 30)))
    assert values.mean() == pytest.approx(math.sqrt(60 / math.pi), rel=0.02)
    assert values.min() >= quartic.minimum
    first, again = (quartic.noisy(np.random.default_rng(3))(np.ones(30)) for _ in range(2))
    assert first == again == pytest.approx(30 * 31 / 2, abs=30)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_candidate_by_name_is_the_vector_and_the_batch(name):
    def f():
        return FUNCTIONS[name].noisy(np.random.default_rng(0))

    space = f().space
    genes = space.sample(Random(0))
    assert f()(space.as_dict(genes)) == f()(np.array(genes)) == f()(np.array([genes]))[0]
    assert space.contains(tuple(FUNCTIONS[name].minimiser))
    with pytest.raises(ValueError, match="takes"):
        f()(np.zeros(f().dimension + 1))


@pytest.mark.parametrize("name", EXACT)
def test_shifted_and_rotated_functions_keep_minimum_and_box(name):
    plain = FUNCTIONS[name]
    shift = -0.03 * plain.bound if name == "rosenbrock" else 0.01 * plain.bound
    moved = plain.shifted(shift).rotated(5)
    assert moved.name == f"{name} shifted rotated" and plain.shift is None
    assert moved.minimiser == pytest.approx(plain.minimiser + shift)
    assert moved(moved.minimiser) == pytest.approx(plain.minimum, abs=1e-9)
    anywhere = np.random.default_rng(0).uniform(-plain.bound, plain.bound, (5000, plain.dimension))
    assert moved(anywhere).min() >= plain.minimum - 1e-9
    assert not np.allclose(moved(anywhere), plain(anywhere))
    assert pickle.loads(pickle.dumps(moved))(anywhere[0]) == moved(anywhere[0])


def test_a_shift_is_a_translation_and_a_rotation_an_isometry():
    f = FUNCTIONS["rastrigin"]
    x = np.random.default_rng(1).uniform(-1, 1, (50, 20))
    assert f.shifted(1.5)(x + 1.5) == pytest.approx(f(x))
    turn = random_rotation(20, 4)
    assert turn @ turn.T == pytest.approx(np.eye(20)) and np.linalg.det(turn) == pytest.approx(1)
    assert f.rotated(turn)(x @ turn) == pytest.approx(f(x))
    assert FUNCTIONS["sphere"].rotated(9)(x[:, :2]) == pytest.approx(FUNCTIONS["sphere"](x[:, :2]))


def test_a_rotated_double_funnel_keeps_both_funnels():
    f = FUNCTIONS["birastrigin"].rotated(2).rotated(3)
    assert f(f.minimiser) == pytest.approx(0, abs=1e-9)
    assert f(f.second) == pytest.approx(628.41, abs=0.01)
    assert not f.in_right_funnel(f.second) and f.in_right_funnel(f.minimiser)
    assert abs(f.rotation - np.eye(30)).max() > 0.3


def test_bad_shifts_and_rotations():
    with pytest.raises(ValueError, match="out of the box"):
        FUNCTIONS["schwefel"].shifted(100)
    with pytest.raises(ValueError, match="orthogonal"):
        FUNCTIONS["sphere"].rotated(np.array([[1, 1], [0, 1]]))
