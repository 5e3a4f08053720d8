"""Members on MPI ranks: the same network bit for bit, few bytes, and an error on one rank is an error on all."""

import re

import numpy as np
import pytest
import torch

from efficient_ai.parallel import run_ranks
from efficient_ai.surgery import Surgery
from efficient_ai.transplantation import MiniViT, Perceptron, SmallResNet, fuse, fuse_ranks

pytestmark = pytest.mark.mpi

X = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(0))
KINDS = {
    "perceptron": lambda: Perceptron(64, (12, 9), 3, bias=True),
    "residual": lambda: SmallResNet(4, 3),
    "transformer": lambda: MiniViT(8, 4, 8, 2, 1, 3),
    "half": lambda: Perceptron(64, (12, 9), 3).to(torch.bfloat16),
}
OPTIONS = [
    {},
    {"order": "sequential", "root": 1},
    {"score": "random", "seed": 3},
    {"widths": 0.5},
    {"shares": (0.5, 0.25, 0.25)},
    {"widths": "global"},
]


def member(kind, seed):
    torch.manual_seed(seed)
    return KINDS[kind]().eval()


def inputs(kind):
    return X.to(torch.bfloat16) if kind == "half" else X


def same(comm):
    """Largest difference from fusing in one process, for every kind and option."""
    worst = 0.0
    for kind in KINDS:
        everyone = [member(kind, s) for s in range(comm.size)]
        for options in OPTIONS[
            : 3 if kind == "transformer" else None
        ]:  # its forward pass states widths as numbers
            found = fuse_ranks(comm, everyone[comm.rank], inputs(kind), **options)
            assert (found is None) == (comm.rank != options.get("root", 0))
            if found is None:
                continue
            serial = fuse(everyone, inputs(kind), **{k: v for k, v in options.items() if k != "root"})
            assert all(np.array_equal(found.kept[g], serial.kept[g]) for g in serial.kept)
            state = serial.model.state_dict()
            assert list(state) == list(found.model.state_dict())
            for name, tensor in found.model.state_dict().items():
                worst = max(worst, float((tensor.double() - state[name].double()).abs().max()))
    return worst


def refused(comm):
    """What each rank is told when one of them, or all, ask for something without sense."""
    good, said = member("perceptron", comm.rank), []
    broken = member("perceptron", comm.rank)
    if comm.rank == 1:
        broken.layers[0].weight.data[0, 0] = float("nan")
    other = member("residual" if comm.rank == 2 else "perceptron", 0)
    wide = Perceptron(64, (12, 9), 4 if comm.rank == 1 else 3, bias=True)
    calls = [
        (broken, {}),
        (other, {}),
        (wide, {}),
        (good if comm.rank else None, {}),
        (good, {"root": 7}),
        (good, {"order": "sequential" if comm.rank else "joint"}),
        (good, {"score": "largest"}),
        (good, {"weights": (1.0,)}),
        (good, {"widths": "global", "order": "sequential"}),
        (good, {"labels": ["a", "b", "c"] if comm.rank else ["a", "c", "b"]}),
    ]
    for network, options in calls:
        try:
            fuse_ranks(comm, network, X, **options)
        except Surgery as error:
            said.append(str(error))
    return said


def count(comm):
    """Bytes that this rank sends in messages, and those of its weights."""
    from efficient_ai import parallel

    torch.manual_seed(comm.rank)
    counted = parallel.CountingComm(comm)
    network = Perceptron(64, (256, 256), 3)
    fuse_ranks(counted, network, X)
    return counted.record.sent_bytes, sum(p.numel() * 4 for p in network.parameters())


def test_ranks_fuse_as_one_process_does():
    assert run_ranks(same, 3, timeout=120) == [0.0, 0.0, 0.0]


def test_only_neurons_that_stay_travel():
    found = run_ranks(count, 3, timeout=120)
    assert found[0][0] == 0  # the root sends no weights
    for sent, whole in found[1:]:
        assert 0 < sent < 0.3 * whole  # about a third of the first matrix and a ninth of the second


def test_an_error_on_one_rank_is_the_same_error_on_all():
    first, *others = run_ranks(refused, 3, timeout=120)
    assert all(said == first for said in others)
    words = ("member 1.*finite", "member 2 is a SmallResNet", "3 outputs, member 1 has 4", "give a list", "root=7", "order is",
             "choose one of", "3 numbers", "global", "reorder")  # fmt: skip
    assert len(first) == len(words)
    for said, word in zip(first, words, strict=True):
        assert re.search(word, said), said
