"""The process grid: which rank holds which block of every matrix."""

from dataclasses import dataclass
from math import lcm


@dataclass(frozen=True)
class Grid:
    """``rows`` x ``cols`` ranks that hold one model together; rank ``i * cols + j`` is in row ``i`` and column ``j``.

    Every matrix is cut into ``rows`` x ``cols`` blocks, and rank (i, j) holds block (i, j). The paper's 1-way, 2-way and
    4-way layouts are the grids 1 x 1, 1 x 2 and 2 x 2 (sheet of the authors' code, Section 3.3).

    Args:
        rows: parts of the first axis of a matrix (tokens: longitudes).
        cols: parts of the second axis (channels: variables and levels).
        schedule: ``"balanced"`` (ours: every rank does the same work, one exchange in the backward pass where the
            operand is the same) or ``"paper"`` (the messages and products of the authors' code; 1 x 1, 1 x 2, 2 x 2 only).
    """

    rows: int = 1
    cols: int = 1
    schedule: str = "balanced"

    def __post_init__(self):
        if self.rows < 1 or self.cols < 1:
            raise ValueError(f"a grid has at least one row and one column, not {self.rows} x {self.cols}")
        if self.schedule not in ("balanced", "paper"):
            raise ValueError(f"schedule {self.schedule!r} is neither 'balanced' nor 'paper'")
        if self.schedule == "paper" and (self.rows, self.cols) not in ((1, 1), (1, 2), (2, 2)):
            raise ValueError(f"the paper has no schedule for {self.rows} x {self.cols} ranks")

    @classmethod
    def ways(cls, n: int, schedule: str = "balanced") -> "Grid":
        """The grid for ``n`` ranks that is as square as can be, with at least as many columns as rows: 2 is 1 x 2, 8 is 2 x 4."""
        rows = max(r for r in range(1, n + 1) if n % r == 0 and r * r <= n)
        return cls(rows, n // rows, schedule)

    @property
    def size(self) -> int:
        """Number of ranks."""
        return self.rows * self.cols

    @property
    def units(self) -> int:
        """Parts of an axis that both cuts, into rows and into columns, have as multiples."""
        return lcm(self.rows, self.cols)

    def rank(self, i: int, j: int) -> int:
        """The rank in row ``i`` and column ``j``."""
        return i * self.cols + j

    def place(self, rank: int) -> tuple[int, int]:
        """(row, column) of ``rank``."""
        return divmod(rank, self.cols)

    def row_of(self, rank: int) -> list[int]:
        """The ranks in the same row, in order: together they hold whole rows (all channels of their tokens)."""
        i, _ = self.place(rank)
        return [self.rank(i, j) for j in range(self.cols)]

    def column_of(self, rank: int) -> list[int]:
        """The ranks in the same column, in order: together they hold whole columns (all tokens of their channels)."""
        _, j = self.place(rank)
        return [self.rank(i, j) for i in range(self.rows)]

    def distance(self, source: int, dest: int) -> int:
        """In which round a block travels from ``source`` to ``dest``: its way around the ring of the grid's row or column."""
        (i, j), (k, m) = self.place(source), self.place(dest)
        return max((k - i) % self.rows, (m - j) % self.cols)

    def check_axis(self, name: str, length: int) -> None:
        """Raise ValueError unless an axis of ``length`` can be cut both into rows and into columns."""
        if length % self.units:
            raise ValueError(
                f"{name} has length {length}, which {self.rows} x {self.cols} ranks cannot share: "
                f"it must be a multiple of {self.units}"
            )
