"""How long the network and the coincidence window take per sample on a machine with a GPU, for every set and batch size.

    python benchmarks/petnet_gpu.py

Writes ``results/benchmarks/petnet-gpu.json``, which the chapter reads. The window runs on one core of the same machine, written in
four ways, the loop over all bins among them; the network on the GPU and, for the small set, on one core. Times of the GPU
are wall times from a list of hits in the memory of the host to a list of hits there. The weights are untrained: the work
does not depend on them.
"""

import argparse
from datetime import UTC, datetime
from pathlib import Path

import torch

from efficient_ai import petnet, provenance
from efficient_ai._paths import project_root
from efficient_ai.petnet import timing, trained
from efficient_ai.training import generator

ROOT = project_root() or Path(__file__).resolve().parent.parent
BATCHES = (1, 4, 16, 64, 256, 1024)
WIDTHS = {"small": 5, "standard": 8, "SAFIR": 8}  # of the window; the paper's 8 on its own two sets
SAMPLES = {"small": 1024, "standard": 1024, "SAFIR": 256}  # a raster of 1024 SAFIR-like samples has 24 GB


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    if not torch.cuda.is_available():
        raise SystemExit(
            "torch sees no GPU here; what the processor does is measured by benchmarks/petnet.py"
        )
    rows = []
    for name, samples in SAMPLES.items():
        settings = trained.SETS[name]
        recording = petnet.test_set(settings, samples)
        for way, times in timing.sorter_times(recording, petnet.Window(WIDTHS[name]), repeats).items():
            rows.append({"set": name, "implementation": way, "device": "cpu", "microseconds": times})
        recipe = petnet.Recipe(settings)
        network = petnet.SpikingNetwork(recipe.sizes, generator=generator(0))
        devices = ["cuda", "cpu"] if name == "small" else ["cuda"]
        for device in devices:
            times = timing.network_times(network.to(device), recipe, recording, repeats, BATCHES)
            for batch, spent in times.items():
                rows.append(
                    {"set": name, "implementation": "network", "device": device, "batch": batch, "microseconds": spent}
                )  # fmt: skip
                print(name, device, batch, sorted(spent)[len(spent) // 2], flush=True)
    report = {
        "machine": provenance.machine(), "commit": provenance.commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "versions": provenance.versions(), "rows": rows,
    }  # fmt: skip
    provenance.write_json(ROOT / "results" / "benchmarks" / "petnet-gpu.json", report)


if __name__ == "__main__":
    main()
