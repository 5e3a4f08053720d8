"""Groups of coupled channels: which slices of which tensors have to be kept or removed together."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from torch import fx, nn

from efficient_ai.surgery._labels import Surgery
from efficient_ai.surgery._trace import Slot, Trace

SHARED, OUTPUTS = "shared", "outputs"


@dataclass(frozen=True)
class Segment:
    """A stretch of an axis that belongs to one group; entry ``(o * units + u) * inner + i`` belongs to unit ``u``.

    Channels first, flattened: ``inner`` is height times width. Channels last: ``outer`` is. A packed projection of
    queries, keys and values has ``outer`` 3 and heads as units.
    """

    group: int
    outer: int
    units: int
    inner: int

    @property
    def size(self) -> int:
        return self.outer * self.units * self.inner


Axis = str | tuple[Segment, ...]


@dataclass(frozen=True)
class Part:
    """One parameter or buffer: its names, shape and what each axis is: segments, ``"shared"`` or ``"outputs"``."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    axes: tuple[Axis, ...]
    layer: bool

    @property
    def name(self) -> str:
        return self.names[0]

    @property
    def free(self) -> bool:
        """Whether no axis is one of channels or of outputs."""
        return all(axis == SHARED for axis in self.axes)

    @property
    def makes_outputs(self) -> bool:
        return OUTPUTS in self.axes


@dataclass(frozen=True)
class Group:
    """Channels that appear in exactly the same tensors.

    Args:
        name: of the layer that makes them.
        units: how many there are: neurons, channels, or whole heads and blocks where these cannot be told apart.
        places: names of tensors and their axes.
    """

    name: str
    units: int
    places: tuple[tuple[str, int], ...]


@dataclass
class Anatomy:
    """What :func:`anatomy` found.

    Args:
        groups: from input to output.
        parts: every parameter and buffer, by its first name.
        steps: the computation, to compare models: one tuple per operation.
        graph: the traced computation.
        classes: channel classes of every node's value, by node name; -1 is none.
    """

    groups: list[Group]
    parts: dict[str, Part]
    steps: list[tuple]
    graph: fx.Graph
    classes: dict[str, object] = field(repr=False)
    owner: np.ndarray = field(repr=False)
    scalars: dict[str, int | float] = field(repr=False)

    def wide_axes(self, node: str) -> tuple[bool, ...]:
        """Along which axes of a node's value the channels change, so that it grows when members stand side by side."""
        found = self.classes.get(node)
        if not isinstance(found, np.ndarray):
            return ()
        hidden = (
            np.where((found >= 0) & (self.owner[np.maximum(found, 0)] >= 0), found, -1)
            if len(self.owner)
            else found
        )
        return tuple(bool((np.take(hidden, [0], axis) != hidden).any()) for axis in range(hidden.ndim))

    def group(self, name: str) -> int:
        """Index of the group that a layer makes.

        Raises:
            Surgery: no group of that name; lists those there are.
        """
        for i, group in enumerate(self.groups):
            if group.name == name:
                return i
        raise Surgery(
            f"no group of channels is named {name!r}; there are {', '.join(g.name for g in self.groups)}"
        )


def anatomy(
    model: nn.Module, example: torch.Tensor | tuple[torch.Tensor, ...], *, cutting: bool = False
) -> Anatomy:
    """Trace a model and find its groups of coupled channels.

    Args:
        model: any module whose forward pass takes tensors, returns one and can be traced; it is not changed. A module in it
            that cannot be followed may state its own rule, ``couple_channels(trace, names, value)``: given the names of
            its inputs it ties those that belong together and returns the names of its results.
        example: an input, shape ``(n, ...)``, on the model's device; a tuple for a model that takes several.
        cutting: channels will be removed. Without it they will be joined with those of other models, which forbids more:
            non-linear outputs, and sums with the input.

    Raises:
        Surgery: something in the model has no rule; the message names the layer.
    """
    with torch.random.fork_rng(devices=[]):
        given = tuple(e[:2] for e in example) if isinstance(example, tuple) else example[:2]
        trace = Trace(model, given, cutting)
    classes = trace.settle()

    def of(names):
        if isinstance(names, tuple):
            return tuple(of(n) for n in names)
        return np.where(names >= 0, classes[np.maximum(names, 0)], -1) if len(classes) else names

    outputs = set(np.unique(of(trace.outputs))) - {-1}
    if not outputs:
        raise Surgery("the output does not come from a layer, so there is nothing to cut before it")
    if cutting:
        for names in trace.fixed:
            outputs |= set(np.unique(of(names))) - {-1}
    else:
        _check(trace, of, outputs)
    slots = list(trace.slots.values())
    raw = {slot.names[0]: _axes(slot, of) for slot in slots}
    groups, owner, rank = _groups(raw, outputs, len(np.unique(classes)))
    parts = {}
    for slot in slots:
        axes = tuple(_axis(a, owner, rank, groups, outputs, slot.names[0]) for a in raw[slot.names[0]])
        parts[slot.names[0]] = Part(tuple(slot.names), slot.shape, axes, layer=bool(slot.axes))
    found = {node.name: of(names) for node, names in trace.found.items() if names is not None}
    return Anatomy(groups, parts, _steps(trace), trace.graph, found, owner, trace.scalars)


def _check(trace: Trace, of, outputs: set[int]) -> None:
    for what, names in trace.nonlinear:
        if outputs & set(np.unique(of(names))):
            raise Surgery(
                f"{what!r} acts on the outputs, and the mean of the members' outputs would not pass through it: "
                "take the model up to its logits"
            )
    for what, names in trace.used:
        if outputs & set(np.unique(of(names))):
            raise Surgery(
                f"layer {what!r} reads what is also an output: the outputs must be used by nothing else"
            )
    for what, names, axis in trace.mixing:
        found = of(names)
        if (np.take(found, [0], axis) != found).any():
            raise Surgery(
                f"operation {what!r} runs along an axis of channels, which must stay apart from member to member"
            )


def _axes(slot: Slot, of) -> list[np.ndarray | None]:
    """Channel classes along each axis; for bare tensors, found from the classes of their elements."""
    if slot.axes:
        return [None if a is None else of(a) for a in slot.axes]
    if slot.elements is None or (slot.elements < 0).all():
        return [None] * len(slot.shape)
    found = of(slot.elements)
    for axis in reversed(range(found.ndim)):
        line = found[tuple(slice(None) if a == axis else 0 for a in range(found.ndim))]
        form = [1] * found.ndim
        form[axis] = -1
        if (found == line.reshape(form)).all():
            return [line if a == axis else None for a in range(found.ndim)]
    raise Surgery(f"{slot.names[0]}: its channels do not lie along one axis, so it cannot be cut")


def _groups(raw: dict, outputs: set[int], count: int):
    """Channels with the same set of places form a group; groups and units in the order of first appearance."""
    spots = [
        (name, axis) for name, axes in raw.items() for axis, channel in enumerate(axes) if channel is not None
    ]
    inside, key = np.zeros((len(spots), count), dtype=bool), np.zeros(count, dtype=int)
    for row, (name, axis) in zip(inside, spots, strict=True):
        row[raw[name][axis]] = True
        key = np.unique(2 * key + row, return_inverse=True)[1]  # equal where all places so far are
    hidden = np.flatnonzero(inside.any(axis=0))
    hidden = hidden[~np.isin(hidden, list(outputs))]
    owner, rank = np.full(count, -1), np.full(count, -1)
    known: dict[tuple, np.ndarray] = {}
    for first in np.sort(np.unique(key[hidden], return_index=True)[1]):
        channel = hidden[first]
        where = tuple(spot for spot, row in zip(spots, inside, strict=True) if row[channel])
        known[where] = hidden[key[hidden] == key[channel]]
    groups = []
    for where, channels in known.items():
        owner[channels], rank[channels] = len(groups), np.arange(len(channels))
        first = next((name for name, axis in where if axis == 0 or len(raw[name]) == 1), where[0][0])
        title = first.rsplit(".", 1)[0] if "." in first else first
        taken = sum(g.name == title or g.name.startswith(title + "#") for g in groups)
        groups.append(Group(f"{title}#{taken + 1}" if taken else title, len(channels), where))
        for name, axis in where:
            if len(channels) == 1 and (raw[name][axis] == channels[0]).sum() > 1:
                raise Surgery(
                    f"{name}: its {(raw[name][axis] == channels[0]).sum()} channels can only be moved together (one head of "
                    "attention, or one norm group): use at least two heads or groups"
                )
    return groups, owner, rank


def _axis(channel, owner, rank, groups, outputs, name) -> Axis:
    if channel is None:
        return SHARED
    are_outputs = np.isin(channel, list(outputs))
    if are_outputs.all():
        return OUTPUTS
    if are_outputs.any():
        raise Surgery(
            f"{name}: some of its channels are outputs of the model and some are not: split the layer"
        )
    of = owner[channel]
    starts = [0, *(np.flatnonzero(np.diff(of)) + 1).tolist(), len(of)]
    return tuple(
        _segment(rank[channel[a:b]], int(of[a]), groups[int(of[a])], name) for a, b in pairwise(starts)
    )


def _segment(units: np.ndarray, index: int, group: Group, name: str) -> Segment:
    inner = int(np.argmax(units != units[0])) or len(units)
    outer, rest = divmod(len(units), group.units * inner)
    expected = np.tile(np.repeat(np.arange(group.units), inner), outer)
    if rest or not np.array_equal(units, expected):
        raise Surgery(
            f"{name}: the channels of {group.name} lie in it in an order that is no reshape of channels, positions and copies"
        )
    return Segment(index, outer, group.units, inner)


_SIZED = {
    "view",
    "reshape",
    "expand",
    "getitem",
    "chunk",
    "split",
    "unflatten",
    "narrow",
    "flatten",
    "repeat",
    "tile",
}
_WIDTHS = {
    "in_features", "out_features", "in_channels", "out_channels", "num_features", "normalized_shape", "embedding_dim",
    "num_embeddings", "groups", "num_groups", "num_channels", "embed_dim", "num_heads", "kdim", "vdim", "head_dim",
    "training", "in_place", "inplace", "unflattened_size", "device", "dtype",
}  # fmt: skip


def _steps(trace: Trace) -> list[tuple]:
    """The computation without its widths: operation, layer, settings."""
    steps = []
    for node in trace.graph.nodes:
        if node.op == "call_module":
            layer = trace.modules_by_name[node.target]
            settings = {
                key: value
                for key, value in vars(layer).items()
                if not key.startswith("_")
                and key not in _WIDTHS
                and isinstance(value, int | float | str | tuple | None)
            }
            steps.append((node.target, type(layer).__name__, settings))
        elif node.op in ("call_function", "call_method") and node.name not in trace.scalars:
            target = node.target if isinstance(node.target, str) else node.target.__name__
            plain = () if target in _SIZED else tuple(str(a) for a in node.args if not isinstance(a, fx.Node))
            steps.append((target, "operation", {"arguments": plain}))
        elif node.op == "get_attr":
            steps.append((node.target, "tensor", {}))
    return steps
