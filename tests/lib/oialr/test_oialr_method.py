"""Factors of any layer: the same function, the projected gradient, the counted arithmetic; the schedule and its bounds."""

import copy

import pytest
import torch
from torch import nn

from efficient_ai import lowrank, oialr


def adapt(model, *, cutoff=0.0, optimizer=torch.optim.AdamW, schedule=None, **how):
    made = optimizer(model.parameters(), lr=1e-3)
    return oialr.OIALR(
        model, made, schedule or oialr.Schedule(1, 1, cutoff=cutoff), **({"keep_last": False} | how)
    )


class Attend(nn.Module):
    def __init__(self, **how):
        super().__init__()
        self.attention = nn.MultiheadAttention(48, 4, **how)
        self.needs = True

    def forward(self, x):
        key, value = x[..., : self.attention.kdim], x[..., : self.attention.vdim]
        return self.attention(x, key, value, need_weights=self.needs)[0]


MODELS = {
    "linear": (lambda: nn.Linear(20, 30), (5, 20)),
    "wide": (lambda: nn.Linear(64, 16, bias=False), (3, 2, 64)),
    "groups": (lambda: nn.Conv2d(8, 16, 3, padding=1, groups=4), (2, 8, 6, 6)),
    "dilated, reflected": (
        lambda: nn.Conv2d(6, 12, (3, 5), dilation=2, padding="same", padding_mode="reflect"),
        (2, 6, 9, 11),
    ),
    "stride, circular": (
        lambda: nn.Conv2d(6, 12, 3, stride=2, padding=1, padding_mode="circular"),
        (2, 6, 9, 9),
    ),
    "conv1d": (lambda: nn.Conv1d(5, 20, 7), (2, 5, 12)),
    "1 x 1": (lambda: nn.Conv2d(8, 16, 1), (2, 8, 5, 5)),
    "no batch axis": (lambda: nn.Conv2d(8, 16, 3), (8, 6, 6)),
    "conv3d": (lambda: nn.Conv3d(4, 12, 3), (2, 4, 5, 5, 5)),
    "transposed": (lambda: nn.ConvTranspose2d(8, 6, 3), (2, 8, 5, 5)),
    "attention": (lambda: Attend(batch_first=True), (2, 5, 48)),
    "attention, own sizes": (lambda: Attend(kdim=20, vdim=28, bias=False, add_bias_kv=True), (2, 5, 48)),
    "encoder": (lambda: nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True), (2, 5, 32)),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("training", [True, False])
def test_conversion_and_turning_keep_the_function_and_every_s_moves(name, training):
    torch.manual_seed(0)
    build, shape = MODELS[name]
    model = build().double().train(training)
    x = torch.randn(shape, dtype=torch.float64)
    with torch.no_grad():
        before = model(x)
    adaptive = adapt(model)
    adaptive.update()
    adaptive.update()
    with torch.no_grad():
        assert torch.allclose(model(x), before, rtol=0, atol=1e-12 * float(before.abs().max()) * 100)
    starts = {key: factors.s.detach().clone() for key, factors in adaptive.factors.items()}
    assert starts and set(starts) == set(adaptive.layers)
    model(x).square().sum().backward()
    for factors in adaptive.factors.values():
        assert factors.s.grad.abs().sum() > 0
    adaptive._hook.remove()
    adaptive.optimizer.step()
    assert all((factors.s - starts[key]).abs().max() > 0 for key, factors in adaptive.factors.items())


@pytest.mark.parametrize("shape", [(256, 64), (64, 256), (64, 64)])
@pytest.mark.parametrize("rank", [64, 8])
@pytest.mark.parametrize("rows", [1, 4000])
def test_the_gradient_of_s_is_the_dense_one_seen_from_both_bases_by_either_way(shape, rank, rows):
    torch.manual_seed(0)
    view = lowrank.MatrixView(shape)
    weight = torch.randn(shape, dtype=torch.float64)
    factors = oialr.Factored(view, lowrank.thin_svd(view.split(weight)).cut(rank))
    dense = factors.weight().detach().requires_grad_()
    x = torch.randn(rows, shape[1], dtype=torch.float64)
    target = torch.randn(rows, shape[0], dtype=torch.float64)
    (factors.linear(x, None) * target).sum().backward()
    ((x @ dense.T) * target).sum().backward()
    wanted = factors.u.mT @ view.split(dense.grad) @ factors.vh.mT
    assert torch.allclose(factors.s.grad, wanted, atol=1e-9)


def test_the_way_is_the_cheaper_one_by_count_and_both_ways_are_taken():
    view = lowrank.MatrixView((64, 64))
    small = oialr.Factored(view, lowrank.thin_svd(torch.randn(1, 64, 64)).cut(8))
    large = oialr.Factored(view, lowrank.thin_svd(torch.randn(1, 64, 64)))
    assert small.cheaper(1000) and not large.cheaper(1000) and large.cheaper(1)


def test_through_the_factors_only_r_numbers_a_row_are_kept_for_the_backward_pass():
    factors = oialr.Factored(lowrank.MatrixView((64, 64)), lowrank.thin_svd(torch.randn(1, 64, 64)).cut(8))
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.shape) or t, lambda t: t):
        factors.linear(torch.randn(500, 64), None)
    assert (500, 64) not in kept and (500, 8) in kept


def test_a_cut_drops_what_eckart_and_young_say():
    torch.manual_seed(0)
    model = nn.Linear(40, 30, bias=False).double()
    weight, s = model.weight.detach().clone(), torch.linalg.svdvals(model.weight.detach())
    adaptive = adapt(model, cutoff=0.6)
    adaptive.update()
    rank = adaptive.ranks["weight"]
    assert rank == max(15, int((s >= 0.6 * s[0]).sum()))
    assert torch.allclose((model.weight - weight).norm() ** 2, s[rank:].square().sum())


def test_u_and_v_stay_orthonormal_after_many_updates_and_no_optimiser_sees_them():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 32))
    adaptive = adapt(model, cutoff=0.1, optimizer=torch.optim.AdamW)
    x = torch.randn(64, 32)
    for _ in range(30):
        adaptive.optimizer.zero_grad()
        model(x).square().mean().backward()
        adaptive.optimizer.step()
    for factors in adaptive.factors.values():
        eye = torch.eye(factors.rank)
        assert (factors.u[0].T @ factors.u[0] - eye).norm() < 1e-4
        assert (factors.vh[0] @ factors.vh[0].T - eye).norm() < 1e-4
        assert not isinstance(factors.u, nn.Parameter)


def test_shared_weights_stay_one_and_others_are_listed():
    tied = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16))
    tied[2].weight = tied[0].weight
    adaptive = adapt(tied)
    adaptive.update()
    assert len(adaptive.factors) == 1 and tied[0].weight_factors is tied[2].weight_factors
    model = nn.ModuleDict(
        {"embed": nn.Embedding(50, 32), "mid": nn.Linear(32, 32), "head": nn.Linear(32, 50)}
    )
    model["head"].weight = model["embed"].weight
    adaptive = adapt(model)
    adaptive.update()
    assert set(adaptive.dense) == {"embed.weight", "head.weight"} and list(adaptive.factors) == ["mid.weight"]
    assert model["head"].weight is model["embed"].weight
    normed = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(8, 8)), nn.Linear(8, 8))
    adaptive = adapt(normed)
    adaptive.update()
    assert any("parametrised" in why for why in adaptive.dense.values())
    depthwise = nn.Sequential(nn.Conv2d(32, 32, 3, groups=32), nn.BatchNorm2d(32), nn.Conv2d(32, 32, 1))
    assert adapt(depthwise).dense["0.weight"] == "its rank is one already"


def test_flat_first_and_last_weights_stay_dense():
    model = nn.Sequential(nn.Linear(20, 20), nn.Linear(20, 20), nn.Linear(20, 200), nn.Linear(200, 20))
    assert list(adapt(model, keep_first=True, keep_last=True).layers) == ["1.weight"]
    assert "flat" in adapt(model).dense["2.weight"]


def test_the_staircase_starts_with_the_last_layer_and_reaches_all():
    plan = oialr.Schedule(10, 5, step=0.1)
    assert [list(plan.chosen(step, 3)) for step in (10, 15, 20, 25)] == [[2], [1, 2], [0, 1, 2], [0, 1, 2]]
    assert len(plan.chosen(10, 40)) == 4 and len(plan.chosen(15, 40)) == 8
    assert [step for step in range(1, 22) if plan.due(step)] == [10, 15, 20]


def test_no_rank_falls_below_one_or_by_more_than_half():
    plan = oialr.Schedule(1, 1, cutoff=0.99)
    s = torch.tensor([1.0, 0.1, 0.1, 0.1, 0.1])
    assert plan.rank(s, 5, 50) == 3 and plan.rank(s[:1], 1, 50) == 1 and plan.rank(s, 5, 500) == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay": 0},
        {"delay": True},
        {"every": 2.5},
        {"cutoff": 1.0},
        {"cutoff": float("nan")},
        {"step": 0},
        {"keep": -1},
    ],
)
def test_a_schedule_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError):
        oialr.Schedule(**({"delay": 5, "every": 5} | wrong))


def test_stability_is_the_mean_cosine_of_the_columns_and_blind_to_stretch_and_transposition():
    torch.manual_seed(0)
    a, b = torch.randn(2, 20, 8, dtype=torch.float64)
    u, v = oialr.basis(a), oialr.basis(b)
    columns = nn.functional.cosine_similarity(u, v, dim=0).mean()
    assert abs(oialr.stability(a, b) - float(columns)) < 1e-12
    stretch = torch.randn(8, 8, dtype=torch.float64)
    assert abs(oialr.stability(a, u @ (stretch @ stretch.T)) - 1) < 1e-9
    assert abs(oialr.stability(a.T, b.T) - oialr.stability(a, b)) < 1e-12
    low = a[:, :3] @ a[:8, :3].T
    assert abs(oialr.stability(low, low + 1e-17) - 1) < 1e-6
    for wrong in ((a, b.T), (a, torch.zeros_like(a))):
        with pytest.raises(ValueError):
            oialr.stability(*wrong)


def test_a_merged_model_is_dense_again_and_a_copy_is_apart():
    model = nn.Sequential(nn.Linear(20, 20), nn.ReLU(), nn.Linear(20, 20))
    adaptive = adapt(model)
    adaptive.update()
    x = torch.randn(4, 20)
    before, twin = model(x).detach(), copy.deepcopy(model)
    merged = adaptive.merge()
    assert type(merged[0]) is nn.Linear and torch.allclose(merged(x), before, atol=1e-6)
    assert torch.equal(twin(x), before)
