"""On real ranks: the pipeline is serial training to the bit, ends always, and a refusal ends all ranks."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy

from efficient_ai import f3, parallel
from efficient_ai.f3.experiments._ranks import largest_difference

pytestmark = pytest.mark.mpi

# (samples, batch, sizes): a smaller last batch; one batch an epoch; batch of one; uneven widths.
PROBLEMS = {
    "smaller last batch": (10, 4, (6, 8, 8, 8, 3)),
    "one batch an epoch": (5, 8, (6, 8, 8, 8, 3)),
    "batches of one": (4, 1, (6, 8, 8, 8, 3)),
    "uneven blocks": (9, 3, (6, 40, 2, 3, 17, 3)),
}
RULES = (f3.F3(), f3.F3(delay=3, store="8 bit"), f3.MonoForward())


def adam(p):
    return torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1)


def problem(n):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(n, 6, generator=rng, dtype=torch.float64)
    return x, f3.one_hot(torch.arange(n) % 3, 3, torch.float64)


def serial(rule, n, batch, sizes, epochs=3):
    torch.set_num_threads(1)
    x, y = problem(n)
    blocks = f3.mlp(sizes, seed=1, dtype=torch.float64)
    trainer = f3.Trainer(blocks, rule, binary_cross_entropy, adam, sample=x[:2], samples=n)
    losses = [trainer.epoch(x, y, batch) for _ in range(epochs)]
    return trainer, losses


def every_case(comm):
    torch.set_num_threads(1)
    found = {}
    for name, (n, batch, sizes) in PROBLEMS.items():
        x, y = problem(n)
        data = (x if comm.rank == 0 else None, y if comm.rank == comm.size - 1 else None)
        options = dict(sample=x[:2], samples=n, batch_size=batch, patience=30)
        for rule in RULES:
            blocks = f3.mlp(sizes, seed=1, dtype=torch.float64)
            line = f3.Pipeline(comm, blocks, rule, binary_cross_entropy, adam, **options)
            line.fit(*data, 2)
            state = line.collect()
            # On in a pipeline of its own, from the state of the first.
            blocks = f3.mlp(sizes, seed=1, dtype=torch.float64)
            line = f3.Pipeline(comm, blocks, rule, binary_cross_entropy, adam, **options)
            line.load_state_dict(state)
            line.fit(*data, 1)
            found[name, rule] = line.collect()
        blocks = f3.mlp(sizes, seed=1, dtype=torch.float64)
        line = f3.GPipe(comm, blocks, binary_cross_entropy, adam, micro_batches=3, **options)
        line.fit(*data, 3)
        found[name, "BP"] = {line.cuts[comm.rank]: line.stage.state_dict()}
    return found


@pytest.mark.parametrize("ranks", [2, 4])
def test_three_epochs_on_ranks_are_those_of_serial_training(ranks):
    answers = parallel.run_ranks(every_case, ranks, timeout=150)
    for name, case in PROBLEMS.items():
        for rule in RULES:
            trainer, _ = serial(rule, *case)
            assert largest_difference(trainer.state_dict(), answers[0][name, rule]) == 0, (name, rule)
        trainer, _ = serial(f3.Backpropagation(), *case)
        truth = trainer.stage.state_dict()
        for answer in answers:
            for first, state in answer[name, "BP"].items():
                for key, value in state.items():
                    number = int(key.split(".")[1])
                    exact = truth[key.replace(f"blocks.{number}.", f"blocks.{number + first}.", 1)]
                    assert torch.allclose(value, exact, atol=1e-9), (name, key)


def large(comm):
    torch.set_num_threads(1)
    x = torch.randn(512, 1024, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = f3.one_hot(torch.arange(512) % 3, 3, torch.float64)
    blocks = f3.mlp((1024, 1024, 16, 3), seed=1, dtype=torch.float64)
    line = f3.Pipeline(
        comm,
        blocks,
        f3.F3(),
        binary_cross_entropy,
        adam,
        sample=x[:2],
        samples=512,
        batch_size=512,
        patience=60,
        cuts=[0, 1],
    )
    return line.fit(x, y, 2)


def test_messages_of_four_mebibytes_arrive():
    losses = parallel.run_ranks(large, 2, timeout=120)
    assert losses[0] == [] and len(losses[1]) == 2


def refusals(comm):
    """What each wrong call says on this rank."""
    torch.set_num_threads(1)
    x, y = problem(10)
    good = dict(sample=x[:2], samples=10, batch_size=4, patience=20)

    def pipeline(rule=None, sizes=(6, 8, 8, 3), seed=1, **options):
        blocks = f3.mlp(sizes, seed=seed, dtype=torch.float64)
        return f3.Pipeline(comm, blocks, rule or f3.F3(), binary_cross_entropy, adam, **(good | options))

    def drop_out(line):
        if comm.rank == 1:
            line.stage.update = None  # its first step raises a TypeError
        line.fit(x, y, 2)

    nan = x.clone()
    nan[3, 2] = float("nan")
    calls = {
        "no data": lambda: pipeline(samples=0),
        "more ranks than blocks": lambda: pipeline(sizes=(6, 3)),
        "cuts": lambda: pipeline(cuts=[0, 0]),
        "another seed on one rank": lambda: pipeline(seed=comm.rank),
        "another batch on one rank": lambda: pipeline(batch_size=4 + comm.rank),
        "waits": lambda: pipeline(rule=f3.DFA),
        "inputs of another length": lambda: pipeline().fit(x[:5], y, 1),
        "targets are missing": lambda: pipeline().fit(x, None, 1),
        "nan": lambda: pipeline().fit(nan, y, 1),
        "one rank fails": lambda: drop_out(pipeline()),
    }
    said = {}
    for name, call in calls.items():
        try:
            call()
            said[name] = ""
        except (ValueError, RuntimeError, TypeError) as error:
            said[name] = str(error)
    return said


def test_a_refusal_ends_all_ranks_with_the_reason():
    first, last = parallel.run_ranks(refusals, 2, timeout=120)
    words = {
        "no data": "samples must be a whole number",
        "more ranks than blocks": "1 blocks cannot be dealt to 2 ranks",
        "cuts": "must begin at 0, rise",
        "another seed on one rank": "rank 1 was given other",
        "another batch on one rank": "rank 1 was given other",
        "waits": "DFA waits for the output",
        "inputs of another length": "rank 0 needs 10 inputs, got 5",
        "targets are missing": "the last rank needs targets",
        "nan": "an input is not finite",
        "one rank fails": "TypeError",
    }
    for name, word in words.items():
        assert word in first[name], (name, first[name])
        assert last[name], name
    assert first["one rank fails"].startswith("rank 1 stopped: TypeError")


def test_a_partition_makes_the_dearest_part_cheap():
    assert f3.partition([1, 1, 1, 1], 2) == [0, 2]
    assert f3.partition([8, 1, 1, 1], 2) == [0, 1]
    assert f3.partition([1, 1, 1, 8], 3) == [0, 1, 3] or f3.partition([1, 1, 1, 8], 3) == [0, 2, 3]
    with pytest.raises(ValueError, match="cannot be dealt"):
        f3.partition([1, 2], 3)
