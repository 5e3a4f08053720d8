"""Rivals that merge neurons instead of choosing them: clusters of correlated neurons, within a member, too (ZipIt)."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from torch import nn

from efficient_ai import surgery
from efficient_ai.surgery import Anatomy, Part, Surgery
from efficient_ai.transplantation._align import _activations, _correlation
from efficient_ai.transplantation._fuse import prepare, runs

_TRANSPOSED = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
_PLAIN = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.MultiheadAttention


def zipped(
    members: Sequence[nn.Module], example: torch.Tensor, inputs: torch.Tensor, groups: int | None = None
) -> nn.Module:
    """Merge the most correlated neurons of all members until the width of the first is left (Stoica et al. 2024).

    Neurons merge with neurons of other members and of their own. What makes them is averaged; what reads them is added,
    so that a cluster of equal neurons computes what its neurons did. Statistics of norms are averaged
    (:func:`reestimate` takes them anew).

    Args:
        members, example: as :func:`fuse`.
        inputs: on which activations are compared, shape ``(n, ...)``.
        groups: how many groups of channels are merged, from the input on; the others stay side by side and the result is
            wider (a partial merge). ``None``: all of them.

    Raises:
        Surgery: as :func:`fuse`; a norm over channels that would stay side by side; a bare matrix.
    """
    members, anatomies, weights = prepare(members, example)
    count = len(anatomies[0].groups)
    if groups is not None and (
        isinstance(groups, bool) or not isinstance(groups, int) or not 1 <= groups <= count
    ):
        raise Surgery(f"groups={groups!r}: give a whole number from 1 to {count}, all that the members have")
    reads = {name: _reads(members[0], part) for name, part in anatomies[0].parts.items()}
    merged = count if groups is None else groups
    _refuse_norms(members[0], anatomies[0], merged)
    seen = [_activations(a, m, inputs) for a, m in zip(anatomies, members, strict=True)]
    labels = [
        _clusters([s[g] for s in seen], anatomies[0].groups[g].units) if g < merged else None
        for g in range(count)
    ]
    held, made = [surgery.tensors(m) for m in members], {}
    for name, part in anatomies[0].parts.items():
        sources = [h[name] for h in held]
        if part.free:
            made[name] = surgery.shared(part, sources)
            continue
        made[name] = sum(
            _mixed(a.parts[name], source.detach(), labels, anatomies, m, reads[name], weights[m])
            for m, (a, source) in enumerate(zip(anatomies, sources, strict=True))
        ).to(sources[0].dtype)
    model = surgery.rebuild(members[0], anatomies[0], made)
    if merged < count:
        runs(model, example)
    return model


def _reads(model: nn.Module, part: Part) -> int | None:
    """The axis along which a tensor reads channels; along all others it makes or carries them."""
    owner = model.get_submodule(part.name.rpartition(".")[0])
    if not isinstance(owner, nn.Module) or part.free or len(part.shape) < 2:
        return None
    if part.layer and isinstance(owner, _TRANSPOSED):
        axis = 0
    elif part.layer and isinstance(owner, _PLAIN):
        axis = 1
    elif part.layer and sum(isinstance(a, tuple) for a in part.axes) and not isinstance(owner, nn.Embedding):
        raise Surgery(
            f"{part.name} is a bare matrix, of which nobody knows which side reads: make it a layer"
        )
    else:
        return None
    return axis if isinstance(part.axes[axis], tuple) else None


def _refuse_norms(model: nn.Module, anatomy: Anatomy, merged: int) -> None:
    for g in anatomy.groups[merged:]:
        for name, _ in g.places:
            if isinstance(
                model.get_submodule(name.rpartition(".")[0]), nn.LayerNorm | nn.RMSNorm | nn.GroupNorm
            ):
                raise Surgery(
                    f"{name}: a norm over channels of {g.name} cannot stay side by side: merge all groups"
                )


def _clusters(activations: Sequence[np.ndarray], n: int) -> list[np.ndarray]:
    """For each member the cluster of each of its neurons, ``n`` clusters: the closest pair merges, by its worst correlation."""
    every = np.concatenate(activations)
    far = 1 - np.clip(_correlation(every, every), -1, 1)
    still = np.ptp(every, axis=1) == 0  # constant on all inputs: they merge among themselves, and first
    far[still], far[:, still] = 2.0, 2.0
    far[np.ix_(still, still)] = 0.0
    found = fcluster(linkage(far[np.triu_indices(len(far), 1)], "complete"), n, "maxclust") - 1
    found = _split(found, n)
    return np.split(found, np.cumsum([len(a) for a in activations])[:-1])


def _split(labels: np.ndarray, n: int) -> np.ndarray:
    """Exactly ``n`` clusters: equal neurons may have merged at once, so the largest clusters are halved."""
    labels = labels.copy()
    while len(np.unique(labels)) < n:
        sizes = np.bincount(labels)
        mine = np.flatnonzero(labels == sizes.argmax())
        labels[mine[len(mine) // 2 :]] = labels.max() + 1
    return np.unique(labels, return_inverse=True)[1]


def _mixed(part: Part, tensor, labels, anatomies, m: int, reads: int | None, weight: float) -> torch.Tensor:
    """What a member gives to a tensor of the result: clusters along every axis of channels, outputs times its weight."""
    made = tensor if tensor.dtype == torch.float64 else tensor.float()
    for axis, segments in enumerate(part.axes):
        if not isinstance(segments, tuple):
            continue
        pieces = []
        for s, piece in zip(segments, made.split([s.size for s in segments], dim=axis), strict=True):
            matrix = _matrix(labels[s.group], anatomies, s.group, m, mean=axis != reads).to(made)
            wide = piece.unflatten(axis, (s.outer, s.units, s.inner)).movedim(axis + 1, -1) @ matrix.T
            pieces.append(wide.movedim(-1, axis + 1).flatten(axis, axis + 2))
        made = torch.cat(pieces, dim=axis)
    return made * weight if part.makes_outputs else made


def _matrix(labels, anatomies, g: int, m: int, *, mean: bool) -> torch.Tensor:
    """From a member's units to those of the result, ``(result, units)``: into clusters, or beside those of the others."""
    units = [a.groups[g].units for a in anatomies]
    if labels is None:
        found = torch.zeros(sum(units), units[m])
        found[sum(units[:m]) : sum(units[: m + 1])] = torch.eye(units[m])
        return found
    sizes = np.bincount(np.concatenate(labels))
    found = torch.zeros(len(sizes), units[m], dtype=torch.float64)
    where = torch.as_tensor(labels[m])
    found[where, torch.arange(units[m])] = 1.0
    return found / torch.as_tensor(sizes, dtype=torch.float64)[:, None] if mean else found
