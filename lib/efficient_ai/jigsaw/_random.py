"""Random numbers by position: any rank can draw its block of a random matrix without ever drawing the whole."""

import torch

_GOLDEN, _MIX1, _MIX2 = (
    -7046029254386353131,
    -4658895280553007687,
    -7723592293110705685,
)  # splitmix64, as signed


def uniform_at(index: torch.Tensor, *key: int) -> torch.Tensor:
    """Numbers in [0, 1) as float64, one for each 64-bit ``index``: a hash (splitmix64) of index and ``key``.

    The same index and key give the same number on every rank, whatever block it belongs to.
    """
    x = index.to(torch.int64)
    for part in key:
        x = _mix(x * 1 + _mix(torch.tensor(part, dtype=torch.int64, device=x.device)))
    return _shift(_mix(x), 11).to(torch.float64) / 2**53


def _mix(x: torch.Tensor) -> torch.Tensor:
    x = x + _GOLDEN
    x = (x ^ _shift(x, 30)) * _MIX1
    x = (x ^ _shift(x, 27)) * _MIX2
    return x ^ _shift(x, 31)


def _shift(x: torch.Tensor, bits: int) -> torch.Tensor:
    """Logical right shift of signed integers."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def index_of(rows: torch.Tensor, cols: torch.Tensor, width: int) -> torch.Tensor:
    """Positions in a row-major matrix of ``width`` columns: shape ``(len(rows), len(cols))``."""
    return rows[:, None] * width + cols[None, :]
