"""A plan turned into an order: what a rank computes in which round, and which messages belong to each round."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._plan import Product, plan

HOME = 500  # tags from here on belong to partial results


@dataclass(frozen=True)
class Job:
    """One distributed product: ``op`` of :data:`OPS`, the names of its operands, and whether to sum over the batch axis."""

    op: str
    x: str
    w: str
    sum_batch: bool = False


@dataclass(frozen=True)
class Task:
    """A block product of job number ``job``, and the round from which on its operands are there."""

    job: int
    what: Job
    product: Product
    round: int

    @property
    def at(self) -> int:
        return self.product.at

    @property
    def dest(self) -> int:
        return self.product.y.owner

    @property
    def needs(self) -> tuple[tuple[str, int], tuple[str, int]]:
        """(name, owner) of both operands."""
        return (self.what.x, self.product.x.owner), (self.what.w, self.product.w.owner)


@dataclass(frozen=True)
class Order:
    """Everything that happens for some jobs on a grid, the same on all ranks.

    Args:
        tasks: all block products.
        travels: (tag, round, operand, owner, destination) of each block that travels.
        homes: (tag, round, job, source, destination) of each partial result that travels.
        rounds: how many rounds of blocks there are; round 0 needs none.
        home_round: the round in which the last product for another rank is computed; -1 if there is none.
        home_rounds: how many rounds of partial results follow it.
    """

    tasks: tuple[Task, ...]
    travels: tuple[tuple[int, int, str, int, int], ...]
    homes: tuple[tuple[int, int, int, int, int], ...]
    rounds: int
    home_round: int
    home_rounds: int


@lru_cache(maxsize=256)
def order(jobs: Sequence[Job], grid: Grid) -> Order:
    """The order of all block products and messages of ``jobs``; a block that several of them need travels once."""
    tasks = []
    for index, job in enumerate(jobs):
        for p in plan(job.op, grid):
            number = max(grid.distance(p.x.owner, p.at), grid.distance(p.w.owner, p.at))
            tasks.append(Task(index, job, p, number))
    blocks = sorted({(name, owner, t.at) for t in tasks for name, owner in t.needs if owner != t.at})
    travels = [(tag, grid.distance(block[1], block[2]), *block) for tag, block in enumerate(blocks)]
    parts = sorted({(t.job, t.at, t.dest) for t in tasks if t.at != t.dest})
    homes = [(tag, grid.distance(part[1], part[2]), *part) for tag, part in enumerate(parts, HOME)]
    return Order(
        tuple(tasks),
        tuple(travels),
        tuple(homes),
        rounds=1 + max(task.round for task in tasks),
        home_round=max((task.round for task in tasks if task.at != task.dest), default=-1),
        home_rounds=max((number for _, number, *_ in homes), default=0),
    )
