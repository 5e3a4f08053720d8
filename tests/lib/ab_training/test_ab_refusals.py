"""In a world of one: what is refused at construction, and what a whole run does to any kind of layer."""

import pytest
import torch
from torch import nn

from efficient_ai.ab_training import ABTraining, Alone, Schedule, load_state_dict, state_dict

TOY = Schedule(30, 5, 10, 3, 2)


def make(model, optimizer=None, **options):
    optimizer = optimizer or torch.optim.AdamW([p for p in model.parameters()], lr=0.01)
    return ABTraining(model, optimizer, Alone(), TOY, **options)


@pytest.mark.parametrize("options", [
    {"mode": "half"}, {"kind": "ddp"}, {"histories": "keep"}, {"cutoff": -0.1}, {"cutoff": 1.5}, {"cutoff": True},
    {"cutoff": float("nan")}, {"group": 0}, {"group": True}, {"max_norm": 0.0}, {"max_norm": float("nan")}, {"patience": -1},
    {"keep": ["nowhere"]},
])  # fmt: skip
def test_choices_that_are_none(options):
    with pytest.raises(ValueError, match=r"\w{3}"):
        make(nn.Sequential(nn.Linear(3, 3)), **options)


def test_models_and_optimisers_that_do_not_fit():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    with pytest.raises(ValueError, match=r"does not have 1\."):
        make(model, torch.optim.SGD(model[0].parameters(), lr=0.1))
    with pytest.raises(ValueError, match="not of this model"):
        make(model, torch.optim.SGD([*model.parameters(), nn.Parameter(torch.ones(2))], lr=0.1))
    with pytest.raises(ValueError, match="LBFGS"):
        make(model, torch.optim.LBFGS(model.parameters()))
    with pytest.raises(ValueError, match="no values yet"):
        make(nn.Sequential(nn.LazyLinear(3)))
    sick = nn.Sequential(nn.Linear(3, 3))
    sick[0].weight.data[0, 0] = float("inf")
    with pytest.raises(ValueError, match="not finite"):
        make(sick)
    frozen = nn.Sequential(nn.Linear(3, 3)).requires_grad_(False)
    with pytest.raises(ValueError, match="nothing to train"):
        make(frozen, torch.optim.SGD(model.parameters(), lr=0.1))


class Mixed(nn.Module):
    """Layers of many kinds, one frozen, one never used, one of rank one, a table and a bare matrix."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv1d(2, 4, 3, padding=1, groups=2), nn.BatchNorm1d(4)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.table, self.bare = nn.Embedding(5, 8), nn.Parameter(torch.randn(8, 8))
        self.narrow, self.back = nn.Linear(8, 1), nn.Linear(1, 8)
        self.frozen, self.unused = nn.Linear(8, 8).requires_grad_(False), nn.Linear(8, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        h = self.norm(self.conv(x)) + self.table(torch.arange(4))
        h = h + self.attention(h, h, h)[0] + self.back(self.narrow(h))
        return self.out(self.frozen(h @ self.bare)).mean(1)


@pytest.mark.parametrize("optimiser", ["SGD", "Adam", "AdamW", "RMSprop", "NAdam"])
def test_a_whole_run_on_layers_of_many_kinds(optimiser):
    torch.manual_seed(0)
    model = Mixed()
    frozen, unused = model.frozen.weight.clone(), model.unused.weight.detach().clone()
    options = {"weight_decay": 0.01} | ({"momentum": 0.9} if optimiser == "SGD" else {})
    run = make(model, getattr(torch.optim, optimiser)(model.parameters(), lr=0.01, **options), cutoff=0.0)
    assert run.dense["table.weight"] and run.dense["bare"]
    losses = []
    for _ in range(30):
        x, y = torch.randn(6, 2, 8), torch.randint(3, (6,))
        losses.append(run.step(lambda x=x, y=y: nn.functional.cross_entropy(model(x), y)))
    run.finish()
    assert torch.equal(model.frozen.weight, frozen)
    assert torch.allclose(
        model.unused.weight, unused, atol=1e-5
    )  # no gradient, no decay; written as a product and back
    assert isinstance(model.conv.weight, nn.Parameter) and "parametrizations" not in str(
        list(model.state_dict())
    )
    assert (
        all(p.isfinite().all() for p in model.parameters())
        and model.norm.num_batches_tracked.dtype == torch.int64
    )
    with pytest.raises(ValueError, match="over"):
        run.step(lambda: model(torch.randn(6, 2, 8)).sum())


def test_states_of_elsewhere_are_refused_and_nothing_changes():
    one, other = make(nn.Sequential(nn.Linear(3, 4))), make(nn.Sequential(nn.Linear(3, 5)))
    before = other.model[0].weight.detach().clone()
    for bad in ({}, None, state_dict(one), state_dict(other) | {"rank": 1}, state_dict(other) | {"world": 2}):
        with pytest.raises(ValueError, match="state"):
            load_state_dict(other, bad)
    settings = state_dict(make(other.model, mode="full"))
    with pytest.raises(ValueError, match="another mode"):
        load_state_dict(other, settings)
    assert torch.equal(other.model[0].weight, before)


def test_clipping_looks_at_what_learns():
    model = nn.Sequential(nn.Linear(1, 2, bias=False)).double()
    run = ABTraining(
        model, torch.optim.SGD(model.parameters(), lr=1.0), Alone(), Schedule(5, 9, 4, 1), max_norm=0.4
    )
    start = model[0].weight.detach().clone()
    run.step(lambda: (model[0].weight.flatten() * torch.tensor([0.48, 0.64], dtype=torch.float64)).sum())
    assert (start - model[0].weight).flatten().tolist() == pytest.approx([0.24, 0.32], abs=1e-6)


def test_a_loss_that_stays_nan_is_refused_and_the_weights_live():
    model = nn.Sequential(nn.Linear(2, 2))
    run, before = make(model, patience=2), model[0].weight.detach().clone()
    with pytest.raises(ValueError, match="not finite"):
        for _ in range(5):
            run.step(lambda: model(torch.full((1, 2), float("nan"))).sum())
    assert torch.equal(model[0].weight, before) and run.skipped == [0, 1]
