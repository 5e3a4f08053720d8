"""Keep a model in pieces and go on with any other cut of it: on another grid, or whole."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from efficient_ai.jigsaw._config import weights
from efficient_ai.jigsaw._grid import Grid
from efficient_ai.jigsaw._layout import Layout
from efficient_ai.jigsaw._model import WeatherMixer

_KEYS = {"config", "rows", "cols", "rank", "step", "seed", "parameters", "optimiser", "extra"}


def save(
    folder: str | os.PathLike,
    model: WeatherMixer,
    optimiser: torch.optim.Optimizer | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Path:
    """Write this rank's piece into ``folder``: whole, or not at all. Every rank of one model instance calls it.

    Args:
        folder: which all ranks see. Take a new one for every step that is kept, so that the last good one stays.
        model: with its step and the seed of its random numbers.
        optimiser: of this model.
        extra: numbers, texts, tensors of your own, such as the state of a schedule.

    Returns:
        The file.
    """
    grid, rank = model.ops.grid, model.ops.rank
    state = {
        "config": asdict(model.config), "rows": grid.rows, "cols": grid.cols, "rank": rank, "step": model.step,
        "seed": model.seed, "parameters": {n: p.detach().cpu() for n, p in model.params.items()},
        "optimiser": _kept(model, optimiser), "extra": dict(extra or {}),
    }  # fmt: skip
    path = Path(folder) / f"rank{rank}.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    torch.save(state, new)
    os.replace(new, path)
    return path


def load(
    folder: str | os.PathLike, model: WeatherMixer, optimiser: torch.optim.Optimizer | None = None
) -> dict[str, Any]:
    """Put a saved model, cut for whatever grid, into this one; returns the ``extra`` of rank 0. Every rank calls it.

    On the grid that saved it training goes on to the last bit. At no time more than one parameter is whole.

    Args:
        folder: as given to :func:`save`.
        model: of the same configuration, on any grid or serial.
        optimiser: of this model, with the same groups of parameters.

    Raises:
        ValueError: pieces that are missing, of different steps or of another model; nothing has changed then.
    """
    pieces, grid = _pieces(Path(folder))
    first = pieces[0]
    ours = asdict(model.config)
    if other := sorted(k for k in ours if first["config"].get(k) != ours[k]):
        raise ValueError(
            f"{folder} holds a model with {other[0]} {first['config'].get(other[0])!r}, and this one has {ours[other[0]]!r}"
        )
    layouts = [Layout(model.config, grid, piece["rank"]) for piece in pieces]

    def own(name: str, parts: list[torch.Tensor]) -> torch.Tensor:
        whole = parts[0].new_zeros(_shape(model, name))
        for layout, part in zip(layouts, parts, strict=True):
            whole[_index(layout, name)] = part
        return whole[_index(model.layout, name)].clone()

    found = {n: own(n, [piece["parameters"][n] for piece in pieces]) for n in model.params}
    moments = _moments(model, optimiser, pieces, own) if optimiser is not None else None
    with torch.no_grad():
        for name, p in model.params.items():
            p.copy_(found[name])
    model.step, model.seed = first["step"], first["seed"]
    if optimiser is not None:
        optimiser.load_state_dict(moments)
    return dict(first["extra"])


def _kept(model: WeatherMixer, optimiser: torch.optim.Optimizer | None) -> dict[str, Any] | None:
    """An optimiser's state by the names of parameters."""
    if optimiser is None:
        return None
    names = {id(p): n for n, p in model.params.items()}
    groups = [
        {k: v for k, v in group.items() if k != "params"}
        | {"params": [names[id(p)] for p in group["params"]]}
        for group in optimiser.param_groups
    ]
    return {"groups": groups, "state": {names[id(p)]: dict(state) for p, state in optimiser.state.items()}}


def _moments(model: WeatherMixer, optimiser, pieces, own) -> dict[str, Any]:
    """What ``optimiser.load_state_dict`` takes, with this rank's part of every moment."""
    saved = [piece["optimiser"] for piece in pieces]
    if saved[0] is None:
        raise ValueError("the model was saved without an optimiser: load it without one")
    names = {id(p): n for n, p in model.params.items()}
    ours = [[names[id(p)] for p in group["params"]] for group in optimiser.param_groups]
    if ours != [group["params"] for group in saved[0]["groups"]]:
        raise ValueError(
            "the optimiser was saved with other groups of parameters: make it as it was made then"
        )
    number = {n: i for i, n in enumerate(n for group in ours for n in group)}
    state = {}
    for name, values in saved[0]["state"].items():
        state[number[name]] = {
            key: own(name, [s["state"][name][key] for s in saved])
            if torch.is_tensor(value) and value.shape == pieces[0]["parameters"][name].shape
            else value
            for key, value in values.items()
        }
    groups = [group | {"params": [number[n] for n in group["params"]]} for group in saved[0]["groups"]]
    return {"state": state, "param_groups": groups}


def _pieces(folder: Path) -> tuple[list[dict], Grid]:
    """All pieces in the order of ranks, each mapped and not read."""
    paths = sorted(folder.glob("rank*.pt"))
    if not paths:
        raise ValueError(f"{folder} holds no pieces of a model (rank0.pt and so on)")
    found = {}
    for path in paths:
        try:
            piece = torch.load(path, weights_only=True, mmap=True, map_location="cpu")
        except Exception as error:  # cut off, or no file of torch
            raise ValueError(
                f"{path} cannot be read as a piece of a model ({type(error).__name__})"
            ) from error
        if not isinstance(piece, dict) or set(piece) != _KEYS or path.name != f"rank{piece['rank']}.pt":
            raise ValueError(f"{path} is no piece that jigsaw.save wrote under this name")
        found[piece["rank"]] = piece
    first = next(iter(found.values()))
    grid = Grid(first["rows"], first["cols"])
    if missing := sorted(set(range(grid.size)) - set(found)):
        raise ValueError(f"{folder} lacks rank{missing[0]}.pt of {grid.size} pieces")
    for rank, piece in found.items():
        for key in ("rows", "cols", "step", "seed", "config"):
            if piece[key] != first[key]:
                raise ValueError(
                    f"rank{rank}.pt in {folder} has another {key} than the others: pieces of two runs or two steps"
                )
    return [found[rank] for rank in sorted(found)], grid


def _matrix(model_or_layout: Any, name: str) -> str | None:
    """The weight matrix that a parameter is, ``None`` for a vector."""
    matrix = name.replace("/", ".").removesuffix(".weight")
    return matrix if matrix in weights(model_or_layout.config) else None


def _shape(model: WeatherMixer, name: str) -> tuple[int, ...]:
    """Of the parameter in the serial model."""
    matrix = _matrix(model, name)
    if matrix:
        return weights(model.config)[matrix]
    return (len(Layout(model.config, Grid(1, 1), 0).cols(name.replace("/", "."))),)


def _index(layout: Layout, name: str) -> tuple[torch.Tensor, ...]:
    """Where a rank's part lies in the serial parameter."""
    matrix = _matrix(layout, name)
    if matrix:
        return layout.rows(matrix)[:, None], layout.cols(matrix)[None, :]
    return (layout.cols(name.replace("/", ".")),)
