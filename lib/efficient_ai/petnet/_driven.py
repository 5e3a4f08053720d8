"""The spiking network driven by events: only bins in which something can happen are computed, and no spike is lost.

Why bins can be skipped. Without input a membrane goes from where it is towards its resting level ``b / (1 - beta)`` and never
turns back: after ``k`` bins it is ``beta^k U + b (1 + beta + ... + beta^(k-1))``, between both ends. So if nobody in a layer
has sent a spike in this bin, every membrane is at or below the threshold, and a neuron that also *rests* at or below the
threshold stays there until a spike arrives, however long that takes. Its membrane is brought to that bin in one step. A
spike sets its neuron back in the next bin, under either reset, so a layer that has sent one is computed in the next bin, too.

The exceptions are neurons that rest *above* the threshold: they fire without input, like clocks. When the next one does,
follows from the same formula, which rises with ``k``: the first bin above the threshold is found by bisection. A layer is
therefore computed in a bin if a spike arrives, if it sent one in the bin before, or if one of its clocks is due; this holds for
hidden and output neurons alike, for any weights, any number of layers and either reset. In exact arithmetic the
spikes are those of the loop over all bins; in floating point the same sums are taken in another order, so a
spike can only differ where a membrane comes as close to the threshold as rounding. Membranes are kept in float64 whatever the
type of the weights, for in float32 that happens now and then.
"""

from dataclasses import dataclass

import numba
import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from efficient_ai.petnet._events import Hits, on_raster
from efficient_ai.petnet._neurons import SpikingNetwork

_NEAR = 1e-6  # a neuron that rests this close below the threshold, relatively, is watched like a clock


@dataclass(frozen=True)
class Work:
    """What an event-driven pass did.

    Args:
        computed: bins in which a layer was computed, of each layer.
        bins: that there were: samples times steps.
        sent: spikes of each layer.
        clocks: neurons of each layer that rest above the threshold, or so close below that they are watched.
    """

    computed: tuple[int, ...]
    bins: int
    sent: tuple[int, ...]
    clocks: tuple[int, ...]


def event_driven(
    network: SpikingNetwork,
    hits: Hits,
    samples: int,
    steps: int,
    window: Tensor | None = None,
    value: float = 0.1,
) -> tuple[Hits, Work]:
    """The output spikes of :meth:`SpikingNetwork.from_hits`, at a cost that grows with the spikes and not with the bins.

    Args:
        network: anywhere; it is computed on the processor.
        hits: of ``samples`` samples of ``steps`` bins.
        window, value: as for :meth:`SpikingNetwork.from_hits`.

    Returns:
        the spikes of the last layer, and what was computed.

    Raises:
        ValueError: hits that have no place, or a window that does not fit to the inputs.
    """
    with torch.no_grad():
        rows = _rows(network, window, value)
        hits = on_raster(hits, samples, len(rows), steps)
        weights = [torch.from_numpy(rows), *(layer.weight.T.double() for layer in network.linear[1:])]
        flat = np.concatenate([np.ascontiguousarray(weight.cpu().numpy()).ravel() for weight in weights])
        biases = [layer.bias.double().cpu().numpy() for layer in network.linear]
        leaks = network.beta.clamp(0, 1).double().tolist()
    threshold = float(network.threshold)
    powers = np.array(leaks)[:, None] ** np.arange(steps + 1)
    sums = np.concatenate([np.zeros((len(leaks), 1)), np.cumsum(powers[:, :-1], axis=1)], axis=1)
    clocks = [
        np.flatnonzero((bias > 0) & (bias >= threshold * (1 - leak) * (1 - _NEAR)))
        for bias, leak in zip(biases, leaks, strict=True)
    ]
    # As in _LIF: a reset before the leak takes leak * threshold away, one after it the whole threshold.
    drops = threshold * (np.array(leaks) if network.reset == "paper" else np.ones(len(leaks)))
    bounds = np.searchsorted(hits.sample, np.arange(samples + 1))
    sample, time, neuron, computed, sent = _walk(
        hits.time, hits.crystal, bounds,
        flat, _edges(weight.numel() for weight in weights),
        np.concatenate(biases), _edges(len(bias) for bias in biases),
        np.concatenate(clocks), _edges(len(each) for each in clocks),
        powers, sums, drops, threshold, steps,
    )  # fmt: skip
    work = Work(
        tuple(computed.tolist()), samples * steps, tuple(sent.tolist()), tuple(len(each) for each in clocks)
    )
    return Hits(sample, neuron, time, np.full(len(sample), -1)), work


def _rows(network: SpikingNetwork, window: Tensor | None, value: float) -> np.ndarray:
    """:meth:`SpikingNetwork.rows` in float64; few crystals are in a window, so it is multiplied as a sparse matrix."""
    rows = network.linear[0].weight.T.double().cpu().numpy()
    if window is None:
        return rows
    network.check_window(window)
    crystals = len(window)
    return rows[:crystals] + value * (sparse.csr_matrix(window.cpu().numpy()) @ rows[crystals:])


def _edges(sizes) -> np.ndarray:
    """Where each part of a joined array begins, and where the last one ends."""
    return np.cumsum([0, *sizes])


@numba.njit(cache=True)
def _walk(
    times, inputs, bounds, weights, weight_at, biases, neuron_at, clocks, clock_at, powers, sums, drops, threshold, steps
):  # fmt: skip
    """All samples, one after the other, from event to event. Spikes are collected in order of sample, time, neuron."""
    layers, samples = len(drops), len(bounds) - 1
    widest = np.diff(neuron_at).max()
    membrane = np.zeros((layers, widest), biases.dtype)
    fired = np.empty((layers, widest), np.int64)
    number = np.zeros(layers, np.int64)  # how many of ``fired`` count
    last, due = np.empty(layers, np.int64), np.empty(layers, np.int64)
    computed, sent = np.zeros(layers, np.int64), np.zeros(layers, np.int64)
    out = np.empty((3, 1024), np.int64)
    found = 0
    for sample in range(samples):
        membrane[:] = 0
        number[:] = 0
        last[:] = -1  # a network begins at rest, before the first bin
        for layer in range(layers):
            own = clocks[clock_at[layer] : clock_at[layer + 1]]
            bias = biases[neuron_at[layer] : neuron_at[layer + 1]]
            due[layer] = _next(membrane[layer], bias, powers[layer], sums[layer], own, threshold, -1, steps)
        hit = bounds[sample]
        while True:
            now = steps
            for layer in range(layers):
                now = min(now, due[layer])
            if hit < bounds[sample + 1]:
                now = min(now, times[hit])
            if now >= steps:
                break
            begin = hit
            while hit < bounds[sample + 1] and times[hit] == now:
                hit += 1
            arriving = inputs[begin:hit]
            for layer in range(layers):
                if len(arriving) == 0 and due[layer] > now:
                    continue  # the layer above gets nothing either: ``arriving`` is empty still
                bias = biases[neuron_at[layer] : neuron_at[layer + 1]]
                u = membrane[layer, : len(bias)]
                gap = now - last[layer]
                _bring(u, powers[layer, gap], sums[layer, gap], bias)
                for k in range(number[layer]):  # sent in the bin before, so the gap is one bin
                    u[fired[layer, k]] -= drops[layer]
                for k in range(len(arriving)):
                    row = weight_at[layer] + arriving[k] * len(bias)
                    _add(u, weights[row : row + len(bias)])
                number[layer] = _fire(u, threshold, fired[layer])
                last[layer] = now
                computed[layer] += 1
                sent[layer] += number[layer]
                arriving = fired[layer, : number[layer]]
                if number[layer] > 0:
                    due[layer] = now + 1
                else:
                    own = clocks[clock_at[layer] : clock_at[layer + 1]]
                    due[layer] = _next(u, bias, powers[layer], sums[layer], own, threshold, now, steps)
            if last[layers - 1] == now:
                for k in range(number[layers - 1]):
                    if found == out.shape[1]:
                        more = np.empty((3, 2 * found), np.int64)
                        more[:, :found] = out
                        out = more
                    out[0, found], out[1, found] = sample, now
                    out[2, found] = fired[layers - 1, k]
                    found += 1
    return out[0, :found].copy(), out[1, :found].copy(), out[2, :found].copy(), computed, sent


@numba.njit(cache=True)
def _bring(u, power, total, bias):
    """Leak and bias of the bins since the layer was last computed."""
    for i in range(len(u)):
        u[i] = u[i] * power + bias[i] * total


@numba.njit(cache=True)
def _add(u, row):
    for i in range(len(u)):
        u[i] += row[i]


@numba.njit(cache=True)
def _fire(u, threshold, fired):
    """Who is above the threshold: the places, ascending, into ``fired``; how many is returned."""
    count = 0
    for i in range(len(u)):  # mostly nobody is, and counting is done many at a time
        count += u[i] > threshold
    if count:
        k = 0
        for i in range(len(u)):
            if u[i] > threshold:
                fired[k] = i
                k += 1
    return count


@numba.njit(cache=True)
def _next(u, bias, power, total, clocks, threshold, now, steps):
    """The bin in which the first clock of a layer fires by itself, whose membranes are ``u`` now and not above the threshold.

    ``steps`` if none does before the end.
    """
    best = steps - now  # bins from now
    for k in range(len(clocks)):
        i = clocks[k]
        late = best - 1
        if late < 1 or not u[i] * power[late] + bias[i] * total[late] > threshold:
            continue  # not sooner than the best so far
        early = 0
        while late - early > 1:
            middle = (early + late) // 2
            if u[i] * power[middle] + bias[i] * total[middle] > threshold:
                late = middle
            else:
                early = middle
        best = late
    return now + best
