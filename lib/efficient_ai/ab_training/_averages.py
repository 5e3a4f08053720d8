"""Means over ranks: of tensors in flat buckets, of buffers, of an optimiser's history."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import nn

from efficient_ai.ab_training._exchange import two_level_sum
from efficient_ai.transport import Transport

Sum = Callable[[torch.Tensor], None]
"""Replaces a flat tensor by its sum over some ranks."""


def buckets(tensors: Sequence[torch.Tensor]) -> list[list[int]]:
    """Indices of tensors that can lie in one flat bucket: same type, same device; in order of first appearance."""
    found: dict[tuple, list[int]] = {}
    for index, tensor in enumerate(tensors):
        found.setdefault((tensor.dtype, tensor.device), []).append(index)
    return list(found.values())


@torch.no_grad()
def mean_(tensors: Sequence[torch.Tensor], add: Sum, counts: Sequence[int] | int) -> None:
    """Replace each tensor by its sum over ranks, divided by its count, in place; a bucket for each type.

    Types of 16 bits are divided before they are added, for a sum of a few large values would leave their range.
    """
    for indices in buckets(tensors):
        chosen = [tensors[i] for i in indices]
        by = [counts if isinstance(counts, int) else counts[i] for i in indices]
        small = chosen[0].element_size() < 4
        parts = [t.detach().reshape(-1) / n if small else t.detach().reshape(-1)
                 for t, n in zip(chosen, by, strict=True)]  # fmt: skip
        flat = torch.cat(parts)
        add(flat)
        for tensor, part, n in zip(chosen, flat.split([t.numel() for t in chosen]), by, strict=True):
            tensor.copy_((part if small else part / n).reshape(tensor.shape))


@torch.no_grad()
def mean_gradients(
    parameters: Sequence[nn.Parameter], add: Sum, count: int, wire: torch.dtype | None = None
) -> bool:
    """Replace gradients by their means over ``count`` ranks; returns whether all are finite, the same on all of these ranks.

    A parameter that took no part on one rank counts as 0 there; one that took part nowhere has no gradient afterwards, so that the
    optimiser leaves it alone. To know that, a flag of each parameter travels in the same bucket.

    Args:
        wire: type of what travels, if it is another one than the gradients'.

    Raises:
        ValueError: a sparse gradient.
    """
    finite = True
    for indices in buckets(parameters):
        chosen = [parameters[i] for i in indices]
        if any(p.grad is not None and p.grad.is_sparse for p in chosen):
            raise ValueError(
                "a sparse gradient cannot be added up in a flat bucket: build the layer with sparse=False"
            )
        kind = wire or chosen[0].dtype
        flags = torch.tensor([float(p.grad is not None) for p in chosen], dtype=kind, device=chosen[0].device)
        parts = [torch.zeros_like(p).reshape(-1) if p.grad is None else p.grad.reshape(-1) for p in chosen]
        flat = torch.cat(parts)
        small = kind.itemsize < 4
        flat = torch.cat([(flat / count if small else flat).to(kind), flags])
        add(flat)
        values, flags = flat[: -len(chosen)].to(chosen[0].dtype), flat[-len(chosen) :]
        values = values if small else values / count
        finite &= bool(values.isfinite().all())
        for parameter, part, flag in zip(
            chosen, values.split([p.numel() for p in chosen]), flags, strict=True
        ):
            parameter.grad = part.reshape(parameter.shape).clone() if flag > 0 else None
    return finite


def _statistics(model: nn.Module) -> list[nn.Module]:
    return [m for m in model.modules() if isinstance(getattr(m, "running_var", None), torch.Tensor)]


@torch.no_grad()
def merge_buffers(model: nn.Module, transport: Transport, groups: Sequence[Sequence[int]]) -> int:
    """Give all ranks one set of buffers; returns how many bytes one rank holds of what was averaged.

    Real buffers become their mean, batch-norm variances the variance of all samples together (a mean of variances misses that
    ranks have other means), counters the largest. All in float64.
    """
    world = sum(map(len, groups))
    norms = _statistics(model)
    variances = {id(m.running_var) for m in norms}
    buffers = {id(b): b for b in model.buffers() if b.numel()}
    real = [b for b in buffers.values() if b.is_floating_point()]
    whole = [b for b in buffers.values() if not b.is_floating_point() and not b.is_complex()]
    before = {id(m.running_var): m.running_mean.double() for m in norms}
    first = [b.double() for b in real if id(b) not in variances]
    plain = [b for b in real if id(b) not in variances]

    def add(flat: torch.Tensor) -> None:
        two_level_sum(transport, flat, groups)

    mean_(first, add, world)
    for buffer, value in zip(plain, first, strict=True):
        buffer.copy_(value)
    new_means = {id(m.running_var): m.running_mean.double() for m in norms}
    second_buffers = [b for b in real if id(b) in variances]
    second = [b.double() + (before[id(b)] - new_means[id(b)]).square() for b in second_buffers]
    mean_(second, add, world)
    for buffer, value in zip(second_buffers, second, strict=True):
        buffer.copy_(value)
    if whole:
        _largest(whole, transport, groups)
    return 8 * sum(b.numel() for b in real) + 8 * sum(b.numel() for b in whole) * world


def _largest(whole: list[torch.Tensor], transport: Transport, groups: Sequence[Sequence[int]]) -> None:
    """Each rank writes its integers into its own row of a table of zeros; the sum of the tables holds all rows."""
    world = sum(map(len, groups))
    flat = torch.cat([b.reshape(-1).long() for b in whole])
    table = flat.new_zeros(world, len(flat))
    table[transport.rank] = flat
    table = table.reshape(-1)
    two_level_sum(transport, table, groups)
    largest = table.reshape(world, -1).amax(0)
    for buffer, part in zip(whole, largest.split([b.numel() for b in whole]), strict=True):
        buffer.copy_(part.reshape(buffer.shape))


@torch.no_grad()
def merge_histories(
    optimizer: torch.optim.Optimizer,
    parameters: Iterable[nn.Parameter],
    transport: Transport,
    groups: Sequence[Sequence[int]],
) -> int:
    """Average what the optimiser remembers of these parameters; returns the bytes of it that one rank holds.

    A parameter whose history is missing on a rank, or has another number of steps there, is forgotten everywhere.
    """
    world = sum(map(len, groups))
    parameters = list(parameters)
    device = parameters[0].device if parameters else None
    table = torch.zeros(len(parameters), 3, dtype=torch.float64, device=device)
    for row, parameter in zip(table, parameters, strict=True):
        if state := optimizer.state.get(parameter):
            step = float(state.get("step", 0))
            row[:] = torch.tensor([1.0, step, step * step], device=device)
    flat = table.reshape(-1)
    two_level_sum(transport, flat, groups)
    tensors = []
    for (have, steps, squares), parameter in zip(table.tolist(), parameters, strict=True):
        if have == world and world * squares == steps * steps:
            state = optimizer.state[parameter]
            tensors += [v for k, v in sorted(state.items()) if torch.is_tensor(v) and v.shape == parameter.shape
                        and k != "step"]  # fmt: skip
        else:
            optimizer.state.pop(parameter, None)
    mean_(tensors, lambda bucket: two_level_sum(transport, bucket, groups), world)
    return sum(t.numel() * t.element_size() for t in tensors)
