"""A rival that asks what neurons do: clusters of activations, weighted by attribution, fitted layer by layer."""

import copy
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from scipy.spatial.distance import cdist
from torch import nn

from efficient_ai.surgery import Anatomy, Surgery
from efficient_ai.transplantation._fuse import prepare


def interpolated(
    members: Sequence[nn.Module], example: torch.Tensor, inputs: torch.Tensor, *, rounds: int = 20
) -> nn.Module:
    """Neuron interpolation by attribution (Luenam et al. 2025), its linear form, for chains of linear layers.

    In each layer the neurons of all members are points, their values before the nonlinearity on ``inputs``. They are
    clustered (k-means, each neuron with its attribution as weight); the centres are what the fused layer shall put out,
    and its weights are the least squares fit from what the fused layers before it put out. The last layer is fitted to the
    mean of the logits. Attribution here: value times gradient of the largest logit, absolute, averaged over the inputs.

    Args:
        members, example: as :func:`fuse`.
        inputs: shape ``(n, ...)``; more of them than a layer is wide.
        rounds: of k-means, which begins at neurons of large attribution that lie apart.

    Raises:
        Surgery: as :func:`fuse`; a layer that is not linear; too few inputs, or values that are not finite.
    """
    members, anatomies, weights = prepare(members, example)
    layers = _chain(members[0], anatomies[0])
    widest = max(g.units for g in anatomies[0].groups)
    if not isinstance(inputs, torch.Tensor) or inputs.ndim == 0 or len(inputs) <= widest:
        raise Surgery(
            f"give a tensor of more than {widest} inputs, shape (n, ...): a layer of that width is fitted to them"
        )
    if inputs.is_floating_point() and not torch.isfinite(inputs).all():
        raise Surgery("inputs hold values that are not finite: nothing can be fitted to them")
    seen = [_seen(m, layers, inputs) for m in members]
    made = copy.deepcopy(members[0]).eval()
    for i, name in enumerate(layers):
        if i < len(layers) - 1:
            points = np.concatenate([values[i] for values, _ in seen])
            share = np.concatenate([attribution[i] for _, attribution in seen])
            target = centres(points, share, anatomies[0].groups[i].units, rounds)
        else:
            target = sum(w * values[i] for w, (values, _) in zip(weights, seen, strict=True))
        _fit(made, name, inputs, target)
    return made


def _chain(model: nn.Module, anatomy: Anatomy) -> list[str]:
    """Names of the linear layers, from input to output; every group is made by one and read by the next."""
    layers = [step[0] for step in anatomy.steps if step[1] == "Linear"]
    wanted = [
        {f"{mine}.weight", f"{mine}.bias", f"{following}.weight"} for mine, following in pairwise(layers)
    ]
    for group, places in zip(anatomy.groups, wanted, strict=False):
        other = {name for name, _ in group.places} - places
        if other:
            raise Surgery(
                f"{sorted(other)[0]}: only chains of linear layers are interpolated, one after the other"
            )
    if len(set(layers)) < len(layers) or len(wanted) != len(anatomy.groups):
        raise Surgery("only chains of linear layers are interpolated, each used once")
    return layers


def _seen(model: nn.Module, layers: Sequence[str], inputs: torch.Tensor) -> tuple[list, list]:
    """Values of each layer before the nonlinearity, ``(neurons, n)``, and the attribution of its neurons."""
    twin, held = copy.deepcopy(model).eval(), []

    def keep(layer, given, value):
        value.requires_grad_(True).retain_grad()
        held.append(value)
        return value

    handles = [twin.get_submodule(name).register_forward_hook(keep) for name in layers]
    with torch.enable_grad():
        twin(inputs).reshape(len(inputs), -1).amax(dim=1).sum().backward()
    for handle in handles:
        handle.remove()
    values = [h.detach().reshape(len(inputs), -1).T.double().cpu().numpy() for h in held]
    share = [
        (h.detach() * h.grad).reshape(len(inputs), -1).abs().mean(0).double().cpu().numpy() for h in held
    ]
    return values, share


def centres(points: np.ndarray, weights: np.ndarray, n: int, rounds: int) -> np.ndarray:
    """Weighted k-means: centres of ``n`` clusters, ``(n, d)``, of points ``(m, d)`` with weights ``(m,)``, none negative."""
    weights = weights + 1e-12 * max(weights.max(), 1e-300)
    found, before = points[_apart(points, weights, n)].copy(), None
    for _ in range(rounds):
        far = (found**2).sum(1)[None, :] - 2 * points @ found.T
        nearest = far.argmin(axis=1)
        if before is not None and (nearest == before).all():
            break
        before = nearest
        total = np.bincount(nearest, weights, minlength=n)
        sums = np.zeros_like(found)
        np.add.at(sums, nearest, weights[:, None] * points)
        filled = total > 0
        found[filled] = sums[filled] / total[filled, None]
    return found


def _apart(points: np.ndarray, weights: np.ndarray, n: int) -> list[int]:
    """Where k-means begins: one point after the other, always the one that adds most to the weighted squared distance."""
    square = cdist(points, points, "sqeuclidean")
    chosen = [int(np.argmax(weights * (points**2).sum(1)))]
    nearest = np.full(len(points), np.inf)
    while len(chosen) < n:
        nearest = np.minimum(nearest, square[:, chosen[-1]])
        worth = weights * nearest
        worth[chosen] = -1.0
        chosen.append(int(np.argmax(worth)))
    return chosen


@torch.no_grad()
def _fit(model: nn.Module, name: str, inputs: torch.Tensor, target: np.ndarray) -> None:
    """Weights of one layer, in place: the least squares fit of ``target``, ``(neurons, n)``, from what reaches the layer."""
    layer, given = model.get_submodule(name), []
    handle = layer.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    model(inputs)
    handle.remove()
    x = given[0].reshape(len(inputs), -1).double().cpu().numpy()
    if layer.bias is not None:
        x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    found = np.linalg.lstsq(x, target.T, rcond=None)[0].T
    layer.weight.copy_(torch.from_numpy(found[:, : layer.in_features]))
    if layer.bias is not None:
        layer.bias.copy_(torch.from_numpy(found[:, -1]))
