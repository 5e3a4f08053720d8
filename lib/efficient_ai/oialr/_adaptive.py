"""OIALR for any model: ordinary training until the basis has settled, then only the matrices between the bases."""

from collections.abc import Collection

import torch
from torch import nn

from efficient_ai import lowrank
from efficient_ai.oialr import _moments
from efficient_ai.oialr._factored import Factored
from efficient_ai.oialr._layers import SUFFIX, install, remove
from efficient_ai.oialr._schedule import Schedule
from efficient_ai.oialr._update import decompose, turned

FLAT = 10
_WRAPPERS = ("DistributedDataParallel", "DataParallel", "FullyShardedDataParallel")


class OIALR:
    """Makes a model adaptive; from now on each ``optimizer.step()`` advances the schedule, and nothing else does.

    The modules stay the same objects. A converted weight's parameter is replaced by ``S`` in its group of the optimiser, with its state
    in the new basis. A list of parameters made before is stale after an update: ask the model for them again, as clipping in
    each step does anyway.

    Args:
        model: any; a compiled one is changed inside.
        optimizer: of torch, over the model's weights; what it does not train stays dense.
        schedule: when and how much.
        keep: names of parameters or modules that stay dense.
        keep_first: the first weight that is a matrix stays dense.
        keep_last: the last one does, whatever its shape: most often the head.
        flat: a matrix whose longer side is at least so many times the shorter one stays dense.
        rank_share: of the shorter side, with which a weight begins; 1 for all of it.
        packed: take a packed attention projection as one matrix, as the paper's code does, and not as three.
        moments: rule for the optimiser's state, one of ``MOMENTS``.
        comm: MPI communicator over which the decompositions are shared out; the weights must be equal on all its ranks.

    Attributes:
        dense: names of the weights that stay as they are, each with the reason.
        step: optimiser steps so far.
        history: ``(step, {name: rank})`` after the conversion and each update.

    Raises:
        ValueError: nothing can be converted, or a name that the model does not have.
        TypeError: an optimiser that cannot follow, or a model in a wrapper that holds on to its parameters.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        *,
        keep: Collection[str] = (),
        keep_first: bool = False,
        keep_last: bool = True,
        flat: float = FLAT,
        rank_share: float = 1.0,
        packed: bool = False,
        moments: str = "turned",
        comm=None,
    ):
        if type(model).__name__ in _WRAPPERS:
            raise TypeError(
                f"{type(model).__name__} holds on to the parameters that it was built with: hand in the module inside of it, "
                "and average the gradients between backward and step"
            )
        if moments not in _moments.MOMENTS:
            raise ValueError(f"moments is one of {', '.join(_moments.MOMENTS)}, not {moments!r}")
        if isinstance(rank_share, bool) or not 0 < rank_share <= 1:
            raise ValueError(f"rank_share lies above 0 and is at most 1: got {rank_share!r}")
        if isinstance(keep, str):
            raise TypeError(f"keep is a list of names: write [{keep!r}]")
        _moments.check(optimizer)
        self.model = getattr(model, "_orig_mod", model)
        self.optimizer, self.schedule, self.comm = optimizer, schedule, comm
        self.moments, self.rank_share = moments, rank_share
        self.layers, self.dense = _choose(self.model, optimizer, keep, keep_first, keep_last, flat, packed)
        if not self.layers:
            raise ValueError(
                f"no weight of this model can be converted: {self.dense or 'it has no matrices'}"
            )
        self.step, self.history = 0, []
        self._hook = optimizer.register_step_post_hook(self._stepped)

    @property
    def factors(self) -> dict[str, Factored]:
        """The converted weights under their first names; empty before the conversion."""
        found = {name: _factors(self.model, name) for name in self.layers}
        return {name: factors for name, factors in found.items() if factors is not None}

    @property
    def ranks(self) -> dict[str, int]:
        """The present rank of each converted weight; before the conversion the shorter side."""
        now = self.factors
        return {
            name: now[name].rank if name in now else layer.view.columns for name, layer in self.layers.items()
        }

    def _stepped(self, *_) -> None:
        self.step += 1
        if self.schedule.due(self.step):
            self.update()

    def update(self) -> None:
        """Convert if that has not been done, then turn the bases of the layers whose turn it is and cut. All of it or nothing.

        Raises:
            ValueError: a weight that is not finite, or a part of the optimiser's state that cannot follow.
        """
        _moments.check(self.optimizer)
        names = list(self.layers)
        chosen = self.schedule.chosen(max(self.step, self.schedule.delay), len(names))
        device = next(self.model.parameters()).device.type
        with torch.autocast(
            device, enabled=False
        ):  # a step may lie inside of one, and the bases must stay exact
            if not self.factors:
                self._convert()
            self._turn([names[index] for index in chosen])
        self.history.append((self.step, self.ranks))

    @torch.no_grad()
    def _convert(self) -> None:
        weights = {name: _weight(self.model, name) for name in self.layers}
        split = {name: self.layers[name].view.split(weight.detach()) for name, weight in weights.items()}
        found = decompose(split, self.step, self.comm)
        made = {}
        with _moments.undone_on_error(self.optimizer):
            for name, layer in self.layers.items():
                rank = max(1, round(self.rank_share * layer.view.columns))
                made[name] = Factored(layer.view, found[name].cut(rank))
                u, vh = made[name].u, made[name].vh
                _moments.carry(self.optimizer, weights[name], made[name].s, u, vh, layer.view, self.moments)
        for name, factors in made.items():
            for own in self.layers[name].names:
                install(*_place(self.model, own), factors)

    @torch.no_grad()
    def _turn(self, names: list[str]) -> None:
        factors = self.factors
        found = decompose({name: factors[name].s for name in names}, self.step, self.comm)
        new = {}
        with _moments.undone_on_error(self.optimizer):
            for name in names:
                own, old = found[name], factors[name]
                own = own.cut(self.schedule.rank(own.s, old.rank, old.view.columns))
                new[name] = own, nn.Parameter(torch.diag_embed(own.s).contiguous())
                _moments.carry(self.optimizer, old.s, new[name][1], own.u, own.vh, rule=self.moments)
        for name, (own, s) in new.items():
            place = factors[name]
            place.u, place.vh = turned(place.u, own.u, True), turned(place.vh, own.vh, False)
            place.s = s

    def merge(self) -> nn.Module:
        """End it: every weight is an ordinary parameter again, with the same values. The optimiser is of no more use."""
        for name, factors in self.factors.items():
            weight = nn.Parameter(factors.weight().detach().clone())
            for own in self.layers[name].names:
                remove(*_place(self.model, own), weight)
        self._hook.remove()
        return self.model


def _place(model: nn.Module, name: str) -> tuple[nn.Module, str]:
    path, _, last = name.rpartition(".")
    return model.get_submodule(path), last


def _weight(model: nn.Module, name: str) -> nn.Parameter:
    module, last = _place(model, name)
    return module._parameters[last]


def _factors(model: nn.Module, name: str) -> Factored | None:
    module, last = _place(model, name)
    return module._modules.get(last + SUFFIX)


def _choose(model, optimizer, keep, first, last, flat, packed):
    """The layers under their first names, and the weights that stay dense with the reasons."""
    survey = lowrank.survey(model, keep, packed=packed)
    trained = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    ends = {id(survey.layers[i].weight) for i, wanted in ((0, first), (-1, last)) if wanted and survey.layers}
    layers, dense = {}, dict(survey.dense)
    for layer in survey.layers:
        view = layer.view
        if id(layer.weight) in ends:
            reason = "it is the first or the last, and to be kept"
        elif id(layer.weight) not in trained:
            reason = "the optimiser does not train it"
        elif view.rows >= flat * view.columns:
            reason = f"it is flat: {view.rows} x {view.columns}"
        elif any(SUFFIX in name for name in layer.names):
            reason = "it belongs to factors"
        else:
            layers[layer.names[0]] = layer
            continue
        dense |= dict.fromkeys(layer.names, reason)
    return layers, dense
