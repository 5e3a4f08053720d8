"""The method: warm up together, learn A or B in groups that do not talk to each other, merge, go together for a while, again."""

import math
from collections.abc import Callable, Collection
from typing import Literal, get_args

import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.ab_training._agree import check_model, same_everywhere
from efficient_ai.ab_training._averages import mean_, mean_gradients, merge_buffers, merge_histories
from efficient_ai.ab_training._exchange import groups_of, ring_sum, two_level_copy, two_level_sum
from efficient_ai.ab_training._factored import Place, balanced
from efficient_ai.ab_training._merge import MODES, Mode
from efficient_ai.ab_training._rivals import Compression, Outer
from efficient_ai.ab_training._schedule import Schedule, Switch
from efficient_ai.transport import Transport

Kind = Literal["ab", "local", "synchronous"]
Histories = Literal["average", "reset"]
KINDS: tuple[Kind, ...] = get_args(Kind)


class ABTraining:
    """Train one model on many ranks: all together, or in groups of which half learn A and half learn B of every weight A B.

    Every rank makes one with its copy of the model, then calls :meth:`step` with a function that computes the loss of its own batch.
    All ranks take the same number of steps. Call :meth:`finish` at the end: then all hold one model.

    Args:
        model: equal on all ranks. Layers are found by :func:`efficient_ai.lowrank.survey`; all else stays at full rank.
        optimizer: of this model, new. A scheduler of torch may change its learning rates between steps.
        transport: of all ranks.
        schedule: when to do what.
        group: ranks that exchange gradients in every step; what is left over joins the first groups.
        mode: of the merge, see :func:`merged`.
        cutoff: singular values up to this share of the largest are dropped; not before the first merge.
        keep: names of layers or weights that stay at full rank, such as the first and the last.
        kind: ``"ab"``; ``"local"`` trains whole weights at the same times in the same groups (local SGD), ``"synchronous"`` exchanges
            whole gradients with everybody in every step. Both restart the learning rate as ``"ab"`` does.
        histories: what becomes of the optimiser's memory at a merge. ``"average"``: means over ranks, and of whole weights that of
            the last steps together. ``"reset"``: all is forgotten.
        max_norm: gradients are shortened to this norm, over all that learns, after they were averaged.
        patience: so many steps in a row may be skipped because a gradient was not finite.
        compression: of the gradients, new, for ``kind="synchronous"``: :class:`HalfPrecision` or :class:`PowerSGD`.
        outer: an optimiser over the averages, new, for ``kind="local"``: :class:`Outer`.

    Raises:
        ValueError: on every rank that sees it: parts that do not fit together or ranks that differ, before anything is changed.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        transport: Transport,
        schedule: Schedule,
        *,
        group: int = 2,
        mode: Mode = "with-stale",
        cutoff: float = 0.15,
        keep: Collection[str] = (),
        kind: Kind = "ab",
        histories: Histories = "average",
        max_norm: float | None = None,
        patience: int = 3,
        compression: Compression | None = None,
        outer: Outer | None = None,
    ):
        _check_choices(schedule, mode, cutoff, kind, histories, max_norm, patience)
        if compression is not None and kind != "synchronous":
            raise ValueError('whole gradients are compressed, of all ranks: take kind="synchronous"')
        if outer is not None and kind != "local":
            raise ValueError(
                'an outer optimiser steps from average to average of whole weights: take kind="local"'
            )
        self.groups = groups_of(transport.size, group)
        check_model(model, optimizer)
        layers = lowrank.survey(model, keep, packed=True)
        self.settings = {
            "schedule": schedule, "group": group, "mode": mode, "cut-off": cutoff, "kind of training": kind,
            "list of layers to keep": sorted(keep), "rule for histories": histories, "norm for clipping": max_norm,
            "patience": patience, "optimiser": _describe(optimizer), "compression": repr(compression), "outer step": repr(outer),
        }  # fmt: skip
        trained = {n: p.requires_grad for n, p in model.named_parameters(remove_duplicate=False)}
        same_everywhere(
            transport, self.settings | {"set of trained weights": trained, "model": model.state_dict()}
        )
        self.model, self.optimizer, self.transport, self.schedule = model, optimizer, transport, schedule
        self.mode, self.cutoff, self.kind, self.histories = mode, cutoff, kind, histories
        self.max_norm, self.patience = max_norm, patience
        self.compression, self.outer = compression, outer
        self.mine = next(ranks for ranks in self.groups if transport.rank in ranks)
        a_groups = 0 if mode == "only-b" else len(self.groups) // 2
        self.learns = ["a" if i < a_groups else "b" for i, ranks in enumerate(self.groups) for _ in ranks]
        self.places = [Place(model, layer) for layer in layers.layers]
        self.dense = layers.dense
        inside = {id(place.weight) for place in self.places}
        self.others = [p for p in model.parameters() if p.requires_grad and id(p) not in inside]
        self.finished, self.ended = 0, False
        self.skipped: list[int] = []
        self.history: list[
            tuple[int, list[int]]
        ] = []  # of each factorisation: after which step, to which ranks
        self._kept: list[dict] = [{} for _ in self.places]
        self._rates = [float(g["lr"]) for g in optimizer.param_groups]
        if schedule.switch(0):
            self._switch("factorise")

    # -- one step

    @property
    def phase(self) -> str:
        """In which phase the next step is taken."""
        return self.schedule.phase(self.finished)

    @property
    def trained(self) -> list[nn.Parameter]:
        """What learns now, in an order that all ranks share within a group."""
        return [_learner(place) for place in self.places] + self.others

    def _over(self) -> str:
        return (
            f"the schedule has {self.schedule.total} steps, {self.finished} are taken and the run is over: "
            "make a new one"
        )

    def _no_values(self, name: str) -> str:
        return (
            f"{name} has no singular values at step {self.finished}: load the last state, take a smaller rate"
        )

    def _not_finite(self) -> str:
        return (
            f"rank {self.transport.rank}, step {self.finished + 1}: the gradient of its group is not finite, for more than "
            f"{self.patience} steps in a row; the weights are unharmed. Look at the data, or take a smaller learning rate"
        )

    def step(self, loss: Callable[[], torch.Tensor]) -> float:
        """Take one step; returns the loss of this rank's batch.

        Args:
            loss: computes it, a scalar, by calling the model.

        Raises:
            ValueError: the run is over, or more steps in a row than ``patience`` had gradients that are not finite; nothing has
                changed then.
        """
        if self.ended or self.finished >= self.schedule.total:
            raise ValueError(self._over())
        apart = self.phase == "apart" and self.kind != "synchronous"
        buffers = [(b, b.clone()) for b in self.model.buffers()]
        for parameter in self.trained:
            parameter.grad = None
        value = loss()
        value.backward()
        ranks = self.mine if apart else range(self.transport.size)
        mean = self.compression.mean if self.compression else mean_gradients
        finite = mean(self.trained, self._inside if apart else self._world, len(ranks))
        if finite:
            self._update()
        else:
            for buffer, before in buffers:
                buffer.copy_(before)
            self.skipped.append(self.finished)
            if (
                len(self.skipped) > self.patience
                and self.skipped[-self.patience - 1] == self.finished - self.patience
            ):
                self.skipped.pop()
                raise ValueError(self._not_finite())
        self.finished += 1
        if what := self.schedule.switch(self.finished):
            self._switch(what)
        return float(value.detach())

    def _update(self) -> None:
        if self.max_norm is not None:
            nn.utils.clip_grad_norm_(self.trained, self.max_norm)
        scheduled = [group["lr"] for group in self.optimizer.param_groups]
        for group, rate, at_switch in zip(self.optimizer.param_groups, scheduled, self._rates, strict=True):
            group["lr"] = self.schedule.rate(rate, at_switch, self.finished)
        self.optimizer.step()
        for group, rate in zip(self.optimizer.param_groups, scheduled, strict=True):
            group["lr"] = rate

    def _inside(self, flat: torch.Tensor) -> None:
        ring_sum(self.transport, flat, self.mine)

    def _world(self, flat: torch.Tensor) -> None:
        two_level_sum(self.transport, flat, self.groups)

    # -- switches

    def _switch(self, what: Switch) -> None:
        self._rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        if self.kind == "synchronous":
            return
        if what == "merge":
            self._merge()
        elif self.outer:
            self.outer.leave(self.trained)
        elif self.kind == "ab":
            self._factorise(None if what == "factorise" else self.cutoff)

    @torch.no_grad()
    def _factorise(self, cutoff: float | None) -> None:
        """Rank ``i mod p`` decomposes weight ``i`` and sends its factors to all, so that there is one basis and one rank."""
        world, rank = self.transport.size, self.transport.rank
        found, ranks = {}, torch.zeros(len(self.places), dtype=torch.int64)
        for i, place in enumerate(self.places):
            if i % world == rank:
                try:
                    found[i] = balanced(place.weight, place.view, cutoff)
                    ranks[i] = found[i][0].shape[-1]
                except (ValueError, RuntimeError):
                    ranks[i] = -1
        ranks = ranks.to(self.places[0].weight.device) if self.places else ranks
        self._world(ranks)
        if bad := [place.name for place, k in zip(self.places, ranks.tolist(), strict=True) if k < 0]:
            raise ValueError(self._no_values(bad[0]))
        self.history.append((self.finished, ranks.tolist()))
        for i, (place, k) in enumerate(zip(self.places, ranks.tolist(), strict=True)):
            view, weight = place.view, place.weight
            shapes = (view.count, view.rows, k), (view.count, k, view.columns)
            parts = found.get(i) or tuple(weight.new_empty(shape) for shape in shapes)
            flat = torch.cat([part.reshape(-1) for part in parts])
            two_level_copy(self.transport, flat, i % world, self.groups)
            a, b = (
                p.reshape(s).clone()
                for p, s in zip(flat.split([math.prod(s) for s in shapes]), shapes, strict=True)
            )
            self._kept[i] = self.optimizer.state.get(weight, {})
            factor = place.install(a, b, self.learns[rank])
            sides = (None, b) if factor is place.a else (a, None)
            lowrank.move_state(self.optimizer, weight, factor, *sides, view=view)

    @torch.no_grad()
    def _merge(self) -> None:
        """All ranks hold one model and one history afterwards."""
        world = self.transport.size
        if self.kind == "ab":
            self._merge_factors()
        else:
            mean_([p.data for p in self.trained], self._world, world)
            if self.outer:
                self.outer.step([p.data for p in self.trained])
        merge_buffers(self.model, self.transport, self.groups)
        if self.histories == "reset":
            self.optimizer.state.clear()
        else:
            shared = self.others if self.kind == "ab" else self.trained
            merge_histories(self.optimizer, shared, self.transport, self.groups)

    def _merge_factors(self) -> None:
        world, parts, counts, results = self.transport.size, [], [], []
        for place in self.places:
            a, b = place.a.data, place.b.data
            if "a" not in self.learns:
                parts, counts = [*parts, b], [*counts, world]
            elif self.mode == "full":
                product = a @ b
                parts, counts, a, b = [*parts, product], [*counts, world], product, None
            elif self.mode == "with-stale":
                parts, counts = [*parts, a, b], [*counts, world, world]
            else:
                other = b if self.learns[self.transport.rank] == "a" else a
                other.zero_()  # a stale copy counts nothing in the sum
                parts, counts = [*parts, a, b], [*counts, self.learns.count("a"), self.learns.count("b")]
            results.append((a, b))
        shared = [p.data for p in self.others]
        mean_(parts + shared, self._world, counts + [world] * len(shared))
        for i, (place, (a, b)) in enumerate(zip(self.places, results, strict=True)):
            factor = _learner(place)
            self.optimizer.state.pop(factor, None)
            if self._kept[i]:
                self.optimizer.state[place.weight] = self._kept[i]
            self._kept[i] = {}
            for group in self.optimizer.param_groups:
                group["params"] = [place.weight if p is factor else p for p in group["params"]]
            place.remove(a if b is None else a @ b)

    def finish(self) -> None:
        """Make one model of all ranks' copies, whatever the phase. Collective; call it at the end, before the model is used."""
        if self.ended:
            return
        self.ended = True
        if (
            self.kind != "synchronous"
            and self.phase == "apart"
            and self.schedule.switch(self.finished) != "merge"
        ):
            self._merge()
        else:
            merge_buffers(self.model, self.transport, self.groups)


def _learner(place: Place) -> nn.Parameter:
    if place.a is None:
        return place.weight
    return place.a if place.a.requires_grad else place.b


def _describe(optimizer: torch.optim.Optimizer) -> list:
    groups = [
        {k: v for k, v in g.items() if k != "params"} | {"size": len(g["params"])}
        for g in optimizer.param_groups
    ]
    return [type(optimizer).__name__, *[sorted((k, str(v)) for k, v in group.items()) for group in groups]]


def _check_choices(schedule, mode, cutoff, kind, histories, max_norm, patience) -> None:
    if not isinstance(schedule, Schedule):
        raise ValueError(f"give a Schedule, not {schedule!r}")
    for name, value, known in (
        ("merge", mode, MODES),
        ("kind", kind, KINDS),
        ("histories", histories, ("average", "reset")),
    ):
        if value not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}: not {value!r}")
    if isinstance(cutoff, bool) or not isinstance(cutoff, int | float) or not 0 <= cutoff <= 1:
        raise ValueError(f"a cut-off lies between 0 and 1: not {cutoff!r}")
    if max_norm is not None and not 0 < max_norm < math.inf:
        raise ValueError(f"the norm for clipping is above 0 and finite, or None: not {max_norm!r}")
    if isinstance(patience, bool) or not isinstance(patience, int) or patience < 0:
        raise ValueError(f"patience is a whole number of steps, not negative: not {patience!r}")
