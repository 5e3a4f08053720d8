"""A list of sample files for training: looked at before the first step, dealt out so that all instances stay in step."""

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
import torch

from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._reader import SampleFile
from efficient_ai.training import generator


class SampleList:
    """Files of float32 ``(2 x channels, lat, lon)``: a state, then the next state.

    Args:
        paths: of the files.
        shape: (channels, lat, lon) of one state.

    Raises:
        ValueError: no file, a file that is missing or of another size; it is named.
    """

    def __init__(self, paths: list[Path], shape: tuple[int, int, int]):
        self.paths, self.shape = [Path(p) for p in paths], tuple(shape)
        wanted = 2 * 4 * prod(self.shape)
        if not self.paths:
            raise ValueError("the list of samples is empty: name at least one file, one per line")
        for path in self.paths:
            if not path.is_file():
                raise ValueError(f"{path} is not there, or is no file")
            if (size := path.stat().st_size) != wanted:
                raise ValueError(
                    f"{path} has {size} bytes; two states of float32 {self.shape} are {wanted}{_guess(size, wanted)}"
                )

    @classmethod
    def from_text(cls, path: Path, shape: tuple[int, int, int]) -> "SampleList":
        """Of a text file with one sample file per line; names may hold blanks, and are relative to the list's folder.

        Raises:
            ValueError: as the class, or the list cannot be read.
        """
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path}: the list of samples cannot be read ({error})") from error
        return cls([path.parent / line.strip() for line in lines if line.strip()], shape)

    def batches(
        self, grid: Grid, rank: int, batch: int, instance: int, instances: int, skip: int = 0
    ) -> Iterator[torch.Tensor]:
        """Blocks ``[batch, 2 channels, lat, lon]`` of one rank of one instance, without end.

        In each turn all files are shuffled alike everywhere, and what does not fill a batch of every instance waits for the next.
        A run that goes on leaves out the first ``skip`` batches, which are not read.

        Raises:
            ValueError: fewer files than one step takes, or a block with values that are not finite; the file is named.
        """
        each = batch * instances
        if batch < 1 or each > len(self.paths):
            raise ValueError(
                f"a step takes {each} samples ({batch} for each of {instances} instances) and the list has {len(self.paths)}: "
                "name more files, or take a smaller batch or fewer ranks"
            )
        return self._deal(grid, rank, batch, instance, each, skip)

    def _deal(self, grid, rank, batch, instance, each, skip) -> Iterator[torch.Tensor]:
        turn = 0
        while True:
            order = torch.randperm(len(self.paths), generator=generator(turn)).tolist()
            for first in range(0, len(order) - each + 1, each):
                mine = order[first + instance * batch : first + (instance + 1) * batch]
                if skip > 0:
                    skip -= 1
                    continue
                yield torch.stack([self._pair(self.paths[k], grid, rank) for k in mine])
            turn += 1

    def _pair(self, path: Path, grid: Grid, rank: int) -> torch.Tensor:
        """State and next state of this rank, each cut out of its own half of the file: ``[2 channels, lat, lon]``."""
        halves = [
            SampleFile(path, self.shape, offset=4 * part * prod(self.shape)).read(grid, rank).block
            for part in (0, 1)
        ]
        for part, half in zip(("state", "next state"), halves, strict=True):
            if not np.isfinite(half).all():
                raise ValueError(f"{path}: the {part} holds values that are not finite: fill or leave it out")
        return torch.cat([torch.from_numpy(half) for half in halves])


def _guess(size: int, wanted: int) -> str:
    if size == 2 * wanted:
        return ": is it float64, or does it hold four states?"
    if 2 * size == wanted:
        return ": does it hold one state, or float16?"
    return ""
