"""Which weights of a model are matrices that a low rank can stand for, and why the others are not."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import torch
from torch import nn

from efficient_ai.lowrank._views import MatrixView

_CONVOLUTIONS = (
    nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One weight.

    Args:
        names: under which the model has it, as in ``named_parameters``; several if it is shared.
        module: that multiplies by it.
        weight: the parameter.
        view: of it as matrices.
    """

    names: tuple[str, ...]
    module: nn.Module
    weight: nn.Parameter
    view: MatrixView


@dataclass(frozen=True)
class Survey:
    """The weights of a model.

    Args:
        layers: those that are matrices, in the model's order.
        dense: the names of all others with more than one axis, each with the reason.
    """

    layers: tuple[Layer, ...]
    dense: dict[str, str] = field(default_factory=dict)


def survey(model: nn.Module, keep: Collection[str] = (), *, packed: bool = False) -> Survey:
    """Look through a model.

    Args:
        model: any; nothing of it is changed.
        keep: names of parameters or modules that stay dense.
        packed: take a packed attention projection as one matrix, as the papers' code does, and not as three.

    Raises:
        ValueError: ``keep`` names something that the model does not have.
    """
    known = {name for name, _ in model.named_modules(remove_duplicate=False)}
    known |= {name for name, _ in model.named_parameters(remove_duplicate=False)}
    if unknown := sorted(set(keep) - known):
        raise ValueError(f"the model has nothing that is called {unknown[0]!r}")
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    layers, dense, users = [], {}, {}
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            users.setdefault(id(parameter), []).append((module, name, parameter))
    for key, found in users.items():
        module, name, parameter = found[0]
        ways = [_way(module, name, parameter, packed) for module, name, parameter in found]
        reason = next((way for way in ways if isinstance(way, str)), None)
        if reason is None and len(set(ways)) > 1:
            reason = "it is shared by layers that use it in different ways"
        if reason is None and any(_covers(kept, own) for kept in keep for own in names[key]):
            reason = "it was named to stay dense"
        if reason is None:
            layers.append(Layer(tuple(names[key]), module, parameter, ways[0]))
        elif not isinstance(parameter, nn.UninitializedParameter) and parameter.ndim < 2:
            continue
        else:
            dense |= dict.fromkeys(names[key], reason)
    return Survey(tuple(layers), dense)


def _covers(kept: str, name: str) -> bool:
    return kept == name or kept == "" or name.startswith(f"{kept}.")


def _way(module: nn.Module, name: str, weight: nn.Parameter, packed: bool) -> MatrixView | str:
    """How ``module`` uses this parameter as matrices, or why it does not."""
    return next(_reasons(module, name, weight), None) or _view(module, name, weight, packed)


def _reasons(module: nn.Module, name: str, weight: nn.Parameter) -> Iterator[str]:
    if isinstance(weight, nn.UninitializedParameter):
        yield "it has no shape before the first batch"
    elif weight.ndim < 2 or 0 in weight.shape:
        yield f"its shape {tuple(weight.shape)} is no matrix"
    elif not weight.is_floating_point():
        yield f"its numbers are {weight.dtype}"
    elif weight.is_meta:
        yield "it has no values: it lies on the device meta"
    elif not weight.requires_grad:
        yield "it is frozen"
    elif torch.nn.utils.parametrize.is_parametrized(module) or _is_original(name):
        yield "it is parametrised"


def _is_original(name: str) -> bool:
    """Whether this is the inner parameter of a parametrisation, of the present or of the older kind."""
    return name.startswith("original") or name.endswith(("_g", "_v", "_orig"))


def _view(module: nn.Module, name: str, weight: nn.Parameter, packed: bool) -> MatrixView | str:
    shape = tuple(weight.shape)
    if isinstance(module, nn.Linear) and name == "weight":
        view = MatrixView(shape)
    elif isinstance(module, _CONVOLUTIONS) and name == "weight":
        view = MatrixView(shape, module.groups)
    elif isinstance(module, nn.MultiheadAttention) and name == "in_proj_weight":
        view = MatrixView(shape, 1 if packed else 3)
    elif isinstance(module, nn.MultiheadAttention) and name in (
        "q_proj_weight",
        "k_proj_weight",
        "v_proj_weight",
    ):
        view = MatrixView(shape)
    else:
        return f"{type(module).__name__} does not multiply by it as by a matrix"
    return view if view.columns > 1 else "its rank is one already"
