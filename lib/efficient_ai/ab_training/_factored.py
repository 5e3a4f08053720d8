"""A weight that is written as A B for a while, in any layer, and gives its parameter back afterwards.

A linear layer need not multiply the factors with each other: ``(x B^T) A^T`` is the same, and cheaper unless the batch is large and
the rank is high. Which of the two it does is decided in each call, by counting. Other layers get the product.
"""

from types import MethodType

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize

from efficient_ai import lowrank


class Product(nn.Module):
    """``W`` from ``A`` and ``B``, for :mod:`torch.nn.utils.parametrize`."""

    def __init__(self, view: lowrank.MatrixView):
        super().__init__()
        self.view = view

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.view.join(a @ b)

    def right_inverse(self, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Only the shapes count: the caller puts the factors that all ranks share in place."""
        matrices = self.view.split(weight)
        return torch.zeros_like(matrices), torch.zeros_like(matrices[..., : self.view.columns, :])


def factors_cheaper(samples: int, inputs: int, outputs: int, rank: int) -> bool:
    """Whether a linear layer of one learning factor takes fewer multiplications forward and backward with its factors one after another.

    One after another: two products forward and three backward, of ``samples * rank`` times one side each. Rebuilt: three of
    ``samples * inputs * outputs``, and ``rank * inputs * outputs`` twice, for the weight and for the factor's gradient.
    """
    apart = 2.5 * samples * rank * (inputs + outputs)
    return apart < (3 * samples + 2 * rank) * inputs * outputs


def _forward(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """What a linear layer does while its weight is two factors."""
    inner = layer.parametrizations.weight
    a, b, view = inner.original0[0], inner.original1[0], inner[0].view
    first, second = (a.mT, b.mT) if view.turned else (b, a)
    samples = x.numel() // max(1, x.shape[-1])
    if factors_cheaper(samples, first.shape[1], second.shape[0], first.shape[0]):
        return functional.linear(functional.linear(x, first), second, layer.bias)
    return functional.linear(x, layer.weight, layer.bias)


def balanced(
    weight: torch.Tensor, view: lowrank.MatrixView, cutoff: float | None
) -> tuple[torch.Tensor, ...]:
    """The two factors of a weight, singular values shared out evenly: ``||A|| = ||B||``.

    Args:
        weight: of the shape of ``view``.
        cutoff: keep singular values above this share of the largest, of the matrix that needs most; ``None`` keeps all.

    Returns:
        ``A`` of shape ``(count, rows, k)`` and ``B`` of shape ``(count, k, columns)``; ``k`` is at least 1.

    Raises:
        ValueError: the weight is not finite, or a cut-off outside of 0 to 1.
    """
    factors = lowrank.thin_svd(view.split(weight.detach()))
    if cutoff is not None:
        if not 0 <= cutoff <= 1:
            raise ValueError(f"a cut-off lies between 0 and 1: not {cutoff!r}")
        above = (factors.s > cutoff * factors.s[..., :1]).sum(-1)
        factors = factors.cut(max(1, int(above.max())))
    a, b = factors.balanced()
    return a.contiguous(), b.contiguous()


class Place:
    """One decomposable weight of a model, wherever it is used.

    Args:
        model: that holds it.
        layer: from :func:`efficient_ai.lowrank.survey`.

    ``weight`` is the parameter at full rank; it keeps its identity, so that an optimiser finds it again.
    """

    def __init__(self, model: nn.Module, layer: lowrank.Layer):
        self.name, self.view, self.weight = layer.names[0], layer.view, layer.weight
        self.a: nn.Parameter | None = None
        self.b: nn.Parameter | None = None
        self.names = [tuple(name.rpartition(".")[::2]) for name in layer.names]
        self._holders = [(model.get_submodule(path), own) for path, own in self.names]

    @property
    def rank(self) -> int | None:
        """Of the factors; ``None`` at full rank."""
        return None if self.a is None else self.a.shape[-1]

    def install(self, a: torch.Tensor, b: torch.Tensor, learns: str) -> nn.Parameter:
        """Write the weight as ``a @ b`` in every layer that uses it; returns the factor that learns."""
        self.remove()
        self.a = nn.Parameter(a, requires_grad=learns == "a")
        self.b = nn.Parameter(b, requires_grad=learns == "b")
        for module, name in self._holders:
            parametrize.register_parametrization(module, name, Product(self.view), unsafe=True)
            inner = module.parametrizations[name]
            inner.original0, inner.original1 = self.a, self.b
            if (
                name == "weight"
                and type(module).forward is nn.Linear.forward
                and "forward" not in vars(module)
            ):
                module.forward = MethodType(
                    _forward, module
                )  # a method of this module, so that copies get their own
        return self.a if learns == "a" else self.b

    @torch.no_grad()
    def remove(self, matrix: torch.Tensor | None = None) -> None:
        """Put the parameter back, with the values of ``matrix`` of shape ``(count, rows, columns)`` if there is one."""
        for module, name in self._holders:
            if getattr(vars(module).get("forward"), "__func__", None) is _forward:
                del module.forward
            if parametrize.is_parametrized(module, name):
                parametrize.remove_parametrizations(module, name, leave_parametrized=True)
                delattr(module, name)
                module.register_parameter(name, self.weight)
        self.a = self.b = None
        if matrix is not None:
            self.weight.copy_(self.view.join(matrix))
