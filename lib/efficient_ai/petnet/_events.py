"""Hits and pairs as lists of numbers, and the same as a raster of crystals by time."""

from dataclasses import dataclass

import numpy as np
import torch

from efficient_ai.petnet import _valid


@dataclass(frozen=True)
class Hits:
    """Single hits of many samples, in order of sample, then time, then crystal. One crystal hits once per time.

    Args:
        sample: number of the sample, shape ``(n,)``.
        crystal: which crystal, shape ``(n,)``.
        time: when, shape ``(n,)``: bins in a raster, seconds elsewhere.
        decay: number of the decay it comes from, shape ``(n,)``; ``-1`` where nobody knows.

    Raises:
        ValueError: columns that are not equally long, not numbers, or not in order, each once (:meth:`sort` does both).
    """

    sample: np.ndarray
    crystal: np.ndarray
    time: np.ndarray
    decay: np.ndarray

    def __post_init__(self):
        for name, least in (("sample", 0), ("crystal", 0), ("decay", -1)):
            object.__setattr__(self, name, _valid.whole(f"{name} of hits", getattr(self, name), least))
        object.__setattr__(self, "time", _valid.times("time of hits", self.time))
        _valid.equally_long(sample=self.sample, crystal=self.crystal, time=self.time, decay=self.decay)
        _valid.in_order(
            "hits", "make the list with Hits.sort", self.sample, self.time, self.crystal, once=True
        )

    @classmethod
    def sort(cls, sample, crystal, time, decay=None) -> "Hits":
        """Hits in any order to hits in order. Of two at the same place and time the first one stays."""
        sample, crystal, time = (np.asarray(each) for each in (sample, crystal, time))
        decay = np.full(len(sample), -1) if decay is None else np.asarray(decay)
        _valid.equally_long(sample=sample, crystal=crystal, time=time, decay=decay)
        order = np.lexsort((decay, crystal, time, sample))
        sample, crystal, time, decay = (each[order] for each in (sample, crystal, time, decay))
        new = np.ones(len(sample), dtype=bool)
        new[1:] = (np.diff(sample) != 0) | (np.diff(time) != 0) | (np.diff(crystal) != 0)
        return cls(sample[new], crystal[new], time[new], decay[new])

    def __len__(self) -> int:
        return len(self.sample)

    def __getitem__(self, chosen) -> "Hits":
        """The chosen hits: a mask, or indices in ascending order."""
        return Hits(self.sample[chosen], self.crystal[chosen], self.time[chosen], self.decay[chosen])


@dataclass(frozen=True)
class Pairs:
    """Pairs of hits that are taken for one annihilation, in order of sample.

    Args:
        sample: number of the sample, shape ``(n,)``.
        first, second: the two crystals, shape ``(n,)`` each.
        time: when each of them hit, shape ``(n, 2)``.
        index: where the two hits stand in the list that was sorted, shape ``(n, 2)``; None for pairs that were not
            found in a list.

    Raises:
        ValueError: columns that are not equally long, or not numbers.
    """

    sample: np.ndarray
    first: np.ndarray
    second: np.ndarray
    time: np.ndarray
    index: np.ndarray | None = None

    def __post_init__(self):
        for name in ("sample", "first", "second"):
            object.__setattr__(self, name, _valid.whole(f"{name} of pairs", getattr(self, name), 0))
        _valid.equally_long(sample=self.sample, first=self.first, second=self.second)
        time = _valid.finite("time of pairs", self.time, (len(self), 2))
        object.__setattr__(self, "time", time)

    def __len__(self) -> int:
        return len(self.sample)

    @property
    def hits(self) -> Hits:
        """Both hits of each pair."""
        return Hits.sort(
            np.repeat(self.sample, 2),
            np.stack([self.first, self.second], axis=1).ravel(),
            self.time.ravel(),
        )


def raster(
    hits: Hits, samples: int, crystals: int, steps: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Hits as zeros and ones, shape ``(steps, samples, crystals)``: time first, as a network reads it.

    Raises:
        ValueError: a hit that has no place in the raster.
    """
    hits = on_raster(hits, samples, crystals, steps)
    spikes = torch.zeros(steps, samples, crystals, device=device)
    place = (torch.from_numpy(each).to(device) for each in (hits.time, hits.sample, hits.crystal))
    spikes[tuple(place)] = 1.0
    return spikes


def on_raster(hits: Hits, samples: int, crystals: int, steps: int) -> Hits:
    """The hits, if each has a place in a raster of this size: in whole bins, from 0 to the last one.

    Raises:
        ValueError: it has none.
    """
    _valid.whole("sample of hits", hits.sample, 0, _valid.count("samples", samples))
    _valid.whole("crystal of hits", hits.crystal, 0, _valid.count("crystals", crystals))
    time = _valid.whole("time of hits", hits.time, 0, _valid.count("steps", steps))
    return Hits(hits.sample, hits.crystal, time, hits.decay)


def span(left: Hits, right: Hits) -> int:
    """From the first time of two lists to the last one, in whole bins."""
    times = np.concatenate([left.time, right.time])
    return int(np.ceil(np.ptp(times))) if len(times) else 0


def on_one_line(left: Hits, right: Hits, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """A whole number for each hit, so that two lists can be compared by differences of numbers.

    Hits of one crystal and sample are as far apart as in time, up to ``reach``; all others are further than ``reach``.
    Longer gaps are shortened: no number grows beyond the hits times the reach, however late in a scan they are.

    Args:
        left, right: hits with times in whole bins.
        reach: at most :func:`span`, so that nothing overflows.

    Raises:
        ValueError: times that are not whole.
    """
    columns = [
        np.concatenate([left.sample, right.sample]),
        np.concatenate([left.crystal, right.crystal]),
        np.concatenate([_valid.whole("time of hits", each.time) for each in (left, right)]),
    ]
    order = np.lexsort(columns[::-1])
    sample, crystal, time = (column[order] for column in columns)
    far = reach + 1
    gaps = np.minimum(np.diff(time, prepend=0), far)
    gaps[1:][(np.diff(sample) != 0) | (np.diff(crystal) != 0)] = far
    gaps[:1] = 0
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.cumsum(gaps)
    return number[: len(left)], number[len(left) :]


def hits_of(spikes: torch.Tensor) -> Hits:
    """A raster, shape ``(steps, samples, crystals)``, as hits."""
    found = torch.nonzero(
        spikes.detach().transpose(0, 1), as_tuple=True
    )  # by sample, time, crystal: in order
    sample, time, crystal = (each.cpu().numpy() for each in found)
    return Hits(sample, crystal, time, np.full(len(sample), -1))
