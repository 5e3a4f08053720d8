"""Follows the channels of a model through its forward pass, in the order of the computation, not of registration."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import fx, nn

from efficient_ai.surgery import _layers
from efficient_ai.surgery import _rules as rules
from efficient_ai.surgery._labels import NEUTRAL, Names, Surgery


@dataclass
class Slot:
    """One parameter or buffer: the names along each axis (``None``: not a channel axis), or of every element.

    Args:
        names: all names under which the model holds it.
        shape: its shape.
        axes: names by axis, for tensors of a known layer.
        elements: names of all elements, for bare parameters and buffers.
    """

    names: list[str]
    shape: tuple[int, ...]
    axes: list[np.ndarray | None] = field(default_factory=list)
    elements: np.ndarray | None = None


class _Tracer(fx.Tracer):
    """Goes into the reader's own modules and stops at those of torch, and at those that state their own rule."""

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        if hasattr(module, "couple_channels"):
            return True
        return type(module).__module__.startswith("torch.nn") and not isinstance(module, nn.Sequential)


class Trace(fx.Interpreter):
    """One pass of an example with the names of channels beside the values.

    Args:
        model: set to evaluation mode for the pass and back, so that nothing of the model changes.
        example: one input, shape ``(n, ...)``, or a tuple of all inputs; the first sample or two are used.
        cutting: channels will be removed, not joined with those of another model.

    Raises:
        Surgery: the model cannot be traced, or holds something that has no rule.
    """

    def __init__(
        self, model: nn.Module, example: torch.Tensor | tuple[torch.Tensor, ...], cutting: bool = False
    ):
        self.cutting = cutting
        self.fixed: list[np.ndarray] = []  # tied to values of the input, so never cut
        self.ties, self.slots, self.found, self.scalars = Names(), {}, {}, {}
        self.nonlinear: list[tuple[str, np.ndarray]] = []  # must not act on averaged outputs
        self.mixing: list[tuple[str, np.ndarray, int]] = []  # must not run along channels
        self.used: list[tuple[str, np.ndarray]] = []  # read by a layer, so not an output
        modes = {module: module.training for module in model.modules()}
        model.eval()  # statistics stay as they are
        try:
            self._follow(model, example)
        finally:
            for module, mode in modes.items():
                module.training = mode

    def _follow(self, model: nn.Module, example: torch.Tensor | tuple[torch.Tensor, ...]) -> None:
        examples = example if isinstance(example, tuple) else (example,)
        try:
            graph = _Tracer().trace(model)
        except Surgery:
            raise
        except Exception as error:  # whatever the reader's forward raises while it is traced
            raise Surgery(
                f"{type(model).__name__} cannot be traced ({str(error).splitlines()[0]}): its forward pass must not "
                "branch on values; move such code out of the model"
            ) from error
        super().__init__(model, graph=graph)  # no module is generated: its code would cost more than the pass
        self._register(model)
        try:
            with torch.no_grad():
                self.run(*examples)
        except Surgery as error:
            raise Surgery(str(error).splitlines()[0]) from None  # torch.fx appends its own report
        except Exception as error:  # the reader's model on the reader's input
            raise Surgery(
                f"{type(model).__name__} does not run on the example of shape "
                f"{', '.join(str(tuple(e.shape)) for e in examples)}: "
                f"{str(error).splitlines()[0]}"
            ) from error

    def _register(self, model: nn.Module) -> None:
        tensors = [
            *model.named_parameters(remove_duplicate=False),
            *model.named_buffers(remove_duplicate=False),
        ]
        for name, tensor in tensors:
            self.slots.setdefault(id(tensor), Slot([], tuple(tensor.shape))).names.append(name)
        self.modules_by_name = dict(model.named_modules(remove_duplicate=False))

    # --- names of what a node reads and of the tensors that layers hold

    def of(self, argument):
        """The names of an argument: arrays for nodes, ``None`` for what is no tensor."""
        return self.found.get(argument) if isinstance(argument, fx.Node) else None

    def _slot(self, tensor: torch.Tensor) -> Slot:
        if id(tensor) not in self.slots:
            raise Surgery(
                "has a weight that is computed from others (pruned with a mask, or reparametrised): make it permanent first, "
                "as torch.nn.utils.prune.remove does"
            )
        return self.slots[id(tensor)]

    def hold(self, tensor: torch.Tensor | None, *axes: np.ndarray | None) -> None:
        """Notes the names along the axes of a layer's tensor; a tensor that is used twice ties both."""
        if tensor is None:
            return
        slot = self._slot(tensor)
        if not slot.axes:
            slot.axes = list(axes)
            return
        for mine, new in zip(slot.axes, axes, strict=True):
            if (mine is None) != (new is None):
                raise Surgery(
                    f"{' and '.join(slot.names)} are one tensor in two roles, as channels and as something that all "
                    "members share: give each place a tensor of its own"
                )
            if mine is not None:
                self.ties.tie(mine, new)

    def out(self, tensor: torch.Tensor, axis: int, n: int) -> np.ndarray:
        """Names for what a layer puts out, new ones, or those it has from its first call."""
        slot = self._slot(tensor)
        known = slot.axes and slot.axes[axis] is not None
        return slot.axes[axis] if known else self.ties.fresh(n)

    def channels_of(self, names: np.ndarray, axis: int) -> np.ndarray | None:
        """The names along one axis, all others tied; ``None`` where the axis belongs to no channel."""
        axis %= names.ndim
        flat = self.ties.collapse(names, [a for a in range(names.ndim) if a != axis]).reshape(-1)
        if (flat < 0).all():
            return None
        if (flat < 0).any():
            raise Surgery(
                "an axis holds channels beside values of the input, which the members share: pass both on separately"
            )
        return flat

    # --- one node

    def run_node(self, node: fx.Node):
        value = super().run_node(node)
        try:
            names = self._names(node, value)
        except Surgery as error:
            raise Surgery(f"{_place(node)}: {error}") from None
        self.found[node] = names
        if isinstance(value, int | float):
            self.scalars[node.name] = value
        return value

    def _names(self, node: fx.Node, value):
        if node.op == "output":
            given = node.args[0]
            if not isinstance(given, fx.Node) or not isinstance(value, torch.Tensor):
                raise Surgery(
                    "the model returns more than one tensor: return the logits alone from the model that is joined"
                )
            self.outputs = self.found[given]
            return None
        if node.op == "get_attr":
            return self._bare(value) if isinstance(value, torch.Tensor) else None
        if node.op == "call_module":  # whatever it returns: a layer without a rule is never passed over
            return _layers.names(self, self.modules_by_name[node.target], node, value)
        if not _tensors(value):
            return None
        reads = [self.found[n] for n in node.all_input_nodes if self.found.get(n) is not None]
        if all((r < 0).all() for r in _flat(reads)) and node.target not in rules.WEIGHTED:
            return _neutral(value)
        return _layers.call(self, node, value)

    def _bare(self, tensor: torch.Tensor) -> np.ndarray:
        slot = self.slots[id(tensor)]
        if slot.elements is None:
            if tensor.numel() <= 1 or not tensor.is_floating_point():
                slot.elements = np.full(tensor.shape, NEUTRAL)
            else:
                slot.elements = self.ties.fresh(*tensor.shape)
        return slot.elements

    def settle(self) -> np.ndarray:
        """Channel of each name; entries of a bare parameter that the example did not reach follow those it did.

        A table of positions that is longer than the example has rows that nothing reads: they belong to the same channels.
        """
        channels = self.ties.channels()
        lonely = np.bincount(channels)[channels] == 1 if len(channels) else channels
        for slot in self.slots.values():
            if slot.elements is not None and slot.elements.ndim > 1 and (slot.elements >= 0).all():
                self._spread_over_rest(slot.elements, lonely[slot.elements])
        return self.ties.channels()

    def _spread_over_rest(self, names: np.ndarray, unused: np.ndarray) -> None:
        if not unused.any() or unused.all():
            return
        for axis in reversed(range(names.ndim)):
            rows, free = np.moveaxis(names, axis, 0), np.moveaxis(unused, axis, 0)
            rows, free = rows.reshape(len(rows), -1), free.reshape(len(free), -1)
            if (free[0] == free).all() and not free.all():  # whole rows of all channels were not read
                self.ties.tie(rows[:, [int(np.argmin(free[0]))]], np.where(free, rows, NEUTRAL))
                return


def _tensors(value) -> bool:
    return isinstance(value, torch.Tensor) or (
        isinstance(value, tuple | list)
        and len(value) > 0
        and all(isinstance(v, torch.Tensor) or v is None for v in value)
    )


def _neutral(value):
    if isinstance(value, torch.Tensor):
        return np.full(tuple(value.shape), NEUTRAL)
    return tuple(_neutral(v) for v in value if v is not None)


def _flat(reads):
    for r in reads:
        yield from _flat(r) if isinstance(r, tuple | list) else (r,)


def _place(node: fx.Node) -> str:
    """How a reader finds the node: the module's name, or the operation and the line of the reader's code."""
    if node.op == "call_module":
        return f"layer {node.target!r}"
    target = (
        node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    )
    owner = list((node.meta.get("nn_module_stack") or {}).values())
    inside = f" in {owner[-1][1].__name__}" if owner and hasattr(owner[-1][1], "__name__") else ""
    return f"operation {target!r}{inside}"
