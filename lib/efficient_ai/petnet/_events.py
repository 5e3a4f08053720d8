"""Hits and pairs as lists of numbers, and the same as a raster of crystals by time."""

from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Hits:
    """Single hits of many samples, in order of sample, then time, then crystal. One crystal hits once per time.

    Args:
        sample: number of the sample, shape ``(n,)``.
        crystal: which crystal, shape ``(n,)``.
        time: when, shape ``(n,)``: bins in a raster, seconds elsewhere.
        decay: number of the decay it comes from, shape ``(n,)``; ``-1`` where nobody knows.
    """

    sample: np.ndarray
    crystal: np.ndarray
    time: np.ndarray
    decay: np.ndarray

    @classmethod
    def sort(cls, sample, crystal, time, decay=None) -> "Hits":
        """Hits in any order to hits in order. Of two at the same place and time the first one stays."""
        sample, crystal, time = (np.asarray(each) for each in (sample, crystal, time))
        decay = np.full(len(sample), -1) if decay is None else np.asarray(decay)
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
    """

    sample: np.ndarray
    first: np.ndarray
    second: np.ndarray
    time: np.ndarray
    index: np.ndarray | None = None

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
    """Hits as zeros and ones, shape ``(steps, samples, crystals)``: time first, as a network reads it."""
    spikes = torch.zeros(steps, samples, crystals, device=device)
    place = (torch.from_numpy(each).to(device) for each in (hits.time, hits.sample, hits.crystal))
    spikes[tuple(place)] = 1.0
    return spikes


def hits_of(spikes: torch.Tensor) -> Hits:
    """A raster, shape ``(steps, samples, crystals)``, as hits."""
    found = torch.nonzero(
        spikes.detach().transpose(0, 1), as_tuple=True
    )  # by sample, time, crystal: in order
    sample, time, crystal = (each.cpu().numpy() for each in found)
    return Hits(sample, crystal, time, np.full(len(sample), -1))
