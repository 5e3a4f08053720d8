"""Statistics of batch norms after a fusion."""

import torch
from torch import nn

from efficient_ai.surgery import Surgery


@torch.no_grad()
def reestimate(model: nn.Module, inputs: torch.Tensor, batch: int = 256) -> nn.Module:
    """Fresh statistics of all batch norms from ``inputs``, in place (the repair of Jordan et al. 2023 for such networks).

    Batches are of equal size up to one input, so that each counts as much as it holds.

    Raises:
        Surgery: fewer than two inputs, values that are not finite, or a shape that the model does not take; the model
            then has the statistics it had.
    """
    if not isinstance(inputs, torch.Tensor) or inputs.ndim == 0 or len(inputs) < 2:
        raise Surgery("statistics need a tensor of at least two inputs, shape (n, ...)")
    if inputs.is_floating_point() and not torch.isfinite(inputs).all():
        raise Surgery("inputs hold values that are not finite: no statistics are taken from them")
    norms = [
        m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats
    ]
    modes, momenta = {m: m.training for m in model.modules()}, [n.momentum for n in norms]
    before = [{k: v.clone() for k, v in n.named_buffers()} for n in norms]
    parts, seen = inputs.tensor_split(max(1, round(len(inputs) / batch))), 0
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.train()
        for part in parts:
            seen += len(part)
            for norm in norms:
                norm.momentum = len(part) / seen  # the mean over all inputs so far
            model(part)
    except Exception as error:
        for norm, held in zip(norms, before, strict=True):
            for name, value in held.items():
                getattr(norm, name).copy_(value)
        raise Surgery(
            f"the model does not run on the inputs ({str(error).splitlines()[0]}); its statistics are as before"
        ) from error
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for module, mode in modes.items():
            module.training = mode
    return model
