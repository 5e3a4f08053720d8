"""On each rank: peak bytes of tensors, bytes put on the wire, seconds per step."""

import gc
import time
from pathlib import Path

import torch
import torch.distributed as dist

from jigsaw_sides.sides import SIDES, Sizes


def peak_of_allocator(make, sizes: Sizes) -> int:
    """Peak bytes that torch's CPU allocator had handed out while a side was made and stepped twice, from its own profile."""
    from torch.profiler import ProfilerActivity, profile

    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        step = make(sizes)
        step()
        step()
    now = peak = 0
    for event in found.profiler.kineto_results.events():
        if event.name() == "[memory]":
            now += event.nbytes()
            peak = max(peak, now)
    del step
    gc.collect()
    return peak


def wire_bytes(step) -> int:
    """Bytes that this rank's gloo puts on the wire in a step, from the collectives that were called.

    A sum over n ranks costs 2 (n - 1) / n of its tensor per rank, a gathering of parts (n - 1) times the part, a scattered sum
    (n - 1) / n of the whole: what ring algorithms send at least. A point-to-point message costs itself.
    """
    from torch.profiler import ProfilerActivity, profile

    n, total = dist.get_world_size(), 0.0
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as found:
        step()
    for event in found.events():
        shapes = [shape for shape in event.input_shapes if shape]
        elements = sum(_count(shape) for shape in shapes[:1])
        name = event.name
        if name == "gloo:all_reduce":
            total += 4 * elements * 2 * (n - 1) / n
        elif name == "gloo:all_gather":
            total += 4 * elements * (n - 1)
        elif name == "c10d::_reduce_scatter_base_":  # gloo makes a sum of it; others would not
            total += 4 * _count(shapes[1]) * ((n - 1) / n - 2 * (n - 1) / n)
        elif name == "gloo:send":
            total += 4 * elements
    return round(total)


def _count(shape) -> int:
    if shape and isinstance(shape[0], list | tuple):
        return sum(_count(inner) for inner in shape)
    number = 1
    for length in shape:
        number *= length
    return number


def run(comm, folder: str, side: str, sizes: Sizes, steps: int, repeats: int) -> dict:
    """One side on the ranks of ``comm``: its record, from the rank that has most."""
    torch.set_num_threads(1)
    meet = Path(folder) / f"meet-{side}-{comm.size}"
    dist.init_process_group("gloo", init_method=f"file://{meet}", rank=comm.rank, world_size=comm.size)
    try:
        peak = peak_of_allocator(SIDES[side], sizes)
        step = SIDES[side](sizes)
        step()
        sent = wire_bytes(step)
        seconds = []
        for _ in range(repeats):
            dist.barrier()
            begin = time.perf_counter()
            for _ in range(steps):
                step()
            dist.barrier()
            seconds.append((time.perf_counter() - begin) / steps)
    finally:
        dist.destroy_process_group()
    return {"peak": peak, "sent": sent, "seconds": seconds}
