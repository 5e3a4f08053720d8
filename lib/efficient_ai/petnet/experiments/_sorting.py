"""Sorters on the same samples or the same scan, each at its best width, and networks beside them."""

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from efficient_ai.petnet._calibration import calibrate
from efficient_ai.petnet._coincidences import Coincidences, coincidences
from efficient_ai.petnet._events import Hits
from efficient_ai.petnet._generator import Recording
from efficient_ai.petnet._learn import Recipe, between, found, listen, valid_set
from efficient_ai.petnet._montecarlo import Scan
from efficient_ai.petnet._neurons import SpikingNetwork
from efficient_ai.petnet._scores import Score, score_hits
from efficient_ai.petnet._sorters import Window, sort_compiled
from efficient_ai.petnet._stream import Stream, uncalibrated

WINDOWS = ("plain window", "with geometry", "multiples resolved", "self-calibrated", "calibrated")
"""The last one knows the delays of the crystals, which nobody tells the network; the one before it estimates them."""
UNCALIBRATED = WINDOWS[:4]
"""Those that are told no more than the network: none of them sees a label, or a delay."""
SORTERS = (*WINDOWS, "network")
BLOCKS = 10
"""Parts of a test set on which differences are taken, so that their spread is that of the test set."""


def scored(recording: Recording, window: Window) -> Score:
    """Hit-level score of a sorter; the tolerance is the largest delay."""
    pairs = sort_compiled(recording.hits, recording.settings.detector, window)
    return score_hits(pairs.hits, recording.pairs.hits, recording.settings.delay_max)


def window(kind: str, width: float, settings, delays: np.ndarray) -> Window:
    """A sorter by its name.

    Args:
        kind: one of :data:`WINDOWS`.
        width: in bins.
        settings: of the scanner, with ``spread``.
        delays: of the crystals; used by the calibrated ones alone.
    """
    return {
        "plain window": lambda: Window(width),
        "with geometry": lambda: Window(width, settings.spread),
        "multiples resolved": lambda: Window(width, settings.spread, "resolve"),
        "self-calibrated": lambda: Window(width, settings.spread, "resolve", own_delays(settings)),
        "calibrated": lambda: Window(width, settings.spread, "resolve", delays),
    }[kind]()


@functools.lru_cache(maxsize=8)
def own_delays(settings) -> np.ndarray:
    """What :func:`calibrate` makes of hits without labels, none of them of the test: fewer than any network learnt from."""
    samples = 5000 if isinstance(settings, Stream) else 20_000
    hits = valid_set(settings, samples).hits
    unlabelled = Hits(hits.sample, hits.crystal, hits.time, np.full(len(hits), -1))
    return calibrate(unlabelled, settings.detector, settings.spread, settings.delay_max)


@dataclass(frozen=True)
class Sorted:
    """What a window keeps of a recording at its best width, by F1 on these very samples.

    Args:
        width: in bins.
        kept: hits of its pairs.
        score: of them.
    """

    width: int
    kept: Hits
    score: Score


def best_windows(recording: Recording) -> dict[str, Sorted]:
    """Each of :data:`WINDOWS`, its width scanned."""
    settings, best = recording.settings, {}
    for kind in WINDOWS:
        for width in range(0, settings.delay_max + 5):
            pairs = sort_compiled(
                recording.hits, settings.detector, window(kind, width, settings, recording.delays)
            )
            score = score_hits(pairs.hits, recording.pairs.hits, settings.delay_max)
            if kind not in best or score.f1 > best[kind].score.f1:
                best[kind] = Sorted(width, pairs.hits, score)
    return best


def baselines(recording: Recording, best: Mapping[str, Sorted] | None = None) -> dict[str, Score]:
    """Every classical sorter on the same samples, at its best width. And the floor: a copy of the input."""
    best = best or best_windows(recording)
    scores = {f"{kind}, {each.width} bins": each.score for kind, each in best.items()}
    scores["copy of the input"] = score_hits(
        recording.hits, recording.pairs.hits, recording.settings.delay_max
    )
    return scores


def f1_by_block(kept: Hits, recording: Recording, blocks: int = BLOCKS) -> np.ndarray:
    """F1 on equal parts of a recording, shape ``(blocks,)``; the tolerance is the largest delay."""
    edges = np.linspace(0, recording.samples, blocks + 1).astype(int)
    parts = itertools.pairwise(edges)
    return np.array(
        [
            score_hits(
                between(kept, a, b), between(recording.pairs.hits, a, b), recording.settings.delay_max
            ).f1
            for a, b in parts
        ]
    )


def network_by_block(network: SpikingNetwork, recording: Recording, recipe: Recipe) -> np.ndarray:
    """F1 of a network on equal parts of a recording, shape ``(blocks,)``."""
    return f1_by_block(found(network, recording, recipe), recording)


def sorted_pairs(
    seen: Scan, stream: Stream, network: SpikingNetwork, recipe: Recipe
) -> dict[str, tuple[int, Coincidences]]:
    """Coincidences of one scan by each of :data:`SORTERS`, with the width that gives it its highest NECR.

    Args:
        seen: a scan as the physics made it; the delays of the crystals are put on it here.
        network, recipe: what it keeps is paired as by the third sorter.
    """
    heard, spread = uncalibrated(seen, stream), stream.spread
    kept = listen(network, heard, recipe)
    ways = {
        "plain window": (heard, lambda width: Window(width)),
        "with geometry": (heard, lambda width: Window(width, spread)),
        "multiples resolved": (heard, lambda width: Window(width, spread, "resolve")),
        "self-calibrated": (heard, lambda width: Window(width, spread, "resolve", own_delays(stream))),
        "calibrated": (heard, lambda width: Window(width, spread, "resolve", stream.delays)),
        "network": (kept, lambda width: Window(width, spread, "resolve")),
    }
    best = {}
    for name, (hits, window) in ways.items():
        tried = {
            width: coincidences(hits, stream.detector, window(width)) for width in range(stream.silence + 1)
        }
        width = max(tried, key=lambda width: tried[width].rates()["NECR"])
        best[name] = (width, tried[width])
    return best
