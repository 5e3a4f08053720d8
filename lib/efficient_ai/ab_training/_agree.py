"""What is looked at before the first step: that the parts fit, and that all ranks hold the same."""

import hashlib
from typing import Any

import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.transport import Transport, gather_small


def same_everywhere(transport: Transport, what: dict[str, Any]) -> None:
    """Refuse on all ranks if they differ in anything.

    Args:
        what: by name, something that ``repr`` or, for tensors, its bytes describe.

    Raises:
        ValueError: on every rank, naming the first difference and the ranks that differ from rank 0.
    """
    digests = torch.tensor([_digest(value) for value in what.values()], dtype=torch.int64)
    found = gather_small(transport, digests, list(range(transport.size)))
    for place, name in enumerate(what):
        other = [rank for rank, theirs in enumerate(found) if theirs[place] != found[0][place]]
        if other:
            raise ValueError(
                f"ranks {other} have another {name} than rank 0: give all ranks the same before training"
            )


def _digest(value: Any) -> int:
    digest = hashlib.sha256()
    if isinstance(value, dict):
        for name, item in value.items():
            digest.update(repr(name).encode())
            digest.update(_digest(item).to_bytes(8, "little", signed=True))
    elif isinstance(value, torch.Tensor):
        digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
        flat = value.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b"")
    else:
        digest.update(repr(value).encode())
    return int.from_bytes(digest.digest()[:8], "little", signed=True)


def check_model(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Refuse what could not be trained apart.

    Raises:
        ValueError: a weight without values or not finite, a parameter that the optimiser has not, or has too many, or an
            optimiser whose state has no rule in another basis.
    """
    learn = {id(p): name for name, p in model.named_parameters() if p.requires_grad}
    for name, value in [*model.named_parameters(), *model.named_buffers()]:
        if isinstance(value, nn.UninitializedParameter) or value.is_meta:
            raise ValueError(
                f"{name} has no values yet: run one batch through the model, or load a state first"
            )
        if value.is_floating_point() and not value.isfinite().all():
            raise ValueError(f"{name} is not finite: start from a healthy state")
        if value.is_complex():
            raise ValueError(f"{name} is complex, for which no merge is defined: split it into two real ones")
    if not learn:
        raise ValueError("no parameter of the model has requires_grad: there is nothing to train")
    held = [p for group in optimizer.param_groups for p in group["params"]]
    if missing := set(learn) - {id(p) for p in held}:
        raise ValueError(
            f"the optimiser does not have {learn[missing.pop()]}: give it all that learns, or freeze it"
        )
    known = {id(p) for p in model.parameters()}
    if any(id(p) not in known for p in held):
        raise ValueError("the optimiser has a parameter that is not of this model: nobody would exchange it")
    if optimizer.state:
        raise ValueError(
            "the optimiser has a state already: begin with a new one (Adagrad, which has one from the start, cannot be used)"
        )
    _check_rules(optimizer)


def _check_rules(optimizer: torch.optim.Optimizer) -> None:
    """Take one step with an optimiser of the same kind on a matrix of four, and move its state."""
    old, new = nn.Parameter(torch.ones(1, 2, 2)), nn.Parameter(torch.ones(1, 2, 1))
    options = {k: v for k, v in optimizer.param_groups[0].items() if k in optimizer.defaults}
    try:
        trial = type(optimizer)([{"params": [old], **options}])
        old.grad = torch.ones_like(old)
        trial.step()
        lowrank.move_state(trial, old, new, None, torch.ones(1, 1, 2))
    except (TypeError, ValueError, RuntimeError) as error:
        name = type(optimizer).__name__
        raise ValueError(
            f"{name} cannot be taken into another basis ({error}): use one of torch.optim's SGD, Adam, AdamW, RMSprop"
        ) from error
