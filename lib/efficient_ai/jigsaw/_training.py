"""Loss, gradients and steps that are the same whether the model is whole or in pieces (Section 3.7)."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from efficient_ai.jigsaw._model import WeatherMixer
from efficient_ai.jigsaw._ops import Sharded
from efficient_ai.transport import Transport, gather_small


def latitude_weights(latitude: Tensor) -> Tensor:
    """a(lat) = n cos(lat) / sum of cos(lat): mean 1 over the rows.

    Args:
        latitude: of the rows, in radians, shape ``(lat,)``.

    Raises:
        ValueError: degrees, or values that are not finite.
    """
    if not bool(latitude.isfinite().all()) or float(latitude.abs().max()) > math.pi / 2 + 1e-3:
        raise ValueError(
            f"latitudes are radians from -pi/2 to pi/2, and here they reach {float(latitude.abs().max()):g}: "
            "give torch.deg2rad(latitude) if they are degrees"
        )
    cos = torch.cos(latitude).clamp(min=0)
    return cos * len(cos) / cos.sum()


def weighted_loss(model: WeatherMixer, y: Tensor, target: Tensor, a: Tensor, v: Tensor) -> Tensor:
    """This rank's share of the global mean of (a v (y - t))^2; the shares of all ranks add up to the serial loss.

    Weights multiply before squaring, so their effect is a^2 v^2. A mean over the own part, as in the authors' code, would
    make the gradient of every shard n times too large.

    Args:
        y, target: ``[batch, channels, lat, lon]``, this rank's part.
        a: weights of the latitudes, shape ``(lat,)``.
        v: weights of this rank's channels, shape ``(channels,)``.
    """
    weight = v[:, None, None] * a[:, None]
    return ((y - target) * weight).square().sum() / (y.numel() * model.ops.grid.size)


def finish_gradients(model: WeatherMixer, replicas: Transport | None = None) -> None:
    """After ``backward``: add up what rows of the grid hold twice, then average over data parallel instances.

    Args:
        model: with gradients.
        replicas: the ranks that hold the same shard in other model instances; 1/n of the model travels per rank.
    """
    if isinstance(model.ops, Sharded):
        model.ops.reduce_replicated(model.replicated())
    if replicas is not None and replicas.size > 1:
        trained = _trained(model)
        if not trained:
            return
        flat = torch.cat([p.grad.reshape(-1) for p in trained])
        replicas.sum_(flat)
        flat /= replicas.size
        parts = flat.split([p.numel() for p in trained])
        for p, part in zip(trained, parts, strict=True):
            p.grad.copy_(part.reshape(p.shape))


def _trained(model: WeatherMixer) -> list[torch.nn.Parameter]:
    """Those that a reader has not frozen: the same on all ranks."""
    return [p for p in model.parameters() if p.requires_grad]


def total(model: WeatherMixer, value: Tensor) -> Tensor:
    """The sum of a number over the ranks of the model instance, the same on all of them."""
    if not isinstance(model.ops, Sharded):
        return value.detach()
    grid, transport = model.ops.grid, model.ops.place.transport
    return sum(gather_small(transport, value.detach().reshape(1), range(grid.size)))[0]


def clip_gradients(model: WeatherMixer, norm: float) -> Tensor:
    """Scale all gradients so that the norm over the whole model is at most ``norm``; returns the norm before.

    What rows of the grid hold twice counts once.
    """
    counted = [
        p.grad for p in _trained(model) if p.ndim > 1 or model.layout.grid.place(model.ops.rank)[0] == 0
    ]
    square = sum((g.to(torch.float64).square().sum() for g in counted), torch.zeros((), dtype=torch.float64))
    found = total(model, square).sqrt()
    scale = (norm / (found + 1e-6)).clamp(max=1.0)
    for p in _trained(model):
        p.grad *= scale.to(p.dtype)
    return found


def train_step(
    model: WeatherMixer,
    optimiser: torch.optim.Optimizer,
    x: Tensor,
    target: Tensor,
    a: Tensor,
    v: Tensor,
    *,
    clip: float = 1.0,
    rollout: int = 1,
    replicas: Transport | None = None,
) -> Tensor:
    """One step of training on this rank's part of a batch; returns the loss of the whole model instance."""
    optimiser.zero_grad(set_to_none=True)
    loss = weighted_loss(model, model(x, rollout), target, a, v)
    loss.backward()
    finish_gradients(model, replicas)
    clip_gradients(model, clip)
    optimiser.step()
    model.step += 1
    return total(model, loss)


def adam(model: WeatherMixer, lr: float = 1e-4, end_lr: float = 2e-5) -> torch.optim.Adam:
    """Adam with L2 decay 3e-6; embedding and recovery learn with ``end_lr`` (Section 3.7). Moments live with the shards."""
    ends = [p for name, p in model.params.items() if name.split("/")[0] in ("embed", "recover")]
    rest = [p for name, p in model.params.items() if name.split("/")[0] not in ("embed", "recover")]
    groups: Sequence[dict] = [{"params": ends, "lr": end_lr}, {"params": rest, "lr": lr}]
    return torch.optim.Adam(groups, weight_decay=3e-6)
