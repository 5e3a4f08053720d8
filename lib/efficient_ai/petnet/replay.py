"""The trained network in Brian2, spike for spike. Two ways: with one step of lag per layer, and without.

In Brian2 a step runs through slots: groups (update), thresholds, synapses, resets. A spike of step t therefore reaches
the next layer in its slot "synapses" of step t and is used in the update of step t + 1, after the leak. The torch layers
see the spikes of the same step, before the threshold. Ignoring that gives a raster that only looks similar.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from efficient_ai.petnet._neurons import SpikingNetwork

WAYS = ("lagged", "scheduled")


@dataclass(frozen=True)
class Replay:
    """What Brian2 did with one sample.

    Args:
        spikes: raster of each layer, the lag taken out, shapes ``(steps, neurons)``.
        lags: by how many steps each layer came late in Brian2.
    """

    spikes: list[np.ndarray]
    lags: list[int]

    def mismatches(self, expected: list[np.ndarray]) -> list[int]:
        """Spikes of each layer that are in only one of both rasters."""
        return [int((ours != theirs).sum()) for ours, theirs in zip(self.spikes, expected, strict=True)]


def fold_geometry(network: SpikingNetwork, window: torch.Tensor, value: float = 0.1) -> SpikingNetwork:
    """The same network without geometry channels: these are linear in the hits, so they fold into the first weights.

    Args:
        network: with ``2 * crystals`` inputs.
        window: as for :func:`geometry_channels`.
    """
    first = network.linear[0]
    crystals = first.in_features // 2
    folded = SpikingNetwork((crystals, *network.sizes[1:]), threshold=network.threshold, reset=network.reset)
    folded = folded.to(first.weight.dtype)
    state = network.state_dict()
    weight = state["linear.0.weight"]
    state["linear.0.weight"] = weight[:, :crystals] + value * weight[:, crystals:] @ window.T.to(weight.dtype)
    folded.load_state_dict(state)
    return folded


def margin(network: SpikingNetwork, spikes: torch.Tensor) -> float:
    """Smallest distance of any membrane to the threshold: if it is far above rounding, a replay must be exact."""
    with torch.no_grad():
        traces = network.double().layers(spikes.double())
    return min(float((membrane - network.threshold).abs().min()) for _, membrane in traces)


def replay(network: SpikingNetwork, samples: list[torch.Tensor], way: str = "lagged") -> Iterator[Replay]:
    """Run ``network`` in Brian2 on each of the ``samples``, rasters of shape ``(steps, inputs)``.

    Built once, restored for each sample. Weights and membranes are float64; torch must be compared in float64, too.

    Args:
        way: ``"lagged"``: no differential equation, the whole update in one slot, layer k is k steps late.
            ``"scheduled"``: an exponential leak and a schedule with slots of its own for each layer, no lag; only for
            the reset of the code.

    Raises:
        ValueError: an unknown way, or one that does not know the reset of the network.
    """
    if way not in WAYS:
        raise ValueError(f"way={way!r}: choose one of {', '.join(WAYS)}")
    if way == "scheduled" and network.reset != "code":
        raise ValueError("the scheduled replay knows the reset of the code only; use way='lagged'")
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"  # needs no compiler
    b2.start_scope()
    step = 1 * b2.ms
    b2.defaultclock.dt = step
    build = _lagged if way == "lagged" else _scheduled
    inputs, layers, objects, schedule = build(b2, network, step)
    monitors = [b2.SpikeMonitor(layer) for layer in layers]
    simulation = b2.Network(inputs, *layers, *objects, *monitors)
    if schedule:
        simulation.schedule = schedule
    simulation.store()
    lags = [k + 1 if way == "lagged" else 0 for k in range(len(layers))]
    for sample in samples:
        steps = len(sample)
        simulation.restore()
        time, neuron = torch.nonzero(sample, as_tuple=True)
        inputs.set_spikes(neuron.numpy(), time.numpy() * step)
        simulation.run((steps + lags[-1]) * step, namespace={})
        rasters = []
        for monitor, lag, size in zip(monitors, lags, network.sizes[1:], strict=True):
            raster = np.zeros((steps + lags[-1] + 1, size), dtype=bool)
            raster[np.rint(np.asarray(monitor.t / step)).astype(int), np.asarray(monitor.i)] = True
            rasters.append(raster[lag : lag + steps])
        yield Replay(rasters, lags)


def _weights(network: SpikingNetwork) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Weight, bias and leak of each layer in float64."""
    leaks = network.beta.detach().double().clamp(0, 1).tolist()
    return [
        (linear.weight.detach().double().numpy(), linear.bias.detach().double().numpy(), leak)
        for linear, leak in zip(network.linear, leaks, strict=True)
    ]


def _connect(b2, source, target, weight: np.ndarray, on_pre: str, **options):
    synapses = b2.Synapses(source, target, "w : 1", on_pre=on_pre, **options)
    synapses.connect()
    synapses.w = weight.T.ravel()  # Brian2 runs over the targets of one source, then the next source
    return synapses


def _lagged(b2, network, step):
    """Everything of a step in one update; what the synapses bring waits in ``I`` for the next step."""
    inputs = b2.SpikeGeneratorGroup(network.sizes[0], [], [] * b2.ms)
    layers, objects, source = [], [], inputs
    for k, (weight, bias, leak) in enumerate(_weights(network), 1):
        group = b2.NeuronGroup(
            len(bias),
            """v : 1
            I : 1
            s : 1
            bias : 1
            leak : 1 (shared)
            theta : 1 (shared)
            first : integer (shared)""",
            threshold="v > theta",
            reset="s = 1",
        )
        group.bias, group.leak, group.theta, group.first = bias, leak, network.threshold, k
        drop = "theta * s" if network.reset == "code" else "leak * theta * s"
        # The bias must not act before the first input has had the time to arrive.
        update = f"""v = (leak * v + (I + bias) - {drop}) * int(t_in_timesteps >= first)
        s = 0
        I = 0"""
        objects.append(group.run_regularly(update, dt=step, when="groups"))
        objects.append(_connect(b2, source, group, weight, "I_post += w"))
        layers.append(group)
        source = group
    return inputs, layers, objects, None


def _scheduled(b2, network, step):
    """A leak by an equation; each layer has slots of its own, so that it sees the spikes of the same step."""
    slots = ["start", "input", "deliver"]
    inputs = b2.SpikeGeneratorGroup(network.sizes[0], [], [] * b2.ms, when="input")
    layers, objects, source = [], [], inputs
    for k, (weight, bias, leak) in enumerate(_weights(network), 1):
        names = {slot: f"{slot}_{k}" for slot in ("update", "synapses", "bias", "threshold", "reset")}
        slots += names.values()
        group = b2.NeuronGroup(
            len(bias),
            """dv/dt = -v / tau : 1
            s : 1
            bias : 1
            theta : 1 (shared)
            tau : second (shared)""",
            threshold="v > theta",
            reset="s = 1",
            method="exact",
        )
        group.bias, group.theta, group.tau = bias, network.threshold, -step / np.log(leak)
        group.state_updater.when = names["update"]
        group.thresholder["spike"].when = names["threshold"]
        group.resetter["spike"].when = names["reset"]
        objects.append(
            group.run_regularly(
                """v = v + bias - theta * s
                s = 0""",
                dt=step,
                when=names["bias"],
            )
        )
        synapses = _connect(b2, source, group, weight, "v_post += w")
        synapses.pre.when = names["synapses"]
        objects.append(synapses)
        layers.append(group)
        source = group
    return inputs, layers, objects, [*slots, "end"]
