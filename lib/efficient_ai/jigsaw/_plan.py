"""Who multiplies what, and who sends what to whom: the plan of one distributed product, as data.

The three products of Section 3.4 (Y = X W, Y = X W^T, Y = X^T W) and the transpose, on any grid. Messages follow from the
products: an operand that is not where it is used must travel there, a result that is not where it belongs travels home.
The same plan is executed on ranks, counted for the traffic, and drawn.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from itertools import product as pairs

from efficient_ai.jigsaw._grid import Grid

OPS = ("XW", "XWT", "XTW")
Units = tuple[int, int] | None
"""Part of an axis, in units of the grid; ``None`` is all that the block has of it."""


@dataclass(frozen=True)
class Piece:
    """A part of the block of ``owner``: some of its rows, some of its columns."""

    owner: int
    rows: Units = None
    cols: Units = None


@dataclass(frozen=True)
class Product:
    """One block product: rank ``at`` multiplies ``x`` and ``w`` and adds the result to the part ``y`` of Y."""

    at: int
    x: Piece
    w: Piece
    y: Piece


def _overlaps(grid: Grid) -> list[tuple[int, int, tuple[int, int]]]:
    """(row part, column part, units they share) of an axis that one matrix cuts into rows and another into columns."""
    high, wide = grid.units // grid.rows, grid.units // grid.cols
    found = []
    for p, q in pairs(range(grid.rows), range(grid.cols)):
        begin, end = max(p * high, q * wide), min((p + 1) * high, (q + 1) * wide)
        if begin < end:
            found.append((p, q, (begin, end)))
    return found


@lru_cache
def plan(op: str, grid: Grid) -> tuple[Product, ...]:
    """The block products of ``op`` on ``grid``; each operand stays where it is as far as can be.

    ``XW``: the result stays, X travels along rows and W along columns of the grid. ``XWT``: X stays, W travels along
    columns and partial results along rows. ``XTW``: W stays, X travels along rows and partial results along columns.
    """
    if op not in OPS:
        raise ValueError(f"there is no product {op!r}; there are {', '.join(OPS)}")
    found = []
    for p, q, both in _overlaps(grid):
        if op == "XW":
            for i, j in pairs(range(grid.rows), range(grid.cols)):
                x, w = Piece(grid.rank(i, q), cols=both), Piece(grid.rank(p, j), rows=both)
                found.append(Product(grid.rank(i, j), x, w, Piece(grid.rank(i, j))))
        elif op == "XWT":  # rows of W become columns of Y: p counts the former, q the latter
            for i, k in pairs(range(grid.rows), range(grid.cols)):
                at, w = grid.rank(i, k), Piece(grid.rank(p, k), rows=both)
                found.append(Product(at, Piece(at), w, Piece(grid.rank(i, q), cols=both)))
        else:  # columns of X become rows of Y: q counts the former, p the latter
            for k, j in pairs(range(grid.rows), range(grid.cols)):
                at, x = grid.rank(k, j), Piece(grid.rank(k, q), cols=both)
                found.append(Product(at, x, Piece(at), Piece(grid.rank(p, j), rows=both)))
    if grid.schedule == "paper" and grid.size == 4 and op != "XW":
        found = [Product(_paper_rank(op, p), p.x, p.w, p.y) for p in found]
    return tuple(found)


def _paper_rank(op: str, p: Product) -> int:
    """Where the authors' 4-way code computes a product: ranks 1 and 2 do three each, ranks 0 and 3 one (Section 3.5)."""
    if p.y.owner in (1, 2):
        return p.y.owner
    if op == "XWT":  # Y00 = X00 W00^T + X01 W01^T, the second at rank 1; Y11 likewise at rank 2
        return p.x.owner
    return p.w.owner  # Y00 = X00^T W00 + X10^T W10, the second at rank 2; Y11 likewise at rank 1


@dataclass(frozen=True)
class Move:
    """A part of the block of ``source`` that becomes, transposed, a part of the block of ``dest``."""

    source: int
    dest: int
    rows: tuple[int, int]
    cols: tuple[int, int]


@lru_cache
def transpose_plan(grid: Grid) -> tuple[Move, ...]:
    """Who gives what to whom in a transpose: rows cut into ``grid.rows`` become columns cut into ``grid.cols``."""
    moves = []
    for p, j, rows in _overlaps(grid):
        for i, q, cols in _overlaps(grid):
            moves.append(Move(grid.rank(p, q), grid.rank(i, j), rows, cols))
    return tuple(moves)


def operand_messages(products: tuple[Product, ...]) -> list[tuple[str, int, int]]:
    """(operand ``"x"`` or ``"w"``, owner, destination) of every block that must travel; each block once."""
    wanted = {("x", p.x.owner, p.at) for p in products} | {("w", p.w.owner, p.at) for p in products}
    return sorted(m for m in wanted if m[1] != m[2])


def result_messages(products: tuple[Product, ...]) -> list[tuple[int, int]]:
    """(source, destination) of every partial result that must travel home."""
    return sorted({(p.at, p.y.owner) for p in products if p.at != p.y.owner})


def work(op: str, grid: Grid) -> list[float]:
    """Block products of each rank, in units of one 1/n of a rank's fair share times ``max(rows, cols)``.

    On 2 x 2 this is the number of block products: 2 for every rank when balanced, 1, 3, 3, 1 in the paper's schedule.
    """
    share = Counter()
    for p in plan(op, grid):
        part = (p.x.cols or p.w.rows or p.y.cols or (0, grid.units)) if op == "XW" else (p.w.rows or p.x.cols)
        share[p.at] += (part[1] - part[0]) / grid.units
    return [share[rank] * max(grid.rows, grid.cols) for rank in range(grid.size)]
