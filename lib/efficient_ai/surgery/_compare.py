"""Whether members have the same computation, so that channels of one can stand beside those of another."""

from collections.abc import Sequence
from math import isfinite

import torch
from torch import nn

from efficient_ai.surgery._anatomy import OUTPUTS, SHARED, Anatomy
from efficient_ai.surgery._labels import Surgery


def tensors(model: nn.Module) -> dict[str, torch.Tensor]:
    """Every parameter and buffer once, by its first name; those that are not saved, too."""
    return dict(model.named_parameters()) | dict(model.named_buffers())


def finite(tensor: torch.Tensor) -> bool:
    """Whether all values are finite; found in one pass, without an array beside it."""
    if not tensor.is_floating_point() or not tensor.numel():
        return True
    values = tensor.detach()
    # A finite sum has no summand that is not; a sum that is not finite may have run over.
    return isfinite(float(values.sum())) or all(isfinite(float(end)) for end in torch.aminmax(values))


def alike(a: nn.Module, b: nn.Module) -> bool:
    """Whether two models are built alike, so that one anatomy serves both: layers, settings, shapes, shared tensors.

    What a forward pass can depend on besides weights has to be equal; if that cannot be told, the answer is no.
    """
    mine, theirs = (
        list(a.named_modules(remove_duplicate=False)),
        list(b.named_modules(remove_duplicate=False)),
    )
    if [(n, type(m)) for n, m in mine] != [(n, type(m)) for n, m in theirs]:
        return False
    if _sharing(mine) != _sharing(theirs) or _held(a) != _held(b):
        return False
    return all(_settings(x) == _settings(y) for (_, x), (_, y) in zip(mine, theirs, strict=True))


def _sharing(modules) -> list[int]:
    """For each name, where its module stands first."""
    first: dict[int, int] = {}
    return [first.setdefault(id(m), i) for i, (_, m) in enumerate(modules)]


def _held(model: nn.Module) -> list[tuple]:
    first: dict[int, int] = {}
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]
    return [(n, t.shape, first.setdefault(id(t), i)) for i, (n, t) in enumerate(named)]


def _settings(module: nn.Module) -> dict[str, object]:
    """Attributes that are not torch's own; those without a plain value are told apart by identity."""
    found = {}
    for key, value in vars(module).items():
        if key not in _TORCHS:
            plain = isinstance(value, int | float | str | None) or (
                isinstance(value, tuple) and all(isinstance(v, int | float | str | None) for v in value)
            )
            found[key] = value if plain else id(value)
    return found


_TORCHS = frozenset(vars(nn.Module()))  # parameters, modules, hooks, mode


def compare(anatomies: Sequence[Anatomy], members: Sequence[nn.Module]) -> None:
    """Refuse members that do not fit together; widths may differ.

    Raises:
        Surgery: naming the layer, the member (from 0) and both values.
    """
    first = kinds(members[0])
    for m, (other, model) in enumerate(zip(anatomies[1:], members[1:], strict=True), 1):
        fit(anatomies[0], first, other, kinds(model), m)
    for m, model in enumerate(members):
        all_finite(model, m)


def kinds(model: nn.Module) -> dict[str, dict[str, object]]:
    """Element type and device of each tensor by its first name."""
    return {n: {"dtype": t.dtype, "device": t.device} for n, t in tensors(model).items()}


def fit(first: Anatomy, kinds_first: dict, other: Anatomy, kinds_other: dict, m: int) -> None:
    """Refuse member ``m`` if it does not fit to member 0. Raises as :func:`compare`."""
    _same_steps(first, other, m)
    _same_parts(first, other, m)
    _same_kinds(kinds_first, kinds_other, m)


def all_finite(model: nn.Module, m: int) -> None:
    """Refuse a member with values that are not finite, by the name of the tensor."""
    for name, tensor in tensors(model).items():
        if not finite(tensor):
            raise Surgery(f"{name} of member {m} holds values that are not finite: leave this member out")


def _same_steps(a: Anatomy, b: Anatomy, m: int) -> None:
    for mine, theirs in zip(a.steps, b.steps, strict=False):
        if mine[:2] != theirs[:2]:
            raise Surgery(
                f"member {m} has {_words(theirs)} where member 0 has {_words(mine)}: join members of one architecture"
            )
        for key, value in mine[2].items():
            if theirs[2].get(key) != value:
                raise Surgery(
                    f"{mine[0]}: {key} is {value} in member 0 and {theirs[2].get(key)} in member {m}: "
                    "the joined layer can have only one"
                )
    if len(a.steps) != len(b.steps):
        raise Surgery(f"member 0 has {len(a.steps)} operations and member {m} has {len(b.steps)}")


def _words(step: tuple) -> str:
    return f"{step[1]} {step[0]!r}"


def _same_parts(a: Anatomy, b: Anatomy, m: int) -> None:
    if list(a.parts) != list(b.parts):
        only = sorted(set(a.parts) ^ set(b.parts))
        raise Surgery(
            f"members 0 and {m} do not hold the same tensors: {', '.join(only) or 'their order differs'}"
        )
    for name, part in a.parts.items():
        other = b.parts[name]
        if part.names != other.names:
            raise Surgery(f"{name} is shared in one of the members 0 and {m} and not in the other")
        for axis, (x, y) in enumerate(zip(part.axes, other.axes, strict=True)):
            if x in (SHARED, OUTPUTS) or y in (SHARED, OUTPUTS):
                if x != y:
                    raise Surgery(f"{name}: axis {axis} has different roles in members 0 and {m}")
                if part.shape[axis] != other.shape[axis]:
                    what = "outputs" if x == OUTPUTS else "entries that all members share"
                    raise Surgery(
                        f"{name}: member 0 has {part.shape[axis]} {what}, member {m} has {other.shape[axis]}; nothing is "
                        "padded or cut to make them fit"
                    )
            elif [(s.group, s.outer, s.inner) for s in x] != [(s.group, s.outer, s.inner) for s in y]:
                raise Surgery(
                    f"{name}: a unit has {[s.outer * s.inner for s in x]} entries in member 0 and "
                    f"{[s.outer * s.inner for s in y]} in member {m} (size of a head, a map or a block)"
                )


def _same_kinds(a: dict, b: dict, m: int) -> None:
    for name, mine in a.items():
        for what, value in mine.items():
            if value != b[name][what]:
                raise Surgery(
                    f"{name}: {what} is {value} in member 0 and {b[name][what]} in member {m}: convert one"
                )
