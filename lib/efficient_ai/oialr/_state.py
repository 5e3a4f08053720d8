"""Save at one rank, go on at another; count what is trained and what is stored."""

from dataclasses import dataclass

import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.oialr._adaptive import OIALR, _factors, _place, _weight
from efficient_ai.oialr._factored import Factored
from efficient_ai.oialr._layers import SUFFIX, install, remove


def state_dict(adaptive: OIALR) -> dict:
    """Everything that a run needs to go on at this step: model, optimiser, ranks, step."""
    return {
        "step": adaptive.step,
        "ranks": {name: factors.rank for name, factors in adaptive.factors.items()},
        "history": list(adaptive.history),
        "model": adaptive.model.state_dict(),
        "optimizer": adaptive.optimizer.state_dict(),
    }


@torch.no_grad()
def load_state_dict(adaptive: OIALR, state: dict) -> None:
    """Go on from a state; the model may be dense or of any rank now. A state that does not fit is refused before anything changes.

    Raises:
        ValueError: not made by :func:`state_dict`, or for another model or optimiser; the message names the first difference.
    """
    _check(adaptive, state)
    for name, layer in adaptive.layers.items():
        old = adaptive.factors[name].s if name in adaptive.factors else _weight(adaptive.model, name)
        if name in state["ranks"]:
            new = _to_rank(adaptive, name, layer, state["ranks"][name], old)
        elif old.shape != layer.view.shape or name in adaptive.factors:
            new = nn.Parameter(old.new_empty(layer.view.shape))
            for own in layer.names:
                remove(*_place(adaptive.model, own), new)
        else:
            continue
        adaptive.optimizer.state.pop(old, None)
        for group in adaptive.optimizer.param_groups:
            group["params"] = [new if parameter is old else parameter for parameter in group["params"]]
    adaptive.model.load_state_dict(state["model"])
    adaptive.optimizer.load_state_dict(state["optimizer"])
    adaptive.step, adaptive.history = state["step"], list(state["history"])


def _to_rank(adaptive: OIALR, name: str, layer, rank: int, old: nn.Parameter) -> nn.Parameter:
    view = layer.view
    u = old.new_zeros(view.count, view.rows, rank)
    vh = old.new_zeros(view.count, rank, view.columns)
    factors = _factors(adaptive.model, name)
    if factors is None:
        factors = Factored(view, lowrank.Factors(u, old.new_zeros(view.count, rank), vh))
        for own in layer.names:
            install(*_place(adaptive.model, own), factors)
    else:
        factors.u, factors.vh = u, vh
        factors.s = nn.Parameter(old.new_zeros(view.count, rank, rank))
    return factors.s


def _check(adaptive: OIALR, state: dict) -> None:
    wanted = {"step", "ranks", "history", "model", "optimizer"}
    if not isinstance(state, dict) or set(state) != wanted:
        raise ValueError("this is no state of an adaptive run: make one with oialr.state_dict")
    if unknown := sorted(set(state["ranks"]) - set(adaptive.layers)):
        raise ValueError(f"the state has factors of {unknown[0]}, which stays dense here")
    if state["ranks"] and set(state["ranks"]) != set(adaptive.layers):
        missing = sorted(set(adaptive.layers) - set(state["ranks"]))
        raise ValueError(f"the state has no factors of {missing[0]}")
    shapes = {
        name: tuple(value.shape)
        for name, value in adaptive.model.state_dict().items()
        if torch.is_tensor(value)
    }
    for name, layer in adaptive.layers.items():
        view, rank = layer.view, state["ranks"].get(name)
        for own in layer.names:
            for part in ("", f"{SUFFIX}.u", f"{SUFFIX}.s", f"{SUFFIX}.vh"):
                shapes.pop(own + part, None)
            if rank is None:
                shapes[own] = view.shape
            else:
                shapes[f"{own}{SUFFIX}.u"] = (view.count, view.rows, rank)
                shapes[f"{own}{SUFFIX}.s"] = (view.count, rank, rank)
                shapes[f"{own}{SUFFIX}.vh"] = (view.count, rank, view.columns)
    found = {name: tuple(value.shape) for name, value in state["model"].items() if torch.is_tensor(value)}
    for name in sorted(shapes.keys() | found.keys()):
        if shapes.get(name) != found.get(name):
            raise ValueError(f"{name} has shape {found.get(name)} in the state and {shapes.get(name)} here")
    ours = [len(group["params"]) for group in adaptive.optimizer.param_groups]
    theirs = [len(group["params"]) for group in state["optimizer"]["param_groups"]]
    if ours != theirs:
        raise ValueError(f"the optimiser has groups of {ours} parameters, the state's of {theirs}")


@dataclass(frozen=True)
class Counts:
    """What a model holds, in numbers.

    Args:
        trained: with a gradient.
        stored: parameters and buffers that belong to weights: trained ones and frozen bases.
        dense: what it would hold with every weight dense.
    """

    trained: int
    stored: int
    dense: int


def counts(model: nn.Module) -> Counts:
    """Count each shared parameter once."""
    factors = [module for module in model.modules() if isinstance(module, Factored)]
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    total = sum(parameter.numel() for parameter in model.parameters())
    bases = sum(buffer.numel() for module in factors for buffer in module.buffers())
    cores = sum(parameter.numel() for module in factors for parameter in module.parameters())
    whole = sum(module.view.count * module.view.rows * module.view.columns for module in factors)
    return Counts(trained, total + bases, total - cores + whole)


def optimizer_bytes(optimizer: torch.optim.Optimizer) -> int:
    """Bytes of the tensors in an optimiser's state."""
    return sum(
        value.numel() * value.element_size()
        for state in optimizer.state.values()
        for value in state.values()
        if torch.is_tensor(value)
    )
