"""Gradients in fewer bytes and outer steps, in a world of one."""

import pytest
import torch
from torch import nn

from efficient_ai.ab_training import ABTraining, Alone, HalfPrecision, Outer, PowerSGD, Schedule


def alone(flat):
    """The sum over one rank."""


def parameter(*shape, grad=None, dtype=torch.float64):
    made = nn.Parameter(torch.zeros(*shape, dtype=dtype))
    made.grad = grad
    return made


def test_a_gradient_of_low_rank_arrives_whole():
    torch.manual_seed(0)
    gradient = torch.randn(9, 2, dtype=torch.float64) @ torch.randn(2, 12, dtype=torch.float64)
    weight = parameter(9, 12, grad=gradient.clone())
    assert PowerSGD(2).mean([weight], alone, 1)
    assert torch.allclose(weight.grad, gradient, atol=1e-12, rtol=0)


def test_a_repeated_gradient_arrives_in_time():
    """What is lost is added next time: the sum of what was sent stays within a bounded distance of the sum of gradients."""
    torch.manual_seed(0)
    gradient, rival, owed = torch.randn(9, 12, dtype=torch.float64), PowerSGD(1), []
    for _ in range(60):
        weight = parameter(9, 12, grad=gradient.clone())
        rival.mean([weight], alone, 1)
        owed.append(float(rival.lost[0].norm()))
    assert max(owed) < 30 * float(gradient.norm()) and max(owed[30:]) < 1.5 * max(owed[:30])


def test_what_would_not_become_smaller_is_sent_as_it_is():
    gradient = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)
    small, bias = parameter(2, 3, grad=gradient.clone()), parameter(3, grad=gradient[0].clone())
    rival = PowerSGD(2)
    assert rival.mean([small, bias], alone, 1) and not rival.lost
    assert torch.equal(small.grad, gradient) and torch.equal(bias.grad, gradient[0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_leaves_no_trace(bad):
    rival = PowerSGD(1)
    rival.mean([parameter(4, 5, grad=torch.ones(4, 5, dtype=torch.float64))], alone, 1)
    before = rival.lost[0].clone(), rival.right[0].clone()
    poisoned = torch.ones(4, 5, dtype=torch.float64)
    poisoned[2, 2] = bad
    assert not rival.mean([parameter(4, 5, grad=poisoned)], alone, 1)
    assert torch.equal(rival.lost[0], before[0]) and torch.equal(rival.right[0], before[1])


def test_a_weight_that_took_no_part_has_no_gradient_afterwards():
    idle, busy = parameter(4, 5), parameter(4, 5, grad=torch.ones(4, 5, dtype=torch.float64))
    assert PowerSGD(1).mean([idle, busy], alone, 1)
    assert idle.grad is None and busy.grad is not None


def test_half_precision_rounds_and_notices_what_leaves_its_range():
    weight = parameter(3, grad=torch.tensor([1 / 3, 1e-3, -2.0], dtype=torch.float64))
    assert HalfPrecision().mean([weight], alone, 1)
    assert weight.grad.dtype is torch.float64
    assert torch.equal(weight.grad, torch.tensor([1 / 3, 1e-3, -2.0]).half().double())
    assert not HalfPrecision().mean([parameter(1, grad=torch.tensor([1e6], dtype=torch.float64))], alone, 1)


def test_the_outer_step_is_nesterov_on_how_far_the_mean_moved():
    """torch's own SGD, given that way as the gradient, takes the same steps."""
    torch.manual_seed(0)
    theirs = nn.Parameter(torch.randn(5, dtype=torch.float64))
    rule = torch.optim.SGD([theirs], lr=0.7, momentum=0.9, nesterov=True)
    ours, outer = theirs.detach().clone(), Outer(0.7, 0.9)
    for _ in range(4):
        moved = torch.randn(5, dtype=torch.float64)
        outer.leave([ours])
        mean = ours - moved
        outer.step([mean])
        ours = mean
        theirs.grad = moved
        rule.step()
        assert torch.allclose(ours, theirs.detach(), atol=1e-12, rtol=0)


def test_an_outer_step_of_one_without_momentum_is_plain_averaging():
    def trained(**options):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)).double()
        run = ABTraining(
            model, torch.optim.AdamW(model.parameters(), lr=0.01), Alone(), Schedule(30, 5, 10, 3, 2),
            kind="local", **options,
        )  # fmt: skip
        for t in range(30):
            x = torch.randn(8, 4, generator=torch.Generator().manual_seed(t), dtype=torch.float64)
            run.step(lambda x=x: model(x).square().sum())
        run.finish()
        return torch.cat([p.detach().reshape(-1) for p in model.parameters()])

    assert torch.allclose(trained(), trained(outer=Outer(1.0, 0.0)), atol=1e-12, rtol=0)
    assert not torch.allclose(trained(), trained(outer=Outer()), atol=1e-6)


@pytest.mark.parametrize(
    "make",
    [lambda: PowerSGD(0), lambda: PowerSGD(True), lambda: PowerSGD(1.5), lambda: Outer(0.0), lambda: Outer(0.7, 1.0),
     lambda: Outer(float("nan"))],
)  # fmt: skip
def test_settings_that_are_none(make):
    with pytest.raises(ValueError, match=r"\w{3}"):
        make()


@pytest.mark.parametrize(
    "options",
    [{"kind": "ab", "compression": HalfPrecision()}, {"kind": "local", "compression": PowerSGD(1)},
     {"kind": "synchronous", "outer": Outer()}, {"kind": "ab", "outer": Outer()}],
)  # fmt: skip
def test_rivals_where_they_do_not_belong(options):
    model = nn.Sequential(nn.Linear(3, 3))
    with pytest.raises(ValueError, match="take kind="):
        ABTraining(
            model, torch.optim.SGD(model.parameters(), lr=0.1), Alone(), Schedule(30, 5, 10, 3, 2), **options
        )
