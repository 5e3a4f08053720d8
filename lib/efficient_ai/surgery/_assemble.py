"""Builds the tensors of a network out of chosen channels of others."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from efficient_ai.surgery._anatomy import OUTPUTS, SHARED, Anatomy, Part
from efficient_ai.surgery._compare import tensors
from efficient_ai.surgery._labels import Surgery

Kept = Sequence[Sequence[tuple[int, int]]]
"""For each group the channels that stand in it, in order: (member, unit)."""


def everything(anatomies: Sequence[Anatomy]) -> list[list[tuple[int, int]]]:
    """All units of all members side by side."""
    return [
        [(m, u) for m, a in enumerate(anatomies) for u in range(a.groups[g].units)]
        for g in range(len(anatomies[0].groups))
    ]


def assemble(
    anatomies: Sequence[Anatomy], members: Sequence[nn.Module], kept: Kept, weights: Sequence[float]
) -> dict[str, torch.Tensor]:
    """Every parameter and buffer of the network that holds the kept units.

    Units keep what connects them with units of their own member; between units of different members there are zeros.
    What makes the outputs is summed over the members, times their weights.

    Args:
        anatomies: one per member, of the same computation.
        members: they are only read.
        kept: for each group ``(member, unit)``; ``everything(anatomies)`` for the whole ensemble.
        weights: of the members' outputs, summing to 1, shape ``(members,)``.

    Returns:
        Tensors by first name, sharing no memory with the members.

    Raises:
        Surgery: a tensor without channels differs between the members, so that no joined one is right.
    """
    held = [tensors(member) for member in members]
    made = {}
    with torch.no_grad():
        for name, part in anatomies[0].parts.items():
            sources = [h[name] for h in held]
            parts = [a.parts[name] for a in anatomies]
            made[name] = shared(part, sources) if part.free else _joined(parts, sources, kept, weights)
    return made


def shared(part: Part, sources: Sequence[torch.Tensor]) -> torch.Tensor:
    """No channels: batch counters take the largest count, all else has to be the same everywhere."""
    if part.name.rsplit(".", 1)[-1] == "num_batches_tracked":
        return torch.stack([s.detach() for s in sources]).amax(0)
    for m, source in enumerate(sources[1:], 1):
        if source.shape != sources[0].shape or not torch.equal(source, sources[0]):
            raise Surgery(
                f"{part.name} (shape {tuple(source.shape)}) belongs to no channel, or the forward pass never uses it, and "
                f"differs between member 0 and member {m}: make it equal, or remove it from the model"
            )
    return sources[0].detach().clone()


def _joined(parts: Sequence[Part], sources, kept: Kept, weights) -> torch.Tensor:
    made = blank(parts[0], kept, sources[0])
    for m, source in enumerate(sources):
        places = _along(parts, m, kept)
        rows = places[0] if places and not parts[0].makes_outputs and not any(places[1:]) else None
        if rows and len(rows[0]) and (run := _run(rows[0])):  # whole rows that end side by side: one copy
            torch.index_select(source.detach(), 0, _index(rows[1], made), out=made[run])
        else:
            _put(made, places, _chosen(parts[0], places, source, weights[m]), sums=parts[0].makes_outputs)
    return made


def blank(part: Part, kept: Kept, like: torch.Tensor) -> torch.Tensor:
    """A tensor of the shape that a part has with the kept units, with zeros wherever no :func:`add` will write."""
    shape = [
        size if axis in (SHARED, OUTPUTS) else sum(s.outer * len(kept[s.group]) * s.inner for s in axis)
        for axis, size in zip(part.axes, part.shape, strict=True)
    ]
    whole = not part.makes_outputs and sum(isinstance(axis, tuple) for axis in part.axes) == 1
    make = torch.empty if whole else torch.zeros  # along one axis every place is some member's
    return make(shape, dtype=like.dtype, device=like.device)


def block(
    parts: Sequence[Part], member: int, source: torch.Tensor, kept: Kept, weight: float
) -> torch.Tensor:
    """What one member gives to a part: its kept units along every axis of channels; outputs times its weight.

    Args:
        parts: of all members.
        source: the member's tensor.
    """
    return _chosen(parts[0], _along(parts, member, kept), source, weight)


def block_shape(parts: Sequence[Part], member: int, kept: Kept) -> tuple[int, ...]:
    """Shape of a member's :func:`block`."""
    places = _along(parts, member, kept)
    return tuple(n if p is None else len(p[1]) for p, n in zip(places, parts[member].shape, strict=True))


def add(made: torch.Tensor, parts: Sequence[Part], member: int, given: torch.Tensor, kept: Kept) -> None:
    """Put a member's :func:`block` where it belongs in ``made``, in place."""
    _put(made, _along(parts, member, kept), given, sums=parts[0].makes_outputs)


def _along(parts: Sequence[Part], member: int, kept: Kept) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """For each axis, where a member's kept units stand in the joined tensor and in its own."""
    return [_places([p.axes[axis] for p in parts], member, kept) for axis in range(len(parts[0].axes))]


def _chosen(part: Part, places: Sequence, source: torch.Tensor, weight: float) -> torch.Tensor:
    made = source.detach()
    for axis, place in enumerate(places):
        if place is not None:
            made = made.index_select(axis, _index(place[1], made))
    return made * weight if part.makes_outputs else made


def _index(positions: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(positions, device=like.device)


def _run(positions: np.ndarray) -> slice | None:
    """Positions in rising order as a slice, if none between them is left out."""
    first, last = int(positions[0]), int(positions[-1])
    return slice(first, last + 1) if len(positions) == last - first + 1 else None


def _put(made: torch.Tensor, places: Sequence, given: torch.Tensor, *, sums: bool) -> None:
    """A block at the product of index lists, added if ``sums``; contiguous ranges, the usual case, without index tensors."""
    if not given.numel():
        return
    index = [slice(None) if p is None else _run(p[0]) or _index(p[0], made) for p in places]
    lists = [a for a, i in enumerate(index) if isinstance(i, torch.Tensor)]
    if len(lists) > 1:  # an outer product of lists, not a list of points
        for n, axis in enumerate(lists):
            index[axis] = index[axis].reshape([-1 if j == n else 1 for j in range(len(lists))])
        if lists != list(range(lists[0], lists[-1] + 1)):
            raise Surgery("channel axes of one tensor are not neighbours")
    if sums:
        made[tuple(index)] += given
    else:
        made[tuple(index)] = given


def _places(axes: Sequence, member: int, kept: Kept):
    """Positions along the joined axis and along the member's, of the units that come from this member."""
    if axes[member] in (SHARED, OUTPUTS):
        return None
    to, of, base, start = [], [], 0, 0
    for segment in axes[member]:
        chosen = kept[segment.group]
        table = np.asarray(chosen, dtype=int).reshape(-1, 2)
        slots = np.flatnonzero(table[:, 0] == member)
        units = table[slots, 1]
        outer = np.arange(segment.outer)[:, None, None]
        inner = np.arange(segment.inner)[None, None, :]
        to.append((base + (outer * len(chosen) + slots[None, :, None]) * segment.inner + inner).reshape(-1))
        of.append(
            (start + (outer * segment.units + units[None, :, None]) * segment.inner + inner).reshape(-1)
        )
        base += segment.outer * len(chosen) * segment.inner
        start += segment.size
    return np.concatenate(to), np.concatenate(of)
