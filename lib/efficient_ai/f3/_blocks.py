"""Blocks: what a network is made of here. A block is any module; between two of them nothing but activations passes."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from efficient_ai.seeds import seed_for

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "linear": lambda a: a,
}


class Dense(nn.Module):
    """``σ(W h + b)``: the block of the paper's networks (section 3 of the paper).

    Args:
        inputs: numbers in, per sample.
        outputs: numbers out, n_i.
        activation: one of ``ACTIVATIONS``.
        dtype: of the parameters.

    Raises:
        ValueError: an activation that is not known, or a size below 1.
    """

    def __init__(
        self, inputs: int, outputs: int, activation: str = "tanh", dtype: torch.dtype = torch.float32
    ):
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation {activation!r} is not one of {', '.join(ACTIVATIONS)}")
        if min(inputs, outputs) < 1:
            raise ValueError(f"a block needs at least one input and one output, got {inputs} and {outputs}")
        self.activation = activation
        self.linear = nn.Linear(inputs, outputs, dtype=dtype)

    def forward(self, h: Tensor) -> Tensor:
        """``h`` ``(batch, inputs)`` to ``(batch, outputs)``."""
        return ACTIVATIONS[self.activation](self.linear(h))

    def extra_repr(self) -> str:
        return self.activation


def mlp(
    sizes: Sequence[int],
    hidden: str = "tanh",
    output: str = "sigmoid",
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
) -> list[nn.Module]:
    """Fully connected blocks of the paper: ``sizes`` = inputs, hidden widths, outputs; torch's usual random start.

    Args:
        sizes: at least two numbers.
        hidden: activation of the hidden blocks.
        output: of the last one: ``"sigmoid"`` for classes, ``"linear"`` for regression.
        seed: of the weights; every block draws from (seed, its number), so that no two ranks need the same stream.
    """
    if len(sizes) < 2:
        raise ValueError(f"a network needs inputs and outputs, got sizes {list(sizes)}")
    names = [hidden] * (len(sizes) - 2) + [output]
    return [
        seeded(seed, number, Dense, n, m, name, dtype)
        for number, ((n, m), name) in enumerate(zip(pairwise(sizes), names, strict=True))
    ]


def seeded(seed: int, number: int, make: Callable[..., nn.Module], *arguments) -> nn.Module:
    """``make(*arguments)`` with the random numbers of (seed, number); the global stream is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, number))
        return make(*arguments)


@torch.no_grad()
def shapes(blocks: Sequence[nn.Module], x: Tensor) -> list[tuple[torch.Size, torch.dtype]]:
    """Shape of one sample and type of what each block gives, found by sending ``x`` ``(batch, ...)`` through in evaluation mode.

    Raises:
        ValueError: a block that gives no tensor with one row a sample, or does not take what the one before gives.
    """
    found, h = [], x
    for number, block in enumerate(blocks, start=1):
        training = block.training
        try:
            h = block.eval()(h)
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"block {number} does not take {tuple(h.shape)} of {h.dtype}: {str(error).splitlines()[0]}"
            ) from None
        finally:
            block.train(training)
        if not isinstance(h, Tensor) or h.dim() < 2 or len(h) != len(x) or not h.is_floating_point():
            raise ValueError(
                f"block {number} must give one floating point tensor with a row for each of the {len(x)} samples"
            )
        found.append((h.shape[1:], h.dtype))
    return found


def widths(blocks: Sequence[nn.Module], x: Tensor) -> list[int]:
    """Numbers that each block gives per sample, n_1 ... n_L; see :func:`shapes`."""
    return [shape.numel() for shape, _ in shapes(blocks, x)]


def one_hot(labels: Tensor, classes: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Class indices ``(n,)`` as 0/1 targets ``(n, classes)``.

    Raises:
        ValueError: labels that are no whole numbers, or not between 0 and ``classes - 1``.
    """
    if labels.dim() != 1 or labels.dtype not in (torch.int64, torch.int32, torch.uint8):
        raise ValueError(
            f"labels are class indices of shape (n,), got {labels.dtype} of shape {tuple(labels.shape)}"
        )
    if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}, but there are {classes} classes"
        )
    return nn.functional.one_hot(labels.long(), classes).to(dtype)
