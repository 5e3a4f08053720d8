"""Layers whose weight lies in factors.

A module stays the object that it was, with its name, its hooks and its bias. Only its class changes, to one that computes the weight
when somebody asks for it: torch's own attention and encoder layers read ``weight`` of their children and never call them.
"""

import math

import torch
from torch import nn
from torch.nn import functional

from efficient_ai.oialr._factored import Factored

SUFFIX = "_factors"
_CONVOLVE = {nn.Conv1d: functional.conv1d, nn.Conv2d: functional.conv2d, nn.Conv3d: functional.conv3d}


class _Linear:
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight_factors.linear(x, self.bias)


class _Convolution:
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Through the factors: a convolution to ``r`` channels a group, then one of width 1 to all outputs."""
        factors, batch = self.weight_factors, x.shape[0] if x.ndim == len(self.kernel_size) + 2 else 1
        sizes = x.shape[-len(self.kernel_size) :]
        places = math.prod(max(1, -(-n // step)) for n, step in zip(sizes, self.stride, strict=True))
        if not factors.cheaper(batch * places):
            return self._conv_forward(x, self.weight, self.bias)
        left, core, right = factors.sides()
        axes = self.weight_axes[1:]
        narrow = self._conv_forward(x, right.reshape(-1, *axes), None)
        wide = (left @ core).reshape(self.out_channels, factors.rank, *(1 for _ in axes[1:]))
        convolve = next(call for kind, call in _CONVOLVE.items() if isinstance(self, kind))
        return convolve(narrow, wide.to(narrow.dtype), self.bias, groups=self.groups)

    @property
    def weight_axes(self) -> tuple[int, ...]:
        return self.weight_factors.view.shape


def _reader(name: str) -> property:
    return property(lambda module: getattr(module, name + SUFFIX).weight())


_classes: dict[tuple, type] = {}


def _class(kind: type, names: tuple[str, ...]) -> type:
    """The class of a module of this kind whose parameters ``names`` are computed; a faster forward where it is torch's own."""
    if (kind, names) not in _classes:
        faster = ()
        if issubclass(kind, nn.Linear) and kind.forward is nn.Linear.forward:
            faster = (_Linear,)
        elif any(issubclass(kind, own) and kind.forward is own.forward for own in _CONVOLVE):
            faster = (_Convolution,)
        members = {name: _reader(name) for name in names} | {"_plain": kind, "__module__": kind.__module__}
        _classes[kind, names] = type(f"Factored{kind.__name__}", (*faster, kind), members)
    return _classes[kind, names]


def install(module: nn.Module, name: str, factors: Factored) -> None:
    """Let ``module`` take its parameter ``name`` from ``factors``."""
    plain = getattr(module, "_plain", type(module))
    others = [key.removesuffix(SUFFIX) for key in module._modules if key.endswith(SUFFIX)]
    del module._parameters[name]
    module.add_module(name + SUFFIX, factors)
    module.__class__ = _class(plain, tuple(sorted({*others, name})))


def remove(module: nn.Module, name: str, weight: nn.Parameter) -> None:
    """The inverse of :func:`install`: the parameter lies in the module again."""
    del module._modules[name + SUFFIX]
    rest = tuple(sorted(key.removesuffix(SUFFIX) for key in module._modules if key.endswith(SUFFIX)))
    module.__class__ = _class(module._plain, rest) if rest else module._plain
    module._parameters[name] = weight
