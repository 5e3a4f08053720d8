"""What the tests run on ranks."""

import itertools
import tempfile

import numpy as np
import torch
from torch import nn

from efficient_ai import ab_training
from efficient_ai.ab_training import ABTraining, Schedule
from efficient_ai.parallel import CountingComm
from efficient_ai.transport import MPITransport

TOY = Schedule(60, 10, 20, 4, 8)


def net(seed=0, kind=torch.float64, sizes=(6, 8, 7, 3)):
    torch.manual_seed(seed)
    layers = []
    for i, o in itertools.pairwise(sizes):
        layers += [nn.Linear(i, o), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).to(kind)


def batch(rank, step, kind=torch.float64, n=5, inputs=6, classes=3):
    rng = torch.Generator().manual_seed(1000 * step + rank)
    return torch.randn(n, inputs, generator=rng, dtype=torch.float64).to(kind), torch.randint(
        classes, (n,), generator=rng
    )


def step(run, rank, index, poison=None):
    x, y = batch(rank, index, next(run.model.parameters()).dtype, inputs=6)
    if poison == (rank, index):
        x[0, 0] = float("nan")
    return run.step(lambda: nn.functional.cross_entropy(run.model(x).float(), y))


def make(comm, schedule=TOY, optimiser="AdamW", model=None, lr=0.01, **options):
    model = net() if model is None else model
    kind = getattr(torch.optim, optimiser)
    return ABTraining(
        model, kind([p for p in model.parameters()], lr=lr), MPITransport(comm), schedule, **options
    )


def spread(comm, run):
    """Largest difference of any parameter from rank 0's; the parameters' own places, sums over no ranks."""
    flat = torch.cat([p.detach().double().reshape(-1) for p in run.model.parameters()]).numpy()
    first = comm.bcast(flat, 0)
    return comm.allreduce(
        float(np.abs(flat - first).max()) if flat.shape == first.shape else float("inf"), max_op()
    )


def max_op():
    from mpi4py import MPI

    return MPI.MAX


def merge_of_the_worked_example(comm, mode, group):
    model = nn.Sequential(nn.Linear(2, 3, bias=False)).double()
    model[0].weight.data = torch.tensor([[4.0, 0], [0, 1], [0, 0]], dtype=torch.float64)
    run = make(comm, Schedule(10, 0, 5, 2), "SGD", model, mode=mode, group=group)
    place = run.places[0]
    with torch.no_grad():
        signs = torch.sign(place.a[0].sum(0))
        (place.a if place.a.requires_grad else place.b).add_(
            0.1 * signs if place.a.requires_grad else 0.2 * signs[:, None])  # fmt: skip
    for parameter in model.parameters():
        parameter.grad = None
    run._merge()
    return model[0].weight.tolist()


def drift(comm, kind, histories):
    """Spread over ranks after every step together, and in the middle of every phase apart."""
    run, together, apart = make(comm, Schedule(70, 10, 20, 6, 0), kind=kind, histories=histories), [], []
    for t in range(70):
        step(run, comm.rank, t)
        if run.schedule.phase(t) == "together":
            if run.schedule.phase(t + 1) == "together":
                together.append(spread(comm, run))
        elif t == 15:
            apart.append(spread(comm, run))
    return together, apart


OPTIONS = {
    "AB": dict,
    "PowerSGD": lambda: {"kind": "synchronous", "compression": ab_training.PowerSGD(2)},
    "DiLoCo": lambda: {"kind": "local", "outer": ab_training.Outer()},
}


def stop_and_go_on(comm, at, which="AB"):
    folder = comm.bcast(tempfile.mkdtemp() if comm.rank == 0 else None, 0)
    whole, losses = make(comm, **OPTIONS[which]()), []
    for t in range(60):
        losses.append(step(whole, comm.rank, t))
        if t + 1 == at:
            ab_training.save(whole, folder)
    whole.finish()
    again = make(comm, **OPTIONS[which]())
    ab_training.load(again, folder)
    same = [step(again, comm.rank, t) == losses[t] for t in range(at, 60)]
    again.finish()
    equal = all(
        torch.equal(p, q) for p, q in zip(whole.model.parameters(), again.model.parameters(), strict=True)
    )
    return all(same) and equal and again.finished == 60


def poisoned(comm, when):
    run = make(comm)
    for t in range(60):
        step(run, comm.rank, t, poison=(3, when))
    run.finish()
    finite = all(bool(p.isfinite().all()) for p in run.model.parameters())
    return finite, run.skipped, spread(comm, run)


def bytes_by_phase(comm, schedule, **options):
    """For every step: bytes to other groups and within, of all ranks; first those of the construction."""
    counting = CountingComm(comm)
    run = make(counting, schedule, **options)
    where = {rank: i for i, ranks in enumerate(run.groups) for rank in ranks}
    marks = [len(counting.record.events)]
    for t in range(schedule.total):
        step(run, comm.rank, t)
        marks.append(len(counting.record.events))
    run.finish()
    marks.append(len(counting.record.events))
    mine, found, begin = where[comm.rank], [], 0
    for end in marks:
        sent = [
            (where[e.dest] != mine, e.sent) for e in counting.record.events[begin:end] if e.dest is not None
        ]
        found.append([sum(n for out, n in sent if out), sum(n for out, n in sent if not out)])
        begin = end
    return comm.allreduce(np.array(found)).tolist(), [k.rank for k in run.places]


def what_powersgd_sends(comm, steps=4):
    """Largest difference between all that was asked for and all that was sent plus what is still owed, and of replicas; bytes."""
    counting = CountingComm(comm)
    rival, groups = ab_training.PowerSGD(2), ab_training.groups_of(comm.size, 2)
    transport = MPITransport(counting)

    def add(flat):
        ab_training.two_level_sum(transport, flat, groups)

    weights = [
        nn.Parameter(torch.zeros(7, 3, 3)),
        nn.Parameter(torch.zeros(5)),
        nn.Parameter(torch.zeros(2, 2)),
    ]
    weights = [nn.Parameter(w.detach().double()) for w in weights]
    asked, sent, rng = 0.0, 0.0, torch.Generator().manual_seed(comm.rank)
    for _ in range(steps):
        for w in weights:
            w.grad = torch.randn(w.shape, generator=rng, dtype=torch.float64)
        asked = asked + weights[0].grad.numpy()
        assert rival.mean(weights, add, comm.size)
        sent = sent + weights[0].grad.numpy()
    owed = rival.lost[0].reshape(7, 3, 3).numpy()
    difference = comm.allreduce(asked - owed) / comm.size - sent
    mine = {rank for group in groups if comm.rank in group for rank in group}
    between = sum(e.sent for e in counting.record.events if e.dest is not None and e.dest not in mine)
    replicas = np.abs(comm.bcast(sent, 0) - sent).max()
    return float(np.abs(difference).max()), float(replicas), comm.allreduce(between)
