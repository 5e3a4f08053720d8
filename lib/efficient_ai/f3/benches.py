"""What the exercises measure with: small networks, batches and tables with known answers."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from efficient_ai.f3._blocks import Dense, mlp, one_hot
from efficient_ai.f3._rules import Rule
from efficient_ai.f3._trainer import Trainer


def layer(seed: int = 0, batch: int = 7, inputs: int = 4, outputs: int = 6, components: int = 3):
    """One tanh layer in float64: weight ``(outputs, inputs)``, bias, input ``(batch, inputs)``, errors, feedback ``(C, outputs)``."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    return (
        draw(outputs, inputs),
        draw(outputs),
        draw(batch, inputs),
        draw(batch, components),
        draw(components, outputs),
    )


def data(seed: int = 0, samples: int = 40, inputs: int = 6, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Inputs ``(samples, inputs)`` and one-hot targets, float64."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, inputs, generator=rng, dtype=torch.float64)
    return x, one_hot(torch.randint(classes, (samples,), generator=rng), classes, torch.float64)


def network(seed: int = 0, sizes=(6, 8, 8, 3)) -> list[Dense]:
    """Tanh blocks with a sigmoid at the end, float64."""
    return mlp(sizes, seed=seed, dtype=torch.float64)


def trainer(rule: Rule, seed: int = 0, samples: int = 40) -> Trainer:
    """A small network with Adam, for :func:`data`."""
    x, _ = data(seed)
    return Trainer(
        network(seed),
        rule,
        functional.binary_cross_entropy,
        lambda p: torch.optim.Adam(p, 1e-3),
        sample=x[:2],
        samples=samples,
        seed=seed,
    )


def gradients(rule: Rule, seed: int = 0) -> list[Tensor]:
    """Weight gradients of each block of :func:`trainer` on all of :func:`data`, as the library computes them."""
    mine, (x, y) = trainer(rule, seed), data(seed)
    mine.step(x, y, torch.arange(len(x)), update=False)
    return [block.linear.weight.grad.clone() for block in mine.blocks]


def relay(comm: Any, program, batches: int, rows: int = 5, width: int = 4) -> list:
    """Run a reader's stage program on a rank; what it returned. Each rank multiplies by its number plus two."""
    inputs = [torch.full((rows, width), float(b + 1), dtype=torch.float64) for b in range(batches)]
    return program(
        comm, inputs if comm.rank == 0 else None, batches, lambda h: h * (comm.rank + 2), (rows, width)
    )


def errors(seed: int = 0, samples: int = 200, classes: int = 10) -> tuple[Tensor, Tensor]:
    """Errors as they occur in training: a softmax of random logits that lean to the target; and the one-hot targets, float64."""
    rng = torch.Generator().manual_seed(seed)
    target = one_hot(torch.arange(samples) % classes, classes, torch.float64)
    logits = 3 * torch.randn(samples, classes, generator=rng, dtype=torch.float64) + 2 * target
    return target - logits.softmax(1), target


def mean_angle(a: Tensor, b: Tensor) -> float:
    """Mean angle in degrees between rows; a row of zeros counts as 90."""
    cosine = (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1)).clamp_min(1e-12)
    return float(torch.rad2deg(torch.acos(cosine.clamp(-1, 1))).mean())


def exact_gradient(
    weight: Tensor, bias: Tensor, h: Tensor, error: Tensor, feedback: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients of a tanh block by weight and bias, by torch."""
    leaves = weight.clone().requires_grad_(), bias.clone().requires_grad_()
    return torch.autograd.grad(torch.tanh(h @ leaves[0].T + leaves[1]), leaves, error @ feedback)


def refuses(function, *arguments) -> bool:
    """Whether a function raises ValueError."""
    try:
        function(*arguments)
    except ValueError:
        return True
    return False
