"""How the claims of the chapter follow from sorters, trainings, replays and scans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from efficient_ai.ledger import Experiment, Measured
from efficient_ai.petnet import recorded, replay, trained
from efficient_ai.petnet._events import raster
from efficient_ai.petnet._generator import SMALL, STANDARD, TINY, Recording
from efficient_ai.petnet._learn import Recipe, Trained, judge, learn, test_set
from efficient_ai.petnet._montecarlo import scan
from efficient_ai.petnet._neurons import SpikingNetwork
from efficient_ai.petnet._scanner import RODS
from efficient_ai.petnet._scores import Score
from efficient_ai.petnet._stream import BARS
from efficient_ai.petnet.experiments._sorting import (
    UNCALIBRATED,
    Sorted,
    best_windows,
    f1_by_block,
    network_by_block,
    sorted_pairs,
)
from efficient_ai.petnet.experiments._speed import DRIVEN, GPU, SPEED
from efficient_ai.petnet.profiles import Profile

ABSOLUTE = "count, absolute"
LOSSES = {
    "count": ("count", True),
    ABSOLUTE: (ABSOLUTE, True),
    "published timing": ("published timing", True),
    "trace": ("trace", True),
    "trace, no geometry": ("trace", False),
    "per bin": ("per bin", True),
}
"""Recipes that are compared: name of the loss, and whether the network is told the geometry."""


@dataclass(frozen=True)
class Fight:
    """Shipped networks and windows on the same samples, which none of them saw.

    Args:
        test: the samples.
        windows: each at the width that is best for these very samples.
        networks: score by seed.
        blocks: F1 on parts of the samples, networks (shape ``(networks, blocks)``) and windows (shape ``(1, blocks)``).
    """

    test: Recording
    windows: Mapping[str, Sorted]
    networks: Mapping[int, Score]
    blocks: Mapping[str, np.ndarray]

    @property
    def rival(self) -> str:
        """The strongest window that knows what the network knows."""
        return strongest(self.windows)


def strongest(windows: Mapping[str, Sorted]) -> str:
    """The uncalibrated window with the highest F1."""
    return max(UNCALIBRATED, key=lambda kind: windows[kind].score.f1)


def _run_fight(size: Profile) -> Fight:
    test = test_set(SMALL)
    windows = best_windows(test)
    shipped = {seed: trained.load("small", seed) for seed in trained.seeds("small")}
    blocks = {kind: f1_by_block(each.kept, test)[None] for kind, each in windows.items()}
    blocks["network"] = np.array([network_by_block(s.network, test, s.recipe) for s in shipped.values()])
    scores = {seed: judge(s.network, test, s.recipe) for seed, s in shipped.items()}
    return Fight(test, windows, scores, blocks)


def _beats(kind: str | None):
    def read(fight: Fight) -> Measured:
        rival = kind or fight.rival
        lead = fight.blocks["network"] - fight.blocks[rival]
        each = fight.windows[rival]
        baseline = f"{rival}, {each.width} bins, F1 {each.score.f1:.3f}"
        return Measured(lead.tolist(), list(fight.networks), baseline)

    return read


@dataclass(frozen=True)
class Larger:
    """Recorded trainings on the standard set and the windows on the samples they were judged on.

    Args:
        trainings: as :func:`efficient_ai.petnet.recorded.trainings` gives them.
        windows: each at its best width.
    """

    trainings: Sequence[Mapping[str, Any]]
    windows: Mapping[str, Sorted]


def _run_larger(size: Profile) -> Larger:
    return Larger(recorded.trainings("standard", 1500 * 128), best_windows(test_set(STANDARD, 1000)))


def _leads(kind: str | None):
    def read(larger: Larger) -> Measured:
        rival = kind or strongest(larger.windows)
        best = larger.windows[rival].score.f1
        lead = [training["F1"][-1] - best for training in larger.trainings]
        return Measured(
            lead,
            [t["seed"] for t in larger.trainings],
            f"{rival}, F1 {best:.3f}",
            recorded.source(larger.trainings[0]),
        )

    return read


@dataclass(frozen=True)
class Losses:
    """Trainings by recipe, one per seed, and F1 of their networks on parts of the test samples.

    Args:
        runs: by name of :data:`LOSSES`.
        blocks: shape ``(seeds, blocks)`` each.
    """

    runs: Mapping[str, Sequence[Trained]]
    blocks: Mapping[str, np.ndarray]

    @property
    def seeds(self) -> list[int]:
        return [run.seed for run in self.runs["trace"]]


def _run_losses(size: Profile) -> Losses:
    from tqdm.auto import tqdm

    test = test_set(TINY, size.samples)
    recipes = {
        name: Recipe(TINY, (96,), loss, geometry, size.updates, size.batch, rate=5e-3)
        for name, (loss, geometry) in LOSSES.items()
    }
    runs = {
        name: [learn(recipe, seed, test=test, tests=10) for seed in range(size.seeds)]
        for name, recipe in tqdm(recipes.items(), desc="recipe")
    }
    blocks = {
        name: np.array([network_by_block(run.network, test, run.recipe) for run in of])
        for name, of in runs.items()
    }
    return Losses(runs, blocks)


def _more(first: str, second: str):
    def read(losses: Losses) -> Measured:
        difference = losses.blocks[first] - losses.blocks[second]
        return Measured(difference.tolist(), losses.seeds, f"{second}, same seeds and updates")

    return read


def _more_than_counting(losses: Losses) -> Measured:
    better = max(("count", ABSOLUTE), key=lambda name: losses.blocks[name].mean())
    return _more("trace", better)(losses)


def _apart(losses: Losses) -> Measured:
    pairs = zip(losses.runs["published timing"], losses.runs[ABSOLUTE], strict=True)
    largest = [
        max(
            float((p - q).detach().abs().max())
            for p, q in zip(a.network.parameters(), b.network.parameters(), strict=True)
        )
        for a, b in pairs
    ]
    return Measured(largest, losses.seeds, "the weight of the term at zero")


def _sent(losses: Losses) -> Measured:
    ends = [run.tests[-1][1] for run in losses.runs["per bin"]]
    ratios = [(end.true + end.false) / (end.true + end.missed) for end in ends]
    return Measured(ratios, losses.seeds, "one spike for each that is wanted")


def _run_scales(size: Profile) -> dict[str, list]:
    """Recorded trainings by set, in the order of their rates."""
    return {
        name: sorted(recorded.trainings(name, 800 * 64), key=lambda t: t["recipe"]["rate"])
        for name in ("small", "SAFIR")
    }


def _shares(scales: Mapping[str, Sequence[Mapping[str, Any]]]) -> Measured:
    pairs = list(zip(scales["small"], scales["SAFIR"], strict=True))
    return Measured(
        [far["F1"][-1] / near["F1"][-1] for near, far in pairs],
        [f"rate {near['recipe']['rate']:g}" for near, _ in pairs],
        "the small set, same rates, updates and samples",
        recorded.source(scales["SAFIR"][0]),
    )


@dataclass(frozen=True)
class Replayed:
    """A network in torch and in Brian2.

    Args:
        differing: spikes that differ, by way and sample.
        spikes: in all layers of all samples.
        margin: how close any membrane came to the threshold.
    """

    differing: Mapping[str, Sequence[int]]
    spikes: int
    margin: float


def _run_replay(size: Profile) -> Replayed:
    shipped, test = trained.load("small", trained.seeds("small")[-1]), test_set(SMALL)
    geometry = torch.from_numpy(SMALL.detector.window(SMALL.spread))
    exact: SpikingNetwork = replay.fold_geometry(shipped.network.double(), geometry)
    hits = test.hits[test.hits.sample < size.replayed]
    rasters = raster(hits, size.replayed, *exact.sizes[:1], SMALL.steps).double()
    samples = [rasters[:, k] for k in range(size.replayed)]
    with torch.no_grad():
        expected = [[s[:, 0].bool().numpy() for s, _ in exact.layers(x[:, None])] for x in samples]
    differing = {
        way: [
            sum(run.mismatches(wanted))
            for run, wanted in zip(replay.replay(exact, samples, way), expected, strict=True)
        ]
        for way in replay.WAYS
    }
    spikes = sum(int(layer.sum()) for layers in expected for layer in layers)
    return Replayed(differing, spikes, replay.margin(exact, rasters))


def _run_rates(size: Profile) -> dict[int, dict[str, float]]:
    """NECR by sorter, for each network that ships, on a scan of its own."""
    found = {}
    for seed in trained.seeds("bars"):
        net = trained.load("bars", seed)
        seen = scan(BARS.scanner, RODS, activity=5e8, seconds=size.scans / 5e8, seed=100 + seed)
        pairs = sorted_pairs(seen, BARS, net.network, net.recipe)
        found[seed] = {name: each.rates()["NECR"] for name, (_, each) in pairs.items()}
    return found


def _rate_over(kinds: Sequence[str]):
    def read(rates: Mapping[int, Mapping[str, float]]) -> Measured:
        # One rival for all scans: that with the highest mean.
        rival = max(kinds, key=lambda kind: np.mean([of[kind] for of in rates.values()]))
        ratios = [of["network"] / of[rival] for of in rates.values()]
        return Measured(ratios, list(rates), f"{rival}, best width")

    return read


FIGHT = Experiment(
    "networks and windows, small set",
    _run_fight,
    {
        "1": lambda f: Measured(
            f.blocks["network"].tolist(), list(f.networks), "a copy of the input, and silence"
        ),
        "2a": _beats("plain window"),
        "2b": _beats(None),
        "2c": _beats("calibrated"),
    },
)
LARGER = Experiment("standard set", _run_larger, {"2d": _leads("plain window"), "2e": _leads(None)})
LOSSES_COMPARED = Experiment(
    "losses",
    _run_losses,
    {
        "3a": _more("published timing", ABSOLUTE),
        "3b": _more_than_counting,
        "3c": _apart,
        "4": _more("trace", "trace, no geometry"),
        "6": _sent,
    },
)
SCALES = Experiment("the size of a scanner", _run_scales, {"7": _shares})
REPLAY = Experiment(
    "replay in Brian2",
    _run_replay,
    {
        "8": lambda r: Measured(
            np.sum(list(r.differing.values()), axis=0).tolist(),
            range(len(next(iter(r.differing.values())))),
            "the same weights in torch, float64",
        )
    },
)
RATES = Experiment(
    "noise-equivalent count rates",
    _run_rates,
    {"9a": _rate_over(["plain window"]), "9b": _rate_over(["calibrated"]), "9c": _rate_over(UNCALIBRATED)},
)
EXPERIMENTS = (FIGHT, LARGER, LOSSES_COMPARED, SPEED, GPU, DRIVEN, SCALES, REPLAY, RATES)
