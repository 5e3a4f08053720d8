"""Runs in the peers' environment: training steps of the same network with our layer and with snnTorch's ``Leaky``."""

import importlib.metadata
import json
import statistics
import sys
import time

import snntorch
import torch
from snntorch import surrogate

from efficient_ai import petnet

torch.set_num_threads(1)
SIZES = [  # name, settings, hidden, batch
    ("tiny", petnet.TINY, 96, 64),
    ("small", petnet.SMALL, 256, 64),
    ("small, one layer more", petnet.SMALL, (128, 128), 64),
    ("standard", petnet.STANDARD, 240, 16),
]


class Peer(torch.nn.Module):
    """The same network, step by step as snnTorch's tutorials write it."""

    def __init__(self, ours: petnet.SpikingNetwork):
        super().__init__()
        self.linear = torch.nn.ModuleList(
            torch.nn.Linear(layer.in_features, layer.out_features) for layer in ours.linear
        )
        self.linear.load_state_dict(ours.linear.state_dict())
        spike = surrogate.atan(alpha=2.0)
        self.neurons = torch.nn.ModuleList(
            snntorch.Leaky(beta=0.95, learn_beta=True, spike_grad=spike, reset_mechanism="subtract")
            for _ in ours.linear
        )

    def forward(self, spikes: torch.Tensor) -> torch.Tensor:
        membranes = [neuron.init_leaky() for neuron in self.neurons]
        output = []
        for step in spikes:
            for k, (linear, neuron) in enumerate(zip(self.linear, self.neurons, strict=True)):
                step, membranes[k] = neuron(linear(step), membranes[k])
            output.append(step)
        return torch.stack(output)


def training_step(network, optimiser, forward, wanted) -> float:
    began = time.process_time()
    loss = petnet.trace_loss(forward(), wanted)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return time.process_time() - began


def compare(name, settings, hidden, batch, repeats) -> dict:
    crystals = settings.detector.crystals
    layers = hidden if isinstance(hidden, tuple) else (hidden,)
    ours = petnet.SpikingNetwork((crystals, *layers, crystals), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():  # larger weights, so that both layers are busy
        for linear in ours.linear:
            linear.weight *= 4
    peer = Peer(ours)
    recording = petnet.generate(settings, batch, seed=0)
    dense = petnet.raster(recording.hits, batch, crystals, settings.steps)
    wanted = petnet.raster(recording.pairs.hits, batch, crystals, settings.steps)
    forwards = {
        "ours": lambda: ours.from_hits(recording.hits, batch, settings.steps),
        "ours, dense raster": lambda: ours(dense),
        "snnTorch": lambda: peer(dense),
    }
    spikes = {side: forward().detach() for side, forward in forwards.items()}
    gradients = {}
    for side, network in (("ours, dense raster", ours), ("snnTorch", peer)):
        network.zero_grad()
        petnet.trace_loss(forwards[side](), wanted).backward()
        gradients[side] = torch.cat([layer.weight.grad.flatten() for layer in network.linear])
    difference = (gradients["snnTorch"] - gradients["ours, dense raster"]).norm() / gradients[
        "snnTorch"
    ].norm()
    rate = 1e-12  # the weights must not move: both sides do the same work in every repeat
    optimisers = {
        side: torch.optim.Adam((peer if side == "snnTorch" else ours).parameters(), lr=rate)
        for side in forwards
    }
    seconds = {side: [] for side in forwards}
    for repeat in range(repeats + 1):
        for side, forward in forwards.items():
            spent = training_step(peer if side == "snnTorch" else ours, optimisers[side], forward, wanted)
            if repeat:  # the first one warms up
                seconds[side].append(spent)
    medians = {side: statistics.median(values) for side, values in seconds.items()}
    return {
        "size": name, "layers": [crystals, *layers, crystals], "steps": settings.steps, "batch": batch,
        "spikes": int(spikes["ours"].sum()), "wanted": int(wanted.sum()),
        "spikes_that_differ": int((spikes["ours"] != spikes["snnTorch"]).sum() + (spikes["ours, dense raster"] != spikes["snnTorch"]).sum()),
        "gradient_difference": float(difference),
        "seconds": medians,
        "ratio": medians["snnTorch"] / medians["ours"],
        "ratio_dense": medians["snnTorch"] / medians["ours, dense raster"],
    }  # fmt: skip


def decays(repeats: int) -> dict:
    """Decays per second of processor time, by what is switched on."""
    scanner = petnet.Scanner()
    found = {}
    for name, physics in (("geometry", petnet.GEOMETRY), ("all physics", petnet.Physics())):
        rates = []
        for repeat in range(repeats + 1):
            began = time.process_time()
            scan = petnet.scan(scanner, petnet.MOUSE, activity=1e6, seconds=0.5, seed=repeat, physics=physics)
            if repeat:
                rates.append(scan.decays / (time.process_time() - began))
        found[name] = {"per_second": statistics.median(rates), "low": min(rates), "high": max(rates)}
    return found


def main() -> None:
    repeats = int(sys.argv[1])
    rows = [compare(*size, repeats) for size in SIZES]
    versions = {name: importlib.metadata.version(name) for name in ("torch", "snntorch", "numpy", "numba")}
    print(json.dumps({"versions": versions, "neurons": rows, "decays": decays(repeats)}))


if __name__ == "__main__":
    main()
