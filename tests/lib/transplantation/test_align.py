"""Rivals that align: a permuted network is found again, statistics are right, and what has no sense is refused."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import (
    MiniViT,
    Perceptron,
    SmallResNet,
    activation_matching,
    average,
    diverse,
    diverse_scores,
    hierarchical,
    iterative,
    optimal_transport,
    reestimate,
    transplant,
    transport_plan,
    weight_matching,
)
from efficient_ai.transplantation._align import matching, permuted

X = torch.randn(9, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
MAKE = {
    "perceptron": lambda: Perceptron(64, (7, 6), 3, bias=True),
    "residual": lambda: SmallResNet(4, 3),
    "transformer": lambda: MiniViT(8, 4, 8, 2, 1, 3),
}


def made(kind, seed):
    torch.manual_seed(seed)
    return MAKE[kind]().double().eval()


@pytest.mark.parametrize("kind", MAKE)
def test_a_permuted_network_is_found_again(kind):
    a = made(kind, 0)
    parts, rng = surgery.anatomy(a, X), np.random.default_rng(1)
    b = surgery.rebuild(a, parts, permuted(parts, a, [rng.permutation(g.units) for g in parts.groups]))
    assert (a(X) - b(X)).abs().max() < 1e-12
    for fuse in (optimal_transport, lambda m, x: activation_matching(m, x, X)):
        assert (fuse([a, b], X)(X) - a(X)).abs().max() < 1e-10
    assert (average([a, b], X)(X) - a(X)).abs().max() > 1e-3


@pytest.mark.parametrize("kind", MAKE)
def test_weight_matching_never_falls(kind):
    a, b = made(kind, 0), made(kind, 1)
    objective = matching(surgery.anatomy(a, X), a, surgery.anatomy(b, X), b)[1]
    assert all(y >= x - 1e-9 for x, y in pairwise(objective))
    assert torch.isfinite(weight_matching([a, b], X)(X)).all()


def test_plans_move_all_mass():
    assert transport_plan(np.array([[2, 1], [1, 1]])).tolist() == [[0, 0.5], [0.5, 0]]
    for n, m in ((7, 7), (63, 63), (6, 4)):
        plan = transport_plan(np.random.default_rng(0).random((n, m)).astype(np.float32))
        assert np.allclose(plan.sum(1), 1 / n) and np.allclose(plan.sum(0), 1 / m)
        assert ((plan * n == 1).sum() == n) == (n == m)
    for bad in (np.zeros((2, 0)), np.array([[np.nan]]), np.zeros(3)):
        with pytest.raises(Surgery):
            transport_plan(bad)


@pytest.mark.parametrize("n", [2, 256, 257, 300, 512])
def test_statistics_are_those_of_all_inputs(n):
    norm = nn.Sequential(nn.BatchNorm1d(2)).eval()
    x = torch.randn(n, 2)
    x[-1] = 1000.0
    reestimate(norm, x)
    assert torch.allclose(norm[0].running_mean, x.mean(0), rtol=1e-3)
    assert norm[0].momentum == 0.1 and not norm[0].training


@pytest.mark.parametrize("bad", [torch.ones(0, 2), torch.full((4, 2), float("nan")), torch.ones(4, 3), None])
def test_statistics_stay_where_inputs_are_refused(bad):
    norm = nn.Sequential(nn.BatchNorm1d(2))
    norm(torch.randn(5, 2))
    before = {k: v.clone() for k, v in norm.state_dict().items()}
    with pytest.raises(Surgery):
        reestimate(norm, bad)
    assert all(torch.equal(v, before[k]) for k, v in norm.state_dict().items()) and norm[0].momentum == 0.1


def test_what_has_no_sense_is_refused():
    pair = [made("perceptron", s) for s in range(2)]
    nan = torch.full((4, 8, 8), float("nan"), dtype=torch.float64)
    for call in (average, optimal_transport, weight_matching, iterative, hierarchical):
        for members in ([], "ab", [pair[0], "b"]):
            with pytest.raises(Surgery):
                call(members, X)
    for rate in ("half", None, True, 1.5, float("nan")):
        with pytest.raises(Surgery, match="rate"):
            transplant(*pair, X, rate)
    for inputs in (nan, X[:0], X[:, :3], None):
        with pytest.raises(Surgery):
            diverse_scores(pair, X, inputs)
        with pytest.raises(Surgery):
            activation_matching(pair, X, inputs)


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("k", [2, 3])
def test_copies_fuse_to_the_network_itself_with_diverse_scores(kind, k):
    a = made(kind, 0)
    assert all(not later.any() for first, *rest in diverse_scores([a] * k, X, X).values() for later in rest)
    fused = diverse([a] * k, X, X)
    assert fused.weights == (1.0, *[0.0] * (k - 1))
    assert (fused.model(X) - a(X)).abs().max() < 1e-12


def test_diverse_fusion_weighs_members_by_the_neurons_that_the_output_reads():
    pair = [made("perceptron", s) for s in range(2)]
    fused = diverse(pair, X, X)
    assert fused.weights == pytest.approx(fused.shares()["layers.1"]) and min(fused.weights) > 0
    for option in ({"score": "group"}, {"weights": (0.5, 0.5)}):
        with pytest.raises(Surgery, match="follows from the inputs"):
            diverse(pair, X, X, **option)
