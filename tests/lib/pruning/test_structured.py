"""Structured pruning: groups, removal, and what goes along."""

import copy
import io

import numpy as np
import pytest
import torch
from torch import nn

from efficient_ai import pruning, surgery
from efficient_ai.forecasters import seq2seq

GROUPS = {"Transformer": 9, "Informer": 10, "Autoformer": 9, "FEDformer": 8, "Crossformer": 61}


def network(name, **more):
    torch.manual_seed(0)
    heads = 8 if name == "FEDformer" else 4
    marks = {} if name == "Crossformer" else {"marks": 4}
    return seq2seq.MODELS[name](7, 48, 24, width=32, heads=heads, hidden=48, **marks, **more).eval()


def inputs(name, batch=3):
    x, marks = torch.randn(batch, 48, 7), torch.rand(batch, 72, 4) - 0.5
    return (x,) if name == "Crossformer" else (x, marks)


@pytest.fixture(scope="module", params=GROUPS)
def dense(request):
    model = network(request.param)
    return request.param, model, surgery.anatomy(model, inputs(request.param), cutting=True)


def test_every_model_has_the_groups_that_were_found_by_hand(dense):
    name, _, anatomy = dense
    assert len(anatomy.groups) == GROUPS[name]
    for group in anatomy.groups:
        if group.name.endswith("rise") or ".feeds." in group.name:
            assert len({n.rsplit(".", 1)[0] for n, _ in group.places}) == 2
        if group.name.endswith(("own.query", "attention.query", "time.query", "send.query")):
            layers = {n.rsplit(".", 2)[1] if "." in n else n for n, _ in group.places}
            assert {"query", "key", "value", "out"} <= layers


def test_a_cut_model_is_smaller_runs_learns_saves_and_copies(dense):
    name, model, anatomy = dense
    before = {n: p.clone() for n, p in model.state_dict().items()}
    keep = pruning.choose(model, anatomy, 0.4, scope="local")
    small = surgery.cut(model, anatomy, keep)
    assert all(torch.equal(v, before[n]) for n, v in model.state_dict().items())
    assert sum(p.numel() for p in small.parameters()) < 0.75 * sum(p.numel() for p in model.parameters())
    given = inputs(name)
    found = small(*given)
    assert found.shape == (3, 24, 7) and torch.isfinite(found).all()
    assert torch.equal(copy.deepcopy(small)(*given), found)
    file = io.BytesIO()
    torch.save(small.state_dict(), file)
    file.seek(0)
    shell = surgery.cut(network(name), anatomy, keep)
    shell.load_state_dict(torch.load(file))
    assert torch.equal(shell.eval()(*given), found)
    optimiser = torch.optim.Adam(small.parameters(), lr=1e-2)
    small.train()
    small(*given).square().mean().backward()
    optimiser.step()
    assert torch.isfinite(small.eval()(*given)).all()


@pytest.mark.parametrize("name", ["Transformer", "Autoformer"])
def test_a_removed_hidden_unit_is_a_masked_one(name):
    model = network(name).double()
    given = tuple(t.double() for t in inputs(name))
    anatomy = surgery.anatomy(model, given, cutting=True)
    group = anatomy.group("decoder.0.feed.rise")
    gone = [3, 17, 40]
    small = surgery.cut(model, anatomy, {group: [u for u in range(48) if u not in gone]})
    with torch.no_grad():
        for part, axis in anatomy.groups[group].places:
            model.get_parameter(part).index_fill_(axis, torch.tensor(gone), 0.0)
    assert torch.allclose(small(*given), model(*given), atol=1e-12)
    assert small.decoder[0].feed.rise.out_features == 45


def test_positions_go_with_their_channels_and_scales_stay():
    model = network("Transformer")
    anatomy = surgery.anatomy(model, inputs("Transformer"), cutting=True)
    keep = [0, 5, 6, 31]
    head = anatomy.group("encoder.0.attention.query")
    small = surgery.cut(model, anatomy, {"embed_past.values": keep, head: [1, 4]})
    assert torch.equal(small.embed_past.positions, model.embed_past.positions[:, keep])
    attention = small.encoder[0].attention
    rows = [h * 8 + e for h in range(4) for e in (1, 4)]
    assert torch.equal(attention.query.weight, model.encoder[0].attention.query.weight[rows][:, keep])
    assert attention.mixing.scale == 8**-0.5


def test_the_modes_of_fedformer_go_along():
    model = network("FEDformer", modes=8)
    small = pruning.shrink(model, inputs("FEDformer"), 0.3, scope="local")
    assert torch.equal(small.encoder[0].own.mixing.modes, model.encoder[0].own.mixing.modes)
    assert small.encoder[0].own.mixing is small.encoder[1].own.mixing
    assert small.encoder[0].own.mixing.kernel.shape[1] < 4


@pytest.mark.parametrize(
    "make", [lambda p: torch.optim.AdamW(p, lr=1e-2), lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9)]
)
def test_an_optimiser_goes_along(make):
    model = network("Transformer")
    model.head.requires_grad_(False)
    optimiser, given = make([p for p in model.parameters() if p.requires_grad]), inputs("Transformer")
    for _ in range(3):
        optimiser.zero_grad()
        model(*given).square().mean().backward()
        optimiser.step()
    small = pruning.shrink(model, given, 1 / 3, scope="local", optimiser=optimiser)
    before = copy.deepcopy(small.state_dict())
    for _ in range(5):
        optimiser.zero_grad()
        small(*given).square().mean().backward()
        optimiser.step()
    moved = {
        n: (v - before[n]).abs().max() > 0 for n, v in small.state_dict().items() if v.is_floating_point()
    }
    assert moved["encoder.0.feed.rise.weight"] and moved["embed_past.values.weight"]
    assert not moved["head.weight"] and not small.head.weight.requires_grad


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(3, 16, 1)
        self.second = nn.Conv1d(32, 4, 1)

    def forward(self, x):
        x = self.first(x)
        return self.second(torch.cat([x, x], 1))


def test_a_tensor_beside_itself_loses_both_columns():
    model, x = Twice(), torch.randn(2, 3, 5)
    anatomy = surgery.anatomy(model, x, cutting=True)
    small = surgery.cut(model, anatomy, {0: [u for u in range(16) if u not in (1, 5)]})
    columns = [c for c in range(32) if c not in (1, 5, 17, 21)]
    assert torch.equal(small.second.weight, model.second.weight[:, columns])


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(3, 3, 1), nn.Conv2d(3, 1, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.c(torch.cat([self.a(x), self.b(x)], 1))


def test_branches_of_different_width_are_two_groups():
    anatomy = surgery.anatomy(Branches(), torch.randn(1, 3, 4, 4), cutting=True)
    assert [(g.name, g.units) for g in anatomy.groups] == [("a", 3), ("b", 1)]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(4, 8)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.mix, self.head = nn.Conv2d(8, 8, 1), nn.Linear(8, 5)

    def forward(self, x):
        x = self.norm(self.stem(x)).relu()
        x = x + self.mix(self.deep(x))
        return self.head(x.mean((2, 3)))


def test_depthwise_and_group_normalised_layers_shrink_together():
    x = torch.randn(2, 3, 6, 6)
    model = Residual().eval()
    small = pruning.shrink(model, x, 0.5, scope="local")
    assert small(x).shape == (2, 5)
    assert small.deep.groups == 4 and small.norm.num_channels == 4 and small.norm.num_groups == 2


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.head = nn.Linear(6, 6), nn.Linear(6, 9), nn.Linear(9, 2)

    def forward(self, x):
        return self.head(self.b((x + self.a(x)).relu()))


def test_what_is_added_to_the_input_stays_whole():
    x = torch.randn(3, 6)
    small = pruning.shrink(Skip(), x, 0.5, scope="local")
    assert small.a.out_features == 6 and small.head.in_features < 9 and small(x).shape == (3, 2)


@pytest.mark.parametrize(
    ("keep", "says"),
    [
        ([], "at least one"), ([0, 0], "twice"), ([99], "units 0 to"), ([-1], "units 0 to"),
        ([0.5], "numbers"), ([True, False], "numbers"),
    ],
)  # fmt: skip
def test_units_that_do_not_exist_are_refused(keep, says):
    model, x = Twice(), torch.randn(2, 3, 5)
    anatomy = surgery.anatomy(model, x, cutting=True)
    with pytest.raises(surgery.Surgery, match=says):
        surgery.cut(model, anatomy, {0: keep})
    with pytest.raises(surgery.Surgery, match="no group"):
        surgery.cut(model, anatomy, {"nowhere": [0]})


def test_an_anatomy_from_before_a_cut_is_refused():
    model, x = Twice(), torch.randn(2, 3, 5)
    anatomy = surgery.anatomy(model, x, cutting=True)
    small = surgery.cut(model, anatomy, {0: [0, 1]})
    with pytest.raises(surgery.Surgery, match="call anatomy again"):
        surgery.cut(small, anatomy, {0: [0]})


@pytest.mark.parametrize("kind", pruning.IMPORTANCES)
@pytest.mark.parametrize("scope", ["global", "local"])
def test_every_importance_ranks(kind, scope):
    model, given = network("Transformer"), inputs("Transformer")
    evidence = pruning.collect(model, lambda m: m(*given).square().mean())
    small = pruning.shrink(model, given, 0.3, kind=kind, scope=scope, evidence=evidence)
    assert small(*given).shape == (3, 24, 7)


def test_magnitude_is_the_mean_of_the_slices_by_hand():
    model, x = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3)).double(), torch.randn(2, 4).double()
    anatomy = surgery.anatomy(model, x, cutting=True)
    wanted = (model[0].weight.square().sum(1) + model[2].weight.square().sum(0)) / 2
    assert np.allclose(pruning.importance(model, anatomy, 0), wanted.detach())


def test_rounds_multiply_to_the_share():
    model, given = network("Transformer"), inputs("Transformer")
    once = pruning.shrink(model, given, 0.5, scope="local")
    thrice = pruning.shrink(model, given, 0.5, scope="local", steps=3)
    assert abs(once.encoder[0].feed.rise.out_features - thrice.encoder[0].feed.rise.out_features) <= 2


@pytest.mark.parametrize("how", [{"ratio": 1.0}, {"ratio": -0.1}, {"ratio": float("nan")}, {"ratio": 0.5, "steps": 0},
                                 {"ratio": 0.5, "kind": "size"}, {"ratio": 0.5, "scope": "all"}])  # fmt: skip
def test_what_is_no_share_is_refused(how):
    with pytest.raises(ValueError, match=r"not|unknown"):
        pruning.shrink(Twice(), torch.randn(2, 3, 5), **how)
