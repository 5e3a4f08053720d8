"""A linear layer of two factors: the same function, gradients and copies in both ways to compute it."""

import copy

import pytest
import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.ab_training import Place, balanced, factors_cheaper


def _factored(inputs, outputs, learns, rank, bias=True):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(inputs, outputs, bias=bias).double())
    place = Place(model, lowrank.survey(model).layers[0])
    a, b = balanced(place.weight, place.view, None)
    place.install(a[..., :rank].clone(), b[..., :rank, :].clone(), learns)
    return model, place


@pytest.mark.parametrize("learns", ["a", "b"])
@pytest.mark.parametrize(("inputs", "outputs"), [(9, 14), (14, 9), (8, 8)])
@pytest.mark.parametrize(
    ("rank", "shape"), [(2, (5,)), (8, (3,)), (2, (100, 4)), (8, (1000,)), (1, (0,)), (1, ())]
)
def test_both_ways_are_one_function(inputs, outputs, learns, rank, shape):
    model, place = _factored(inputs, outputs, learns, rank)
    x = torch.randn(*shape, inputs, dtype=torch.float64, requires_grad=True)
    out = model(x)
    wanted = nn.functional.linear(x, model[0].weight, model[0].bias)
    assert out.shape == wanted.shape and torch.allclose(out, wanted, atol=1e-12, rtol=0)
    factor = place.a if learns == "a" else place.b
    inside, rebuilt = (torch.autograd.grad(y.sin().sum(), [x, factor]) for y in (out, wanted))
    for mine, theirs in zip(inside, rebuilt, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-10, rtol=0)


def test_the_cheaper_way_is_counted():
    assert factors_cheaper(32, 512, 512, 128) and factors_cheaper(32, 512, 512, 512)
    assert factors_cheaper(10_000, 512, 512, 64)
    assert not factors_cheaper(10_000, 512, 512, 512), "a large batch pays for the product once"


def test_a_copy_computes_with_its_own_factors_and_a_layer_is_itself_again_afterwards():
    model, place = _factored(6, 6, "a", 2)
    twin, x = copy.deepcopy(model), torch.ones(3, 6, dtype=torch.float64)
    with torch.no_grad():
        twin[0].parametrizations.weight.original0.zero_()
    assert torch.equal(twin(x), twin[0].bias.expand(3, 6)) and not torch.equal(model(x), twin(x))
    place.remove()
    assert "forward" not in vars(model[0]) and type(model[0]) is nn.Linear
    assert torch.equal(model(x), nn.functional.linear(x, place.weight, model[0].bias))


def test_a_layer_with_a_forward_of_its_own_keeps_it():
    class Doubled(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    model = nn.Sequential(Doubled(5, 5).double())
    x = torch.randn(4, 5, dtype=torch.float64)
    before = model(x)
    place = Place(model, lowrank.survey(model).layers[0])
    place.install(*balanced(place.weight, place.view, None), "b")
    assert torch.allclose(model(x), before, atol=1e-12, rtol=0)


def test_low_precision_goes_the_same_way():
    model, _ = _factored(16, 16, "a", 2)
    model.float()
    with torch.autocast("cpu", torch.bfloat16):
        assert model(torch.randn(4, 16)).dtype is torch.bfloat16
