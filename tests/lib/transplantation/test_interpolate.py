"""Interpolation of neurons: copies give the network itself, the last layer is the best fit, and what is no chain is refused."""

import numpy as np
import pytest
import torch
from torch import nn

from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import Perceptron, SmallResNet, average, interpolated
from efficient_ai.transplantation._interpolate import centres

X = torch.randn(200, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def made(seed, bias=True, hidden=(7, 6)):
    torch.manual_seed(seed)
    return Perceptron(64, hidden, 3, bias=bias).double().eval()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_copies_give_the_network_itself(bias, k):
    a = made(0, bias)
    assert (interpolated([a] * k, X, X)(X) - a(X)).abs().max() < 1e-9


def test_it_is_nearer_to_the_mean_of_the_logits_than_averaging():
    members = [made(s, hidden=(30, 30)) for s in range(2)]
    before = [{k: v.clone() for k, v in m.state_dict().items()} for m in members]
    mean = sum(m(X) for m in members) / 2
    errors = [(f(X) - mean).square().mean() for f in (interpolated(members, X, X), average(members, X))]
    assert errors[0] < errors[1]
    assert all(
        torch.equal(v, b[k]) for m, b in zip(members, before, strict=True) for k, v in m.state_dict().items()
    )
    assert all(p.grad is None for m in members for p in m.parameters())


def test_centres_are_weighted_means_of_clusters_that_lie_apart():
    points = np.array([[0.0, 0], [1, 0], [10, 0], [12, 0]])
    found = centres(points, np.array([1.0, 3, 1, 1]), 2, 20)
    assert sorted(found[:, 0]) == pytest.approx([0.75, 11])


@pytest.mark.parametrize(
    ("members", "inputs", "word"),
    [
        ([SmallResNet(4, 3).double() for _ in range(2)], X, "chains of linear layers"),
        ([nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()] * 2, X, "2.weight|2.bias|2.running"),
        ([made(0), made(1)], X[:7], "more than 7 inputs"),
        ([made(0), made(1)], torch.full_like(X, float("nan")), "not finite"),
        ([made(0), made(1)], None, "more than 7 inputs"),
        ([], X, "give a list"),
    ],
)  # fmt: skip
def test_refused_by_name(members, inputs, word):
    with pytest.raises(Surgery, match=word):
        interpolated(members, X, inputs)
