"""What runs on MPI ranks: members trained in parallel and fused, and transplantation as synchroniser of parallel training."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from efficient_ai import surgery
from efficient_ai.transplantation import _align, _diverse
from efficient_ai.transplantation import _training as t
from efficient_ai.transplantation._fuse import fuse
from efficient_ai.transplantation._ranks import fuse_ranks
from efficient_ai.transplantation.profiles import Profile

SYNCHRONISERS = ("averaging", "NT", "NT, diverse", "alone")
NEAR = 0.99
"""Correlation of activations from which two neurons count as near copies."""


@dataclass(frozen=True)
class OnRanks:
    """What the ranks found.

    Args:
        difference: largest of a weight between the network fused on ranks and the one fused in one process.
        sent: bytes of weights that each rank sent.
        whole: bytes of one member.
        accuracy: of the members and of the fused network, in per cent.
        curves: by seed and synchroniser, test accuracy in per cent after each epoch.
        copies: by seed and synchroniser, per cent of hidden neurons with a near copy in their layer, after each epoch.
    """

    difference: float
    sent: Sequence[int]
    whole: int
    accuracy: Sequence[float]
    curves: dict[int, dict[str, list[float]]]
    copies: dict[int, dict[str, list[float]]]


def on_ranks(comm: Any, size: Profile) -> OnRanks | None:
    """Everything, on all ranks of ``comm``; the result is on rank 0. Collective."""
    torch.set_num_threads(1)
    together = _together(comm, size)
    curves: dict[int, dict[str, list[float]]] = {}
    copies: dict[int, dict[str, list[float]]] = {}
    for seed in size.seed_list:
        runs = {how: synchronised(comm, size, seed, how) for how in SYNCHRONISERS}
        curves[seed] = {how: run[0] for how, run in runs.items()}
        copies[seed] = {how: run[1] for how, run in runs.items()}
    return OnRanks(*together, curves, copies) if comm.rank == 0 else None


def _together(comm: Any, size: Profile) -> tuple:
    """Each rank trains a member; they are fused on rank 0, and once more from all members there to compare."""
    from efficient_ai import parallel

    member = t.member("perceptron", size.width, size.recipe, 0, comm.rank)
    data = t.data_of("perceptron", size.recipe)
    counted = parallel.CountingComm(comm)
    found = fuse_ranks(counted, member, data.train[0][:2])
    sent = comm.gather(counted.record.sent_bytes)
    everyone = comm.gather(member)
    if comm.rank:
        return ()
    serial = fuse(everyone, data.train[0][:2]).model
    pairs = zip(found.model.parameters(), serial.parameters(), strict=True)
    difference = max(float((a - b).detach().abs().max()) for a, b in pairs)
    accuracy = [t.correct(m, data.test) for m in (*everyone, found.model)]
    whole = sum(p.numel() * p.element_size() for p in member.parameters())
    return difference, sent, whole, accuracy


def synchronised(comm: Any, size: Profile, seed: int, how: str) -> tuple[list[float], list[float]]:
    """Parallel training: all ranks begin with one network, each trains an epoch on its own share of the images, then they
    agree on one network again.

    Args:
        how: ``"averaging"`` of weights; ``"NT"`` or ``"NT, diverse"``: the ranks' networks are fused; ``"alone"``: rank 0
            goes on with its own share and never hears of the others.

    Returns:
        On rank 0, after each epoch: test accuracy in per cent, and the per cent of hidden neurons with a near copy.
    """
    data = t.data_of("perceptron", size.recipe)
    x, y = (part[comm.rank :: comm.size] for part in data.train)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = t.network("perceptron", size.width)
    accuracies, shares = [], []
    for epoch in range(size.recipe.epochs):
        t.train(model, (x, y), size.recipe, 1, 1000 * seed + epoch)
        model = _agreed(comm, model, data.train[0], how)
        if comm.rank == 0:
            accuracies.append(t.correct(model, data.test))
            shares.append(near_copies(model, data.valid[0][:256]))
    return accuracies, shares


def _agreed(comm: Any, model: nn.Module, x: torch.Tensor, how: str) -> nn.Module:
    if how == "alone":
        return model
    if how == "averaging":
        made = copy.deepcopy(model)
        with torch.no_grad():
            for p in made.parameters():
                total = np.empty_like(p.numpy())
                comm.Allreduce(p.numpy(), total)
                p.copy_(torch.from_numpy(total / comm.size))
        return made
    if how == "NT":
        found = fuse_ranks(comm, model, x[:2])
        return comm.bcast(found.model if found else None)
    everyone = comm.gather(model)
    return comm.bcast(_diverse.diverse(everyone, x[:2], x[:256]).model if comm.rank == 0 else None)


def near_copies(model: nn.Module, inputs: torch.Tensor) -> float:
    """Per cent of the hidden neurons whose activations correlate by at least ``NEAR`` with another one of their layer."""
    found = []
    for values in _align._activations(surgery.anatomy(model, inputs[:2]), model, inputs):
        near = np.abs(_align._correlation(values, values))
        np.fill_diagonal(near, 0)
        found.append(100 * float((near.max(axis=1) >= NEAR).mean()))
    return float(np.mean(found))
