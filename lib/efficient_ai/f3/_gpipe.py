"""Backpropagation on the same ranks: micro-batches forward, then back (GPipe, Huang et al. 2019). The side to compare with."""

import time
from typing import Any

import torch
from torch import Tensor

from efficient_ai.f3._line import ACTIVATION, GRADIENT
from efficient_ai.f3._pipeline import RankedBlocks
from efficient_ai.f3._rules import Backpropagation


class GPipe(RankedBlocks):
    """BP as a pipeline. Arguments as for :class:`RankedBlocks`, without a rule.

    Gradients of micro-batches are added with the share of the batch that each one is, so that unequal ones give the gradient of
    the whole batch.

    Args:
        micro_batches: pieces of each batch; at most as many as it has samples are used.
    """

    def __init__(self, comm: Any, blocks, loss, optimiser, *, micro_batches: int, **kwargs: Any):
        super().__init__(comm, blocks, Backpropagation(), loss, optimiser, **kwargs)
        problem = (
            ""
            if isinstance(micro_batches, int) and micro_batches >= 1
            else f"micro_batches {micro_batches!r} is below 1"
        )
        counts = self.line.agree(problem, micro_batches)
        self.line.agree("" if len(set(counts)) == 1 else f"ranks disagree on micro_batches: {counts}")
        self.micro_batches = micro_batches

    def fit(self, x: Tensor | None, y: Tensor | None, epochs: int) -> list[float]:
        """As :meth:`Pipeline.fit`."""
        self.check_data(x, y)
        losses = []
        with self.line.together():
            for epoch in range(self.epochs, self.epochs + epochs):
                total = 0.0
                for batch, index in enumerate(self.batches(epoch)):
                    total += self._step(x, y, index, epoch, batch) * len(index)
                    self.steps += 1
                self.epochs = epoch + 1
                if self.is_last:
                    losses.append(total / self.samples)
        return losses

    def _step(self, x, y, index, epoch, batch) -> float:
        stage, line = self.stage, self.line
        stage.train()
        for optimiser in stage.optimisers.values():
            optimiser.zero_grad()
        pieces = index.tensor_split(min(self.micro_batches, len(index)))
        boxes = [
            None if self.rank == 0 else line.receive(self.inbox(len(p)), self.rank - 1, ACTIVATION)
            for p in pieces
        ]
        graphs, value = [], 0.0
        for piece, box in zip(pieces, boxes, strict=True):
            if box is not None:
                line.wait(box[0], "activations", epoch, batch)
            began = time.time()
            h = x[piece] if box is None else box[1].requires_grad_()
            start = h
            for number in stage.numbers[: -1 if self.is_last else None]:
                h = stage.run(number, h, self.steps)
            if self.is_last:
                _, loss = stage.output(h, y[piece], self.steps)
                h = loss * (len(piece) / len(index))
                value += float(h.detach())
            graphs.append((start, h))
            line.note("work", epoch, batch, began, time.time())
            if not self.is_last:
                line.send(h.detach().contiguous(), self.rank + 1, ACTIVATION)
        if self.is_last and not torch.isfinite(torch.tensor(value)):
            raise FloatingPointError(f"the loss is not finite at step {self.steps}: lower the learning rate")
        inbox = [
            None if self.is_last else line.receive(torch.empty_like(h), self.rank + 1, GRADIENT)
            for _, h in reversed(graphs)  # in the order in which they will come
        ]
        for (start, h), box in zip(reversed(graphs), inbox, strict=True):
            if box is not None:
                line.wait(box[0], "gradients", epoch, batch)
            began = time.time()
            h.backward(None if box is None else box[1])
            line.note("work", epoch, batch, began, time.time())
            if self.rank > 0:
                line.send(start.grad.contiguous(), self.rank - 1, GRADIENT)
        began = time.time()
        stage.update()
        line.note("work", epoch, batch, began, time.time())
        line.settle(0)
        return value
