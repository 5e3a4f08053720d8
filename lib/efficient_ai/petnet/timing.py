"""Microseconds per sample of sorters and of the network, on one thread of this machine."""

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from efficient_ai.petnet._events import hits_of, raster
from efficient_ai.petnet._generator import Recording
from efficient_ai.petnet._learn import Recipe, between, output_hits, output_of
from efficient_ai.petnet._neurons import SpikingNetwork
from efficient_ai.petnet._sorters import Window, sort_arrays, sort_bins, sort_compiled, sort_plain

BATCHES = (1, 64, 1024)
SORTERS = {"Python loop": sort_plain, "whole arrays": sort_arrays, "compiled": sort_compiled}


def per_sample(
    call: Callable[[], object], samples: int, repeats: int, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """Time of ``call`` in microseconds per sample, one number per repeat, after a call that is not counted.

    Args:
        clock: processor time, unless another device works while the processor waits.
    """
    call()
    spent = []
    for _ in range(repeats):
        began = clock()
        call()
        spent.append(1e6 * (clock() - began) / samples)
    return spent


def sorter_times(recording: Recording, window: Window, repeats: int) -> dict[str, list[float]]:
    """Each way to write the same sorter; the loop over bins on a 16th of the samples, for it takes long."""
    detector, few = recording.settings.detector, max(recording.samples // 16, 1)
    dense = raster(
        between(recording.hits, 0, few), few, recording.settings.detector.crystals, recording.settings.steps
    )
    return {"loop over bins": per_sample(lambda: sort_bins(dense, int(window.width)), few, repeats)} | {
        name: per_sample(
            lambda sorter=sorter: sorter(recording.hits, detector, window), recording.samples, repeats
        )
        for name, sorter in SORTERS.items()
    }


@torch.no_grad()
def network_times(
    network: SpikingNetwork,
    recipe: Recipe,
    recording: Recording,
    repeats: int,
    batches: Sequence[int] = BATCHES,
) -> dict[int, list[float]]:
    """The network from lists of hits to lists of hits, in batches of each size up to the samples there are.

    On a processor one thread works, and its time counts; on a GPU wall time, with the copies there and back.
    """
    threads, on_gpu = torch.get_num_threads(), network.beta.is_cuda
    torch.set_num_threads(1)
    times = {}
    try:
        for batch in batches:
            if batch > recording.samples:
                continue
            # As many batches as fit into 64 samples, at least one: a batch of one would take long otherwise.
            count = max(min(64, recording.samples) // batch, 1)
            parts = [between(recording.hits, i * batch, (i + 1) * batch) for i in range(count)]

            def run(parts=parts, batch=batch):
                for hits in parts:
                    hits_of(output_of(network, hits, batch, recipe))

            clock = time.perf_counter if on_gpu else time.process_time
            times[batch] = per_sample(run, count * batch, repeats, clock)
    finally:
        torch.set_num_threads(threads)
    return times


def driven_times(network: SpikingNetwork, recipe: Recipe, recording: Recording, repeats: int) -> list[float]:
    """The same network driven by events, from a list of hits to a list of hits, on one thread."""
    return per_sample(
        lambda: output_hits(network, recording.hits, recording.samples, recipe), recording.samples, repeats
    )


def time_table(
    sorters: dict[str, list[float]], network: dict[int, list[float]], driven: list[float]
) -> dict[str, list]:
    """Medians, and how many times the network, computed in each way, is faster than each sorter."""
    best = {name: float(np.median(times)) for name, times in sorters.items()}
    nets = {f"network, batch {batch}": float(np.median(times)) for batch, times in network.items()}
    nets["network, driven by events"] = float(np.median(driven))
    return {
        "implementation": [*best, *nets],
        "µs per sample": [*best.values(), *nets.values()],
        **{
            f"{name} over this": [value / other for other in (*best.values(), *nets.values())]
            for name, value in best.items()
        },
    }
