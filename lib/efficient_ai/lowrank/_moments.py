"""The state of an optimiser where the weight is written in another basis.

Let ``W = L X R`` and let ``X`` be trained in place of ``W``. Its gradient is ``G_X = L^T G_W R^T``. A first moment is a sum of
gradients, so it goes over in the same way, exactly. A second moment is a sum of squares and does not: the square of a sum
has mixed terms, which nobody has kept. For entries that vary independently around 0 they vanish in the mean, and
``(L^2)^T V_W (R^2)^T`` remains, squares taken entry by entry. It is never negative, which ``L^T V_W R^T`` is. A change of basis
``X = P Y Q`` of something trained already is the same with ``L = P``, ``R = Q``.
"""

from collections.abc import Callable

import torch

from efficient_ai.lowrank._views import MatrixView

Side = torch.Tensor | None


def first_moment(moment: torch.Tensor, left: Side, right: Side) -> torch.Tensor:
    """A mean of gradients in the new basis: ``left^T moment right^T``, exact.

    Args:
        moment: in the old basis, shape ``(..., m, n)``.
        left: ``L``, shape ``(..., m, p)``; ``None`` for the identity.
        right: ``R``, shape ``(..., q, n)``; ``None`` for the identity.

    Returns:
        Shape ``(..., p, q)``.
    """
    moment = moment if left is None else left.mT @ moment
    return moment if right is None else moment @ right.mT


def _each(change: Callable[[torch.Tensor], torch.Tensor], *sides: Side) -> list[Side]:
    return [None if side is None else change(side) for side in sides]


def second_moment(moment: torch.Tensor, left: Side, right: Side) -> torch.Tensor:
    """A mean of squared gradients in the new basis, by the rule above; arguments as :func:`first_moment`. Not negative."""
    return first_moment(moment, *_each(torch.square, left, right))


def _bound(moment: torch.Tensor, left: Side, right: Side) -> torch.Tensor:
    """The largest size of a gradient in the new basis can be no larger than this."""
    return first_moment(moment, *_each(torch.abs, left, right))


Rule = Callable[[torch.Tensor, Side, Side], torch.Tensor]
_RULES: dict[str, Rule] = {  # by the names that torch.optim gives to its state
    "exp_avg": first_moment,
    "momentum_buffer": first_moment,
    "grad_avg": first_moment,
    "exp_avg_sq": second_moment,
    "max_exp_avg_sq": second_moment,
    "square_avg": second_moment,
    "sum": second_moment,
    "exp_inf": _bound,
}


def move_state(
    optimizer: torch.optim.Optimizer,
    old: torch.nn.Parameter,
    new: torch.nn.Parameter,
    left: Side,
    right: Side,
    view: MatrixView | None = None,
) -> None:
    """Let ``optimizer`` train ``new`` in place of ``old``, in the same group, with its state in the new basis.

    Step counters stay. All of it happens, or nothing.

    Args:
        old: trained up to now; a weight that ``view`` splits, or matrices of shape ``(..., m, n)``.
        new: ``X`` of ``old = L X R``, shape ``(..., p, q)``, or ``(p, q)`` for a single one.
        left: ``L``, shape ``(..., m, p)``; ``None`` for the identity.
        right: ``R``, shape ``(..., q, n)``; ``None`` for the identity.
        view: of ``old`` as matrices.

    Raises:
        ValueError: ``old`` is not trained by this optimiser, ``new`` already is, a shape does not fit, or the state has a part for
            which there is no rule.
    """
    trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    if not any(parameter is old for parameter in trained):
        raise ValueError("this optimiser does not train the old parameter")
    if any(parameter is new for parameter in trained):
        raise ValueError("this optimiser trains the new parameter already")
    split = (lambda tensor: tensor) if view is None else view.split
    matrices = split(old.detach())
    rows, columns = matrices.shape[-2:]
    if (left is not None and left.shape[-2] != rows) or (right is not None and right.shape[-1] != columns):
        sides = " and ".join(str(tuple(side.shape)) for side in (left, right) if side is not None)
        raise ValueError(f"factors of shapes {sides} do not fit {tuple(matrices.shape)}")
    batch = (
        matrices.shape[:-2] if left is None else torch.broadcast_shapes(matrices.shape[:-2], left.shape[:-2])
    )
    shape = (*batch, rows if left is None else left.shape[-1], columns if right is None else right.shape[-2])
    if new.numel() != torch.Size(shape).numel() or new.shape[-2:] != shape[-2:]:
        raise ValueError(f"the new parameter has shape {tuple(new.shape)}, its moments {tuple(shape)}")
    moved = {}
    for name, value in optimizer.state.get(old, {}).items():
        if not isinstance(value, torch.Tensor) or value.shape != old.shape:
            moved[name] = value
        elif name in _RULES:
            place = {"dtype": value.dtype, "device": value.device}
            found = _RULES[name](split(value), *_each(lambda side, at=place: side.to(**at), left, right))
            moved[name] = found.reshape(new.shape).contiguous()
        else:
            raise ValueError(f"no rule for {name!r} of {type(optimizer).__name__} in another basis")
    optimizer.state.pop(old, None)
    if moved:
        optimizer.state[new] = moved
    for group in optimizer.param_groups:
        group["params"] = [new if parameter is old else parameter for parameter in group["params"]]
