"""F³ on MPI ranks, unlocked: activations forward, yesterday's errors from the last rank to all, and nothing else."""

import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from efficient_ai._files import write_atomic
from efficient_ai.f3._blocks import shapes
from efficient_ai.f3._line import ACTIVATION, ERROR, Line, partition
from efficient_ai.f3._rules import LastLayerOnly, Rule
from efficient_ai.f3._signals import Loss
from efficient_ai.f3._stage import MakeOptimiser, Stage
from efficient_ai.f3._table import ErrorTable
from efficient_ai.f3._trainer import _dtype, ending
from efficient_ai.training import generator


class RankedBlocks:
    """What pipelines share: who has which blocks, and that all ranks agree on it before a message is sent.

    Args:
        comm: an mpi4py communicator; rank r hands on to rank r + 1.
        blocks: all blocks, made alike on every rank (:func:`mlp` does that from its seed); a rank keeps its own.
        rule, loss, optimiser: as for :class:`Trainer`.
        sample: a few inputs, alike on every rank.
        samples: training samples in all, N.
        batch_size: samples per step.
        seed: of feedback, order and random numbers inside blocks.
        cuts: number of the first block of each rank; by default the dearest rank, counted in parameters, is as cheap as can be.
        patience: seconds without an answer after which a wait becomes an error.

    Raises:
        ValueError: on every rank, if they do not agree or the blocks cannot be dealt to them.
    """

    def __init__(
        self,
        comm: Any,
        blocks: Sequence[nn.Module],
        rule: Rule,
        loss: Loss,
        optimiser: MakeOptimiser,
        *,
        sample: Tensor,
        samples: int,
        batch_size: int,
        seed: int = 0,
        cuts: Sequence[int] | None = None,
        patience: float = 300.0,
    ):
        self.line = Line(comm, patience)
        self.rank, self.size = comm.rank, comm.size
        self.rule, self.samples, self.batch_size, self.seed = rule, samples, batch_size, seed

        def check():
            for name, value in (("samples", samples), ("batch_size", batch_size)):
                if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                    raise ValueError(
                        f"{name} must be a whole number of at least 1, not {value!r}: is there no data?"
                    )
            costs = [max(1, sum(p.numel() for p in block.parameters())) for block in blocks]
            chosen = partition(costs, comm.size) if cuts is None else list(cuts)
            ends = [*chosen, len(blocks)]
            if len(chosen) != comm.size or chosen[0] != 0 or any(a >= b for a, b in pairwise(ends)):
                raise ValueError(
                    f"cuts {chosen} must begin at 0, rise, and name a first block for each of {comm.size} ranks"
                )
            return chosen, shapes(blocks, sample)

        (self.cuts, self.shapes) = self.line.agree_on(check)
        weights = [float(sum(p.detach().double().sum() for p in block.parameters())) for block in blocks]
        facts = (
            repr(rule),
            samples,
            batch_size,
            seed,
            self.cuts,
            [tuple(s) for s, _ in self.shapes],
            weights,
        )
        told = self.line.agree(facts=facts)
        differ = [rank for rank, fact in enumerate(told) if fact != told[0]]
        if differ:
            raise ValueError(f"rank {differ[0]} was given other blocks, sizes, rule or seed than rank 0")
        self.total, self.components = len(blocks), self.shapes[-1][0].numel()
        first, end = self.cuts[self.rank], [*self.cuts, self.total][self.rank + 1]
        self.stage = Stage(
            list(blocks)[first:end],
            [shape.numel() for shape, _ in self.shapes[first:end]],
            first,
            self.total,
            self.components,
            rule,
            loss,
            optimiser,
            seed,
            ending(blocks),
        )
        self.dtype, self.device = _dtype(blocks, sample), sample.device
        self.steps = self.epochs = 0

    @property
    def is_last(self) -> bool:
        """Whether this rank has the last block, the targets and the table."""
        return self.rank == self.size - 1

    def inbox(self, rows: int) -> Tensor:
        """An empty tensor for the activations that come from the rank before."""
        shape, dtype = self.shapes[self.stage.first - 1]
        return torch.empty((rows, *shape), dtype=dtype, device=self.device)

    def check_data(self, x: Tensor | None, y: Tensor | None) -> None:
        """Inputs are needed on the first rank, targets on the last; refused on all ranks if they do not fit. Collective."""

        def check():
            if self.rank == 0 and (x is None or len(x) != self.samples):
                raise ValueError(f"rank 0 needs {self.samples} inputs, got {'none' if x is None else len(x)}")
            if self.rank == 0 and not torch.isfinite(x).all():
                raise ValueError("an input is not finite: fill or drop such samples first")
            if self.is_last and (y is None or y.shape != (self.samples, self.components)):
                shape = None if y is None else tuple(y.shape)
                raise ValueError(
                    f"the last rank needs targets of shape {(self.samples, self.components)}, got {shape}"
                )
            if self.is_last and not torch.isfinite(y).all():
                raise ValueError("a target is not finite: fill or drop such samples first")

        self.line.agree_on(check)

    def batches(self, epoch: int) -> list[Tensor]:
        """Indices of each batch of an epoch, the same on every rank and in :meth:`Trainer.order`."""
        return list(
            torch.randperm(self.samples, generator=generator(self.seed, epoch)).split(self.batch_size)
        )


class Pipeline(RankedBlocks):
    """Blocks on ranks, each updated as soon as a batch has passed through it. Arguments as for :class:`RankedBlocks`.

    Every rank works on a batch of its own: rank r on batch t - r. At the border of two epochs F³ with a delay of 1 has to wait
    until the last rank has finished; with a delay of 2, and for DRTP and Mono-Forward, nobody waits.
    """

    def __init__(self, comm: Any, blocks: Sequence[nn.Module], rule: Rule, *args: Any, **kwargs: Any):
        super().__init__(comm, blocks, rule, *args, **kwargs)
        problem = (
            ""
            if rule.sweeps
            else f"{rule.name} waits for the output: use GPipe for BP, Trainer for the others"
        )
        self.line.agree(problem)
        self.table = None
        if rule.uses_table and self.is_last:
            self.table = ErrorTable(
                self.samples,
                self.components,
                delay=rule.delay,
                initial=rule.initial,
                store=rule.store,
                dtype=self.dtype,
                device=self.device,
            )
        self._ahead = 0 if rule.uses_table and rule.delay == 1 else 1

    def fit(
        self, x: Tensor | None, y: Tensor | None, epochs: int, *, checkpoint: str | Path | None = None
    ) -> list[float]:
        """Train for ``epochs`` epochs. Collective; ends on all ranks or on none.

        Args:
            x: all inputs ``(N, ...)``, on rank 0; not looked at elsewhere.
            y: all targets ``(N, C)``, on the last rank; not looked at elsewhere.
            epochs: how many.
            checkpoint: a file that rank 0 writes after each epoch, which :class:`Trainer` and any pipeline can load.

        Returns:
            mean loss of each epoch on the last rank, an empty list elsewhere
        """
        self.check_data(x, y)
        losses, told_until = [], self.epochs
        with self.line.together():
            last = self.epochs + epochs
            for epoch in range(self.epochs, last):
                reach = min(last, epoch + 1 + self._ahead)
                for ahead in range(told_until, reach):
                    self._tell(y, ahead, ahead - epoch)
                told_until = reach
                loss = self._epoch(x, y, epoch)
                self.epochs = epoch + 1
                if self.is_last:
                    losses.append(loss)
                if checkpoint is not None:
                    state = self.collect()
                    if self.rank == 0:
                        _save(state, checkpoint)
        return losses

    def _tell(self, y: Tensor | None, epoch: int, ahead: int) -> None:
        """The last rank sends what the samples of an epoch will be told, batch by batch, to every other rank."""
        if not self.is_last or isinstance(self.rule, LastLayerOnly):
            return
        self.line.settle(4 * (self.size - 1) * len(self.batches(epoch)))
        for chosen in self.batches(epoch):
            target = y[chosen]
            told = target if self.table is None else self.table.read(chosen, target, ahead)
            for rank in range(self.size - 1):
                self.line.send(told.contiguous(), rank, ERROR)

    def _epoch(self, x, y, epoch) -> float:
        chosen, line = self.batches(epoch), self.line
        boxes: dict[int, tuple] = {}
        total = torch.zeros((), dtype=torch.float64)

        def post(batch: int) -> None:
            """Receive early: the sender of a large message can only go on when its receiver has opened a box."""
            if batch >= len(chosen) or batch in boxes:
                return
            rows = len(chosen[batch])
            h = None if self.rank == 0 else line.receive(self.inbox(rows), self.rank - 1, ACTIVATION)
            told = None
            if not self.is_last and not isinstance(self.rule, LastLayerOnly):
                empty = torch.empty(rows, self.components, dtype=self.dtype, device=self.device)
                told = line.receive(empty, self.size - 1, ERROR)
            boxes[batch] = (h, told)

        for batch, index in enumerate(chosen):
            post(batch)
            post(batch + 1)
            h_box, told_box = boxes.pop(batch)
            if told_box is not None:
                line.wait(told_box[0], "errors", epoch, batch)
            if h_box is not None:
                line.wait(h_box[0], "activations", epoch, batch)
            began = time.time()
            h = x[index] if h_box is None else h_box[1]
            if self.is_last:
                total += self._finish(h, y[index], index)
            else:
                h = self._pass(h, None if told_box is None else told_box[1])
            line.note("work", epoch, batch, began, time.time())
            if not self.is_last:
                line.settle(3)
                line.send(h.contiguous(), self.rank + 1, ACTIVATION)
            else:
                line.sweep_sent()
            self.steps += 1
        return float(total) / self.samples

    def _pass(self, h: Tensor, told: Tensor | None) -> Tensor:
        self.stage.train()
        for number in self.stage.numbers:
            h = self.stage.hidden_step(number, h, told, self.steps)
        return h

    def _finish(self, h: Tensor, target: Tensor, index: Tensor) -> float:
        """The last rank: its hidden blocks, the exact gradient of the last one, and what tomorrow's epoch will be told."""
        stage, told = self.stage, None
        stage.train()
        if not isinstance(self.rule, LastLayerOnly):
            told = target if self.table is None else self.table.read(index, target)
        for number in stage.numbers[:-1]:
            h = stage.hidden_step(number, h, told, self.steps)
        out, loss = stage.last_gradient(h, target, self.steps)
        if not torch.isfinite(out).all():
            raise FloatingPointError(
                f"the output is not finite at step {self.steps}: lower the learning rate"
            )
        stage.update(self.total - 1)
        if self.table is not None:
            self.table.write(index, stage.error(out, target), target, self.steps)
        return float(loss) * len(index)

    # ----- states, the same as Trainer's

    def collect(self) -> dict:
        """The state of the whole network on every rank, as :meth:`Trainer.state_dict` gives it. Collective."""
        own = {_renumbered(k, self.stage.first): v for k, v in self.stage.state_dict().items()}
        mine = (own, {n: o.state_dict() for n, o in self.stage.optimisers.items()})
        parts = self.line.comm.allgather(mine)
        table = self.line.comm.bcast(
            None if self.table is None else self.table.state_dict(), root=self.size - 1
        )
        return {
            "rule": repr(self.rule),
            "stage": {k: v for stage, _ in parts for k, v in stage.items()},
            "optimisers": {n: o for _, optimisers in parts for n, o in optimisers.items()},
            "table": table,
            "place": {"steps": self.steps, "epochs": self.epochs, "position": 0, "seed": self.seed},
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from a state of :class:`Trainer` or of a pipeline on any number of ranks. Refused on all ranks or on none."""

        def check():
            if state.get("rule") != repr(self.rule) or state["place"]["seed"] != self.seed:
                raise ValueError(
                    f"the checkpoint is of {state.get('rule')}; this is {self.rule!r}, seed {self.seed}"
                )
            if state["place"]["position"]:
                raise ValueError("the checkpoint stands within an epoch: finish it with Trainer.epoch first")
            if self.table is not None:
                self.table.check_state(state["table"])
            own = self.stage.state_dict()
            lacking = [
                k
                for k, v in own.items()
                if state["stage"].get(_renumbered(k, self.stage.first), v[:0]).shape != v.shape
            ]
            if lacking:
                raise ValueError(f"the checkpoint is of a network of another shape: {lacking[0]}")

        self.line.agree_on(check)
        names = self.stage.state_dict()
        self.stage.load_state_dict({k: state["stage"][_renumbered(k, self.stage.first)] for k in names})
        for number, optimiser in self.stage.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][number])
        if self.table is not None:
            self.table.load_state_dict(state["table"])
        self.steps, self.epochs = state["place"]["steps"], state["place"]["epochs"]


def _renumbered(key: str, first: int) -> str:
    """``blocks.0.…`` of a stage that begins at block ``first`` is ``blocks.first.…`` of the whole network."""
    head, _, rest = key.partition(".")
    if head != "blocks":
        return key
    number, _, rest = rest.partition(".")
    return f"blocks.{int(number) + first}.{rest}"


def _save(state: dict, path: str | Path) -> None:
    import io

    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomic(Path(path), buffer.getvalue())
