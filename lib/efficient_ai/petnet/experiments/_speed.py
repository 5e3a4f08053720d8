"""How fast the network and the windows are, and whether both ways to compute the network send the same spikes."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.petnet import recorded, timing, trained
from efficient_ai.petnet._events import hits_of
from efficient_ai.petnet._generator import SMALL, Recording
from efficient_ai.petnet._learn import output_hits, output_of, test_set
from efficient_ai.petnet._sorters import Window
from efficient_ai.petnet.profiles import Profile


@dataclass(frozen=True)
class Speed:
    """Microseconds per sample on one thread, one per repeat.

    Args:
        sorters: by how the window is written.
        network: over all bins, by batch size.
        driven: the same network driven by events.
        differ: spikes of each network that ships that only one of both ways sends.
    """

    sorters: Mapping[str, Sequence[float]]
    network: Mapping[int, Sequence[float]]
    driven: Sequence[float]
    differ: Mapping[int, int]

    @property
    def batch(self) -> int:
        """The best one."""
        return min(self.network, key=lambda batch: np.median(self.network[batch]))

    @property
    def best(self) -> tuple[str, Sequence[float]]:
        """The faster way to compute the network, and its times."""
        ways = {
            f"over all bins in batches of {self.batch}": self.network[self.batch],
            "driven by events": self.driven,
        }
        return min(ways.items(), key=lambda way: np.median(way[1]))


def _run_speed(size: Profile) -> Speed:
    timed, shipped = test_set(SMALL, size.timed_samples), trained.load("small", trained.seeds("small")[-1])
    return Speed(
        timing.sorter_times(timed, Window(5), size.repeats),
        timing.network_times(shipped.network, shipped.recipe, timed, size.repeats),
        timing.driven_times(shipped.network, shipped.recipe, timed, size.repeats),
        {seed: _differ(trained.load("small", seed), timed) for seed in trained.seeds("small")},
    )


@torch.no_grad()
def _differ(shipped: trained.Shipped, recording: Recording) -> int:
    """Spikes that only one of both ways sends: over all bins, and driven by events; in float64, where rounding decides none."""
    network, recipe = copy.deepcopy(shipped.network).double(), shipped.recipe
    ways = (
        hits_of(output_of(network, recording.hits, recording.samples, recipe)),
        output_hits(network, recording.hits, recording.samples, recipe)[0],
    )
    left, right = (
        set(zip(*(getattr(w, n).tolist() for n in ("sample", "crystal", "time")), strict=True)) for w in ways
    )
    return len(left ^ right)


def _faster(name: str):
    def read(speed: Speed) -> Measured:
        way, times = speed.best
        ratios = [a / b for a, b in zip(speed.sorters[name], times, strict=True)]
        return Measured(ratios, range(len(ratios)), f"network {way}")

    return read


def _by_events(speed: Speed) -> Measured:
    ratios = [a / b for a, b in zip(speed.network[speed.batch], speed.driven, strict=True)]
    return Measured(ratios, range(len(ratios)), f"the same network over all bins in batches of {speed.batch}")


def _by_events_recorded(record: Mapping[str, Any]) -> Measured:
    (row,) = (row for row in record["rows"] if row["set"] == "SAFIR" and row["clocks"] == recorded.CLOCKS)
    return Measured(
        row["ratios"],
        range(len(row["ratios"])),
        "the same network over all bins",
        recorded.source(record, "petnet-driven"),
    )


def _faster_on_gpu(name: str):
    def read(record: Mapping[str, Any]) -> Measured:
        ratios = recorded.gpu_ratios(record, name, "Python loop")
        return Measured(
            ratios,
            range(len(ratios)),
            "network at its best batch size",
            recorded.source(record, "petnet-gpu"),
        )

    return read


SPEED = Experiment(
    "speed",
    _run_speed,
    {
        "5a": _faster("Python loop"),
        "5b": _faster("compiled"),
        "5c": _faster("loop over bins"),
        "5f": _by_events,
        "5g": lambda s: Measured(list(s.differ.values()), list(s.differ), "the same network over all bins"),
    },
)
DRIVEN = Experiment(
    "speed by events", lambda size: recorded.load("petnet-driven"), {"5h": _by_events_recorded}
)
GPU = Experiment(
    "speed on a GPU",
    lambda size: recorded.load("petnet-gpu"),
    {"5d": _faster_on_gpu("small"), "5e": _faster_on_gpu("SAFIR")},
)
