"""Members on MPI ranks: each rank holds one, the fused network comes together on one of them, layer by layer."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import _choice
from efficient_ai.transplantation._fuse import Fused, Widths, fused, member_scores, prepare, runs, weights_of


def fuse_ranks(
    comm: Any,
    member: nn.Module,
    example: torch.Tensor,
    *,
    root: int = 0,
    score: str = "group",
    order: str = "joint",
    widths: Widths = None,
    shares: Sequence[float] | None = None,
    weights: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
    seed: int = 0,
) -> Fused | None:
    """Fuse the members of all ranks, bit for bit as :func:`fuse` does with them in one process. Collective.

    Every rank scores its own member; only scores are exchanged by all, and then only neurons that stay travel, tensor by
    tensor. Rank ``root`` never holds more than its member, the result and one tensor of another member.

    Args:
        comm: an mpi4py communicator; rank m holds member m.
        member: of this rank; it is only read, and may be on a device of its own.
        labels: class list of this rank's member.
        root: the rank that gets the result.
        example, score, order, widths, shares, weights, seed: as :func:`fuse`, alike on all ranks; no scores of your own.

    Returns:
        The result on ``root``, ``None`` elsewhere.

    Raises:
        Surgery: on every rank alike, if any rank's member or options do not fit: before weights are sent.
    """
    anatomy, error = None, None
    try:
        if isinstance(root, bool) or not isinstance(root, int) or not 0 <= root < comm.size:
            raise Surgery(f"root={root!r}: give a rank from 0 to {comm.size - 1}")
        if not isinstance(score, str):
            raise Surgery("on ranks choose a score by its name")
        (anatomy,) = prepare([member], example)[1]
    except Exception as problem:  # also what is no Surgery: the other ranks wait for this one
        error = str(problem).replace("member 0", f"member {comm.rank}")
    _agree(comm, error)
    options = {"root": root, "score": score, "order": order, "widths": widths, "shares": shares, "weights": weights, "seed": seed}  # fmt: skip
    anatomies = _compared(comm, member, anatomy, labels, options)
    rng = np.random.default_rng(seed)
    kept, scores, weights, error = None, None, weights, None
    try:
        weights = weights_of(anatomies, weights)

        def scored(g: int, left: list[dict] | None) -> list[np.ndarray]:
            if score == "random":
                return [rng.random(a.groups[g].units) for a in anatomies]
            own = left[comm.rank] if left else None
            return comm.allgather(member_scores(anatomy, member, g, score, weights[comm.rank], own))

        kept, scores = _choice.select(anatomies, scored, order, widths, shares)
    except Surgery as problem:  # raised from the options, which are alike on all ranks
        error = str(problem)
    _agree(comm, error)
    made = _gather(comm, root, anatomies, surgery.tensors(member), kept, weights)
    model, error = None, None
    if comm.rank == root:
        try:
            model = surgery.rebuild(member, anatomy, made)
            if any(len(k) != g.units for k, g in zip(kept, anatomy.groups, strict=True)):
                runs(model, example)
        except Surgery as problem:
            error = str(problem)
    _agree(comm, error)
    return None if model is None else fused(model, anatomy, kept, scores, weights)


def _agree(comm: Any, error: str | None) -> None:
    """The first error of any rank, on every rank."""
    found = next((e for e in comm.allgather(error) if e is not None), None)
    if found is not None:
        raise Surgery(found)


def _compared(comm: Any, member: nn.Module, anatomy, labels, options: dict) -> list[surgery.Anatomy]:
    """The anatomies of all ranks without their graphs; refused on all ranks if any does not fit to the first."""
    kinds = {n: {"dtype": k["dtype"], "device": k["device"].type} for n, k in surgery.kinds(member).items()}
    light = dataclasses.replace(anatomy, graph=None, classes={}, owner=np.empty(0, int), scalars={})
    names = None if labels is None else list(labels)
    everyone = comm.allgather((type(member).__name__, light, kinds, names, options))
    error = None
    try:
        name, first, theirs, meant, wanted = everyone[0]
        if type(member).__name__ != name:
            raise Surgery(f"member {comm.rank} is a {type(member).__name__}, member 0 a {name}")
        if names != meant:
            raise Surgery(f"the outputs of member {comm.rank} mean {names}, those of member 0 {meant}: reorder them first")  # fmt: skip
        for key, value in options.items():
            if repr(value) != repr(wanted[key]):
                raise Surgery(
                    f"{key} is {wanted[key]!r} on rank 0 and {value!r} on rank {comm.rank}: give all ranks the same"
                )
        surgery.fit(first, theirs, light, kinds, comm.rank)
    except Surgery as problem:
        error = str(problem)
    _agree(comm, error)
    return [entry[1] for entry in everyone]


def _gather(comm: Any, root: int, anatomies, held: dict, kept, weights) -> dict[str, torch.Tensor]:
    """Every tensor of the result on ``root``, one after the other; what has no channels first, since it may be refused."""
    made, error = {}, None
    free = [name for name, part in anatomies[0].parts.items() if part.free]
    for name in free:
        sources = comm.gather(held[name].detach().cpu(), root=root)
        if comm.rank == root and error is None:
            try:
                made[name] = surgery.shared(anatomies[0].parts[name], sources).to(held[name].device)
            except Surgery as problem:
                error = str(problem)
    _agree(comm, error)
    for name in [n for n in anatomies[0].parts if n not in free]:
        parts = [a.parts[name] for a in anatomies]
        mine = surgery.block(parts, comm.rank, held[name], kept, weights[comm.rank])
        if comm.rank != root:
            if mine.numel():
                comm.Send(_bytes(mine), dest=root)
            continue
        made[name] = surgery.blank(parts[0], kept, held[name])
        for m in range(comm.size):
            given = mine if m == root else _receive(comm, m, surgery.block_shape(parts, m, kept), held[name])
            surgery.add(made[name], parts, m, given, kept)
    return made


def _bytes(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()


def _receive(comm: Any, source: int, shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    found = torch.empty(shape, dtype=like.dtype)
    if found.numel():
        comm.Recv(found.reshape(-1).view(torch.uint8).numpy(), source=source)
    return found.to(like.device)
