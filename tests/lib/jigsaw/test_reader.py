"""Reading in pieces: the right values, only their bytes, only their pages; and a disk that keeps its rate."""

import ctypes
import mmap
import os
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficient_ai.jigsaw import Grid, Prefetcher, SampleFile, Throttle

SHAPE = (8, 18, 1440)


@pytest.mark.parametrize("tiles", [1, 2, 4])
@pytest.mark.parametrize("grid", [Grid(1, 1), Grid(1, 2), Grid(2, 2), Grid(2, 1)])
def test_the_blocks_of_all_ranks_are_the_sample(tmp_path, tiles, grid):
    file = SampleFile(tmp_path / "a", SHAPE, tiles)
    file.create(seed=3)
    reads = [file.read(grid, rank) for rank in range(grid.size)]
    rows = [
        np.concatenate([reads[grid.rank(i, j)].block for j in range(grid.cols)], axis=0)
        for i in range(grid.rows)
    ]
    whole = np.concatenate(rows, axis=2)
    assert np.array_equal(whole, file.read(Grid(), 0).block)
    assert sum(read.bytes for read in reads) == file.bytes == 4 * np.prod(SHAPE)
    assert {read.bytes for read in reads} == {file.bytes // grid.size}


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_pages_are_those_in_which_the_bytes_lie(channels, lat, scale, rank):
    shape, grid = (2 * channels, lat, 360 * scale), Grid(2, 2)
    i, j = grid.place(rank)
    inside = np.zeros(shape, bool)
    inside[j * channels : (j + 1) * channels, :, i * 180 * scale : (i + 1) * 180 * scale] = True
    expected = np.unique(np.flatnonzero(np.repeat(inside.reshape(-1), 4)) // 4096)
    assert np.array_equal(SampleFile("unused", shape).pages(grid, rank), expected)


def test_a_file_in_tiles_needs_half_the_pages(tmp_path):
    rows, tiles = SampleFile("unused", SHAPE, 1), SampleFile("unused", SHAPE, 2)
    grid = Grid(2, 2)
    assert len(rows.pages(grid, 0)) > 0.95 * len(rows.pages(Grid(1, 2), 0))
    assert len(tiles.pages(grid, 0)) < 0.55 * len(rows.pages(grid, 0))


def resident(path):
    """Numbers of the pages of a file that are in memory, asked from the kernel."""
    size = os.path.getsize(path)
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), size) as view:
        base = ctypes.addressof(ctypes.c_char.from_buffer(view))
        pages = (size + 4095) // 4096
        found = (ctypes.c_ubyte * pages)()
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mincore.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
        assert libc.mincore(base, size, found) == 0
        return {i for i in range(pages) if found[i] & 1}


@pytest.mark.skipif(sys.platform != "linux", reason="mincore and posix_fadvise are asked as on Linux")
def test_the_kernel_says_that_nothing_else_was_read(tmp_path):
    file = SampleFile(tmp_path / "a", (32, 256, 1440))  # 47 MB
    file.create()
    with open(file.path, "rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if resident(file.path):
        pytest.skip("this file system keeps written pages in memory")
    file.read(Grid(1, 2), 1)
    mine, found = set(file.pages(Grid(1, 2), 1)), resident(file.path)
    assert mine <= found
    # Read-ahead of the kernel fetches some pages before the block; the far part of the file stays untouched.
    assert min(found) > 0.25 * max(found)


def test_what_cannot_be_cut_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot lie in 7 tiles"):
        SampleFile(tmp_path / "a", SHAPE, 7)
    with pytest.raises(ValueError, match="cannot be cut for 1 x 3"):
        SampleFile(tmp_path / "a", SHAPE).read(Grid(1, 3), 0)
    with pytest.raises(ValueError, match="more than 0"):
        Throttle(0)


def test_a_throttle_takes_at_least_its_time():
    begin = time.perf_counter()
    Throttle(1e6).transfer(50_000)
    assert time.perf_counter() - begin >= 0.05


def test_prefetching_gives_the_block_and_counts(tmp_path):
    file = SampleFile(tmp_path / "a", (4, 3, 8))
    file.create()
    source = Prefetcher(file, Grid(1, 2), 1, Throttle(1e9))
    first, last = source.next(), source.next(more=False)
    assert first.shape == (1, 2, 3, 8) and np.array_equal(first, last)
    assert np.array_equal(first[0], file.read(Grid(1, 2), 1).block) and source.bytes == 2 * 2 * 3 * 8 * 4
