"""Inputs on which other tools of the trade failed, and others of their kind."""

import copy
import hashlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

from efficient_ai import surgery
from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import (
    Perceptron,
    SmallResNet,
    average,
    concatenate,
    fuse,
    optimal_transport,
    weight_matching,
)
from efficient_ai.transplantation._align import matching, permuted

NORMS = nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm


def seeded(make, seed=0):
    """A float64 network; its norms have weights and statistics of their own."""
    torch.manual_seed(seed)
    model = make().double().eval()
    for layer in model.modules():
        if isinstance(layer, NORMS):
            for held in (*layer.parameters(), *layer.buffers()):
                if held.is_floating_point():
                    nn.init.uniform_(held, 0.3, 2)
                else:
                    held.fill_(7 + seed)
    return model


def images(n=4, channels=3):
    return torch.randn(n, channels, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def shuffled(model, x, seed=1):
    parts, rng = surgery.anatomy(model, x), np.random.default_rng(seed)
    order = [rng.permutation(g.units) for g in parts.groups]
    return surgery.rebuild(model, parts, permuted(parts, model, order)), order


class Bottleneck(nn.Module):
    """Three convolutions and a projection shortcut, registered in another order than they are used."""

    def __init__(self):
        super().__init__()
        self.head = nn.Linear(12, 5)
        self.shortcut = nn.Sequential(nn.Conv2d(3, 12, 1), nn.BatchNorm2d(12))
        self.third = nn.Sequential(nn.Conv2d(4, 12, 1), nn.BatchNorm2d(12))
        self.first = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())

    def forward(self, x):
        inner = self.third(self.second(self.first(x)))
        return self.head(torch.relu(inner + self.shortcut(x)).mean((2, 3)))


class Residual(nn.Module):
    """A perceptron with two residual layers."""

    def __init__(self, width):
        super().__init__()
        self.enter, self.leave = nn.Linear(10, width), nn.Linear(width, 4)
        self.up = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(width, width) for _ in range(2))

    def forward(self, x):
        x = self.enter(x)
        for up, down in zip(self.up, self.down, strict=True):
            x = x + down(torch.relu(up(x)))
        return self.leave(x)


@pytest.mark.parametrize("make", [Bottleneck, lambda: SmallResNet(4, 3)])
def test_statistics_move_with_their_channels(make):
    x = images(channels=1) if make is not Bottleneck else images()
    model = seeded(make)
    twin, _ = shuffled(model, x)
    assert (model(x) - twin(x)).abs().max() < 1e-12
    for fusion in (optimal_transport, weight_matching):
        found = fusion([model, twin], x)
        if (
            fusion is optimal_transport
        ):  # matching by descent may stop early; what it did is reported, not assumed
            assert (found(x) - model(x)).abs().max() < 1e-10
        assert list(found.state_dict()) == list(model.state_dict())
    assert (average([model, twin], x)(x) - model(x)).abs().max() > 1e-3


@pytest.mark.parametrize("mode", [True, False])
def test_bottleneck_side_by_side(mode):
    members, x = [seeded(Bottleneck, s).train(mode) for s in range(2)], images()
    wide = concatenate([m.eval() for m in members], x).train(mode)
    mean = sum(copy.deepcopy(m).train(mode)(x) for m in members) / 2
    assert (wide(x) - mean).abs().max() < 1e-12
    fused = fuse(members, x)
    assert list(fused.model.state_dict()) == list(members[0].state_dict())
    for slot, (m, u) in enumerate(fused.kept["first.0"]):
        for what in ("weight", "bias", "running_mean", "running_var"):
            mine, theirs = getattr(fused.model.first[1], what), getattr(members[m].first[1], what)
            assert mine[slot] == theirs[u]


@pytest.mark.parametrize("width", [30, 50])
def test_matching_on_residual_networks_never_falls_and_counts_what_it_found(width):
    x, found = torch.randn(4, 10, dtype=torch.float64), 0
    for seed in range(10):
        model = seeded(lambda: Residual(width), seed)
        twin, order = shuffled(model, x, seed)
        assert (model(x) - twin(x)).abs().max() < 1e-12
        a, b = surgery.anatomy(model, x), surgery.anatomy(twin, x)
        new, objective = matching(a, model, b, twin, seed=seed)
        assert (np.diff(objective) >= -1e-9).all()
        found += all((o[n] == np.arange(len(o))).all() for o, n in zip(order, new, strict=True))
    assert 0 <= found <= 10  # a local optimum is no error; nothing is assumed about how often it is one


def test_transport_finds_every_permutation_of_plain_perceptrons():
    x = torch.randn(4, 10, dtype=torch.float64)
    for seed in range(25):
        model = seeded(lambda: Perceptron(10, (30, 30), 4, bias=True), seed)
        twin, _ = shuffled(model, x, seed)
        assert (optimal_transport([twin, model], x)(x) - model(x)).abs().max() < 1e-10


def test_copies_are_independent_of_each_other_and_of_the_result():
    def digest(model):
        return hashlib.sha256(b"".join(v.numpy().tobytes() for v in model.state_dict().values())).hexdigest()

    member = seeded(lambda: Perceptron(10, (64, 64), 3, bias=True))
    before, x = digest(member), torch.randn(9, 10, dtype=torch.float64)
    fused = fuse([member] * 4, x)
    for rows in fused.kept.values():
        units, counts = np.unique(rows[:, 1], return_counts=True)
        assert len(units) == 16 and (counts == 4).all()
    optimiser = torch.optim.SGD(fused.model.parameters(), 1.0)
    F.cross_entropy(fused.model(x), torch.zeros(9, dtype=torch.int64)).backward()
    optimiser.step()
    assert digest(member) == before and digest(fused.model) != before


class Tokens(nn.Module):
    """A table of positions longer than the sequences it is used with."""

    def __init__(self):
        super().__init__()
        self.words, self.positions = nn.Embedding(11, 6), nn.Parameter(torch.randn(1, 8, 6))
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head((self.words(x) + self.positions[:, : x.shape[1]]).relu().mean(1))


def test_positions_that_the_example_does_not_reach_follow_the_others():
    members = [seeded(Tokens, s) for s in range(2)]
    short, long = torch.arange(12).reshape(3, 4) % 11, torch.arange(24).reshape(3, 8) % 11
    wide = concatenate(members, short)
    for x in (short, long):
        assert (wide(x) - sum(m(x) for m in members) / 2).abs().max() < 1e-12
    fused = fuse(members, short)
    (kept,) = fused.kept.values()
    expected = torch.stack([members[m].positions[0, :, u] for m, u in kept], dim=1)
    assert torch.equal(fused.model.positions[0], expected)


class Forward(nn.Module):
    def __init__(self, call, **layers):
        super().__init__()
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.call = call

    def forward(self, x):
        return self.call(self, x)


def tied():
    model = Forward(lambda s, x: s.out(torch.relu(s.mid(s.words(x))).mean(1)), words=nn.Embedding(11, 8), mid=nn.Linear(8, 8), out=nn.Linear(8, 11, bias=False))  # fmt: skip
    model.out.weight = model.words.weight
    return model


@pytest.mark.parametrize(
    ("make", "x", "words"),
    [
        (tied, torch.zeros(2, 4, dtype=torch.int64), "words.weight and out.weight are one tensor in two roles"),
        (lambda: Forward(lambda s, x: s.b(s.a(x)[0]), a=nn.LSTM(3, 4), b=nn.Linear(4, 2)), torch.randn(2, 3), "layer 'a': LSTM"),
        (lambda: Forward(lambda s, x: s.b(F.glu(s.a(x))), a=nn.Linear(3, 8), b=nn.Linear(4, 2)), torch.randn(2, 3), "'glu'"),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.PReLU(4), nn.Linear(4, 2)), torch.randn(2, 3), "layer '1': PReLU"),
        (lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Softmax(-1)), torch.randn(2, 3), "up to its logits"),
    ],
)  # fmt: skip
def test_refused_in_one_sentence_that_names_the_layer(make, x, words):
    with pytest.raises(Surgery, match=words) as caught:
        fuse([make(), make()], x)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("member 0: ")


def test_near_copies_are_counted():
    from efficient_ai.transplantation.experiments._ranks import near_copies

    member, x = seeded(lambda: Perceptron(10, (16, 16), 3)), torch.randn(50, 10, dtype=torch.float64)
    alone, doubled = near_copies(member, x), near_copies(fuse([member] * 2, x).model, x)
    assert alone < 20 and doubled > 90


def test_one_anatomy_serves_members_that_are_built_alike_and_no_others():
    relu, gelu = (nn.Sequential(nn.Linear(3, 4), act, nn.Linear(4, 2)) for act in (nn.ReLU(), nn.GELU()))
    assert surgery.alike(relu, copy.deepcopy(relu)) and not surgery.alike(relu, gelu)
    a, b = Perceptron(3, (4,), 2), Perceptron(3, (5,), 2)
    assert not surgery.alike(a, b) and not surgery.alike(a, relu)
    b = copy.deepcopy(a)
    b.slope = 0.1
    assert not surgery.alike(a, b)
    square = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2))
    tied = copy.deepcopy(square)
    tied[1].weight = tied[0].weight
    assert not surgery.alike(square, tied)
    lambdas = [
        Forward(f, a=nn.Linear(3, 4), b=nn.Linear(4, 2))
        for f in (lambda s, x: s.b(s.a(x)), lambda s, x: s.b(-s.a(x)))
    ]
    assert not surgery.alike(*lambdas)
    with pytest.raises(Surgery, match="member 1 has operation 'neg'"):
        fuse(lambdas, torch.randn(2, 3))


def test_a_masked_weight_is_refused_by_name():
    masked = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    prune.l1_unstructured(masked[0], "weight", 0.5)
    with pytest.raises(Surgery, match=r"layer .0.: .*prune\.remove"):
        fuse([masked, masked], torch.randn(2, 3))
    prune.remove(masked[0], "weight")
    assert torch.isfinite(fuse([masked, masked], torch.randn(2, 3)).model(torch.randn(2, 3))).all()
