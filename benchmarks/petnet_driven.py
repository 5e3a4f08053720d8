"""The spiking network driven by events beside the same network over all bins, on one core, taking turns in one run.

    python benchmarks/petnet_driven.py             some minutes on a quiet machine
    python benchmarks/petnet_driven.py --repeats 3

Writes ``results/benchmarks/petnet-driven.json``, which the chapter reads. Both ways get the same lists of hits and return
lists of hits, which are compared spike by spike, in float64; how many differ if
the loop over all bins runs in float32, as it is timed, is counted, too. Networks that ship are used as they are. For the two sets without one the
weights are drawn, enlarged so that the network is busy, and some hidden neurons are made to rest above the threshold: these
fire without input, so the work depends on how many there are. The small network that ships has 9 of 256.
"""

import argparse
import statistics
import time

import numpy as np
import torch

from efficient_ai import petnet, records
from efficient_ai.petnet import timing, trained
from efficient_ai.petnet._learn import between
from efficient_ai.training import generator

LEAST_SPEED_UP, LEAST_SPIKES = 30.0, 10**6
SAMPLES = {"small": 1024, "bars": 1024, "standard": 1024, "SAFIR": 256}  # as in petnet_gpu.py
COMPARED = {"small": 1024, "bars": 1024, "standard": 256, "SAFIR": 64}  # of these, spike by spike
BATCH = {"small": 64, "bars": 64, "standard": 16, "SAFIR": 8}  # a raster of 8 SAFIR-like samples has 180 MB
WIDTHS = {"small": 5, "bars": 5, "standard": 8, "SAFIR": 8}
JOBS = [
    {"set": "small", "clocks": None},
    {"set": "bars", "clocks": None},
    {"set": "standard", "clocks": 9},
    {"set": "SAFIR", "clocks": 0},
    {"set": "SAFIR", "clocks": 9},
    {"set": "SAFIR", "clocks": 64},
]
"""``clocks``: hidden neurons that rest above the threshold; None for a network that ships."""


def network_of(job: dict) -> tuple[petnet.SpikingNetwork, petnet.Recipe]:
    if job["clocks"] is None:
        shipped = trained.load(job["set"], trained.seeds(job["set"])[-1])
        return shipped.network, shipped.recipe
    recipe = petnet.Recipe(trained.SETS[job["set"]])
    network = petnet.SpikingNetwork(recipe.sizes, generator=generator(0))
    with torch.no_grad():
        network.linear[0].weight *= 8
        network.linear[1].weight *= 4
        network.linear[0].bias[: job["clocks"]] = 0.06  # rests at 1.2
        network.linear[1].bias -= 0.03
    return network, recipe


def places(hits: petnet.Hits) -> set[tuple[int, int, int]]:
    return set(zip(hits.sample.tolist(), hits.time.tolist(), hits.crystal.tolist(), strict=True))


def measure(job: dict, repeats: int) -> dict:
    network, recipe = network_of(job)
    name, settings = job["set"], recipe.settings
    count, batch = SAMPLES[name], BATCH[name]
    recording = petnet.test_set(settings, count)
    few = {"SAFIR": batch, "standard": 128}.get(
        name, count
    )  # over all bins, these take long enough to be timed
    parts = [between(recording.hits, first, first + batch) for first in range(0, few, batch)]

    @torch.no_grad()
    def over_all_bins(parts=parts):
        return [petnet.hits_of(petnet.output_of(network, hits, batch, recipe)) for hits in parts]

    def by_events():
        return petnet.output_hits(network, recording.hits, count, recipe)

    seconds: dict[str, list[float]] = {"over all bins": [], "driven by events": []}
    output, work = by_events()
    over_all_bins(parts[:1])
    for _ in range(repeats):
        for way, call, samples in (
            ("over all bins", over_all_bins, few),
            ("driven by events", by_events, count),
        ):
            began = time.process_time()
            call()
            seconds[way].append(1e6 * (time.process_time() - began) / samples)
    compared = COMPARED[name]
    everything = [between(recording.hits, first, first + batch) for first in range(0, compared, batch)]
    differ = {}
    for kind in (torch.float32, torch.float64):
        network = network.to(kind)
        differ[kind] = 0
        for number, hits in enumerate(everything):
            (dense,) = over_all_bins([hits])
            own = between(output, number * batch, (number + 1) * batch)
            differ[kind] += len(places(dense) ^ places(own))
    sorters = timing.sorter_times(recording, petnet.Window(WIDTHS[name]), min(repeats, 3))
    medians = {way: statistics.median(values) for way, values in seconds.items()}
    pairs = zip(seconds["over all bins"], seconds["driven by events"], strict=True)
    ratios = [a / b for a, b in pairs]
    return {
        "weights": "as shipped" if job["clocks"] is None else "drawn",
        "samples": count, "batch": batch, "layers": list(network.sizes), "steps": settings.steps,
        "resting above": list(work.clocks), "computed": [each / work.bins for each in work.computed],
        "sent": list(work.sent), "output": len(between(output, 0, compared)), "differ": differ[torch.float64], "differ in float32": differ[torch.float32],
        "microseconds": seconds, "median": medians, "ratios": ratios, "ratio": statistics.median(ratios),
        "sorters": {way: float(np.median(times)) for way, times in sorters.items()},
    }  # fmt: skip


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    sitting = records.Sitting("petnet-driven", fresh=True)
    rows = sitting.run(JOBS, lambda job: measure(job, repeats))
    safir = [row for row in rows if row["set"] == "SAFIR" and row["clocks"] == 9]
    required = [
        {
            "rule": "time over all bins, over that driven by events, SAFIR-like set, as many clocks as the small network has",
            "at_least": LEAST_SPEED_UP,
            "value": min(row["ratio"] for row in safir),
        },
        {
            "rule": "output spikes that were compared, if none differs; else 0",
            "at_least": LEAST_SPIKES,
            "value": sum(row["output"] for row in rows) if not any(row["differ"] for row in rows) else 0,
        },
    ]
    for rule in required:
        rule["holds"] = rule["value"] >= rule["at_least"]
    sitting.write({"rows": rows, "required": required})
    for rule in required:
        print(f"{rule['value']:.4g} (at least {rule['at_least']:g}): {rule['rule']}")


if __name__ == "__main__":
    main()
