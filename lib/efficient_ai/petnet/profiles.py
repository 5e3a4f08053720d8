"""The three sizes of the chapter."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """How much is run.

    Args:
        samples: of the tiny set, on which losses are compared, and of the scan of widths.
        standard_samples: on which the sorters of the paper's standard set are judged.
        seeds: trainings of each recipe in the comparison of losses.
        updates: optimiser steps of each of these.
        batch: samples of each step.
        replayed: samples that are replayed in Brian2, in each of two ways.
        timed_samples: on which the speed of sorters and network is measured.
        repeats: of each of these measurements.
        decays: of the scan that becomes a picture.
        scans: decays of each scan of the curve over activity.
        iterations: of MLEM.
    """

    samples: int
    standard_samples: int
    seeds: int
    updates: int
    batch: int
    replayed: int
    timed_samples: int
    repeats: int
    decays: int
    scans: int
    iterations: int


PROFILES = {
    "smoke": Profile(
        samples=400, standard_samples=400, seeds=3, updates=30, batch=32, replayed=3,
        timed_samples=128, repeats=3, decays=300_000, scans=20_000, iterations=8,
    ),
    "laptop": Profile(
        samples=2000, standard_samples=4000, seeds=5, updates=500, batch=64, replayed=40,
        timed_samples=1024, repeats=5, decays=4_000_000, scans=150_000, iterations=25,
    ),
    "full": Profile(
        samples=10_000, standard_samples=20_000, seeds=10, updates=1500, batch=64, replayed=200,
        timed_samples=1024, repeats=9, decays=30_000_000, scans=1_000_000, iterations=40,
    ),
}  # fmt: skip
