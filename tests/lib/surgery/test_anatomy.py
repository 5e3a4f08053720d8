"""Channels are followed in the order of the computation, and what has no rule is refused by name."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from efficient_ai import surgery
from efficient_ai.transplantation import MiniViT, SmallResNet


def groups(model, *shape):
    return {g.name: g.units for g in surgery.anatomy(model, torch.randn(2, *shape)).groups}


class Upside(nn.Module):
    """Layers registered in the wrong order."""

    def __init__(self):
        super().__init__()
        self.last, self.first = nn.Linear(4, 2), nn.Linear(3, 4)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


class Forward(nn.Module):
    def __init__(self, call, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.call = call

    def forward(self, x):
        return self.call(self, x)


def test_order_is_that_of_the_computation():
    assert groups(Upside(), 3) == {"first": 4}


def test_a_residual_stream_is_one_group():
    assert groups(SmallResNet(4, 3), 1, 8, 8) == {
        "stem.0": 4,
        "blocks.0.conv1": 4,
        "blocks.1.conv1": 8,
        "blocks.1.conv2": 8,
        "blocks.2.conv1": 8,
        "blocks.2.conv2": 8,
    }


def test_heads_are_units_and_bare_parameters_belong_to_the_stream():
    found = surgery.anatomy(MiniViT(8, 4, 12, 3, 1, 5), torch.randn(2, 8, 8))
    assert [(g.name, g.units) for g in found.groups] == [
        ("patches", 12),
        ("layers.0.attention.qkv", 3),
        ("layers.0.mlp.0", 24),
    ]
    assert {("token", 2), ("positions", 2)} <= set(found.groups[0].places)
    packed = found.parts["layers.0.attention.qkv.weight"].axes[0][0]
    assert (packed.outer, packed.units, packed.inner) == (3, 3, 4)


def test_concatenation_with_itself_and_of_branches():
    twice = Forward(lambda s, x: s.b(torch.cat([s.a(x), s.a(x)], 1)), a=nn.Linear(3, 4), b=nn.Linear(8, 2))
    found = surgery.anatomy(twice, torch.randn(2, 3))
    assert [(g.name, g.units) for g in found.groups] == [("a", 4)]
    assert found.parts["b.weight"].axes[1][0].outer == 2
    branches = Forward(
        lambda s, x: s.c(torch.cat([s.a(x), s.b(x)], 1)),
        a=nn.Linear(3, 3),
        b=nn.Linear(3, 1),
        c=nn.Linear(4, 2),
    )
    assert groups(branches, 3) == {"a": 3, "b": 1}


def test_a_layer_called_twice_is_one_group():
    loop = Forward(lambda s, x: s.b(torch.relu(s.m(torch.relu(s.m(s.a(x)))))), a=nn.Linear(3, 4), m=nn.Linear(4, 4), b=nn.Linear(4, 2))  # fmt: skip
    assert groups(loop, 3) == {"a": 4}


@pytest.mark.parametrize(
    ("call", "layers", "word"),
    [
        (lambda s, x: torch.relu(s.b(torch.relu(s.a(x)))), {"a": nn.Linear(3, 4), "b": nn.Linear(4, 2)}, "logits"),
        (lambda s, x: s.b(x + s.a(x)), {"a": nn.Linear(3, 3), "b": nn.Linear(3, 2)}, "input"),
        (lambda s, x: s.b(F.normalize(s.a(x))), {"a": nn.Linear(3, 4), "b": nn.Linear(4, 2)}, "normalize"),
        (lambda s, x: s.b(s.a(x).softmax(-1)), {"a": nn.Linear(3, 4), "b": nn.Linear(4, 2)}, "softmax"),
        (lambda s, x: s.b(s.a(x)) if x.sum() > 0 else x, {"a": nn.Linear(3, 4), "b": nn.Linear(4, 2)}, "branch"),
        (lambda s, x: (s.a(x), s.a(x)), {"a": nn.Linear(3, 4)}, "more than one"),
        (lambda s, x: s.b(s.a(x)[0]), {"a": nn.GRU(3, 4), "b": nn.Linear(4, 2)}, "GRU"),
        (lambda s, x: s.b(s.a(x)), {"a": nn.Linear(5, 4), "b": nn.Linear(4, 2)}, "does not run"),
        (lambda s, x: s.b(s.a(x).mean(1, keepdim=True)), {"a": nn.Linear(3, 4), "b": nn.Linear(1, 2)}, "together"),
        (lambda s, x: s.b(s.a(x).flip(1)), {"a": nn.Linear(3, 4), "b": nn.Linear(4, 2)}, "flip"),
    ],
)  # fmt: skip
def test_refused_by_name(call, layers, word):
    with pytest.raises(surgery.Surgery, match=word):
        surgery.anatomy(Forward(call, **layers), torch.randn(2, 3))


def test_one_head_is_refused():
    with pytest.raises(surgery.Surgery, match="two heads"):
        surgery.anatomy(MiniViT(8, 4, 12, 1, 1, 5), torch.randn(2, 8, 8))


def test_the_model_stays_as_it_was():
    model = SmallResNet(4, 3).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = torch.get_rng_state()
    surgery.anatomy(model, torch.randn(2, 1, 8, 8, generator=torch.Generator()))
    assert model.training and torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
