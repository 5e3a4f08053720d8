"""A model that was kept goes on, on any grid; what is incomplete or of another model is refused before anything changes."""

import tempfile
from dataclasses import replace

import pytest
import torch

from efficient_ai import jigsaw
from efficient_ai.jigsaw import Grid, experiments

CONFIG = replace(experiments.SMALL, dropout=0.1)
STEPS = 3


def steps(model, optimiser, first, count):
    """Some steps on this rank's part of samples that depend on the step alone."""
    grid, rank, losses = model.ops.grid, model.ops.rank, []
    i, j = grid.place(rank)
    c = model.config
    for k in range(first, first + count):
        rng = torch.Generator().manual_seed(k)
        x, t = (torch.randn(2, c.inputs, c.lat, c.lon, generator=rng, dtype=torch.float64) for _ in range(2))
        channels = slice(j * c.inputs // grid.cols, (j + 1) * c.inputs // grid.cols)
        lon = slice(i * c.lon // grid.rows, (i + 1) * c.lon // grid.rows)
        x, t = (value[:, channels, :, lon].contiguous() for value in (x, t))
        a, v = torch.ones(c.lat, dtype=torch.float64), torch.ones(x.shape[1], dtype=torch.float64)
        losses.append(float(jigsaw.train_step(model, optimiser, x, t, a, v)))
    return losses


def made(ops=None, seed=0):
    model = jigsaw.WeatherMixer(CONFIG, ops, seed=seed, dtype=torch.float64)
    return model, jigsaw.adam(model, lr=1e-2)


def kept_and_cut_anew(comm, grids):
    """Train on the first grid, keep, and go on there and on each other grid: largest differences to never having stopped."""
    folder, found = comm.bcast(tempfile.mkdtemp() if comm.rank == 0 else None, 0), {}
    whole = None
    for grid in grids:
        part = experiments.first_ranks(comm, grid.size)
        if part is not None:
            ops = jigsaw.Sharded(grid, jigsaw.MPITransport(part)) if grid.size > 1 else None
            if whole is None:
                model, optimiser = made(ops)
                steps(model, optimiser, 0, STEPS)
                jigsaw.save(folder, model, optimiser, extra={"epoch": 4})
                part.barrier()
                whole = steps(model, optimiser, STEPS, STEPS)
            model, optimiser = made(ops, seed=7)
            extra = jigsaw.load(folder, model, optimiser)
            again = steps(model, optimiser, STEPS, STEPS)
            found[grid] = extra, model.step, max(abs(a - b) for a, b in zip(again, whole, strict=True))
        comm.barrier()
    return found


@pytest.mark.mpi
def test_from_any_grid_to_any_grid(ranks):
    grids = [Grid(2, 2), Grid(1, 2), Grid(2, 1), Grid(1, 1), Grid(1, 4)]
    found = ranks(kept_and_cut_anew, grids)[0]
    assert list(found) == grids
    for grid, (extra, step, difference) in found.items():
        assert extra == {"epoch": 4} and step == 2 * STEPS
        assert difference == 0 if grid == grids[0] else difference < 1e-10, grid


@pytest.fixture
def kept(tmp_path):
    model, optimiser = made()
    steps(model, optimiser, 0, 1)
    jigsaw.save(tmp_path, model, optimiser)
    return tmp_path


def refused(folder, said, model=None, optimiser=None):
    ours, rule = made(seed=3)
    model = model or ours
    before = {n: p.clone() for n, p in model.params.items()}
    with pytest.raises(ValueError, match=said):
        jigsaw.load(folder, model, optimiser or rule)
    assert all(torch.equal(p, before[n]) for n, p in model.params.items()) and model.step == 0


def test_pieces_that_do_not_make_a_model(kept, tmp_path_factory):
    refused(tmp_path_factory.mktemp("empty"), "holds no pieces")
    piece = torch.load(kept / "rank0.pt", weights_only=True)
    torch.save(piece | {"cols": 2}, kept / "rank0.pt")
    refused(kept, r"lacks rank1\.pt of 2")
    torch.save(piece | {"rank": 1}, kept / "rank0.pt")
    refused(kept, "no piece that jigsaw.save wrote under this name")
    (kept / "rank0.pt").write_bytes(b"cut off")
    refused(kept, "cannot be read")
    torch.save(piece | {"cols": 2}, kept / "rank0.pt")
    torch.save(piece | {"cols": 2, "rank": 1, "step": 9}, kept / "rank1.pt")
    refused(kept, "another step")


def test_a_piece_of_another_model_or_optimiser(kept):
    other = jigsaw.WeatherMixer(replace(CONFIG, width=2 * CONFIG.width), dtype=torch.float64)
    refused(kept, "width", other, jigsaw.adam(other))
    model, _ = made(seed=3)
    refused(kept, "other groups", model, torch.optim.Adam(model.parameters()))


def test_without_an_optimiser(tmp_path):
    model, _ = made()
    jigsaw.save(tmp_path, model)
    refused(tmp_path, "saved without an optimiser")
    twin, _ = made(seed=5)
    assert jigsaw.load(tmp_path, twin) == {}
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), twin.parameters(), strict=True))


def test_the_state_dict_of_a_partner_is_refused_before_anything_is_copied():
    state = made()[0].state_dict()
    model, _ = made(seed=3)
    before = {n: p.clone() for n, p in model.params.items()}
    with pytest.raises(ValueError, match="rank 1 of 1 x 2, and the model is rank 0 of 1 x 1"):
        model.load_state_dict(state | {"_extra_state": torch.tensor([1, 2, 1])})
    assert all(torch.equal(p, before[n]) for n, p in model.params.items())
    model.load_state_dict(state)
    assert not torch.equal(model.params["embed/weight"], before["embed/weight"])
