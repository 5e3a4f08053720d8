"""Baselines: repeating repeats, the linear map finds a linear law, the step-wise models see what they should."""

import numpy as np
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import sources


@pytest.fixture(scope="module")
def cuts():
    data = sources.synthetic(0, days=400)
    return [
        recycle.windows(data, part, recycle.Recipe(residual_input=False))
        for part in ("train", "valid", "test")
    ]


def test_naive_forecasts_repeat(cuts):
    cut = cuts[2]
    assert torch.equal(recycle.persistence(cut)[:, 6], cut.raw[:, -1])
    week = recycle.seasonal_naive(cut)
    assert torch.equal(week[:, 0], cut.raw[:, -7]) and torch.equal(week[:, 6], cut.raw[:, -1])


def test_ridge_finds_a_linear_law():
    """Each day is 0.4 times the day a week before plus noise: the map must find it."""
    rng = np.random.default_rng(0)
    days = [rng.random(6) for _ in range(7)]
    for _ in range(1500):
        days.append(0.5 + 0.4 * (days[-7] - 0.5) + 0.05 * rng.normal(size=6))
    dates = np.datetime64("2018-01-01") + np.arange(len(days))
    data = recycle.panel(["a"], np.array(days)[None], [recycle.calendar(dates)], sources.shares(len(days)))
    train, valid, test = (
        recycle.windows(data, part, recycle.Recipe(residual_input=False))
        for part in ("train", "valid", "test")
    )
    ridge = recycle.fit_ridge(train, valid, penalties=(0.1, 1.0))
    assert ridge.parameters == 7 * (7 * 6 + 1) * 6
    own = recycle.errors(ridge(test), test).mean()
    assert own < 0.9 * recycle.errors(recycle.seasonal_naive(test), test).mean()


def test_ridge_on_residuals_of_nothing_is_the_profile():
    data = sources.synthetic(0, days=300, weather=0, noise=0, holidays=False)
    train, valid, test = (recycle.windows(data, part) for part in ("train", "valid", "test"))
    ridge = recycle.fit_ridge(train, valid, residual=True, calendar=True)
    assert (ridge(test) - test.profile).abs().max() < 1e-5


def test_the_penalty_is_chosen_on_the_validation_part(cuts):
    train, valid, _ = cuts
    errors = {
        p: float((recycle.fit_ridge(train, valid, penalties=(p,))(valid) - valid.y).abs().mean())
        for p in (0.01, 1.0, 100.0)
    }
    assert recycle.fit_ridge(train, valid, penalties=tuple(errors)).penalty == min(errors, key=errors.get)


@pytest.mark.parametrize("kind", [recycle.NLinear, recycle.DLinear])
def test_step_wise_linear_models(kind, cuts):
    model, x = kind(), cuts[2].x
    assert model(x).shape == cuts[2].y.shape
    count = 504 * 168 + 168
    assert recycle.parameters(model) == (count if kind is recycle.NLinear else 2 * count)
    shifted = x.clone()
    shifted[:, :21, :24] += 3
    assert torch.allclose(model(shifted), model(x) + 3, atol=1e-4), (
        "a shift of the history shifts the forecast"
    )
    other = x.clone()
    other[:, 21:] = 7
    assert torch.equal(model(other), model(x)), "they read the history alone"
