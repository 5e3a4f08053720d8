"""What a hidden block is told: error signals, computed from an output that is already known."""

from collections.abc import Callable

import torch
from torch import Tensor

Loss = Callable[[Tensor, Tensor], Tensor]
"""``loss(output, target)``: a scalar, the mean over samples and components."""

SIGNALS = {
    "target": "the target itself, never an error: DRTP",
    "zero": "nothing: the optimiser still steps, with a gradient of zero",
    "error": "target - output",
    "error one-hot": "target - output at the target class, zero elsewhere",
    "error softmax": "target - softmax(output)",
    "error sigmoid": "target - sigmoid(output)",
    "loss": "minus the gradient of the loss by the output",
    "loss one-hot": "the same at the target class, zero elsewhere",
    "loss softmax": "minus the gradient of the loss of softmax(output) by the output",
    "loss before activation": "minus the gradient of the loss by what enters the last activation",
}
"""Name of a signal: what is stored for a sample after its batch. Section 3.4 of the paper's code, and the last one ours."""


def signal_of(kind: str, a, output: Tensor, target: Tensor, loss: Loss) -> Tensor:
    """The signal to store for a batch, shape ``(batch, C)``; no graph hangs on it.

    Args:
        kind: a key of ``SIGNALS`` that is not ``"target"`` or ``"zero"``.
        a: what entered the last activation; ``None`` where the last block is not a :class:`Dense`.
        output: of the network, before its step.
        target: same shape.
        loss: see :data:`Loss`.

    Raises:
        ValueError: ``"loss before activation"`` without ``a``.
    """
    output, target = output.detach(), target.detach()
    if kind == "error" or kind == "error one-hot":
        found = target - output
    elif kind == "error softmax":
        found = target - output.softmax(-1)
    elif kind == "error sigmoid":
        found = target - output.sigmoid()
    elif kind == "loss before activation":
        if a is None:
            raise ValueError("'loss before activation' needs a Dense block at the end")
        activation, leaf = a
        found = _descent(lambda v: loss(activation(v), target), leaf)
    elif kind == "loss softmax":
        found = _descent(lambda v: loss(v.softmax(-1), target), output)
    else:
        found = _descent(lambda v: loss(v, target), output)
    return found * target if kind.endswith("one-hot") else found


def _descent(function, at: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = at.detach().requires_grad_()
        return -torch.autograd.grad(function(leaf), leaf)[0]
