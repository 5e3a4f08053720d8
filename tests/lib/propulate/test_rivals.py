"""All rivals play by the same rules: the same budget to the evaluation, their own seeds, the same box."""

import numpy as np
import pytest

from efficient_ai.propulate import FUNCTIONS
from efficient_ai.propulate.rivals import RIVALS, differential_evolution, random_search


class Counted:
    """A function that remembers what it was asked."""

    def __init__(self, function):
        self._function, self.asked = function, []

    def __getattr__(self, name):
        return getattr(self._function, name)

    def __call__(self, x):
        if isinstance(x, dict):
            x = np.array([x[name] for name in self._function.names])
        self.asked += list(np.atleast_2d(x).copy())
        return self._function(x)


@pytest.mark.parametrize("name", RIVALS)
def test_exactly_the_budget_inside_the_box_and_repeatable(name):
    plain = FUNCTIONS["rastrigin"].shifted(1.0)
    function = Counted(plain)
    losses = RIVALS[name](function, 130, 4)
    assert losses.shape == (130,) and len(function.asked) == 130
    assert np.abs(function.asked).max() <= plain.bound
    assert np.sort(plain(np.array(function.asked))) == pytest.approx(np.sort(losses))
    assert (RIVALS[name](plain, 130, 4) == losses).all()
    assert (RIVALS[name](plain, 130, 5) != losses).any()


@pytest.mark.parametrize("name", [name for name in RIVALS if name != "random search"])
def test_everybody_beats_random_search_on_a_sphere(name):
    sphere = FUNCTIONS["sphere"].shifted(1.3)
    best = [
        np.median([rival(sphere, 300, s).min() for s in range(5)]) for rival in (RIVALS[name], random_search)
    ]
    assert best[0] < best[1] / 5


def test_differential_evolution_goes_on_after_convergence():
    losses = differential_evolution(FUNCTIONS["step"], 4000, 0)
    assert len(losses) == 4000 and losses.min() == -25
