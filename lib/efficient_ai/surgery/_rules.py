"""What each operation does to the names of channels."""

import operator

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ELEMENTWISE = {
    operator.add, operator.iadd, operator.sub, operator.mul, operator.imul, operator.truediv, torch.add, torch.sub,
    torch.mul, torch.div, torch.maximum, torch.minimum, "add", "add_", "sub", "mul", "mul_", "div",
}  # fmt: skip
"""Two tensors, element by element: both belong to the same channel."""

LINEAR_PAIRS = {operator.add, operator.iadd, operator.sub, torch.add, torch.sub, "add", "add_", "sub"}

LINEAR_UNARY = {
    torch.neg, operator.neg, torch.clone, "contiguous", "clone", "to", "float", "double", "half", "type_as",
}  # fmt: skip

UNARY = {
    F.relu, F.relu6, F.gelu, F.silu, F.elu, F.selu, F.leaky_relu, F.softplus, F.hardswish, F.mish, F.dropout,
    F.dropout2d, torch.relu, torch.tanh, torch.sigmoid, F.sigmoid, F.tanh, torch.exp, torch.abs, torch.sqrt,
    torch.square, torch.pow, operator.pow, torch.clamp, torch.sin, torch.cos, torch.erf,
    "relu", "relu_", "tanh", "sigmoid", "abs", "clamp", "pow", "exp", "square", "sqrt",
}  # fmt: skip

UNARY_MODULES = (
    nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.ELU, nn.SELU, nn.CELU, nn.LeakyReLU, nn.Softplus, nn.Tanh, nn.Sigmoid,
    nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Mish, nn.Softsign, nn.LogSigmoid, nn.Dropout, nn.Dropout1d,
    nn.Dropout2d, nn.AlphaDropout,
)  # fmt: skip

STRUCTURAL = {
    torch.flatten, torch.reshape, torch.permute, torch.transpose, torch.squeeze, torch.unsqueeze, torch.cat,
    torch.concat, torch.stack, torch.chunk, torch.split, torch.unbind, torch.swapaxes, torch.movedim, torch.roll,
    torch.narrow, torch.tile, operator.getitem, "view", "reshape", "flatten", "permute", "transpose", "squeeze",
    "unsqueeze", "expand", "expand_as", "chunk", "split", "unbind", "unflatten", "swapaxes", "narrow", "repeat",
    "mT", "T", "view_as", "reshape_as", "movedim", "select",
}  # fmt: skip
"""Moves elements without changing them, so the names move by the very same call."""

SPATIAL_MODULES = (
    nn.MaxPool1d, nn.MaxPool2d, nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d, nn.Upsample, nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d,
)  # fmt: skip
SPATIAL = {
    F.max_pool2d, F.avg_pool2d, F.max_pool1d, F.avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool1d, F.interpolate,
    F.adaptive_max_pool2d,
}  # fmt: skip
LINEAR_SPATIAL = (nn.AvgPool1d, nn.AvgPool2d, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d)
LINEAR_SPATIAL_CALLS = {F.avg_pool2d, F.avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool1d}

MEANS = {torch.mean, torch.sum, torch.amax, "mean", "sum", "amax"}
LINEAR_MEANS = {torch.mean, torch.sum, "mean", "sum"}
SOFTMAX = {F.softmax, torch.softmax, F.log_softmax, torch.log_softmax, "softmax", "log_softmax"}
MATMUL = {torch.matmul, torch.bmm, operator.matmul, "matmul", "bmm"}
ATTENTION = {F.scaled_dot_product_attention}
WEIGHTED = {F.linear, *MATMUL}
"""Calls that make channels of what has none."""


def spread(names: np.ndarray, axis: int, shape: tuple[int, ...]) -> np.ndarray:
    """The names of one axis, shape ``(n,)``, over a tensor of ``shape``."""
    form = [1] * len(shape)
    form[axis] = len(names)
    return np.broadcast_to(names.reshape(form), shape)
