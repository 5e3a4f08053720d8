"""Removing channels: tensors really shrink, and an optimiser goes along."""

import copy
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn

from efficient_ai.surgery._anatomy import OUTPUTS, SHARED, Anatomy
from efficient_ai.surgery._assemble import _places, assemble
from efficient_ai.surgery._labels import Surgery
from efficient_ai.surgery._rebuild import rebuild


def cut(
    model: nn.Module,
    anatomy: Anatomy,
    keep: Mapping[int | str, Sequence[int]],
    *,
    optimiser: torch.optim.Optimizer | None = None,
) -> nn.Module:
    """A copy of ``model`` of which only some units are left; the model itself stays as it is.

    Args:
        model: whose anatomy was found with ``cutting=True``.
        keep: for some groups, by name or index, the units that stay; groups that are not named stay whole.
        optimiser: of ``model``. It is moved to the copy: its state is cut along, its steps are kept. Without it, train the
            copy with a new optimiser: one that was built before still holds the tensors of ``model``.

    Raises:
        Surgery: a unit that does not exist or is named twice, or a group of which nothing would be left.
    """
    kept = [[(0, u) for u in range(g.units)] for g in anatomy.groups]
    for which, units in keep.items():
        group = anatomy.group(which) if isinstance(which, str) else which
        if isinstance(which, bool) or not 0 <= group < len(anatomy.groups):
            raise Surgery(f"there is no group {which!r}: the model has {len(anatomy.groups)} groups")
        kept[group] = _units(anatomy.groups[group].name, anatomy.groups[group].units, units)
    for part in anatomy.parts.values():
        now = _shape(model, part.name)
        if now != part.shape:
            raise Surgery(
                f"{part.name} has the shape {now}, its anatomy says {part.shape}: "
                "call anatomy again on this model"
            )
    twin = rebuild(model, anatomy, assemble([anatomy], [model], kept, [1.0]))
    for name, old in model.named_parameters():
        twin.get_parameter(name).requires_grad_(old.requires_grad)
    if optimiser is not None:
        _move(optimiser, model, twin, anatomy, kept)
    return twin


def _units(name: str, count: int, units: Sequence[int]) -> list[tuple[int, int]]:
    found = np.asarray(units)
    if found.ndim != 1 or not len(found):
        raise Surgery(f"{name}: at least one of its {count} channels has to stay")
    if found.dtype.kind not in "iu":
        raise Surgery(f"{name}: units are given by their numbers, not as {found.dtype}")
    if found.min() < 0 or found.max() >= count:
        raise Surgery(f"{name}: has units 0 to {count - 1}, not {found.min()} to {found.max()}")
    if len(np.unique(found)) != len(found):
        raise Surgery(f"{name}: a unit is named twice among those that stay")
    return [(0, int(u)) for u in np.sort(found)]


def _shape(model: nn.Module, name: str) -> tuple[int, ...]:
    path, _, key = name.rpartition(".")
    try:
        return tuple(getattr(model.get_submodule(path), key).shape)
    except AttributeError as error:
        raise Surgery(f"{name} is not in the model: call anatomy again on this model") from error


def _move(optimiser, model: nn.Module, twin: nn.Module, anatomy: Anatomy, kept) -> None:
    """The optimiser holds the copy's parameters from now on, with its state for what is left of them."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    held = [p for group in optimiser.param_groups for p in group["params"]]
    if foreign := [tuple(p.shape) for p in held if id(p) not in names]:
        raise Surgery(
            f"the optimiser holds a tensor of shape {foreign[0]} that is not in the model: pass the model's own optimiser"
        )
    new = {id(p): twin.get_parameter(names[id(p)]) for p in held}
    state = {}
    for old, entry in optimiser.state.items():
        part = anatomy.parts[names[id(old)]]
        state[new[id(old)]] = {
            key: _sliced(value, part, kept)
            if isinstance(value, torch.Tensor) and value.shape == old.shape and old.ndim
            else copy.deepcopy(value)
            for key, value in entry.items()
        }
    for group in optimiser.param_groups:
        group["params"] = [new[id(p)] for p in group["params"]]
    optimiser.state.clear()
    optimiser.state.update(state)


def _sliced(tensor: torch.Tensor, part, kept) -> torch.Tensor:
    for axis, segments in enumerate(part.axes):
        if segments not in (SHARED, OUTPUTS):
            index = torch.as_tensor(_places([segments], 0, kept)[1], device=tensor.device)
            tensor = tensor.index_select(axis, index)
    return tensor.clone()


def sliced(
    tensor: torch.Tensor, anatomy: Anatomy, name: str, keep: Mapping[int, Sequence[int]]
) -> torch.Tensor:
    """What :func:`cut` leaves of any tensor that lies like the parameter ``name``: a mask, a gradient, a mean."""
    kept = [
        _units(g.name, g.units, keep[i]) if i in keep else [(0, u) for u in range(g.units)]
        for i, g in enumerate(anatomy.groups)
    ]
    return _sliced(tensor, anatomy.parts[name], kept)
