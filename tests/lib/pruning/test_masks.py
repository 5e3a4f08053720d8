"""Unstructured pruning: the same masks as torch's own, and zeros that stay zero."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from efficient_ai import pruning
from efficient_ai.forecasters import seq2seq


def network(name="Transformer"):
    torch.manual_seed(0)
    return seq2seq.MODELS[name](7, 48, 24, width=16, heads=4, hidden=24)


def mlp():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(10, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 3))


@pytest.mark.parametrize("name", ["Transformer", "Informer", "Autoformer", "FEDformer"])
@pytest.mark.parametrize("density", [0.8, 0.5, 0.8**9, 0.0, 1.0])
def test_masks_are_those_of_torch(name, density):
    ours, theirs = network(name), network(name)
    masks = pruning.mask(ours, density, outputs=7)
    layers = [
        (m, "weight")
        for m in theirs.modules()
        if isinstance(m, nn.Linear | nn.Conv1d) and len(m.weight) not in (1, 7)
    ]
    prune.global_unstructured(layers, prune.L1Unstructured, amount=1 - density)
    for layer, _ in layers:
        if prune.is_pruned(layer):
            prune.remove(layer, "weight")
    other = theirs.state_dict()
    assert all(torch.equal(value, other[key]) for key, value in ours.state_dict().items())
    n = sum(layer.weight.numel() for layer, _ in layers)
    assert masks.zeros == round((1 - density) * n)


@pytest.mark.parametrize(
    ("name", "count"), [("Transformer", 10_511_360), ("Informer", 11_297_792), ("FEDformer", 10_511_360)]
)
def test_the_published_numbers_of_prunable_weights(name, count):
    with torch.device("meta"):
        model = seq2seq.MODELS[name](7, 96, 96)
    assert sum(t.numel() for t in pruning.prunable(model, outputs=7).values()) == count


def test_the_density_of_fedformer_has_a_floor():
    with torch.device("meta"):
        model = seq2seq.FEDformer(7, 96, 96, released=True)
    set_ = pruning.prunable(model, outputs=7)
    masks = pruning.Masks({n: torch.zeros(t.shape, dtype=torch.bool) for n, t in set_.items()})
    count = masks.count(model)
    assert count.nominal == 0 and abs(count.floor - 0.3553) < 1e-4 and count.complex == 5_767_168


@pytest.mark.parametrize(
    "make",
    [
        lambda p: torch.optim.Adam(p, lr=1e-2),
        lambda p: torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1),
        lambda p: torch.optim.SGD(p, lr=1e-2, momentum=0.9),
    ],
)
def test_zeros_stay_zero_though_the_optimiser_remembers(make):
    model, x = mlp(), torch.randn(32, 10)
    optimiser = make(model.parameters())

    def step():
        optimiser.zero_grad()
        model(x).square().mean().backward()
        optimiser.step()

    for _ in range(5):
        step()
    masks = pruning.mask(model, 0.5)
    masks.hold(model, optimiser)
    before = [p.clone() for p in model.parameters()]
    for _ in range(20):
        step()
        assert sum(int((model.get_parameter(n)[~k] == 0).sum()) for n, k in masks.keep.items()) == masks.zeros
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_resumed_run_takes_its_masks_from_the_file():
    model = mlp()
    masks = pruning.mask(model, 0.3)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "masks": masks.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    again = mlp()
    again.load_state_dict(saved["model"])
    masks = pruning.Masks(saved["masks"])
    optimiser = torch.optim.Adam(again.parameters())
    masks.hold(again, optimiser)
    again(torch.randn(4, 10)).sum().backward()
    optimiser.step()
    assert sum(int((again.get_parameter(n) == 0).sum()) for n in masks.keep) == masks.zeros


def test_pruning_again_counts_from_the_whole_set():
    model = mlp()
    n = sum(t.numel() for t in pruning.prunable(model).values())
    pruning.mask(model, 0.5)
    assert n - pruning.mask(model, 0.25).zeros == round(0.25 * n)


def test_a_weight_that_two_layers_share_counts_once():
    a, b = nn.Linear(6, 6), nn.Linear(6, 6)
    b.weight = a.weight
    model = nn.Sequential(a, nn.ReLU(), b, nn.Linear(6, 2))
    masks = pruning.mask(model, 0.5)
    count = masks.count(model)
    assert (count.zeros, count.prunable) == (18, 36) and model[0].weight is model[2].weight


def test_names_copies_and_files_stay_those_of_a_plain_model():
    model = mlp()
    pruning.mask(model, 0.5)
    model(torch.randn(2, 10)).sum().backward()
    copy.deepcopy(model)
    mlp().load_state_dict(model.state_dict(), strict=True)


def test_density_one_changes_nothing():
    model = network("Informer").eval()
    x, marks = torch.randn(2, 48, 7), torch.zeros(2, 72, 4)
    before = model(x, marks)
    pruning.mask(model, 1.0, outputs=7)
    assert torch.equal(before, model(x, marks))


@pytest.mark.parametrize("density", [-0.1, 1.1, float("nan"), True])
def test_what_is_no_density_is_refused_and_changes_nothing(density):
    model = mlp()
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(ValueError, match="density lies between 0 and 1"):
        pruning.mask(model, density)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_weights_that_are_not_finite_are_refused_by_name():
    model = mlp()
    with torch.no_grad():
        model[2].weight[0, 0] = float("nan")
    with pytest.raises(ValueError, match=r"2\.weight holds values that are not finite"):
        pruning.mask(model, 0.5)


def test_masks_of_another_model_and_foreign_optimisers_are_refused():
    model, masks = mlp(), pruning.mask(mlp(), 0.5)
    with pytest.raises(ValueError, match="none"):
        masks.apply(nn.Linear(3, 3))
    with pytest.raises(ValueError, match="not in the optimiser"):
        masks.hold(model, torch.optim.Adam(mlp().parameters()))
    model[0] = nn.Linear(10, 39)
    with pytest.raises(ValueError, match="its mask"):
        masks.apply(model)
