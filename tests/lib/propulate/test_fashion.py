"""The live search's candidates: real training on real images."""

from random import Random

import pytest
import torch

from efficient_ai.propulate import fashion

GENES = {
    "learning rate": 3e-3,
    "width": 64,
    "hidden layers": 2,
    "dropout": 0.1,
    "activation": "relu",
    "batch size": 32,
}


@pytest.fixture(scope="module")
def images():
    return fashion.load_images(train=1000)


def test_learns_real_images(images):
    network, error = fashion.train_network(GENES, images, epochs=3, seed=0)
    assert error < 0.35  # guessing is 0.9
    assert fashion.test_accuracy(network, images) == pytest.approx(1 - error, abs=0.06)


def test_same_seed_same_error_and_the_global_generator_is_left_alone(images):
    state = torch.random.get_rng_state()
    errors = [fashion.train_network(GENES, images, epochs=1, seed=seed)[1] for seed in (1, 1, 2)]
    assert errors[0] == errors[1] != errors[2]
    assert torch.equal(torch.random.get_rng_state(), state)


def test_every_candidate_of_the_space_can_be_built():
    rng = Random(0)
    for _ in range(50):
        genes = fashion.SPACE.as_dict(fashion.SPACE.sample(rng))
        assert fashion.build_network(genes)(torch.zeros(2, 784)).shape == (2, 10)


def test_parameter_count():
    count = sum(p.numel() for p in fashion.build_network(GENES).parameters())
    assert count == (784 + 1) * 64 + (64 + 1) * 64 + (64 + 1) * 10
