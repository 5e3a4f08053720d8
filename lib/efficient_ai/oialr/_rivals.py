"""What has to be beaten at the same ranks: other bases, and factors that all train."""

from collections.abc import Mapping

import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.oialr._factored import Factored
from efficient_ai.oialr._layers import install


@torch.no_grad()
def factorise(
    model: nn.Module, ranks: Mapping[str, int], basis: str = "svd", seed: int = 0
) -> list[Factored]:
    """Put the weights named in ``ranks`` into factors at once, without a schedule.

    Args:
        model: changed in place.
        ranks: by the name of a weight.
        basis: ``"svd"``: the leading singular vectors, frozen. ``"random"``: two random orthonormal bases, frozen, and an S as
            large as the weight was. ``"free"``: the leading singular vectors, trained as well.
        seed: of random bases.

    Raises:
        ValueError: an unknown basis or weight, or a rank that the weight cannot have.
    """
    if basis not in ("svd", "random", "free"):
        raise ValueError(f"basis is svd, random or free, not {basis!r}")
    layers = {layer.names[0]: layer for layer in lowrank.survey(model).layers}
    if unknown := sorted(set(ranks) - set(layers)):
        raise ValueError(f"no weight {unknown[0]} of this model can be put into factors")
    rng, made = torch.Generator().manual_seed(seed), []
    for name, rank in ranks.items():
        layer = layers[name]
        matrices = layer.view.split(layer.weight.detach())
        found = lowrank.thin_svd(matrices).cut(rank)
        if basis == "random":
            found = _strangers(found, rng)
        factors = Factored(layer.view, found)
        if basis == "random":  # as large as the weight: a random start of the same spread
            core = torch.randn(factors.s.shape, generator=rng).to(factors.s)
            factors.s.copy_(core * matrices.square().mean().sqrt() * (layer.view.columns / rank) ** 0.5)
        if basis == "free":
            for side in ("u", "vh"):
                value = factors._buffers.pop(side)
                factors.register_parameter(side, nn.Parameter(value))
        for own in layer.names:
            path, _, last = own.rpartition(".")
            install(model.get_submodule(path), last, factors)
        made.append(factors)
    return made


def _strangers(found: lowrank.Factors, rng: torch.Generator) -> lowrank.Factors:
    def orthonormal(like: torch.Tensor) -> torch.Tensor:
        return torch.linalg.qr(torch.randn(like.shape, generator=rng, dtype=torch.float64)).Q.to(like)

    return lowrank.Factors(orthonormal(found.u), found.s, orthonormal(found.vh.mT).mT)
