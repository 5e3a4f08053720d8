"""Reading a sample: each rank touches the bytes of its block only, and counts them."""

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np
import torch

from efficient_ai.jigsaw._grid import Grid

PAGE = 4096


@dataclass(frozen=True)
class Read:
    """A block that was read: values ``[channels, lat, lon]``, bytes asked for, bytes of all pages touched, seconds."""

    block: np.ndarray
    bytes: int
    page_bytes: int
    seconds: float


class SampleFile:
    """A sample in one file of float32, memory-mapped.

    Args:
        path: the file.
        shape: (channels, lat, lon).
        tiles: 1 for the usual order, row by row; r for a file in which each of r parts of the longitudes lies in one piece, so
            that a rank's block is contiguous on disk.
        offset: bytes of the file before the sample.
    """

    def __init__(self, path: Path | str, shape: tuple[int, int, int], tiles: int = 1, offset: int = 0):
        self.path, self.shape, self.tiles, self.offset = Path(path), shape, tiles, offset
        if shape[2] % tiles:
            raise ValueError(f"{shape[2]} longitudes cannot lie in {tiles} tiles")

    @property
    def bytes(self) -> int:
        """Size of the whole sample."""
        return 4 * int(np.prod(self.shape))

    def _map(self, mode: str) -> np.ndarray:
        channels, lat, lon = self.shape
        shape = channels, self.tiles, lat, lon // self.tiles
        return np.memmap(self.path, np.float32, mode, offset=self.offset, shape=shape)

    def create(self, seed: int = 0) -> None:
        """Write a sample of random numbers, channel by channel, never holding more than one channel."""
        rng, out = np.random.default_rng(seed), self._map("w+")
        for channel in out:
            channel[:] = rng.standard_normal(channel.shape, dtype=np.float32)
        out.flush()

    def read(self, grid: Grid, rank: int) -> Read:
        """The block of ``rank``: its channels and its longitudes, copied out of the map; nothing else is touched."""
        i, j = grid.place(rank)
        channels, lat, lon = self.shape
        if channels % grid.cols or lon % grid.rows or (self.tiles > 1 and self.tiles % grid.rows):
            raise ValueError(
                f"{self.shape} in {self.tiles} tiles cannot be cut for {grid.rows} x {grid.cols} ranks"
            )
        begin = time.perf_counter()
        wanted = slice(j * channels // grid.cols, (j + 1) * channels // grid.cols)
        data = self._map("r")[wanted]
        if self.tiles == 1:
            part = data[:, :, :, i * lon // grid.rows : (i + 1) * lon // grid.rows]
        else:
            part = data[:, i * self.tiles // grid.rows : (i + 1) * self.tiles // grid.rows]
        block = np.array(part.transpose(0, 2, 1, 3)).reshape(part.shape[0], lat, -1)
        seconds = time.perf_counter() - begin
        return Read(block, block.nbytes, PAGE * len(self.pages(grid, rank)), seconds)

    def pages(self, grid: Grid, rank: int) -> np.ndarray:
        """Numbers of the pages of the file, 4096 bytes each, in which the block of ``rank`` lies."""
        i, j = grid.place(rank)
        channels, lat, lon = self.shape
        width, mine = lon // self.tiles, lon // grid.rows
        first = np.arange(j * channels // grid.cols, (j + 1) * channels // grid.cols)[:, None] * lat * lon
        if self.tiles == 1:
            starts = (first + np.arange(lat) * lon + i * mine).reshape(-1)
            length = mine
        else:
            tiles = np.arange(i * self.tiles // grid.rows, (i + 1) * self.tiles // grid.rows)
            starts = (first + tiles * lat * width).reshape(-1)
            length = lat * width
        low = (self.offset + starts * 4) // PAGE
        high = (self.offset + (starts + length) * 4 - 1) // PAGE
        spans = [np.arange(a, b + 1) for a, b in zip(low, high, strict=True)]
        return np.unique(np.concatenate(spans))


class Throttle:
    """A disk that gives ``bytes_per_second`` to each rank: it sleeps as long as a transfer would take.

    A token bucket without a stock: transfers follow each other, and time in which nothing was asked for is lost.
    """

    def __init__(self, bytes_per_second: float):
        if not bytes_per_second > 0:
            raise ValueError(f"a disk gives more than {bytes_per_second} bytes per second")
        self.bytes_per_second = bytes_per_second

    def transfer(self, size: int) -> None:
        """Return when ``size`` bytes would have come."""
        time.sleep(size / self.bytes_per_second)


class Prefetcher:
    """Reads the next sample in a thread while the current one is used; what goes wrong there is raised by :meth:`next`."""

    def __init__(self, file: SampleFile, grid: Grid, rank: int, throttle: Throttle | None = None):
        self._args, self._throttle, self.bytes = (file, grid, rank), throttle, 0
        self._fetch()

    def _fetch(self) -> None:
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        file, grid, rank = self._args
        try:
            self._found = file.read(grid, rank)
            if self._throttle:
                self._throttle.transfer(self._found.bytes)
        except Exception as error:
            self._found = error

    def next(self, more: bool = True) -> torch.Tensor:
        """The sample that was fetched, ``[1, channels, lat, lon]``; the next one is begun at once if ``more``."""
        self._thread.join()
        found = self._found
        if isinstance(found, Exception):
            raise found
        self.bytes += found.bytes
        if more:
            self._fetch()
        return torch.from_numpy(found.block)[None]
