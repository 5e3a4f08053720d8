"""The rivals that align neurons before they average: optimal transport, and matching of weights or activations."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment, linprog
from torch import fx, nn

from efficient_ai import surgery
from efficient_ai.surgery import SHARED, Anatomy, Surgery


def average(members: Sequence[nn.Module], example: torch.Tensor) -> nn.Module:
    """The mean of all weights and statistics, neuron by neuron as they are numbered; counters take the largest."""
    _check(members)
    anatomies = [surgery.anatomy(m, example) for m in members]
    surgery.compare(anatomies, members)
    for name in surgery.tensors(members[0]):
        shapes = {tuple(surgery.tensors(m)[name].shape) for m in members}
        if len(shapes) > 1:
            raise Surgery(f"{name} has shapes {sorted(shapes)}: an average needs members of one size")
    return _mean(members, anatomies, [None] * len(members))


def _mean(members: Sequence[nn.Module], anatomies: Sequence[Anatomy], orders: Sequence) -> nn.Module:
    """The mean of members with their units in these orders (``None``: as they are), tensor by tensor; counters take the largest."""
    made = {}
    kept = [None if order is None else [[(0, int(u)) for u in units] for units in order] for order in orders]
    held = [surgery.tensors(m) for m in members]
    for name in held[0]:
        total = None
        for anatomy, tensors, chosen in zip(anatomies, held, kept, strict=True):
            part, tensor = anatomy.parts[name], tensors[name].detach()
            if chosen is not None and not part.free:
                tensor = surgery.block([part], 0, tensor, chosen, 1.0)
            if not tensor.is_floating_point():
                total = tensor.clone() if total is None else torch.maximum(total, tensor)
            elif total is None:
                total = tensor.to(torch.promote_types(tensor.dtype, torch.float32), copy=True)
            else:
                total += tensor
        made[name] = total.div_(len(members)).to(held[0][name].dtype) if total.is_floating_point() else total
    return surgery.rebuild(members[0], anatomies[0], made)


def transport_plan(cost: np.ndarray) -> np.ndarray:
    """The exact plan that moves uniform mass from rows to columns at the least cost (earth mover's distance).

    Args:
        cost: shape ``(n, m)``, finite.

    Returns:
        float64 ``(n, m)``; rows sum to ``1/n``, columns to ``1/m``. With ``n == m`` it is a permutation divided by ``n``:
        a hard assignment is one of the optimal plans.
    """
    cost = np.asarray(cost, dtype=float)
    if cost.ndim != 2 or not cost.size or not np.isfinite(cost).all():
        raise Surgery(f"a plan needs a finite matrix of costs, got shape {cost.shape}")
    n, m = cost.shape
    plan = np.zeros((n, m))
    if n == m:
        rows, columns = linear_sum_assignment(cost)
        plan[rows, columns] = 1 / n
        return plan
    index = np.arange(n * m).reshape(n, m)
    from scipy.sparse import csr_array

    rows = np.concatenate([np.repeat(np.arange(n), m), n + np.tile(np.arange(m), n)])
    matrix = csr_array((np.ones(2 * n * m), (rows, np.concatenate([index.ravel()] * 2))))
    found = linprog(cost.ravel(), A_eq=matrix, b_eq=[1 / n] * n + [1 / m] * m, method="highs")
    plan = found.x.reshape(n, m)
    if not found.success or abs(plan.sum() - 1) > 1e-9:
        raise Surgery(f"no plan that moves all mass was found: {found.message}")
    return plan


def optimal_transport(members: Sequence[nn.Module], example: torch.Tensor) -> nn.Module:
    """OT fusion by weights (Singh and Jaggi 2020): every member aligned to the first, layer by layer, then averaged.

    The cost of two neurons is the Euclidean distance of their incoming weights and bias, those of the other member
    already in the new order of the layer before (past correction). Outputs are not moved. Neurons of one residual stream
    have one plan. With equal widths the exact plan is a permutation.
    """
    return _aligned(members, example, _by_transport)


def weight_matching(members: Sequence[nn.Module], example: torch.Tensor, *, seed: int = 0) -> nn.Module:
    """Git Re-Basin by weights (Ainsworth et al. 2023): permutations by coordinate descent, then the mean."""
    return _aligned(members, example, lambda *pair: matching(*pair, seed=seed)[0])


def activation_matching(
    members: Sequence[nn.Module], example: torch.Tensor, inputs: torch.Tensor
) -> nn.Module:
    """Permutations that maximise the correlation of activations on ``inputs``, group by group, then the mean."""
    return _aligned(members, example, lambda *pair: _by_activations(*pair, inputs))


def _check(members: Sequence[nn.Module]) -> None:
    if isinstance(members, str) or not len(members) or not all(isinstance(m, nn.Module) for m in members):
        raise Surgery("give a list of at least one network (torch.nn.Module)")


def _aligned(members, example, permute) -> nn.Module:
    _check(members)
    anatomies = [surgery.anatomy(m, example) for m in members]
    surgery.compare(anatomies, members)
    for m, a in enumerate(anatomies):
        for mine, theirs in zip(anatomies[0].groups, a.groups, strict=True):
            if mine.units != theirs.units:
                raise Surgery(
                    f"{mine.name}: member 0 has {mine.units} units, member {m} has {theirs.units}; permutations need equal widths"
                )
    orders: list = [None]
    for member, anatomy in zip(members[1:], anatomies[1:], strict=True):
        orders.append(permute(anatomies[0], members[0], anatomy, member))
    return _mean(members, anatomies, orders)


def permuted(anatomy: Anatomy, model: nn.Module, order: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
    """Tensors of the model with the units of each group in a new order; it computes what it did."""
    kept = [[(0, int(u)) for u in units] for units in order]
    return surgery.assemble([anatomy], [model], kept, (1.0,))


def _features(anatomy: Anatomy, held: dict, group: int, ready, order) -> np.ndarray:
    """For each unit, its weights towards everything whose order is settled, shape ``(units, numbers)``."""
    found = []
    for name, axis in anatomy.groups[group].places:
        part, tensor = anatomy.parts[name], held[name].detach().cpu()
        tensor = tensor.to(torch.promote_types(tensor.dtype, torch.float32)).numpy()
        segments = part.axes[axis]
        others = [(a, s) for a, s in enumerate(part.axes) if a != axis and isinstance(s, tuple)]
        if len(segments) > 1 or not ready(part, axis, others):
            continue
        for a, other in others:
            tensor = np.take(tensor, _index(other, order), axis=a)
        s = segments[0]
        tensor = np.moveaxis(tensor, axis, 0).reshape(s.outer, s.units, s.inner, -1)
        found.append(tensor.transpose(1, 0, 2, 3).reshape(s.units, -1))
    return (
        (np.concatenate(found, axis=1) if len(found) > 1 else found[0])
        if found
        else np.zeros((anatomy.groups[group].units, 1))
    )


def _index(segments, order) -> np.ndarray:
    found, start = [], 0
    for s in segments:
        outer, inner = np.arange(s.outer)[:, None, None], np.arange(s.inner)[None, None, :]
        found.append(
            (start + (outer * s.units + np.asarray(order[s.group])[None, :, None]) * s.inner + inner).reshape(
                -1
            )
        )
        start += s.size
    return np.concatenate(found)


def _by_transport(a: Anatomy, first: nn.Module, b: Anatomy, second: nn.Module) -> list[np.ndarray]:
    plain = [np.arange(g.units) for g in a.groups]
    order, settled = list(plain), set()

    def ready(part, axis, others):
        """Incoming weights from settled layers, and biases."""
        is_row = axis == 0 or not others
        return part.layer and is_row and all(s.group in settled for _, segments in others for s in segments)

    mine, theirs = surgery.tensors(first), surgery.tensors(second)
    for g in range(len(a.groups)):
        x, y = _features(a, mine, g, ready, plain), _features(b, theirs, g, ready, order)
        order[g] = linear_sum_assignment(distances(x, y))[1]
        settled.add(g)
    return order


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Euclidean distances of rows, ``(n, d)`` and ``(m, d)`` to ``(n, m)``, without an array of shape ``(n, m, d)``."""
    return torch.cdist(
        torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(np.ascontiguousarray(y))
    ).numpy()


def matching(a: Anatomy, first, b: Anatomy, second, *, seed: int = 0, sweeps: int = 100):
    """Weight matching: for one group after the other in random order, the permutation that fits all its weights best.

    Returns:
        The permutations, and the inner product of both weight vectors after each sweep, which never falls. On residual
        networks it may stop in a local optimum.
    """
    order = [np.arange(g.units) for g in a.groups]
    plain, rng = list(order), np.random.default_rng(seed)
    mine, theirs = surgery.tensors(first), surgery.tensors(second)

    def ready(part, axis, others):
        return "running_" not in part.name and part.axes[axis] != SHARED

    objective = []
    for _ in range(sweeps):
        before = [o.copy() for o in order]
        for g in rng.permutation(len(order)):
            gain = _features(a, mine, g, ready, plain) @ _features(b, theirs, g, ready, order).T
            new = linear_sum_assignment(gain, maximize=True)[1]
            rows = np.arange(len(new))
            if gain[rows, new].sum() > gain[rows, order[g]].sum() + 1e-12:
                order[g] = new
        objective.append(_product(mine, permuted(b, second, order)))
        if all((x == y).all() for x, y in zip(before, order, strict=True)):
            break
    return order, objective


def _product(mine: dict, theirs: dict) -> float:
    return sum(
        float((mine[n].detach().double() * theirs[n].detach().double()).sum())
        for n in mine
        if mine[n].is_floating_point() and "running_" not in n
    )


class _Watch(fx.Interpreter):
    def run_node(self, node):
        value = super().run_node(node)
        self.values = getattr(self, "values", {}) | (
            {node.name: value} if isinstance(value, torch.Tensor) else {}
        )
        return value


def _by_activations(a: Anatomy, first, b: Anatomy, second, inputs: torch.Tensor) -> list[np.ndarray]:
    x, y = _activations(a, first, inputs), _activations(b, second, inputs)
    order = []
    for mine, theirs in zip(x, y, strict=True):
        order.append(linear_sum_assignment(_correlation(mine, theirs), maximize=True)[1])
    return order


def _correlation(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    def scaled(v):
        v = v - v.mean(1, keepdims=True)
        return v / np.maximum(np.linalg.norm(v, axis=1, keepdims=True), 1e-12)

    return scaled(x) @ scaled(y).T


@torch.no_grad()
def _activations(anatomy: Anatomy, model: nn.Module, inputs: torch.Tensor) -> list[np.ndarray]:
    """For each group its last value in the forward pass whose channels lie along one axis, shape ``(units, numbers)``."""
    if not isinstance(inputs, torch.Tensor) or inputs.ndim == 0 or len(inputs) < 2:
        raise Surgery("activations are compared on a tensor of at least two inputs, shape (n, ...)")
    if inputs.is_floating_point() and not torch.isfinite(inputs).all():
        raise Surgery("inputs hold values that are not finite: no activations can be compared on them")
    watch = _Watch(fx.GraphModule(model, anatomy.graph), garbage_collect_values=False)
    modes = {m: m.training for m in model.modules()}
    model.eval()
    try:
        watch.run(inputs)
    except Exception as error:
        raise Surgery(f"the model does not run on the inputs: {str(error).splitlines()[0]}") from error
    finally:
        for module, mode in modes.items():
            module.training = mode
    found: list = [None] * len(anatomy.groups)
    for name, classes in anatomy.classes.items():
        if not isinstance(classes, np.ndarray) or (classes < 0).any() or name not in watch.values:
            continue
        axes = [i for i, wide in enumerate(anatomy.wide_axes(name)) if wide]
        owners = np.unique(anatomy.owner[np.unique(classes)])
        if len(axes) != 1 or len(owners) != 1 or owners[0] < 0:
            continue
        group = int(owners[0])
        if classes.shape[axes[0]] == anatomy.groups[group].units:
            value = watch.values[name].movedim(axes[0], 0).flatten(1)
            found[group] = value.double().cpu().numpy()
    missing = [g.name for g, f in zip(anatomy.groups, found, strict=True) if f is None]
    if missing:
        raise Surgery(f"no activations of {', '.join(missing)} stand alone along one axis: match by weights")
    return found
