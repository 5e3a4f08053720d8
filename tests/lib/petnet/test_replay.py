"""Brian2 gives the same spikes, all of them, in every way of replaying; the naive way does not."""

import pytest
import torch

from efficient_ai import petnet
from efficient_ai.petnet import replay


def network(reset="code", sizes=(24, 30, 24)):
    net = petnet.SpikingNetwork(sizes, reset=reset, generator=torch.Generator().manual_seed(1)).double()
    with torch.no_grad():
        for linear in net.linear:
            linear.weight *= 3
            linear.bias.abs_()
    return net


def samples(n=2, steps=120, inputs=24):
    return [
        (torch.rand(steps, inputs, generator=torch.Generator().manual_seed(i)) < 0.1).double()
        for i in range(n)
    ]


def expected(net, sample):
    with torch.no_grad():
        return [spikes[:, 0].numpy() > 0 for spikes, _ in net.layers(sample[:, None])]


@pytest.mark.parametrize("reset, way", [("code", "lagged"), ("code", "scheduled"), ("paper", "lagged")])
def test_no_spike_differs(reset, way):
    net = network(reset)
    for sample, run in zip(samples(), replay.replay(net, samples(), way), strict=True):
        wanted = expected(net, sample)
        assert min(raster.sum() for raster in wanted) > 200
        assert run.mismatches(wanted) == [0, 0]
        assert replay.margin(net, sample[:, None]) > 1e-9


def test_a_replay_of_other_weights_is_found_out():
    net, other = network(), network()
    with torch.no_grad():
        other.linear[0].weight[0] += 0.3
    (run,) = replay.replay(other, samples(1))
    assert run.mismatches(expected(net, samples(1)[0]))[0] > 0


def test_what_cannot_be_replayed_is_refused():
    with pytest.raises(ValueError, match="lagged"):
        next(replay.replay(network("paper"), samples(1), "scheduled"))
    with pytest.raises(ValueError, match="choose"):
        next(replay.replay(network(), samples(1), "somehow"))


def test_folding_the_geometry_keeps_every_spike():
    detector = petnet.Detector(2, 12)
    window = torch.from_numpy(detector.window(1)).double()
    net = network(sizes=(48, 30, 24))
    folded = replay.fold_geometry(net, window)
    sample = samples(1)[0][:, None]
    with torch.no_grad():
        before, after = net(petnet.geometry_channels(sample, window)), folded(sample)
    assert before.sum() > 200 and torch.equal(before, after)
