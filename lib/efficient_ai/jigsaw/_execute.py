"""The engine: carries out the plans of one or more products, with messages that travel while local blocks are multiplied."""

from collections.abc import Mapping, Sequence

import torch

from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._plan import Piece, transpose_plan
from efficient_ai.jigsaw._tasks import Job, Task, order
from efficient_ai.transport import Transport


def multiply(
    op: str,
    x: torch.Tensor,
    w: torch.Tensor,
    grid: Grid,
    transport: Transport,
    sum_batch: bool = False,
    bias: torch.Tensor | None = None,
) -> torch.Tensor:
    """This rank's block of X W (``"XW"``), X W^T (``"XWT"``) or X^T W (``"XTW"``); Sections 3.4 and 3.5.

    Args:
        x: own block of X, ``[batch,] rows / grid.rows, cols / grid.cols``.
        w: own block of W, cut in the same way.
        sum_batch: sum the products over the batch axis that both operands have.
        bias: added to each row of the own block, ``cols of the result / grid.cols``.
    """
    return execute((Job(op, "x", "w", sum_batch),), {"x": x, "w": w}, grid, transport, bias)[0]


def execute(
    jobs: Sequence[Job],
    operands: Mapping[str, torch.Tensor],
    grid: Grid,
    transport: Transport,
    bias: torch.Tensor | None = None,
) -> list[torch.Tensor]:
    """This rank's blocks of the results of all ``jobs``; a block that several of them need travels once.

    ``bias`` is added to the result of the first job.

    Blocks travel in rounds around the rings of the grid: the blocks of the next round are under way while the products of
    this one are computed, and a received block is dropped after its last use.
    """
    return _Run(tuple(jobs), operands, grid, transport, bias).results()


def block_product(op: str, x: torch.Tensor, w: torch.Tensor, sum_batch: bool = False) -> torch.Tensor:
    """x w, x w^T or x^T w of local blocks ``[batch,] rows, cols``; either operand may lack the batch axis."""
    x = x.mT if op == "XTW" else x
    w = w.mT if op == "XWT" else w
    return torch.einsum("bmk,bkn->mn", x, w) if sum_batch else x @ w


class _Run:
    """One call of :func:`execute` on one rank."""

    def __init__(self, jobs, operands, grid: Grid, transport: Transport, bias):
        self.jobs, self.operands, self.grid, self.transport, self.bias = jobs, operands, grid, transport, bias
        self.me, self.order = transport.rank, order(jobs, grid)
        self.blocks = {(name, self.me): tensor for name, tensor in operands.items()}
        self.sums: dict[tuple[int, int], torch.Tensor] = {}  # (job, rank it belongs to) -> block of a result

    def results(self) -> list[torch.Tensor]:
        mine = [task for task in self.order.tasks if task.at == self.me]
        under_way = self._post(1) if self.order.rounds > 1 else None
        homeward = None
        for number in range(self.order.rounds):
            if number:
                under_way.wait()
                under_way = self._post(number + 1)
            now = [task for task in mine if task.round == number]
            if number == self.order.home_round:  # products for others first: they travel while we do our own
                for step in range(1, self.order.home_rounds + 1):
                    self._compute([task for task in now if self._way(task) == step])
                    if homeward:
                        self._settle(homeward)
                    homeward = self._post_home(step)
                now = [task for task in now if task.dest == self.me]
            self._compute(now)
            self._drop([task for task in mine if task.round > number], number)
        if homeward:
            self._settle(homeward)
        return [self.sums[index, self.me] for index in range(len(self.jobs))]

    def _way(self, task: Task) -> int:
        return self.grid.distance(task.at, task.dest)

    def _post(self, number: int):
        """Start the messages of a round of blocks."""
        sends, receives = [], []
        for tag, when, name, owner, at in self.order.travels:
            if when != number or self.me not in (owner, at):
                continue
            own = self.operands[name]
            if owner == self.me:
                sends.append((own.contiguous(), at, tag))
            else:
                self.blocks[name, owner] = torch.empty_like(own, memory_format=torch.contiguous_format)
                receives.append((self.blocks[name, owner], owner, tag))
        return self.transport.post(sends, receives)

    def _post_home(self, step: int):
        """Start the partial results of a round: ours to their owners, those for us into buffers."""
        sends, arrivals = [], []
        for tag, when, job, source, dest in self.order.homes:
            if when != step:
                continue
            if source == self.me:
                sends.append((self.sums.pop((job, dest)).contiguous(), dest, tag))
            elif dest == self.me:
                arrivals.append((self._empty_result(job), source, tag, job))
        return self.transport.post(sends, [message[:3] for message in arrivals]), arrivals

    def _settle(self, homeward) -> None:
        request, arrivals = homeward
        request.wait()
        for buffer, _, _, job in arrivals:
            self._accumulate(job, self.me, buffer)

    def _compute(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            x, w = (self.blocks[key] for key in task.needs)
            p, job = task.product, task.what
            x, w = cut(x, p.x, self.grid), cut(w, p.w, self.grid)
            if covers(p.y, self.grid):
                self._add_product(task, x, w)
            else:
                self._place(task, block_product(job.op, x, w, job.sum_batch))

    def _start(self, job: int, dest: int) -> torch.Tensor | None:
        """What a product for this block is added to: the sum so far, the bias of the own block, or nothing."""
        return self.sums.get((job, dest), self.bias if (job, dest) == (0, self.me) else None)

    def _add_product(self, task: Task, x: torch.Tensor, w: torch.Tensor) -> None:
        """Add x w to a block of a result; a product of matrices adds by itself, without an array in between."""
        job, key = task.what, (task.job, task.dest)
        start = self._start(*key)
        if start is None or x.ndim > 2 or w.ndim > 2:
            self._accumulate(*key, block_product(job.op, x, w, job.sum_batch))
            return
        left, right = (x.mT if job.op == "XTW" else x), (w.mT if job.op == "XWT" else w)
        if key in self.sums:
            start.addmm_(left, right)
        else:
            self.sums[key] = torch.addmm(start, left, right)

    def _accumulate(self, job: int, dest: int, value: torch.Tensor) -> None:
        start = self._start(job, dest)
        if (job, dest) in self.sums:
            start.add_(value)
        else:
            self.sums[job, dest] = value if start is None else value.add_(start)

    def _place(self, task: Task, value: torch.Tensor) -> None:
        """Add a product to the part of a result where it belongs."""
        key = task.job, task.dest
        if key not in self.sums:
            start = self._start(*key)
            self.sums[key] = self._empty_result(task.job).copy_(torch.zeros(()) if start is None else start)
        cut(self.sums[key], task.product.y, self.grid).add_(value)

    def _empty_result(self, index: int) -> torch.Tensor:
        """An uninitialised block of the result of a job."""
        job, grid = self.jobs[index], self.grid
        x, w = self.operands[job.x], self.operands[job.w]
        rows = x.shape[-1] * grid.cols // grid.rows if job.op == "XTW" else x.shape[-2]
        cols = w.shape[-2] * grid.rows // grid.cols if job.op == "XWT" else w.shape[-1]
        batch = () if job.sum_batch else (x if x.ndim >= w.ndim else w).shape[:-2]
        return x.new_empty((*batch, rows, cols))

    def _drop(self, later: Sequence[Task], number: int) -> None:
        """Let go of received blocks that no later product needs; those still under way stay."""
        needed = {key for task in later for key in task.needs}
        for key in [key for key in self.blocks if key[1] != self.me and key not in needed]:
            if self.grid.distance(key[1], self.me) <= number:
                del self.blocks[key]


def covers(piece: Piece, grid: Grid) -> bool:
    """Whether a piece is all of its block."""
    i, j = grid.place(piece.owner)
    high, wide = grid.units // grid.rows, grid.units // grid.cols
    return piece.rows in (None, (i * high, (i + 1) * high)) and piece.cols in (
        None,
        (j * wide, (j + 1) * wide),
    )


def cut(block: torch.Tensor, piece: Piece, grid: Grid) -> torch.Tensor:
    """The part of a block that a piece names, as a view."""
    i, j = grid.place(piece.owner)
    for axis, part, number, begin in ((-2, piece.rows, grid.rows, i), (-1, piece.cols, grid.cols, j)):
        if part is not None:
            length = block.shape[axis] * number  # of the whole axis
            first = length * part[0] // grid.units - begin * block.shape[axis]
            block = block.narrow(axis, first, length * (part[1] - part[0]) // grid.units)
    return block


def transpose(x: torch.Tensor, grid: Grid, transport: Transport) -> torch.Tensor:
    """This rank's block of X^T, as a tensor of its own: ``[batch,] cols / grid.rows, rows / grid.cols`` of the whole X.

    A view of a receive buffer would do for one exchange and be overwritten by the next, if buffers are used again.
    """
    me = transport.rank
    rows, cols = x.shape[-1] * grid.cols // grid.rows, x.shape[-2] * grid.rows // grid.cols
    result = x.new_empty((*x.shape[:-2], rows, cols))
    sends, arrivals, own = [], [], []
    for tag, move in enumerate(transpose_plan(grid)):
        if move.dest == me:
            target = cut(result, Piece(me, move.cols, move.rows), grid)
        if move.source == me:
            part = cut(x, Piece(me, move.rows, move.cols), grid)
            if move.dest == me:
                own.append((target, part))
            else:
                sends.append((part.contiguous(), move.dest, tag))
        elif move.dest == me:
            arrivals.append((x.new_empty(target.mT.shape), move.source, tag, target))
    request = transport.post(sends, [message[:3] for message in arrivals])
    for target, part in own:
        target.copy_(part.mT)
    request.wait()
    for buffer, _, _, target in arrivals:
        target.copy_(buffer.mT)
    return result
