"""What becomes of an optimiser's state when its weight goes over to S, and when S is turned."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from efficient_ai import lowrank

MOMENTS = {
    "turned": "first moments turn with the basis, second ones by the squares of its entries",
    "reference": "zeros at the conversion with the step counter kept, later the leading block, not turned",
    "zeroed": "zeros at the conversion and at each update, the step counter kept",
}


def carry(optimizer, old, new, left, right, view=None, rule: str = "turned") -> None:
    """Let ``optimizer`` train ``new`` in place of ``old``; see :func:`efficient_ai.lowrank.move_state` for the arguments.

    Args:
        rule: one of ``MOMENTS``. All but ``"turned"`` are there to be compared with.
    """
    sliced = rule == "reference" and view is None
    if sliced:
        eye = torch.eye(old.shape[-1], dtype=left.dtype, device=left.device)
        left, right = eye[:, : new.shape[-1]], eye[: new.shape[-1]]
    centred = "grad_avg" in optimizer.state.get(old, {}) and not sliced
    if (
        centred
    ):  # divides by the root of their difference, so a variance moves, and the squared mean is added again
        state = optimizer.state[old]
        variance = (state["square_avg"] - state["grad_avg"].square()).clamp_min(0)
        optimizer.state[old] = state | {"square_avg": variance}
    lowrank.move_state(optimizer, old, new, left, right, view)
    if centred:
        optimizer.state[new]["square_avg"] += optimizer.state[new]["grad_avg"].square()
    if rule == "zeroed" or (rule == "reference" and not sliced):
        for value in optimizer.state.get(new, {}).values():
            if isinstance(value, torch.Tensor) and value.shape == new.shape:
                value.zero_()


def check(optimizer: torch.optim.Optimizer) -> None:
    """Refuse an optimiser whose state does not belong to single weights in their shape.

    Raises:
        TypeError: no torch optimiser, or LBFGS.
        ValueError: a state of another shape than its weight, as Adafactor has.
    """
    if not isinstance(optimizer, torch.optim.Optimizer):
        raise TypeError(f"the optimiser must be one of torch.optim, not {type(optimizer).__name__}")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise TypeError(
            "LBFGS keeps a history of all weights in one row, which cannot follow: take another optimiser"
        )
    for parameter, state in optimizer.state.items():
        for name, value in state.items():
            if isinstance(value, torch.Tensor) and value.numel() > 1 and value.shape != parameter.shape:
                raise ValueError(
                    f"{name!r} of {type(optimizer).__name__} has shape {tuple(value.shape)} for a weight of shape "
                    f"{tuple(parameter.shape)} and cannot follow into another basis: take another optimiser"
                )


@contextmanager
def undone_on_error(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """The optimiser is as before if anything within raises."""
    state, params = dict(optimizer.state), [list(group["params"]) for group in optimizer.param_groups]
    try:
        yield
    except BaseException:
        optimizer.state.clear()
        optimizer.state.update(state)
        for group, own in zip(optimizer.param_groups, params, strict=True):
            group["params"] = own
        raise
