"""What is run on ranks."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from efficient_ai.ab_training._merge import MODES, merged
from efficient_ai.ab_training._runs import Job, Outcome, train
from efficient_ai.ab_training._schedule import Schedule
from efficient_ai.ab_training._traffic import Bytes, Plan, run_bytes, sizes_of, total
from efficient_ai.ab_training._training import ABTraining
from efficient_ai.parallel import CountingComm
from efficient_ai.transport import MPITransport

SHORT = Schedule(30, 6, 10, 3, 2)
"""Every kind of switch in few steps."""


def trainings(comm: Any, jobs: Sequence[Job]) -> list[Outcome]:
    """All jobs, one after another. Collective."""
    return [train(CountingComm(comm), job) for job in jobs]


def _small_run(comm: Any, options: dict, seed: int = 0) -> ABTraining:
    state = torch.get_rng_state()
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(6, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Linear(9, 7), nn.ReLU(), nn.Linear(7, 3)
    ).double()
    torch.set_rng_state(state)
    return ABTraining(
        model,
        torch.optim.AdamW(model.parameters(), lr=0.01),
        MPITransport(comm),
        SHORT,
        cutoff=0.3,
        keep=["0"],
        **options,
    )


def counted(comm: Any, options: dict) -> dict[str, Any]:
    """A short run, every message counted: by item, beside the formula. Collective; the same on all ranks."""
    torch.set_num_threads(1)
    counting = CountingComm(comm)
    run = _small_run(counting, options)
    mine = set(run.mine)
    events, begin = counting.record.events, len(counting.record.events)
    apart = 0
    rng = torch.Generator().manual_seed(comm.rank)
    for step in range(SHORT.total):
        mark = len(events)
        x, y = torch.randn(4, 6, generator=rng, dtype=torch.float64), torch.randint(3, (4,), generator=rng)
        run.step(lambda x=x, y=y: functional.cross_entropy(run.model(x), y))
        if run.schedule.phase(step) == "apart" and not SHORT.switch(step + 1):
            apart += sum(e.sent for e in events[mark:] if e.dest is not None and e.dest not in mine)
    sent = [(e.dest in mine, e.sent) for e in events[begin:] if e.dest is not None]
    own = sum(n for near, n in sent if not near), sum(n for near, n in sent if near), apart
    between, inside, apart = (sum(parts) for parts in zip(*comm.allgather(own), strict=True))
    plan = Plan(comm.size, mode=run.mode, kind=run.kind, width=8, histories=run.histories)
    items = run_bytes(SHORT, plan, sizes_of(run), [k for _, k in run.history] or None)
    return {
        "counted": Bytes(between, inside),
        "formula": total(items),
        "items": items,
        "between while apart": apart,
    }


def all_counted(comm: Any, cases: Sequence[dict]) -> list[dict]:
    """:func:`counted` for each. Collective."""
    return [counted(comm, options) for options in cases]


def merge_errors(comm: Any, seeds: Sequence[int]) -> list[float]:
    """For each seed the largest difference between merges by messages and :func:`merged`, all modes. Collective."""
    found = []
    for seed in seeds:
        worst = 0.0
        for mode in MODES:
            run = _small_run(comm, {"mode": mode}, seed)
            run._factorise(None)
            rng = torch.Generator().manual_seed(100 * seed + comm.rank)
            with torch.no_grad():
                for place in run.places:
                    factor = place.a if place.a.requires_grad else place.b
                    factor += 0.1 * torch.randn(factor.shape, generator=rng, dtype=factor.dtype)
            parts = comm.allgather([(p.a.detach(), p.b.detach()) for p in run.places])
            run._merge()
            for i, place in enumerate(run.places):
                wanted = merged(mode, [p[i][0] for p in parts], [p[i][1] for p in parts], run.learns)
                worst = max(worst, float((place.view.split(place.weight.detach()) - wanted).abs().max()))
        found.append(max(comm.allgather(worst)))
    return found
