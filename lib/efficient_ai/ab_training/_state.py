"""Stop at any step and go on as if nothing had been: every rank keeps its own file, for the groups hold different models."""

import os
from pathlib import Path
from typing import Any

import torch

from efficient_ai.ab_training._agree import same_everywhere
from efficient_ai.ab_training._training import ABTraining

_KEYS = {
    "settings",
    "rank",
    "world",
    "finished",
    "ended",
    "skipped",
    "rates",
    "ranks",
    "kept",
    "history",
    "model",
    "optimizer",
    "compression",
    "outer",
}


def state_dict(training: ABTraining) -> dict[str, Any]:
    """Everything that this rank needs to go on at this step. The order of the data is the caller's to keep."""
    return {
        "settings": {name: repr(value) for name, value in training.settings.items()},
        "rank": training.transport.rank,
        "world": training.transport.size,
        "finished": training.finished,
        "ended": training.ended,
        "skipped": list(training.skipped),
        "rates": list(training._rates),
        "ranks": [place.rank for place in training.places],
        "history": list(training.history),
        "kept": [dict(kept) for kept in training._kept],
        "model": training.model.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "compression": training.compression.state() if training.compression else {},
        "outer": training.outer.state() if training.outer else {},
    }


@torch.no_grad()
def load_state_dict(training: ABTraining, state: dict[str, Any]) -> None:
    """Go on from a state. Collective; a state that does not fit is refused before anything changes.

    Raises:
        ValueError: no such state, of another run, rank or number of ranks, or not the same step on all ranks.
    """
    problem = _problem(training, state)
    verdict = {
        "answer to whether the state fits": problem is None,
        "step": None if problem else state["finished"],
    }
    try:
        same_everywhere(training.transport, verdict)
    except ValueError as error:
        raise ValueError(problem or str(error)) from None
    if problem:
        raise ValueError(problem)
    for place, k in zip(training.places, state["ranks"], strict=True):
        old = place.weight if place.a is None else place.a if place.a.requires_grad else place.b
        place.remove()
        new = place.weight
        if k is not None:
            view = place.view
            a = place.weight.new_zeros(view.count, view.rows, k)
            b = place.weight.new_zeros(view.count, k, view.columns)
            new = place.install(a, b, training.learns[training.transport.rank])
        training.optimizer.state.pop(old, None)
        for group in training.optimizer.param_groups:
            group["params"] = [new if p is old else p for p in group["params"]]
    training.model.load_state_dict(state["model"])
    training.optimizer.load_state_dict(state["optimizer"])
    training._kept = [dict(kept) for kept in state["kept"]]
    training._rates, training.skipped = list(state["rates"]), list(state["skipped"])
    training.history = [(step, list(ranks)) for step, ranks in state["history"]]
    if training.compression:
        training.compression.load_state(state["compression"])
    if training.outer:
        training.outer.load_state(state["outer"])
    training.finished, training.ended = state["finished"], state["ended"]


def _problem(training: ABTraining, state: Any) -> str | None:
    if not isinstance(state, dict) or set(state) != _KEYS:
        return "this is no state of ABTraining: make one with ab_training.state_dict"
    place = training.transport.rank, training.transport.size
    if (state["rank"], state["world"]) != place:
        return (f"this state is of rank {state['rank']} of {state['world']}, and this is rank {place[0]} of {place[1]}: "
                "start as many ranks as before")  # fmt: skip
    for name, value in training.settings.items():
        if name == "optimiser":
            continue  # its learning rates may have moved on; its kind and sizes are looked at below
        if state["settings"].get(name) != repr(value):
            return f"the state was made with another {name}: {state['settings'].get(name)}, and here it is {value!r}"
    ours = [len(group["params"]) for group in training.optimizer.param_groups]
    theirs = [len(group["params"]) for group in state["optimizer"]["param_groups"]]
    if (
        ours != theirs
        or state["settings"]["optimiser"].split(",")[0] != repr(training.settings["optimiser"]).split(",")[0]
    ):
        return "the state was made with another optimiser, or one of other parameters"
    if len(state["ranks"]) != len(training.places):
        return "the state has another number of decomposed weights: it is of another model"
    return _model_problem(training, state)


def _model_problem(training: ABTraining, state: dict[str, Any]) -> str | None:
    """The first tensor that is missing, too much or of another shape, factors aside."""

    def plain(values: dict) -> dict:
        return {n: tuple(v.shape) for n, v in values.items() if torch.is_tensor(v) and ".original" not in n}

    decomposed = {f"{path}.{own}".lstrip(".") for place in training.places for path, own in place.names}
    ours = {n: s for n, s in plain(training.model.state_dict()).items() if n not in decomposed}
    theirs = {n: s for n, s in plain(state["model"]).items() if n not in decomposed}
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            return f"{name} has shape {theirs.get(name)} in the state and {ours.get(name)} here: it is of another model"
    for place, k in zip(training.places, state["ranks"], strict=True):
        path, own = place.names[0]
        inner = f"{path}.parametrizations.{own}.original".lstrip(".")
        view = place.view
        wanted = {f"{inner}0": (view.count, view.rows, k), f"{inner}1": (view.count, k, view.columns)}
        wanted = {place.name: view.shape} if k is None else wanted
        for name, shape in wanted.items():
            found = state["model"].get(name)
            if found is None or tuple(found.shape) != tuple(shape):
                return f"{place.name} does not fit: the state is of another model"
    return None


def save(training: ABTraining, folder: str | os.PathLike) -> Path:
    """Write this rank's state into ``folder``: whole, or not at all. Returns the file."""
    path = Path(folder) / f"rank{training.transport.rank}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    torch.save(state_dict(training), new)
    os.replace(new, path)
    return path


def load(training: ABTraining, folder: str | os.PathLike) -> None:
    """Go on from the files that all ranks wrote with :func:`save`. Collective.

    Raises:
        ValueError: as :func:`load_state_dict`.
        FileNotFoundError: this rank has no file there.
    """
    path = Path(folder) / f"rank{training.transport.rank}.pt"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: a run goes on from the files of all its ranks")
    load_state_dict(training, torch.load(path, weights_only=True))
