"""The layer against a loop that anybody can read; its gradients against automatic ones; the losses."""

import math

import numpy as np
import pytest
import torch

from efficient_ai import petnet

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def by_hand(current, beta, threshold, reset, surrogate):
    """The same neurons, step by step, with gradients by automatic differentiation."""

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return (x > 0).to(x.dtype)

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad * surrogate(x)

    u = s = torch.zeros_like(current[0])
    spikes, membrane = [], []
    for i in current:
        if reset == "code":
            u = beta * u + i - threshold * s.detach()
        else:
            u = beta * (u - threshold * s.detach()) + i
        s = Spike.apply(u - threshold)
        spikes.append(s)
        membrane.append(u)
    return torch.stack(spikes), torch.stack(membrane)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("reset", ["code", "paper"])
@pytest.mark.parametrize("surrogate", [petnet.released_arctan, petnet.paper_arctan])
def test_forward_and_backward_are_those_of_the_loop(reset, surrogate, device):
    rng = torch.Generator().manual_seed(0)
    current = (torch.randn(30, 3, 70, dtype=torch.float64, generator=rng) * 0.8).to(device)
    weight = torch.randn(30, 3, 70, dtype=torch.float64, generator=rng).to(device)
    results = []
    for function in (
        lambda i, b: petnet.lif(i, b, threshold=0.9, reset=reset, surrogate=surrogate),
        lambda i, b: by_hand(i, b, 0.9, reset, surrogate),
    ):
        i = current.clone().requires_grad_()
        beta = torch.tensor(0.8, dtype=torch.float64, device=device, requires_grad=True)
        spikes, membrane = function(i, beta)
        ((spikes * weight).sum() + (membrane * weight.flip(0)).sum()).backward()
        results.append((spikes, membrane, i.grad, beta.grad))
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    assert results[0][0].sum() > 20


def test_the_two_resets_differ_in_their_spikes():
    rng = torch.Generator().manual_seed(1)
    current = torch.rand(300, 1, 30, generator=rng)
    code, paper = (petnet.lif(current, 0.95, reset=reset)[0] for reset in ("code", "paper"))
    assert (code != paper).sum() > 0.02 * code.sum()


def test_a_membrane_at_the_threshold_does_not_spike():
    spikes, _ = petnet.lif(torch.tensor([[[1.0, 1.0 + 1e-6]]]), 0.5)
    assert spikes.flatten().tolist() == [0.0, 1.0]


def test_the_reset_carries_no_gradient():
    """One strong input, one later: the first must not change the second through the reset."""
    current = torch.tensor([[[1.5]], [[0.2]]], dtype=torch.float64, requires_grad=True)
    _, membrane = petnet.lif(current, 0.9)
    membrane[1].sum().backward()
    assert current.grad[0].item() == pytest.approx(0.9)


@pytest.mark.parametrize("current, reset", [(torch.zeros(3, 2), "code"), (torch.zeros(3, 2, 2), "hard")])
def test_bad_input_is_refused(current, reset):
    with pytest.raises(ValueError):
        petnet.lif(current, 0.9, reset=reset)


def test_the_surrogates_differ_by_pi():
    x = torch.linspace(-2, 2, 9)
    torch.testing.assert_close(petnet.released_arctan(x), math.pi * petnet.paper_arctan(x))


@pytest.mark.parametrize("device", DEVICES)
def test_the_trace_filter_and_its_gradient(device):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(12, 2, 3, dtype=torch.float64, generator=rng).to(device).requires_grad_()
    filtered = petnet.decay_filter(x, 0.7)
    expected = sum(0.7**k * torch.nn.functional.pad(x, (0, 0, 0, 0, k, 0))[:12] for k in range(12))
    torch.testing.assert_close(filtered, expected)
    assert torch.autograd.gradcheck(lambda x: petnet.decay_filter(x, 0.7), (x,))


def test_geometry_channels_mark_the_opposite_of_hits_and_add_up():
    detector = petnet.Detector(2, 8)
    spikes = torch.zeros(3, 1, 16)
    spikes[1, 0, 0] = spikes[1, 0, 1] = 1
    channels = petnet.geometry_channels(spikes, torch.from_numpy(detector.window(1)))
    assert channels.shape == (3, 1, 32) and torch.equal(channels[..., :16], spikes)
    marked = channels[1, 0, 16:]
    assert (
        set(np.round(marked.tolist(), 6)) == {0.0, 0.1, 0.2} and channels[0].sum() == channels[2].sum() == 0
    )
    opposite = detector.opposite(np.array([0]), np.arange(16), 1)
    assert all(marked[c] > 0 for c in np.flatnonzero(opposite))


def test_geometry_channels_add_no_power_only_another_start():
    """They are linear in the hits, so a layer that has them equals one without, with other weights."""
    rng = torch.Generator().manual_seed(0)
    detector = petnet.Detector(2, 8)
    window = torch.from_numpy(detector.window(1)).double()
    spikes = (torch.rand(20, 3, 16, generator=rng) < 0.1).double()
    weight = torch.randn(5, 32, dtype=torch.float64, generator=rng)
    with_geometry = petnet.geometry_channels(spikes, window) @ weight.T
    torch.testing.assert_close(with_geometry, spikes @ (weight[:, :16] + 0.1 * weight[:, 16:] @ window.T).T)


@pytest.mark.parametrize("geometry", [False, True])
def test_a_list_of_hits_gives_what_the_raster_gives(geometry):
    """Output and all gradients, in float64."""
    settings = petnet.SMALL
    crystals = settings.detector.crystals
    window = torch.from_numpy(settings.detector.window(2)).double() if geometry else None
    hits = petnet.generate(settings, 20, seed=0).hits
    network = petnet.SpikingNetwork(
        ((2 if geometry else 1) * crystals, 40, crystals), generator=torch.Generator().manual_seed(0)
    ).double()
    with torch.no_grad():
        network.linear[0].weight *= 4
    weight = torch.randn(settings.steps, 20, crystals, dtype=torch.float64)
    results = []
    dense = petnet.raster(hits, 20, crystals, settings.steps).double()
    for output in (
        network.from_hits(hits, 20, settings.steps, window),
        network(petnet.geometry_channels(dense, window) if geometry else dense),
    ):
        network.zero_grad()
        (output * weight).sum().backward()
        results.append([output, *(parameter.grad.clone() for parameter in network.parameters())])
    assert results[0][0].sum() > 100
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs)


# -- losses -----------------------------------------------------------------------------------------------------------


def rasters(seed=0, steps=30):
    rng = torch.Generator().manual_seed(seed)
    return [(torch.rand(steps, 4, 5, generator=rng) < 0.1).double() for _ in range(2)]


def test_the_count_loss_is_blind_to_time_and_the_trace_loss_is_not():
    output, target = rasters()
    moved = output.roll(5, 0)
    assert petnet.count_loss(output, target) == petnet.count_loss(moved, target)
    assert petnet.count_loss(moved, output) == 0 and petnet.trace_loss(moved, output) > 0
    assert petnet.trace_loss(output, output) == 0
    far, near = (petnet.trace_loss(output.roll(shift, 0), output) for shift in (8, 1))
    assert near < far


def test_the_published_timing_term_changes_the_loss_and_not_the_gradient():
    output, target = rasters()
    grads, values = [], []
    for weight in (0.0, 0.1, 10.0):
        leaf = output.clone().requires_grad_()
        loss = petnet.published_timing_loss(leaf, target, weight)
        loss.backward()
        grads.append(leaf.grad)
        values.append(loss.item())
    assert values[0] < values[1] < values[2]
    assert torch.equal(grads[0], grads[1]) and torch.equal(grads[0], grads[2])


def test_the_chamfer_term_is_what_it_says():
    """Output at 2 and 7, wanted at 5: nearest gaps 9 and 4 there, 4 back. Alone, a spike at 3 of 10 goes to -10."""
    output, target = torch.zeros(10, 1, 2), torch.zeros(10, 1, 2)
    output[[2, 7], 0, 0] = target[5, 0, 0] = 1
    output[3, 0, 1] = 1
    without, once = (petnet.published_chamfer_loss(output, target, weight) for weight in (0.0, 1.0))
    assert without == pytest.approx(0.2) and once - without == pytest.approx((9 + 4 + 4 + 13**2) / 1000)
    assert petnet.published_chamfer_loss(output, output) == 0


def test_the_trace_loss_has_a_gradient_that_pulls_towards_the_target():
    output = torch.zeros(20, 1, 1, dtype=torch.float64).requires_grad_()
    target = torch.zeros(20, 1, 1, dtype=torch.float64)
    target[10] = 1
    petnet.trace_loss(output, target).backward()
    assert output.grad.argmin() == 10 and (output.grad <= 0).all() and output.grad[9] > output.grad[10]
    assert torch.autograd.gradcheck(
        lambda x: petnet.trace_loss(x, target), (output.detach().requires_grad_(),)
    )


def test_silence_is_nearly_perfect_per_bin():
    _, target = rasters(1, 200)
    silence = torch.zeros_like(target)
    assert petnet.per_bin_loss(silence, target) == target.mean()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="compares a CUDA device with the processor")
def test_a_cuda_device_learns_what_the_processor_learns():
    recipe = petnet.Recipe(petnet.TINY, (24,), updates=6, batch=16)
    test = petnet.test_set(petnet.TINY, 100)
    here, there = (petnet.learn(recipe, 3, test=test, tests=1, device=device) for device in ("cpu", "cuda"))
    np.testing.assert_allclose(here.loss, there.loss, rtol=1e-3)
    assert here.tests[0][1].f1 == pytest.approx(there.tests[0][1].f1, abs=0.02)
