"""Memory, counts, the cost model, angles, tasks, and blocks of any kind."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy, mse_loss

from efficient_ai import f3
from efficient_ai.f3._memory import checkpointed_step
from efficient_ai.f3._transformer import cross_entropy


def make(rule, depth=4, width=32, batch=16):
    x, y = torch.randn(batch, width), f3.one_hot(torch.arange(batch) % 3, 3)
    blocks = f3.mlp([width] * (depth + 1) + [3])
    trainer = f3.Trainer(
        blocks, rule, binary_cross_entropy, lambda p: torch.optim.SGD(p, lr=0.1), sample=x, samples=batch
    )
    return trainer, x, y, torch.arange(batch)


@pytest.mark.parametrize("rule", [f3.F3(), f3.DRTP, f3.MonoForward()], ids=lambda r: r.name)
def test_the_peak_of_a_sweep_does_not_grow_with_depth_and_that_of_bp_does(rule):
    peaks = {}
    for name, each in (("sweep", rule), ("BP", f3.Backpropagation()), ("DFA", f3.DFA)):
        for depth in (2, 16):
            trainer, x, y, index = make(each, depth)
            peaks[name, depth] = f3.peak_bytes(lambda t=trainer, a=(x, y, index): t.step(*a), trainer.stage)
    assert peaks["sweep", 16] == peaks["sweep", 2]
    assert peaks["BP", 16] - peaks["BP", 2] == 14 * 16 * 32 * 4, "one activation of each block more"
    assert peaks["DFA", 16] > 4 * peaks["DFA", 2]


def test_checkpoints_lie_between():
    chain = torch.nn.Sequential(*f3.mlp([32] * 17 + [3]))
    x, y = torch.randn(16, 32), f3.one_hot(torch.arange(16) % 3, 3)
    found = f3.peak_bytes(lambda: checkpointed_step(chain, x, y, binary_cross_entropy), chain)
    trainer, *batch = make(f3.Backpropagation(), 16)
    assert found < f3.peak_bytes(lambda: trainer.step(*batch), trainer.stage)


def test_counts_of_the_example_in_the_literature():
    sizes = [784, 500, 500, 10]
    assert f3.multiplications(sizes, "BP") == {"forward": 647_000, "signal": 255_000, "weights": 647_000}
    assert (
        f3.multiplications(sizes, "F³")["signal"] == 10_000
        and f3.multiplications(sizes, "DRTP")["signal"] == 0
    )
    with pytest.raises(ValueError, match="no count"):
        f3.multiplications(sizes, "magic")


def test_the_cost_model_finds_the_coefficients_it_was_made_from():
    truth = f3.Costs(1e-4, 1e-11, 2e-9)
    rows = [(n, b, p, truth.block(n, b, p)) for n in (32, 256, 512) for b in (16, 64) for p in (2, 3)]
    found = f3.fit_costs(rows)
    assert (found.call, found.flop, found.update) == pytest.approx((1e-4, 1e-11, 2e-9), rel=1e-6)
    with pytest.raises(ValueError, match="at least three"):
        f3.fit_costs(rows[:1] * 5)
    network = dict(blocks=8, width=256, batch=64, steps=20)
    one = f3.pipeline_seconds(truth, ranks=1, rule="F³", **network)
    assert one == pytest.approx(20 * 8 * truth.block(256, 64, 2))
    assert one / f3.pipeline_seconds(truth, ranks=8, rule="F³", **network) == pytest.approx(8 * 20 / 27)


def test_an_angle_is_zero_where_the_signal_is_the_gradient_and_turns_with_its_sign():
    trainer, x, y, index = make(f3.F3(signal="loss before activation", delay=0, sign=-1), depth=1)
    trainer.stage.set_feedback(0, trainer.blocks[1].linear.weight.detach())
    assert f3.angles(trainer, x, y, index)[0] == pytest.approx(0, abs=0.1)
    other, *_ = make(f3.F3(signal="loss before activation", delay=0, sign=1), depth=1)
    other.stage.set_feedback(0, other.blocks[1].linear.weight.detach())
    assert f3.angles(other, x, y, index)[0] == pytest.approx(180, abs=0.1)
    with pytest.raises(ValueError, match="no direct signal"):
        f3.angles(make(f3.Backpropagation())[0], x, y, index)


def test_tasks_are_scaled_by_their_training_part_and_parts_do_not_overlap():
    for name in f3.TASKS:
        task = f3.load_task(name)
        assert all(
            len(x) == len(y) and x.dtype == y.dtype == torch.float32
            for x, y in (task.train, task.valid, task.test)
        )
        assert abs(float(task.train[0].mean())) < 1e-3
        assert len(f3.load_task(name, 0.5).train[0]) == round(len(task.train[0]) / 2)
        rows = {tuple(row) for row in task.train[0][:500].tolist()}
        assert not rows & {tuple(row) for row in task.test[0].tolist()}
    assert f3.load_task("Friedman").error(
        torch.zeros(600, 1), f3.load_task("Friedman").test[1]
    ) == pytest.approx(100, abs=2)
    for bad in (("MNIST", 1.0), ("digits", 0.0), ("digits", 1.5)):
        with pytest.raises(ValueError, match="a task is one of"):
            f3.load_task(*bad)


@pytest.mark.parametrize(
    "rule",
    [f3.Backpropagation(), f3.F3(signal="error softmax"), f3.DRTP, f3.MonoForward()],
    ids=lambda r: r.name,
)
def test_a_transformer_learns_under_every_rule_that_takes_any_block(rule):
    x, y = f3.load_task("digits").train
    x, y = x[:200], y[:200]
    blocks = f3.patch_transformer(64, 10, tokens=4, width=16, layers=2, heads=2, head_width=8, hidden=16)
    trainer = f3.Trainer(
        blocks, rule, cross_entropy, lambda p: torch.optim.Adam(p, 3e-3), sample=x[:2], samples=200
    )
    losses = [trainer.epoch(x, y, 50) for _ in range(6)]
    assert losses[-1] < losses[0]


def test_blocks_that_do_not_fit_are_named():
    x = torch.randn(4, 1, 8, 8)
    options = dict(sample=x, samples=4)

    def adam(p):
        return torch.optim.Adam(p, 1e-3)

    flat = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 5))
    with pytest.raises(ValueError, match="block 2 does not take"):
        f3.Trainer([flat, f3.Dense(6, 3)], f3.F3(), mse_loss, adam, **options)
    with pytest.raises(ValueError, match="FA replaces weight matrices"):
        f3.Trainer([flat, torch.nn.Linear(5, 3)], f3.FeedbackAlignment(), mse_loss, adam, **options)
    with pytest.raises(ValueError, match="at least one block"):
        f3.Trainer([], f3.F3(), mse_loss, adam, **options)
    with pytest.raises(ValueError, match="there is no data"):
        f3.Trainer([flat], f3.F3(), mse_loss, adam, sample=x[:0], samples=4)
    with pytest.raises(ValueError, match="not one of"):
        f3.Dense(3, 4, "swish")
    norm = [torch.nn.Sequential(flat, torch.nn.BatchNorm1d(5), torch.nn.Tanh()), f3.Dense(5, 3, "linear")]
    trainer = f3.Trainer(norm, f3.F3(), mse_loss, adam, **options)
    trainer.step(x, torch.zeros(4, 3), torch.arange(4))
    assert trainer.predict(x).shape == (4, 3)


@pytest.mark.parametrize(
    "labels", [torch.tensor([0.0, 1.0]), torch.tensor([[0], [1]]), torch.tensor([0, 3]), torch.tensor([True])]
)
def test_labels_that_are_no_classes_are_refused(labels):
    with pytest.raises(ValueError):
        f3.one_hot(labels, 3)


def test_a_target_of_any_scale_and_one_component():
    x = torch.randn(30, 3)
    y = 1e6 * (x.sum(1, keepdim=True) + 3)
    for store in ("full", "float16", "8 bit", "sign"):
        trainer = f3.Trainer(
            f3.mlp([3, 8, 1], output="linear"), f3.F3(store=store), mse_loss, lambda p: torch.optim.Adam(p, 1e-2),
            sample=x, samples=30,
        )  # fmt: skip
        losses = [trainer.epoch(x, y, 7) for _ in range(3)]
        assert all(loss == loss and loss < float("inf") for loss in losses)
