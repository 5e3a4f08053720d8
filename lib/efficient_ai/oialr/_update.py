"""The bases are turned so that S is diagonal again, and what is small is cut off (the paper's algorithm, second half)."""

from collections.abc import Mapping

import numpy as np
import torch

from efficient_ai import lowrank


def decompose(matrices: Mapping[str, torch.Tensor], step: int, comm=None) -> dict[str, lowrank.Factors]:
    """The factors of each, all of them before anything is changed.

    Args:
        matrices: under the name of their weight, shape ``(c, r, r)`` or ``(c, m, n)``.
        step: of the optimiser; for the message.
        comm: MPI communicator. Rank ``i mod size`` decomposes matrix ``i`` and sends the result to all, without waiting for
            the matrices before it; all ranks then hold the same bits. ``None`` for this process alone.

    Raises:
        ValueError: one is not finite; every rank then raises.
    """
    bad = [name for name, matrix in matrices.items() if not matrix.isfinite().all()]
    if comm is not None:
        bad = [name for names in comm.allgather(bad) for name in names]
    if bad:
        raise ValueError(
            f"{bad[0]} is not finite at step {step}, so that it has no singular values. No layer was changed: "
            "repair it (a smaller learning rate, clipping, an earlier state), and training can go on"
        )
    if comm is None or comm.size == 1:
        return {name: lowrank.thin_svd(matrix) for name, matrix in matrices.items()}
    return _shared(matrices, comm)


def _shared(matrices: Mapping[str, torch.Tensor], comm) -> dict[str, lowrank.Factors]:
    parcels, waits = {}, []
    for index, (name, matrix) in enumerate(matrices.items()):
        c, m, n = matrix.shape
        r, wide = min(m, n), matrix.dtype == torch.float64
        parcel = np.empty(c * r * (m + 1 + n), np.float64 if wide else np.float32)
        if index % comm.size == comm.rank:
            found = lowrank.thin_svd(matrix)
            flat = [part.detach().cpu().to(torch.float64 if wide else torch.float32).flatten() for part in
                    (found.u, found.s, found.vh)]  # fmt: skip
            parcel[:] = torch.cat(flat).numpy()
        waits.append(comm.Ibcast(parcel, root=index % comm.size))
        parcels[name] = parcel
    for wait in waits:
        wait.Wait()
    found = {}
    for name, matrix in matrices.items():
        c, m, n = matrix.shape
        r = min(m, n)
        parts = torch.from_numpy(parcels[name]).to(matrix).split([c * m * r, c * r, c * r * n])
        shapes = ((c, m, r), (c, r), (c, r, n))
        found[name] = lowrank.Factors(*(p.reshape(shape) for p, shape in zip(parts, shapes, strict=True)))
    return found


def turned(basis: torch.Tensor, turn: torch.Tensor, left: bool) -> torch.Tensor:
    """A basis in new coordinates, in at least float32: ``U U'`` or ``Vh' Vh``."""
    kind = torch.promote_types(basis.dtype, torch.float32)
    product = basis.to(kind) @ turn.to(kind) if left else turn.to(kind) @ basis.to(kind)
    return product.to(basis.dtype).contiguous()
