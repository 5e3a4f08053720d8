"""The rule of each layer and each operation: how names come in, and how they go out."""

import operator

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from efficient_ai.surgery import _rules as rules
from efficient_ai.surgery._labels import NEUTRAL, Surgery

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d)


def names(trace, layer: nn.Module, node, value):
    """The names of what a layer puts out."""
    kind, given = type(layer), trace.of(node.args[0]) if node.args else None
    if given is None:
        raise Surgery("has no tensor as its first positional argument: call it as layer(x)")
    if hasattr(layer, "couple_channels"):
        return layer.couple_channels(trace, [trace.of(a) for a in node.args], value)
    if kind in rules.UNARY_MODULES:
        return _nonlinear(trace, node, given)
    if kind in (nn.Identity,):
        return given
    if kind in (nn.Flatten, nn.Unflatten):
        return layer(torch.from_numpy(np.ascontiguousarray(given))).numpy()
    if kind in rules.SPATIAL_MODULES:
        return _spatial(trace, node, given, value, linear=kind in rules.LINEAR_SPATIAL)
    if kind is nn.Linear:
        return _linear(trace, node, given, layer.weight, layer.bias, value.shape)
    if kind in _CONVOLUTIONS + _TRANSPOSED:
        return _convolution(trace, node, given, layer, value, transposed=kind in _TRANSPOSED)
    if kind in _BATCH_NORMS + _INSTANCE_NORMS:
        channel = trace.channels_of(given, 1)
        for tensor in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
            trace.hold(tensor, channel)
        if layer.num_batches_tracked is not None:
            trace.hold(layer.num_batches_tracked)
        return _nonlinear(trace, node, given)
    if kind in (nn.LayerNorm, nn.RMSNorm):
        if len(layer.normalized_shape) != 1:
            raise Surgery("normalises over several axes: only the last one, the channels, can be joined")
        channel = trace.channels_of(given, -1)
        trace.hold(layer.weight, channel)
        trace.hold(getattr(layer, "bias", None), channel)
        return _nonlinear(trace, node, given)
    if kind is nn.GroupNorm:
        channel = trace.channels_of(given, 1)
        if channel is not None:
            trace.ties.collapse(channel.reshape(layer.num_groups, -1), [1])
        trace.hold(layer.weight, channel)
        trace.hold(layer.bias, channel)
        return _nonlinear(trace, node, given)
    if kind is nn.Embedding:
        if layer.max_norm is not None:
            raise Surgery("renormalises its rows while it is used (max_norm): join it without")
        out = trace.out(layer.weight, 1, layer.embedding_dim)
        trace.hold(layer.weight, None, out)
        return rules.spread(out, -1, tuple(value.shape))
    if kind is nn.MultiheadAttention:
        return _multihead(trace, node, layer, value)
    if kind in (nn.Softmax, nn.LogSoftmax):
        return _softmax(trace, node, given, layer.dim)
    raise Surgery(f"{kind.__name__} has no rule: replace it, or join the parts before and after it")


def call(trace, node, value):
    """The names of what an operation puts out, at least one of whose inputs has channels."""
    target, given = node.target, [trace.of(a) for a in node.args]
    if target in rules.ELEMENTWISE:
        tensors = [g for g in given if g is not None]
        if len(tensors) == 1:
            divides_by = given[0] is None and target in (operator.truediv, torch.div)
            return _nonlinear(trace, node, tensors[0]) if divides_by else tensors[0]
        return _pair(trace, node, *tensors[:2])
    if target in rules.LINEAR_UNARY:
        return given[0]
    if target in rules.UNARY:
        return _nonlinear(trace, node, given[0])
    if target in rules.STRUCTURAL:
        return _moved(trace, node)
    if target in rules.SPATIAL:
        return _spatial(trace, node, given[0], value, linear=target in rules.LINEAR_SPATIAL_CALLS)
    if target in rules.MEANS:
        return _mean(trace, node, given[0], value)
    if target in rules.SOFTMAX:
        axis = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else -1)
        return _softmax(trace, node, given[0], axis)
    if target in rules.MATMUL and node.args[1].op == "get_attr" and given[1].ndim == 2:
        return _product(trace, node, given[0], _attribute(trace, node.args[1]), value.shape)
    if target in rules.MATMUL:
        return _matmul(trace, node, *given[:2])
    if target in rules.ATTENTION:
        query, key, values = (trace.of(a) for a in node.args[:3])
        scores = _matmul(trace, node, query, np.swapaxes(key, -1, -2))
        trace.mixing.append((str(node), scores, scores.ndim - 1))
        return _matmul(trace, node, scores, values)
    if target is F.linear:
        weight, bias = (
            _attribute(trace, node.args[1]),
            _attribute(trace, node.args[2] if len(node.args) > 2 else None),
        )
        return _linear(trace, node, given[0], weight, bias, value.shape)
    raise Surgery("has no rule: write it with layers, sums, products and reshapes")


def _nonlinear(trace, node, given):
    trace.nonlinear.append((str(node.target), given))
    return given


def _pair(trace, node, a, b):
    if node.target not in rules.LINEAR_PAIRS:
        for side in (a, b):
            trace.nonlinear.append((str(node.target), side))
    full = np.broadcast_shapes(a.shape, b.shape)
    for mine, other in ((a, b), (b, a)):
        mine, other = mine.reshape((1,) * (len(full) - mine.ndim) + mine.shape), other
        other = other.reshape((1,) * (len(full) - other.ndim) + other.shape)
        if (mine < 0).all():
            for axis in range(len(full)):
                varies = (np.take(other, [0], axis) != other).any()
                if mine.shape[axis] > 1 and varies:
                    if trace.cutting:
                        trace.fixed.append(other)  # the input keeps its width, so they keep theirs
                        break
                    raise Surgery(
                        "joins channels with values of the input, which all members share: put a layer between them"
                    )
    return trace.ties.tie(a, b)


def _moved(trace, node):
    def swap(argument):
        held = trace.of(argument)
        if isinstance(held, tuple):
            return tuple(torch.from_numpy(np.ascontiguousarray(h)) for h in held)
        if held is not None:
            return torch.from_numpy(np.ascontiguousarray(held))
        return trace.env.get(argument, argument) if hasattr(argument, "op") else argument

    from torch.fx.node import map_aggregate

    args = map_aggregate(node.args, lambda a: swap(a))
    kwargs = map_aggregate(node.kwargs, lambda a: swap(a))
    made = (
        getattr(args[0], node.target)(*args[1:], **kwargs)
        if node.op == "call_method"
        else node.target(*args, **kwargs)
    )
    return made.numpy() if isinstance(made, torch.Tensor) else tuple(m.numpy() for m in made)


def _spatial(trace, node, given, value, *, linear):
    if not linear:
        trace.nonlinear.append((str(node.target), given))
    channel = trace.channels_of(given, 1)
    if channel is None:
        return np.full(tuple(value.shape), NEUTRAL)
    return rules.spread(channel, 1, tuple(value.shape))


def _mean(trace, node, given, value):
    if node.target not in rules.LINEAR_MEANS:
        trace.nonlinear.append((str(node.target), given))
    axes = node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
    axes = range(given.ndim) if axes is None else [axes] if isinstance(axes, int) else axes
    axes = [a % given.ndim for a in axes]
    for axis in axes:
        trace.mixing.append((str(node), given, axis))
    return trace.ties.collapse(given, axes).reshape(tuple(value.shape))


def _softmax(trace, node, given, axis):
    trace.nonlinear.append((str(node.target), given))
    trace.mixing.append((str(node), given, axis % given.ndim))
    return given


def _matmul(trace, node, a, b):
    """Contraction: what is summed together stays together, so a head of attention is one unit."""
    for side in (a, b):
        trace.nonlinear.append((str(node.target), side))
    left = trace.ties.collapse(a, [a.ndim - 1])  # (..., n, 1)
    right = trace.ties.collapse(b, [b.ndim - 2])  # (..., 1, m)
    made = trace.ties.tie(left, right)
    return np.where(right >= 0, right, made) if (left >= 0).any() else made


def _linear(trace, node, given, weight, bias, shape):
    channel = trace.channels_of(given, -1)
    if channel is not None:
        trace.used.append((str(node.target), channel))
    out = trace.out(weight, 0, weight.shape[0])
    trace.hold(weight, out, channel)
    trace.hold(bias, out)
    return rules.spread(out, -1, tuple(shape))


def _product(trace, node, given, matrix, shape):
    """``x @ matrix`` with a bare parameter is a linear layer with its weight the other way round."""
    channel = trace.channels_of(given, -1)
    if channel is not None:
        trace.used.append((str(node), channel))
    out = trace.out(matrix, 1, matrix.shape[1])
    trace.hold(matrix, channel, out)
    return rules.spread(out, -1, tuple(shape))


def _convolution(trace, node, given, layer, value, *, transposed):
    channel = trace.channels_of(given, 1)
    if channel is not None:
        trace.used.append((str(node.target), channel))
    at = 1 if transposed else 0
    kernel = [None] * len(layer.kernel_size)
    if layer.groups == 1:
        out = trace.out(layer.weight, at, layer.out_channels)
        pair = (channel, out) if transposed else (out, channel)
        trace.hold(layer.weight, *pair, *kernel)
    else:
        if channel is None and trace.cutting:
            out = trace.out(layer.weight, at, layer.out_channels)
            trace.fixed.append(out)
            trace.hold(layer.weight, out, None, *kernel)
            trace.hold(layer.bias, out)
            return rules.spread(out, 1, tuple(value.shape))
        if channel is None:
            raise Surgery(
                "is a grouped convolution on the input, whose channels all members share: begin with groups=1"
            )
        blocks = channel.reshape(layer.groups, -1)
        trace.ties.collapse(blocks, [1])
        out = trace.slots[id(layer.bias)].axes[0] if _known(trace, layer.bias) else None
        out = trace.ties.fresh(layer.out_channels) if out is None else out
        trace.ties.tie(blocks[:, :1], out.reshape(layer.groups, -1))
        trace.hold(layer.weight, channel if transposed else out, None, *kernel)
    trace.hold(layer.bias, out)
    return rules.spread(out, 1, tuple(value.shape))


def _known(trace, tensor) -> bool:
    return tensor is not None and bool(trace.slots[id(tensor)].axes)


def _multihead(trace, node, layer, value):
    if not layer._qkv_same_embed_dim or layer.bias_k is not None or layer.add_zero_attn:
        raise Surgery(
            "has keys or values of another width, or added ones: only plain self attention is joined"
        )
    if len(node.args) < 3 or any(trace.of(a) is None for a in node.args[:3]):
        raise Surgery("is joined when called as layer(query, key, value, ...)")
    if node.kwargs.get("attn_mask") is not None or len(node.args) > 3:
        raise Surgery("has a mask that this rule does not follow: apply it inside a module of your own")
    queries, keys, values = (trace.channels_of(trace.of(a), -1) for a in node.args[:3])
    if queries is None:
        raise Surgery("reads the input itself: put a layer before it")
    trace.ties.tie(trace.ties.tie(queries, keys), values)
    trace.used.append((str(node.target), queries))
    width, heads = layer.embed_dim, layer.num_heads
    packed = trace.out(layer.in_proj_weight, 0, 3 * width)
    trace.ties.collapse(packed.reshape(3, heads, -1), [0, 2])
    trace.hold(layer.in_proj_weight, packed, queries)
    trace.hold(layer.in_proj_bias, packed)
    out = trace.out(layer.out_proj.weight, 0, width)
    trace.hold(layer.out_proj.weight, out, packed[:width])
    trace.hold(layer.out_proj.bias, out)
    given = value if isinstance(value, torch.Tensor) else value[0]
    made = rules.spread(out, -1, tuple(given.shape))
    if isinstance(value, torch.Tensor):
        return made
    return (made, *(np.full(tuple(v.shape), NEUTRAL) for v in value[1:] if v is not None))


def _attribute(trace, node):
    return None if node is None else trace.env[node]
