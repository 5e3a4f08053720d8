"""How far a signal points from the gradient."""

import math

import torch
from torch import Tensor

from efficient_ai.f3._trainer import Trainer


def angles(trainer: Trainer, x: Tensor, y: Tensor, index: Tensor | None = None) -> list[float]:
    """Angle in degrees between what each hidden block is told and the true gradient by its output, block by block.

    Below 90° a small step along the signal lowers the loss of the batch to first order. Nothing is changed.

    Args:
        trainer: with a rule of direct feedback (:class:`F3`).
        x, y, index: a batch, as for :meth:`Trainer.step`.

    Raises:
        ValueError: a rule that tells its blocks nothing.
    """
    stage = trainer.stage
    if not hasattr(trainer.rule, "signal"):
        raise ValueError(f"{trainer.rule.name} sends no direct signal, so there is no angle")
    trainer.check(x, y, index)
    h, seen = x, []
    for number in range(stage.total - 1):
        h = stage.run(number, h, trainer.steps)
        seen.append(h)
    out, loss = stage.output(h, y, trainer.steps)
    gradients = torch.autograd.grad(loss, seen)
    told = stage.error(out, y) if not trainer.rule.sweeps else trainer.told(y, index)
    found = []
    for number, gradient in enumerate(gradients):
        signal = stage.signal(number, told)
        both = signal.norm().double() * gradient.norm().double()
        cosine = float((signal.flatten() @ gradient.flatten()).double() / both) if both > 0 else 0.0
        found.append(math.degrees(math.acos(max(-1.0, min(1.0, cosine)))))
    return found
