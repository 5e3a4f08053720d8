"""How large Adam's first step after the conversion is, by the rule for its state."""

import torch
from torch import nn

from efficient_ai import training
from efficient_ai.oialr._adaptive import OIALR
from efficient_ai.oialr._moments import MOMENTS
from efficient_ai.oialr._schedule import Schedule

GRADIENTS = ("constant", "independent")
_RATE = 1e-4


def first_steps(steps: int = 2500) -> dict[tuple[str, str], float]:
    """Largest entry of the first change of S, over the learning rate, by rule and kind of gradient.

    Args:
        steps: of ordinary training before the conversion; the weight is 16 x 16. Its gradient is the same in each step, or drawn anew.
    """
    return {(rule, kind): _first(rule, kind, steps) for rule in MOMENTS for kind in GRADIENTS}


def _first(rule: str, kind: str, steps: int) -> float:
    rng = training.generator(0)
    model, target = nn.Linear(16, 16, bias=False), torch.randn(16, 16, generator=rng)
    with torch.no_grad():
        model.weight.copy_(torch.randn(16, 16, generator=rng))
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    adaptive = OIALR(model, optimizer, Schedule(steps, steps, cutoff=0.0), keep_last=False, moments=rule)
    for _ in range(steps + 1):
        optimizer.zero_grad()
        if kind == "independent":
            target = torch.randn(16, 16, generator=rng)
        (model.weight * target).sum().backward()
        before = next(iter(adaptive.factors.values())).s.detach().clone() if adaptive.factors else None
        optimizer.step()
    return float((next(iter(adaptive.factors.values())).s.detach() - before).abs().max()) / _RATE
