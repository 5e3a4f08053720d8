"""Test benches of the exercises: they run the reader's functions on data and say what is wrong.

* randoms: :func:`randoms_counted`
* a window on whole arrays: :func:`windows_agree`
* scattering: :func:`follows_klein_nishina`
* a timing loss: :func:`pulls_towards`
* Brian2: :func:`spikes_that_differ`
* calibration: :func:`calibration_error`, :func:`calibrated_f1`
"""

from collections.abc import Callable

import numpy as np
import torch

from efficient_ai import checks
from efficient_ai.petnet._events import Hits
from efficient_ai.petnet._generator import SMALL, generate
from efficient_ai.petnet._neurons import lif
from efficient_ai.petnet._scores import score_hits
from efficient_ai.petnet._sorters import Window, sort_compiled
from efficient_ai.petnet.physics import ELECTRON_KEV, klein_nishina_density, scattered_share


def randoms_counted(tau: float, rate1: float, rate2: float, seconds: float, seed: int = 0) -> int:
    """Pairs of hits of two detectors that never see the same decay, at most ``tau`` apart, counted in a simulation."""
    rng = np.random.default_rng(seed)
    first, second = (np.sort(seconds * rng.random(rng.poisson(rate * seconds))) for rate in (rate1, rate2))
    return int(
        (np.searchsorted(second, first + tau, "right") - np.searchsorted(second, first - tau, "left")).sum()
    )


def windows_agree(accepted: Callable, samples: int, width: int, seed: int = 0) -> None:
    """The reader's mask must be that of a loop, on random samples; the first sample that differs is named."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 9, samples)
    sample = np.repeat(np.arange(samples), counts)
    time = rng.integers(0, 60, len(sample))
    order = np.lexsort((time, sample))
    sample, time = sample[order], time[order]
    expected = _mask(sample, time, width)
    found = np.asarray(accepted(sample.copy(), time.copy(), width))
    if found.shape != expected.shape or found.dtype != bool:
        checks.close(f"accepted(…, width={width})", found, expected, dtype=bool)
    wrong = np.flatnonzero(found != expected)
    if len(wrong):
        where = sample[wrong[0]]
        inside = sample == where
        told = (
            f"in sample {where} with hits at {time[inside].tolist()} it accepts {time[inside & found].tolist()}, "
            f"expected {time[inside & expected].tolist()}."
        )
        checks.holds(f"accepted(…, width={width})", False, told)


def _mask(sample: np.ndarray, time: np.ndarray, width: int) -> np.ndarray:
    mask, cluster = np.zeros(len(sample), dtype=bool), []
    for hit in range(len(sample) + 1):
        closes = (
            hit == len(sample)
            or not cluster
            or sample[hit] != sample[cluster[-1]]
            or time[hit] - time[cluster[-1]] > width
        )
        if closes:
            if len(cluster) == 2:
                mask[cluster] = True
            cluster = []
        cluster.append(hit)
    return mask


def follows_klein_nishina(sampler: Callable, energy: float, n: int = 40_000, seed: int = 0) -> None:
    """Mean energy that is kept, and the whole law in twelve bins of the cosine, each within five standard deviations."""
    cosine = np.asarray(sampler(energy, n, np.random.default_rng(seed)))
    checks.equal("the shape of the result", cosine.shape, (n,))
    inside = bool(np.all((cosine >= -1) & (cosine <= 1)))
    checks.holds("the cosines", inside, f"they lie from {cosine.min():.3g} to {cosine.max():.3g}.")
    grid = np.linspace(-1, 1, 24_001)
    density = klein_nishina_density(grid, energy)
    kept = scattered_share(cosine, energy)
    mean = float(np.trapezoid(density * scattered_share(grid, energy), grid))
    checks.close(
        f"mean share of energy kept at {energy:.0f} keV",
        kept.mean(),
        mean,
        tolerance=5 * float(kept.std()) / n**0.5,
    )
    edges = np.linspace(-1, 1, 13)
    counts, _ = np.histogram(cosine, edges)
    for i, count in enumerate(counts):
        part = (grid >= edges[i]) & (grid <= edges[i + 1])
        expected = float(np.trapezoid(density[part], grid[part]))
        checks.close(
            f"share of cosines from {edges[i]:.2f} to {edges[i + 1]:.2f} at {energy:.0f} keV",
            count / n, expected, tolerance=5 * (expected * (1 - expected) / n) ** 0.5,
        )  # fmt: skip


def pulls_towards(loss: Callable, steps: int = 40, at: int = 20) -> None:
    """From silence the gradient must ask for a spike where one is wanted, more than anywhere else."""
    output = torch.zeros(steps, 1, 1, dtype=torch.float64, requires_grad=True)
    target = torch.zeros(steps, 1, 1, dtype=torch.float64)
    target[at] = 1
    value = loss(output, target)
    has = isinstance(value, torch.Tensor) and value.requires_grad
    checks.holds("the loss", has, "it has no gradient. Is it made of whole numbers, or detached?")
    value.backward()
    grad = output.grad[:, 0, 0]
    strongest = int(grad.argmin())
    told = f"it asks for a spike in bin {strongest} most, wanted is bin {at}."
    checks.holds("the gradient", strongest == at and float(grad[at]) < 0, told)


def spikes_that_differ(update: str, reset: str, seed: int = 0, bias: float = 0.05) -> int:
    """Run twenty neurons in Brian2 with the reader's update and in torch, on the same input; spikes that differ.

    The update has ``v``, ``I`` (what the synapses brought), ``bias``, ``leak``, ``theta`` and ``s`` (1 if the neuron
    spiked in the step before); Brian2 sets ``s`` and clears ``I``.
    """
    import brian2 as b2

    b2.prefs.codegen.target = "numpy"
    b2.start_scope()
    dt = 1 * b2.ms
    b2.defaultclock.dt = dt
    generator = torch.Generator().manual_seed(seed)
    steps, inputs, neurons, leak, theta = 150, 12, 20, 0.9, 1.0
    spikes = (torch.rand(steps, inputs, generator=generator) < 0.15).double()
    weight = torch.randn(neurons, inputs, generator=generator).double() * 0.5
    time, neuron = torch.nonzero(spikes, as_tuple=True)
    source = b2.SpikeGeneratorGroup(inputs, neuron.numpy(), time.numpy() * dt)
    group = b2.NeuronGroup(
        neurons, "v : 1\nI : 1\ns : 1\nbias : 1\nleak : 1\ntheta : 1", threshold="v > theta", reset="s = 1"
    )
    group.bias, group.leak, group.theta = 0, leak, theta
    step = group.run_regularly(f"{update}\ns = 0\nI = 0", dt=dt, when="groups")
    synapses = b2.Synapses(source, group, "w : 1", on_pre="I_post += w")
    synapses.connect()
    synapses.w = weight.T.numpy().ravel()
    monitor = b2.SpikeMonitor(group)
    network = b2.Network(source, group, step, synapses, monitor)
    network.run(
        dt, namespace={}
    )  # the first input arrives after this step; until then there is no bias either
    group.bias = bias
    network.run(steps * dt, namespace={})
    raster = np.zeros((steps + 2, neurons), dtype=bool)
    raster[np.rint(np.asarray(monitor.t / dt)).astype(int), np.asarray(monitor.i)] = True
    expected, _ = lif((spikes @ weight.T + bias)[:, None], leak, threshold=theta, reset=reset)
    return int((raster[1 : steps + 1] != expected[:, 0].numpy().astype(bool)).sum())


def some_hits(samples: int = 4000, seed: int = 11) -> tuple[Hits, np.ndarray]:
    """Hits of the small scanner without any label, and the delays that made them."""
    recording = generate(SMALL, samples, seed)
    return recording.hits, recording.delays


def calibration_error(found: np.ndarray, delays: np.ndarray) -> float:
    """Root mean square error of delays in bins. A constant that is added to all of them is not an error."""
    found = np.asarray(found, dtype=float)
    checks.equal("the shape of the delays", found.shape, delays.shape)
    difference = found - delays
    return float(np.sqrt(np.mean((difference - difference.mean()) ** 2)))


def calibrated_f1(found: np.ndarray, width: float, samples: int = 2000, seed: int = 12) -> float:
    """F1 of a window with geometry on other samples, with the delays that were found."""
    recording = generate(SMALL, samples, seed)
    delays = np.asarray(found, dtype=float)
    window = Window(width, SMALL.spread, "resolve", delays - delays.min())
    kept = sort_compiled(recording.hits, SMALL.detector, window).hits
    # Delays that were found may be parts of a bin; a score is taken in whole bins.
    kept = Hits.sort(kept.sample, kept.crystal, np.rint(kept.time).astype(np.int64))
    return score_hits(kept, recording.pairs.hits, SMALL.delay_max).f1


KEPT_AT_511 = 0.65552
ELECTRON = ELECTRON_KEV
