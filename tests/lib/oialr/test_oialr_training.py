"""Training as people do it: optimisers, groups, schedulers, accumulation, low precision, faults and resumption."""

import copy

import pytest
import torch
from torch import nn

from efficient_ai import oialr
from efficient_ai.oialr import experiments


def mlp(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))


def step(model, optimizer, seed=0):
    x = torch.randn(16, 24, generator=torch.Generator().manual_seed(seed))
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()


OPTIMIZERS = [
    lambda p: torch.optim.SGD(p, lr=0.01),
    lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    lambda p: torch.optim.AdamW(p, amsgrad=True),
    lambda p: torch.optim.AdamW(p, foreach=True),
    lambda p: torch.optim.NAdam(p),
    lambda p: torch.optim.RMSprop(p, centered=True),
    lambda p: torch.optim.Adamax(p),
    lambda p: torch.optim.Adagrad(p),
]


@pytest.mark.parametrize("make", OPTIMIZERS)
def test_torch_optimisers_follow(make):
    model = mlp()
    optimizer = make(model.parameters())
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(3, 2, cutoff=0.3))
    for i in range(12):
        step(model, optimizer, i)
    assert adaptive.step == 12 and adaptive.ranks["0.weight"] < 24 and adaptive.ranks["2.weight"] < 32
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_plain_sgd_moves_the_weight_by_the_projected_step():
    model = nn.Linear(24, 16, bias=False).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(100, 100, cutoff=0.5), keep_last=False)
    adaptive.update()
    u, vh = adaptive.factors["weight"].u[0].clone(), adaptive.factors["weight"].vh[0].clone()
    before, x = model.weight.detach().T.clone(), torch.randn(5, 24, dtype=torch.float64)
    model(x).square().sum().backward()
    gradient = (2 * (before.T @ x.T) @ x).T
    optimizer.step()
    assert torch.allclose(model.weight.T, before - 0.1 * u @ u.T @ gradient @ vh.T @ vh, atol=1e-12)


def test_groups_keep_their_objects_rates_and_decay_under_a_scheduler():
    model = mlp()
    groups = [
        {"params": [model[0].weight, model[2].weight], "weight_decay": 0.1, "lr": 1e-3},
        {"params": [model[0].bias, model[2].bias, *model[4].parameters()], "weight_decay": 0.0, "lr": 1e-4},
    ]
    optimizer = torch.optim.AdamW(groups)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, [1e-3, 1e-4], total_steps=20)
    before = list(optimizer.param_groups)
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(3, 2))
    for i in range(8):
        step(model, optimizer, i)
        plan.step()
    assert all(a is b for a, b in zip(before, optimizer.param_groups, strict=True))
    assert {id(p) for p in before[0]["params"]} == {id(f.s) for f in adaptive.factors.values()}
    trained = {id(p) for group in before for p in group["params"]}
    assert trained == {id(p) for p in model.parameters()}


def test_only_optimiser_steps_count():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(2, 1))
    for _ in range(5):
        model(torch.randn(4, 24)).sum().backward()
    assert adaptive.step == 0 and not adaptive.factors
    optimizer.step()
    assert adaptive.step == 1


def test_the_first_moment_turns_exactly_and_the_second_stays_positive():
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters())
    for i in range(5):
        step(model, optimizer, i)
    old = optimizer.state[model[2].weight]["exp_avg"].clone()
    counter = float(optimizer.state[model[2].weight]["step"])
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(100, 100, cutoff=0.2))
    adaptive.update()
    own = adaptive.factors["2.weight"]
    state = optimizer.state[own.s]
    assert torch.allclose(state["exp_avg"][0], own.u[0].T @ old @ own.vh[0].T, atol=1e-7)
    assert (state["exp_avg_sq"] >= 0).all() and float(state["step"]) == counter


def test_the_first_steps_after_the_conversion_are_too_large_where_the_moments_are_zeros():
    sizes = experiments.first_steps(400)
    wanted = 0.1 / (1 - 0.9**401) / ((0.001) / (1 - 0.999**401)) ** 0.5
    for gradient in ("constant", "independent"):
        for rule in ("reference", "zeroed"):
            assert sizes[rule, gradient] == pytest.approx(wanted, rel=0.02)
    assert sizes["turned", "independent"] < 1
    assert sizes["turned", "constant"] > 2  # the rule's own weakness: entries that vary together


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float64])
def test_types_are_kept(kind):
    model = mlp().to(kind)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(1, 1, cutoff=0.3))
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(16, 24).to(kind)).square().mean().backward()
        optimizer.step()
    for own in adaptive.factors.values():
        assert own.u.dtype == own.s.dtype == own.vh.dtype == kind
        bound = 0.1 if kind == torch.bfloat16 else 1e-12
        assert (own.u[0].T.double() @ own.u[0].double() - torch.eye(own.rank)).norm() < bound


def test_an_update_inside_autocast_is_exact():
    model = mlp()
    optimizer = torch.optim.AdamW(model.parameters())
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(1, 1, cutoff=0.0))
    with torch.autocast("cpu", torch.bfloat16):
        for i in range(4):
            step(model, optimizer, i)
    own = adaptive.factors["2.weight"]
    assert own.u.dtype == torch.float32 and (own.u[0].T @ own.u[0] - torch.eye(own.rank)).norm() < 1e-4


def test_a_value_that_is_not_finite_is_named_and_nothing_changes_until_it_is_repaired():
    model = mlp()
    optimizer = torch.optim.AdamW(model.parameters())
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(1, 1, cutoff=0.3))
    for i in range(3):
        step(model, optimizer, i)
    own = adaptive.factors["0.weight"]
    value = own.s[0, 0, 0].item()
    with torch.no_grad():
        own.s[0, 0, 0] = float("inf")
    before = {name: t.clone() for name, t in model.state_dict().items()}
    with pytest.raises(ValueError, match=r"0\.weight is not finite at step 3.*No layer was changed"):
        adaptive.update()
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())
    with torch.no_grad():
        own.s[0, 0, 0] = value
    step(model, optimizer, 9)
    assert adaptive.step == 4


@pytest.mark.parametrize("saved_at", [1, 2, 3, 6])
@pytest.mark.parametrize("loaded_at", [0, 2, 9])
def test_a_run_goes_on_bit_by_bit_at_any_step_and_rank(saved_at, loaded_at):
    plan = oialr.Schedule(2, 2, cutoff=0.4)

    def begin(seed):
        model = mlp(seed)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        return model, optimizer, oialr.OIALR(model, optimizer, plan)

    model, optimizer, adaptive = begin(0)
    for i in range(saved_at):
        step(model, optimizer, i)
    state = copy.deepcopy(oialr.state_dict(adaptive))
    other, second, twin = begin(1)
    for i in range(loaded_at):
        step(other, second, i)
    oialr.load_state_dict(twin, copy.deepcopy(state))
    for i in range(10, 15):
        step(model, optimizer, i)
        step(other, second, i)
    assert adaptive.ranks == twin.ranks and adaptive.step == twin.step
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_a_state_that_does_not_fit_is_refused_before_anything_changes():
    model = mlp()
    optimizer = torch.optim.AdamW(model.parameters())
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(2, 2))
    good = copy.deepcopy(oialr.state_dict(adaptive))
    before = {name: t.clone() for name, t in model.state_dict().items()}
    shape = copy.deepcopy(good)
    shape["model"]["4.weight"] = torch.zeros(4, 31)
    unknown = copy.deepcopy(good)
    unknown["ranks"] = {"4.weight": 3}
    for wrong, says in (
        (shape, "4.weight has shape"),
        (unknown, "stays dense here"),
        ({}, "no state"),
        (None, "no state"),
    ):
        with pytest.raises(ValueError, match=says):
            oialr.load_state_dict(adaptive, wrong)
    assert all(torch.equal(t, before[name]) for name, t in model.state_dict().items())


def test_what_cannot_follow_is_refused_by_name():
    model = mlp()
    plan = oialr.Schedule(1, 1)
    with pytest.raises(TypeError, match="LBFGS"):
        oialr.OIALR(model, torch.optim.LBFGS(model.parameters()), plan)
    with pytest.raises(TypeError, match="one of torch"):
        oialr.OIALR(model, object(), plan)
    adam = torch.optim.Adam(model.parameters())
    with pytest.raises(ValueError, match="nothing that is called"):
        oialr.OIALR(model, adam, plan, keep=["no.such"])
    with pytest.raises(TypeError, match="list of names"):
        oialr.OIALR(model, adam, plan, keep="0")
    with pytest.raises(ValueError, match="rank_share"):
        oialr.OIALR(model, adam, plan, rank_share=0)
    with pytest.raises(TypeError, match="hand in the module inside"):
        oialr.OIALR(nn.DataParallel(model), adam, plan)
    with pytest.raises(ValueError, match="no weight of this model"):
        oialr.OIALR(nn.LayerNorm(4), torch.optim.Adam(nn.LayerNorm(4).parameters()), plan)


def test_a_compiled_model_is_changed_inside():
    model = mlp()
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    adaptive = oialr.OIALR(compiled, optimizer, oialr.Schedule(2, 1, cutoff=0.3))
    x = torch.randn(64, 24)
    for _ in range(5):
        optimizer.zero_grad()
        compiled(x).square().mean().backward()
        optimizer.step()
        assert torch.allclose(compiled(x), model(x), atol=1e-6)
    assert adaptive.ranks["2.weight"] < 32


def test_counts_and_the_state_of_the_optimiser():
    model = mlp()
    optimizer = torch.optim.AdamW(model.parameters())
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(1, 1, cutoff=0.0))
    dense = sum(p.numel() for p in model.parameters())
    step(model, optimizer)
    found = oialr.counts(model)
    assert found.dense == dense
    assert found.trained == dense - 24 * 32 - 32 * 32 + 24**2 + 32**2
    assert found.stored == found.trained + 24 * (24 + 32) + 32 * 64
    assert oialr.optimizer_bytes(optimizer) == 2 * 4 * found.trained + 4 * len(list(model.parameters()))
    assert adaptive.history[0][0] == 1
