"""The decompositions shared out over MPI ranks: the same bits on all of them, and what one process would have done."""

import pytest
import torch
from torch import nn

from efficient_ai import oialr
from efficient_ai.parallel import RankError, run_ranks


def train(comm, spoil=None):
    """Six steps on this rank's half of the batch, gradients averaged; without ``comm`` on the whole batch."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    adaptive = oialr.OIALR(model, optimizer, oialr.Schedule(2, 1, cutoff=0.4), comm=comm)
    for step in range(6):
        x = torch.randn(16, 24, generator=torch.Generator().manual_seed(step))
        if comm is not None:
            x = x.chunk(comm.size)[comm.rank]
        optimizer.zero_grad()
        model(x).square().mean().backward()
        if comm is not None:
            for parameter in model.parameters():
                parameter.grad.copy_(torch.from_numpy(comm.allreduce(parameter.grad.numpy()) / comm.size))
        if spoil == step and comm.rank == 1:
            with torch.no_grad():
                model[0].weight_factors.s[0, 0, 0] = float("nan")
        optimizer.step()
    return adaptive.ranks, {name: value.numpy() for name, value in model.state_dict().items()}


def test_ranks_hold_the_same_bits_and_agree_with_one_process():
    (ranks, first), (others, second) = run_ranks(train, 2)
    assert ranks == others and all((first[name] == second[name]).all() for name in first)
    alone, serial = train(None)
    assert alone == ranks and ranks["2.weight"] < 32
    # bases of a tie may differ, so that the weights are compared and not the factors
    for layer in ("0", "2"):
        one, two = (
            found[f"{layer}.weight_factors.u"]
            @ found[f"{layer}.weight_factors.s"]
            @ found[f"{layer}.weight_factors.vh"]
            for found in (first, serial)
        )
        assert abs(one - two).max() < 1e-4


def test_a_value_that_is_not_finite_on_one_rank_is_told_on_all():
    with pytest.raises(RankError, match="not finite"):
        run_ranks(train, 2, 3)
