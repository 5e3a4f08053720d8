"""Puts assembled tensors into a copy of a model, and sets the sizes its layers announce."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import fx, nn
from torch.nn import functional as F

from efficient_ai.surgery._anatomy import Anatomy
from efficient_ai.surgery._assemble import _places
from efficient_ai.surgery._labels import Surgery


def rebuild(model: nn.Module, anatomy: Anatomy, made: Mapping[str, torch.Tensor]) -> nn.Module:
    """A copy of ``model`` that holds ``made``; the model itself stays as it is.

    Args:
        model: of the class that the result shall have.
        anatomy: of this model.
        made: tensors by first name, as :func:`assemble` returns them.
    """
    memo: dict[int, object] = {}  # what deepcopy finds here it does not copy: no second set of weights
    for part in anatomy.parts.values():
        old, tensor = _get(model, part.name), made[part.name]
        if isinstance(old, nn.Parameter):
            tensor = nn.Parameter(tensor, requires_grad=old.requires_grad)
        memo[id(old)] = tensor
    twin = copy.deepcopy(model, memo)
    for mine, theirs in zip(twin.modules(), model.modules(), strict=True):
        _announce(mine, _sizes(theirs))
    return twin


def _owner(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, key = name.rpartition(".")
    return model.get_submodule(path), key


def _get(model: nn.Module, name: str) -> torch.Tensor:
    owner, key = _owner(model, name)
    return getattr(owner, key)


def _sizes(layer: nn.Module) -> tuple[int, ...]:
    weight = getattr(layer, "weight", None)
    return tuple(weight.shape) if isinstance(weight, torch.Tensor) else ()


def _announce(layer: nn.Module, before: tuple[int, ...]) -> None:
    """Width attributes from the shapes of the new weights."""
    now = _sizes(layer)
    match layer:
        case nn.Linear():
            layer.out_features, layer.in_features = now
        case nn.Conv1d() | nn.Conv2d() | nn.Conv3d():
            layer.groups = now[0] * layer.groups // before[0] if layer.groups > 1 else 1
            layer.out_channels, layer.in_channels = now[0], now[1] * layer.groups
        case nn.ConvTranspose1d() | nn.ConvTranspose2d() | nn.ConvTranspose3d():
            layer.groups = now[0] * layer.groups // before[0] if layer.groups > 1 else 1
            layer.in_channels, layer.out_channels = now[0], now[1] * layer.groups
        case (
            nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d() | nn.InstanceNorm1d() | nn.InstanceNorm2d()
        ):
            held = layer.weight if layer.weight is not None else layer.running_mean
            if held is not None:
                layer.num_features = len(held)
        case nn.LayerNorm() | nn.RMSNorm():
            if now:
                layer.normalized_shape = now
        case nn.GroupNorm():
            if now:
                layer.num_groups, layer.num_channels = layer.num_groups * now[0] // before[0], now[0]
        case nn.Embedding():
            layer.embedding_dim = now[1]
        case nn.MultiheadAttention():
            width, heads = layer.in_proj_weight.shape[0] // 3, layer.num_heads
            layer.num_heads = width // layer.head_dim
            if layer.in_proj_weight.shape[1] != width:
                raise Surgery("attention needs as many channels in its heads as in its stream")
            layer.embed_dim = layer.kdim = layer.vdim = width
            layer.out_proj.in_features = layer.out_proj.out_features = width
            assert heads > 0


class MemberNorm(nn.Module):
    """Layer norm of members side by side: one mean and one variance for each member.

    Args:
        norm: with the weights of all members, shape ``(width,)``.
        members: positions of each member's channels.
    """

    def __init__(self, norm: nn.LayerNorm | nn.RMSNorm, members: Sequence[torch.Tensor]):
        super().__init__()
        self.weight, self.bias, self.eps = norm.weight, getattr(norm, "bias", None), norm.eps
        self.centred = isinstance(norm, nn.LayerNorm)
        self.where = [torch.as_tensor(m) for m in members]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made = torch.empty_like(x)
        for where in self.where:
            weight = None if self.weight is None else self.weight[where]
            bias = None if self.bias is None else self.bias[where]
            part, shape = x[..., where], (len(where),)
            made[..., where] = (
                F.layer_norm(part, shape, weight, bias, self.eps) if self.centred else F.rms_norm(part, shape, weight, self.eps)
            )  # fmt: skip
        return made


_SHAPED = {"view", "reshape", "expand", "unflatten", "repeat"}


def widen(members: Sequence[nn.Module], anatomies: Sequence[Anatomy], kept, made) -> fx.GraphModule:
    """The network that holds all members side by side, as a traced module.

    Sizes that the forward pass states as numbers are set anew; norms over channels keep one mean and variance per member.
    """
    base = rebuild(members[0], anatomies[0], made)
    first = anatomies[0]
    for name, layer in list(base.named_modules()):
        if isinstance(layer, nn.LayerNorm | nn.RMSNorm):
            part = first.parts.get(f"{name}.weight" if name else "weight")
            if part is None:
                raise Surgery(
                    f"layer {name!r} has no weights to tell its channels by: give it affine weights"
                )
            axes = [a.parts[part.name].axes[0] for a in anatomies]
            if isinstance(axes[0], str):
                continue
            base.set_submodule(
                name, MemberNorm(layer, [_places(axes, m, kept)[0] for m in range(len(members))])
            )
    graph = fx.Graph()
    made_nodes: dict[fx.Node, fx.Node] = {}
    tainted = _tainted(anatomies)
    for node in first.graph.nodes:
        if node.name in tainted:
            continue
        copy_of = graph.node_copy(node, lambda n: made_nodes.get(n, tainted.get(n.name)))
        made_nodes[node] = copy_of
        target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        if node.op in ("call_method", "call_function") and target in _SHAPED:
            _reshape(copy_of, node.name, anatomies, target)
        elif any(
            n.name in tainted and len({a.scalars[n.name] for a in anatomies}) > 1
            for n in node.all_input_nodes
        ):
            raise Surgery(
                f"operation {target!r} uses a number that follows from the width, and the members' widths differ"
            )
        if node.op == "call_function" and target == "getitem":
            _refuse_slices(node, anatomies)
    module = fx.GraphModule(base, graph)
    for layer in module.modules():
        if isinstance(layer, nn.Unflatten):
            raise Surgery(
                "nn.Unflatten states its channels as numbers: write x.unflatten or x.view in the forward pass"
            )
    return module


def _tainted(anatomies: Sequence[Anatomy]) -> dict[str, int | float]:
    """Numbers computed from the width of channels, which must not grow with the members."""
    first, found = anatomies[0], {}
    for node in first.graph.nodes:
        if node.name not in first.scalars:
            continue
        source = node.args[0] if node.args and isinstance(node.args[0], fx.Node) else None
        if source is None:
            continue
        target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "")
        tensor = source
        if target == "getitem" and source.args and isinstance(source.args[0], fx.Node):
            tensor, axis = source.args[0], node.args[1]
        elif target == "size":
            axis = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
        else:
            axis = None
        wide = first.wide_axes(tensor.name)
        grows = isinstance(axis, int) and bool(wide) and wide[axis]
        if grows or any(n.name in found for n in node.all_input_nodes):
            found[node.name] = first.scalars[node.name]
    return found


def _reshape(node: fx.Node, name: str, anatomies: Sequence[Anatomy], target: str) -> None:
    """Where an axis of the result grows, the number for it is the sum over the members."""
    shapes = [a.classes[name].shape for a in anatomies]
    wide = anatomies[0].wide_axes(name)
    packed = len(node.args) > 1 and isinstance(node.args[1], tuple | list)
    if target in ("unflatten", "repeat"):
        if any(wide):
            raise Surgery(f"operation {target!r} states channels as numbers: write it as a view")
        return
    sizes = list(node.args[1]) if packed else list(node.args[1:])
    for axis, grows in enumerate(wide):
        if grows and not (isinstance(sizes[axis], int) and sizes[axis] == -1):
            sizes[axis] = sum(shape[axis] for shape in shapes)
        elif not grows and isinstance(sizes[axis], int) and sizes[axis] != -1:
            if len({shape[axis] for shape in shapes}) > 1 and axis > 0:
                raise Surgery(
                    f"operation {target!r}: axis {axis} has sizes {[s[axis] for s in shapes]} in the members"
                )
    node.args = (node.args[0], tuple(sizes)) if packed else (node.args[0], *sizes)


def _refuse_slices(node: fx.Node, anatomies: Sequence[Anatomy]) -> None:
    source = node.args[0]
    wide = anatomies[0].wide_axes(source.name) if isinstance(source, fx.Node) else ()
    index = node.args[1] if isinstance(node.args[1], tuple) else (node.args[1],)
    if not wide or Ellipsis in index:
        return
    for axis, entry in enumerate(i for i in index if i is not None):
        if axis < len(wide) and wide[axis] and entry != slice(None):
            raise Surgery(
                f"operation {node.name!r} takes channels by their number: use chunk, or separate layers"
            )
