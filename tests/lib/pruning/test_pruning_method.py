"""The method of the chapter: invariants, and what it refuses."""

import numpy as np
import pytest

from efficient_ai.pruning import average, descend


def test_without_noise_each_step_shortens_the_distance_by_the_rate():
    path = descend(steps=5, rate=0.25, seed=0, noise=0.0)
    assert np.allclose(path[:, 0], 0.75 ** np.arange(6))


def test_the_same_seed_walks_the_same_way_and_another_one_does_not():
    assert np.array_equal(descend(10, 0.5, seed=1), descend(10, 0.5, seed=1))
    assert not np.array_equal(descend(10, 0.5, seed=1), descend(10, 0.5, seed=2))


def test_the_mean_takes_the_last_share():
    path = np.arange(10.0)[:, None]
    assert average(path, 0.2) == 8.5 and average(path, 1.0) == 4.5 and average(path, 0.01) == 9.0


@pytest.mark.parametrize("rate", [0.0, 2.0, -1.0, float("nan")])
def test_a_rate_with_which_nothing_converges_is_refused(rate):
    with pytest.raises(ValueError, match="nothing converges"):
        descend(5, rate, seed=0)


@pytest.mark.parametrize("share", [0.0, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="a share lies above 0"):
        average(np.ones((4, 1)), share)
