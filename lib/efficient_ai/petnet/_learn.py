"""Training on samples that are drawn anew for each step, and what a trained network finds on samples it never saw."""

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from efficient_ai import provenance
from efficient_ai.petnet import _valid
from efficient_ai.petnet._driven import Work, event_driven
from efficient_ai.petnet._events import Hits, hits_of, raster
from efficient_ai.petnet._generator import Recording, Settings
from efficient_ai.petnet._losses import (
    absolute_count_loss,
    count_loss,
    per_bin_loss,
    published_chamfer_loss,
    published_timing_loss,
    trace_loss,
)
from efficient_ai.petnet._montecarlo import Scan
from efficient_ai.petnet._neurons import SpikingNetwork
from efficient_ai.petnet._scores import Score, score_hits
from efficient_ai.petnet._stream import Stream, answered, frames
from efficient_ai.seeds import seed_for
from efficient_ai.training import generator

Loss = Callable[[Tensor, Tensor], Tensor]

LOSSES: dict[str, Loss] = {
    "count": count_loss,
    "count, absolute": absolute_count_loss,
    "published timing": published_timing_loss,
    "published Chamfer": published_chamfer_loss,
    "trace": trace_loss,
    "per bin": per_bin_loss,
}
_SUMS = ("count, absolute", "published timing", "published Chamfer")
_TEST_SEED = 1 << 30  # samples to be judged on; training draws from other streams
_VALID_SEED = _TEST_SEED + 1


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Args:
        settings: where samples come from: the generator of the paper, or a stream of the Monte Carlo.
        hidden: neurons of each hidden layer.
        loss: a name of :data:`LOSSES`.
        geometry: whether the input has geometry channels.
        updates: optimiser steps, each on samples of its own.
        batch: samples of a step.
        rate: learning rate of Adam at the start; it falls along a cosine to 2 % of that.

    Raises:
        ValueError: an unknown loss, or a number that is none.
    """

    settings: Settings | Stream
    hidden: tuple[int, ...] = (256,)
    loss: str = "trace"
    geometry: bool = True
    updates: int = 2000
    batch: int = 128
    rate: float = 3e-3

    def __post_init__(self):
        _valid.choice("loss", self.loss, tuple(LOSSES))
        for name in ("updates", "batch"):
            _valid.count(name, getattr(self, name), 1)
        for neurons in self.hidden:
            _valid.count("hidden neurons", neurons, 1)
        _valid.number("rate", self.rate, 0, above=True)

    @property
    def sizes(self) -> tuple[int, ...]:
        crystals = self.settings.detector.crystals
        return (crystals * (2 if self.geometry else 1), *self.hidden, crystals)


@dataclass
class Trained:
    """A network and how it came about.

    Args:
        network: after the last update.
        recipe, seed: what it was trained with.
        loss: of each update.
        tests: ``(updates done, score)`` now and then.
        seconds: wall time of the training, tests included.
        commit: of the project when it began.
    """

    network: SpikingNetwork
    recipe: Recipe
    seed: int
    loss: list[float] = field(default_factory=list)
    tests: list[tuple[int, Score]] = field(default_factory=list)
    seconds: float = 0.0
    commit: str = field(default_factory=provenance.commit)


def output_of(network: SpikingNetwork, hits: Hits, samples: int, recipe: Recipe) -> Tensor:
    """The output raster for the hits of ``samples`` samples, with geometry channels if the recipe has them.

    Raises:
        ValueError: a network with other inputs or outputs than the recipe's.
    """
    _fits(network, recipe)
    window = _window(recipe.settings, network.beta.device) if recipe.geometry else None
    return network.from_hits(hits, samples, recipe.settings.steps, window)


def _fits(network: SpikingNetwork, recipe: Recipe) -> None:
    ends = [(sizes[0], sizes[-1]) for sizes in (network.sizes, recipe.sizes)]
    if ends[0] != ends[1]:
        raise ValueError(
            f"the network has {ends[0]} inputs and outputs, the recipe is for {ends[1]}: give its own recipe"
        )


@functools.lru_cache(maxsize=8)  # of a large scanner it has millions of entries
def _window(settings: Settings | Stream, device: torch.device) -> Tensor:
    return torch.from_numpy(settings.detector.window(settings.spread)).to(device)


def test_set(settings: Settings | Stream, samples: int = 2000) -> Recording:
    """The samples on which everything is judged: the same for all, in every profile and in recorded trainings."""
    return settings.draw(samples, seed=_TEST_SEED)


def valid_set(settings: Settings | Stream, samples: int) -> Recording:
    """Samples by which a recipe is chosen: neither those of the test nor of any training."""
    return settings.draw(samples, seed=_VALID_SEED)


def between(hits: Hits, first: int, last: int) -> Hits:
    """The hits of these samples, which are numbered from 0 then."""
    chosen = hits[slice(*np.searchsorted(hits.sample, (first, last)))]
    return Hits(chosen.sample - first, chosen.crystal, chosen.time, chosen.decay)


def output_hits(network: SpikingNetwork, hits: Hits, samples: int, recipe: Recipe) -> tuple[Hits, Work]:
    """The output hits of ``samples`` samples, driven by events; and what was computed."""
    _fits(network, recipe)
    window = _window(recipe.settings, network.beta.device) if recipe.geometry else None
    return event_driven(network, hits, samples, recipe.settings.steps, window)


@torch.no_grad()
def found(network: SpikingNetwork, recording: Recording, recipe: Recipe, batch: int = 500) -> Hits:
    """The hits that a network keeps of a recording: driven by events, but on a GPU over all bins, in batches."""
    if not network.beta.is_cuda:
        return output_hits(network, recording.hits, recording.samples, recipe)[0]
    parts = []
    for first in range(0, recording.samples, batch):
        last = min(first + batch, recording.samples)
        part = hits_of(output_of(network, between(recording.hits, first, last), last - first, recipe))
        parts.append(Hits(part.sample + first, part.crystal, part.time, part.decay))
    return Hits(
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("sample", "crystal", "time", "decay"))
    )


def judge(network: SpikingNetwork, recording: Recording, recipe: Recipe) -> Score:
    """Hit-level score with the largest delay as tolerance: a label lags its hit by the delay of its crystal."""
    return score_hits(found(network, recording, recipe), recording.pairs.hits, recipe.settings.delay_max)


def listen(network: SpikingNetwork, heard: Scan, recipe: Recipe) -> Scan:
    """What a network keeps of an uncalibrated scan: the hits to which it gave an answer, at the times of its answers.

    The network says which hits belong to pairs, not which two belong together: a window has to pair what is left.

    Args:
        network: trained with ``recipe``, whose settings are a :class:`Stream`.
        heard: from :func:`uncalibrated`.
    """
    stream = recipe.settings
    hits, pairs, index, start = frames(heard, stream)
    output = found(network, Recording(hits, pairs, len(start), stream, stream.delays), recipe)
    kept, time = answered(output, hits, early=1, late=stream.silence)
    time = start[hits.sample[kept]] + time
    order = np.lexsort((hits.crystal[kept], time))
    chosen = index[kept][order]
    return replace(
        heard, time=time[order], crystal=heard.crystal[chosen], energy=heard.energy[chosen],
        decay=heard.decay[chosen], scattered=heard.scattered[chosen],
    )  # fmt: skip


def learn(
    recipe: Recipe,
    seed: int,
    *,
    test: Recording | None = None,
    tests: int = 8,
    device: str | torch.device = "cpu",
    parts: int = 1,
    progress: bool = False,
) -> Trained:
    """Train a network from scratch.

    Args:
        recipe: how.
        seed: of the weights and the samples.
        test: judged ``tests`` times, evenly spread, the last time at the end; None for never.
        device: where torch works.
        parts: a batch goes through in so many parts, whose gradients add up to that of the whole: less memory, and on a
            processor faster, because a part stays in its cache.
        progress: show a bar.

    Raises:
        ValueError: parts that do not divide the batch, or of a loss that is no mean over samples.
        FloatingPointError: the loss is not finite any more.
    """
    if recipe.batch % parts or (parts > 1 and recipe.loss in _SUMS):
        raise ValueError(
            f"a batch of {recipe.batch} with the loss {recipe.loss!r} cannot go through in {parts} parts: give a divisor "
            "of the batch, and 1 for {' and '.join(map(repr, _SUMS))}, which are sums over the batch"
        )
    began = time.perf_counter()
    network = SpikingNetwork(recipe.sizes, generator=generator(seed)).to(device)
    trained = Trained(network, recipe, seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda done: 0.02 + 0.98 * (1 + math.cos(math.pi * done / recipe.updates)) / 2
    )
    loss_of = LOSSES[recipe.loss]
    for update in tqdm(range(recipe.updates), desc=f"seed {seed}", disable=not progress):
        recording = recipe.settings.draw(recipe.batch, seed=seed_for(seed, update + 1))
        optimiser.zero_grad()
        trained.loss.append(0.0)
        size = recipe.batch // parts
        for first in range(0, recipe.batch, size):
            hits, pairs = (between(h, first, first + size) for h in (recording.hits, recording.pairs.hits))
            output = output_of(network, hits, size, recipe)
            wanted = raster(pairs, size, recipe.settings.detector.crystals, recipe.settings.steps, device)
            loss = loss_of(output, wanted) / parts
            loss.backward()
            trained.loss[-1] += loss.item()
        optimiser.step()
        schedule.step()
        if not math.isfinite(trained.loss[-1]):
            raise FloatingPointError(
                f"the loss is {trained.loss[-1]} after {update + 1} updates: lower the rate"
            )
        due = test is not None and (update + 1) * tests // recipe.updates > update * tests // recipe.updates
        if due:
            trained.tests.append((update + 1, judge(network, test, recipe)))
    trained.seconds = time.perf_counter() - began
    return trained
