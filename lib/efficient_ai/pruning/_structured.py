"""Structured pruning: whole channels go, with everything that is coupled to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from efficient_ai import surgery

IMPORTANCES = ("l1", "l2", "taylor", "wanda", "random")


@dataclass
class Evidence:
    """What an importance needs beside the weights.

    Args:
        gradients: of the loss, by parameter name, for ``taylor``.
        inputs: root mean square of what each linear layer or convolution reads, by weight name, for ``wanda``.
        seed: of the scores of ``random``.
    """

    gradients: Mapping[str, Tensor] = field(default_factory=dict)
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    seed: int = 0


def collect(model: nn.Module, loss: Callable[[nn.Module], Tensor]) -> Evidence:
    """Gradients and input norms of one batch; the model's own gradients, mode and generator stay as they are.

    Args:
        loss: ``loss(model)``, a scalar.

    Raises:
        ValueError: the loss is not finite.
    """
    squares, hooks = {}, []
    names = {id(p): n for n, p in model.named_parameters()}

    def watch(layer, args, _):
        x, axis = args[0].detach(), -1 if isinstance(layer, nn.Linear) else 1
        others = [a for a in range(x.ndim) if a != axis % x.ndim]
        squares.setdefault(names[id(layer.weight)], []).append(x.square().mean(others))

    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
            hooks.append(layer.register_forward_hook(watch))
    was = model.training
    model.eval()
    try:
        value = loss(model)
        if not torch.isfinite(value):
            raise ValueError("the loss is not finite: rank the channels on another batch or an earlier state")
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        found = torch.autograd.grad(value, [p for _, p in named], allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was)
    gradients = {n: torch.zeros_like(p) if g is None else g for (n, p), g in zip(named, found, strict=True)}
    return Evidence(gradients, {n: torch.stack(s).mean(0).sqrt() for n, s in squares.items()})


def _entries(name: str, weight: Tensor, kind: str, evidence: Evidence) -> Tensor:
    weight = weight.detach()
    if kind == "l2":
        return weight.abs().square()
    if kind == "taylor":
        if name not in evidence.gradients:
            raise ValueError(f"no gradient of {name}: pass the evidence that collect(model, loss) returns")
        return (
            (weight * evidence.gradients[name].conj()).real.abs()
            if weight.is_complex()
            else (weight * evidence.gradients[name]).abs()
        )
    if kind == "wanda" and name in evidence.inputs and weight.ndim > 1:
        scale = evidence.inputs[name]
        return weight.abs() * scale.reshape(1, -1, *[1] * (weight.ndim - 2))
    return weight.abs()


def importance(
    model: nn.Module, anatomy: surgery.Anatomy, group: int, kind: str = "l2", evidence: Evidence | None = None
) -> np.ndarray:
    """How much each unit of a group matters: mean over the coupled tensors of the sum over its slice.

    Args:
        group: index into ``anatomy.groups``.
        kind: ``l1``, ``l2`` (squares), ``taylor`` (weight times gradient), ``wanda`` (weight times the size of its input)
            or ``random``.

    Returns:
        float64, shape ``(units,)``. Biases and statistics do not count; scales of norms do.
    """
    if kind not in IMPORTANCES:
        raise ValueError(f"importance {kind!r} is unknown: choose one of {', '.join(IMPORTANCES)}")
    evidence = evidence or Evidence()
    if kind == "random":
        return np.random.default_rng([evidence.seed, group]).random(anatomy.groups[group].units)
    held, total, count = dict(model.named_parameters()), np.zeros(anatomy.groups[group].units), 0
    for name, axis in anatomy.groups[group].places:
        part = anatomy.parts[name]
        if not part.layer or name not in held or (len(part.shape) == 1 and not name.endswith("weight")):
            continue
        entries = _entries(name, held[name], kind, evidence)
        sums = entries.double().movedim(axis, 0).flatten(1).sum(1) if entries.ndim > 1 else entries.double()
        start, sums = 0, sums.cpu().numpy()
        for s in part.axes[axis]:
            if s.group == group:
                total += sums[start : start + s.size].reshape(s.outer, s.units, s.inner).sum((0, 2))
            start += s.size
        count += 1
    return total / max(count, 1)


def choose(
    model: nn.Module,
    anatomy: surgery.Anatomy,
    ratio: float,
    *,
    kind: str = "l2",
    scope: str = "global",
    evidence: Evidence | None = None,
    spare: tuple[str, ...] = (),
    least: int = 1,
) -> dict[int, np.ndarray]:
    """Units that stay, by group, when a share of all units goes.

    Args:
        ratio: share of units, from 0 to below 1. A unit of a stream counts as one, as one of a feed-forward part does.
        scope: ``global``, one ranking of all groups, each divided by its mean; or ``local``, the same share of each.
        spare: names of groups that stay whole.
        least: units that stay in every group.
    """
    if isinstance(ratio, bool) or not 0 <= ratio < 1:
        raise ValueError(f"a share of channels to remove lies between 0 and below 1, not {ratio!r}")
    if scope not in ("global", "local"):
        raise ValueError(f"scope is 'global' or 'local', not {scope!r}")
    if least < 1:
        raise ValueError(f"at least one unit stays in every group, not {least}")
    for name in spare:
        anatomy.group(name)
    open_groups = [i for i, g in enumerate(anatomy.groups) if g.name not in spare]
    scores = {i: importance(model, anatomy, i, kind, evidence) for i in open_groups}
    keep = {}
    if scope == "local":
        for i, s in scores.items():
            left = max(least, len(s) - round(ratio * len(s)))
            keep[i] = np.sort(np.argsort(-s, kind="stable")[:left])
        return keep
    ranked = []
    for i, s in scores.items():
        safe = np.argsort(-s, kind="stable")[:least]
        relative = s / max(s.mean(), 1e-300)
        ranked += [(relative[u], i, u) for u in range(len(s)) if u not in safe]
    total = sum(len(s) for s in scores.values())
    gone = sorted(ranked)[: min(round(ratio * total), len(ranked))]
    lost = {(i, u) for _, i, u in gone}
    return {i: np.array([u for u in range(len(s)) if (i, u) not in lost]) for i, s in scores.items()}


def shrink(
    model: nn.Module,
    example: Tensor | tuple[Tensor, ...],
    ratio: float,
    *,
    steps: int = 1,
    optimiser: torch.optim.Optimizer | None = None,
    **how,
) -> nn.Module:
    """A copy of ``model`` without a share of its channels, in one or several steps; ``how`` as :func:`choose`.

    Args:
        example: one input, or a tuple of all, by which the model is followed.
        steps: rounds; scores and groups are found anew in each.
    """
    if isinstance(steps, bool) or steps < 1:
        raise ValueError(f"at least one round, not {steps!r}")
    if isinstance(ratio, bool) or not 0 <= ratio < 1:
        raise ValueError(f"a share of channels to remove lies between 0 and below 1, not {ratio!r}")
    each = 1 - (1 - ratio) ** (1 / steps)
    for _ in range(steps):
        anatomy = surgery.anatomy(model, example, cutting=True)
        model = surgery.cut(model, anatomy, choose(model, anatomy, each, **how), optimiser=optimiser)
    return model
