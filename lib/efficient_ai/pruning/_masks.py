"""Unstructured pruning: the smallest weights of all layers together become zero, and stay zero."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn


def prunable(model: nn.Module, outputs: int | None = None, also: Iterable[str] = ()) -> dict[str, Tensor]:
    """The tensors that the study prunes: weights of linear layers and 1-d convolutions, without output projections.

    Args:
        model: its biases, norms, positions and bare parameters (FEDformer's kernels among them) are left out.
        outputs: number of series; layers with as many outputs, or with one, are left out. ``None`` leaves out the last
            linear layer alone.
        also: names of parameters that are pruned as well.

    Returns:
        by first name; a tensor that two layers share stands there once.

    Raises:
        ValueError: nothing is left to prune, or a name that does not exist.
    """
    layers = [(n, m) for n, m in model.named_modules() if isinstance(m, nn.Linear | nn.Conv1d)]
    found, seen = {}, set()
    last = max((i for i, (_, m) in enumerate(layers) if isinstance(m, nn.Linear)), default=-1)
    for i, (name, layer) in enumerate(layers):
        leaves = len(layer.weight) in (1, outputs) if outputs is not None else i == last and len(layers) > 1
        if not leaves and id(layer.weight) not in seen:
            seen.add(id(layer.weight))
            found[f"{name}.weight" if name else "weight"] = layer.weight
    held = dict(model.named_parameters())
    for name in also:
        if name not in held:
            raise ValueError(f"the model has no parameter {name!r}: see model.named_parameters()")
        if id(held[name]) not in seen:
            seen.add(id(held[name]))
            found[name] = held[name]
    if not found:
        raise ValueError(
            "the model has no weight to prune: no linear layer or 1-d convolution besides its outputs"
        )
    return found


@dataclass(frozen=True)
class Count:
    """How much of a model is left, and of what.

    Args:
        total: parameters of the model, each tensor once, a complex number as one.
        prunable: those in the set that is pruned.
        zeros: weights of this set that the masks hold at zero.
        complex: parameters of the model that are complex numbers.
    """

    total: int
    prunable: int
    zeros: int
    complex: int

    @property
    def density(self) -> float:
        """Share of all parameters that is left."""
        return 1 - self.zeros / self.total

    @property
    def nominal(self) -> float:
        """Share of the prunable ones that is left: what the study calls density."""
        return 1 - self.zeros / self.prunable

    @property
    def floor(self) -> float:
        """Share of all parameters that is left when everything prunable is gone."""
        return 1 - self.prunable / self.total


class Masks:
    """Which weights stay, by parameter name; the model keeps its names, its file its size.

    Args:
        keep: bool tensors, ``True`` stays.
    """

    def __init__(self, keep: Mapping[str, Tensor]):
        self.keep = {name: mask.bool() for name, mask in keep.items()}

    @property
    def zeros(self) -> int:
        return sum(int((~mask).sum()) for mask in self.keep.values())

    def _held(self, model: nn.Module) -> dict[str, nn.Parameter]:
        held = dict(model.named_parameters(remove_duplicate=False))
        for name, mask in self.keep.items():
            if name not in held:
                raise ValueError(f"the masks are for a model with {name!r}, and this one has none")
            if held[name].shape != mask.shape:
                raise ValueError(
                    f"{name} has the shape {tuple(held[name].shape)} and its mask {tuple(mask.shape)}: "
                    "make the masks anew after channels were removed"
                )
        return held

    @torch.no_grad()
    def apply(self, model: nn.Module) -> nn.Module:
        """Sets what is masked to zero, in place; returns the model."""
        held = self._held(model)
        for name, mask in self.keep.items():
            held[name].masked_fill_(~mask.to(held[name].device), 0)
        return model

    def hold(self, model: nn.Module, optimiser: torch.optim.Optimizer):
        """Masked weights stay zero from now on: after every step, and in what the optimiser remembers.

        Returns:
            a handle; ``handle.remove()`` lets them grow again.

        Raises:
            ValueError: a masked weight is not in the optimiser, which therefore was built for other tensors.
        """
        held = self._held(model)
        inside = {id(p) for group in optimiser.param_groups for p in group["params"]}
        for name in self.keep:
            if id(held[name]) not in inside and held[name].requires_grad:
                raise ValueError(f"{name} is not in the optimiser: build the optimiser from this model")
        pairs = [(held[name], ~mask.to(held[name].device)) for name, mask in self.keep.items()]

        @torch.no_grad()
        def after(optimiser, *_):
            for parameter, gone in pairs:
                parameter.masked_fill_(gone, 0)
                for value in optimiser.state.get(parameter, {}).values():
                    if isinstance(value, Tensor) and value.shape == parameter.shape:
                        value.masked_fill_(gone, 0)

        after(optimiser)
        return optimiser.register_step_post_hook(after)

    def count(self, model: nn.Module) -> Count:
        """What is left of ``model``; says what was counted."""
        self._held(model)
        parameters = list(model.parameters())
        return Count(
            sum(p.numel() for p in parameters),
            sum(mask.numel() for mask in self.keep.values()),
            self.zeros,
            sum(p.numel() for p in parameters if p.is_complex()),
        )

    def state_dict(self) -> dict[str, Tensor]:
        """For ``torch.save``; one byte for a weight."""
        return dict(self.keep)


@torch.no_grad()
def global_l1(tensors: Mapping[str, Tensor], density: float) -> Masks:
    """One threshold for all tensors: the ``round((1 - density) · n)`` smallest absolute values of all go.

    Args:
        tensors: as :func:`prunable` returns them. Values that are zero already count as the smallest.
        density: nominal, from 0 to 1: share of these weights that stays.

    Raises:
        ValueError: a density that is none, or a weight that is not finite.
    """
    if isinstance(density, bool) or not 0 <= density <= 1:
        raise ValueError(f"a density lies between 0 and 1, not {density!r}")
    if not tensors:
        raise ValueError("there is nothing to prune")
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds values that are not finite: prune an earlier one")
    flat = torch.cat([tensor.detach().abs().float().reshape(-1).cpu() if tensor.dtype == torch.float16 else
                      tensor.detach().abs().reshape(-1).cpu() for tensor in tensors.values()])  # fmt: skip
    keep = torch.ones(len(flat), dtype=torch.bool)
    gone = round((1 - density) * len(flat))
    if gone:
        keep[torch.topk(flat, gone, largest=False).indices] = False
    parts = keep.split([t.numel() for t in tensors.values()])
    return Masks({n: part.reshape(t.shape) for (n, t), part in zip(tensors.items(), parts, strict=True)})


def mask(model: nn.Module, density: float, outputs: int | None = None, also: Iterable[str] = ()) -> Masks:
    """Prunes ``model`` in place to a nominal density and returns the masks; see :func:`prunable`."""
    masks = global_l1(prunable(model, outputs, also), density)
    masks.apply(model)
    return masks
