"""Identities of the rules in float64, and what crosses a block: nothing."""

import copy

import pytest
import torch
from torch.nn.functional import binary_cross_entropy, mse_loss

from efficient_ai import f3

SGD = dict(lr=0.1)
RULES = [
    f3.Backpropagation(), f3.LastLayerOnly(), f3.FeedbackAlignment(), f3.DFA, f3.DRTP, f3.F3(), f3.F3(signal="error one-hot"),
    f3.F3(signal="loss"), f3.F3(signal="error softmax", delay=2), f3.MonoForward(), f3.Pepita(),
]  # fmt: skip


def problem(n=10, inputs=6, c=4, seed=0):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(n, inputs, generator=rng, dtype=torch.float64)
    return x, f3.one_hot(torch.arange(n) % c, c, torch.float64)


def make(
    rule, sizes=(6, 16, 12, 4), n=10, optimiser=None, loss=binary_cross_entropy, output="sigmoid", seed=0
):
    first = sizes[0] + (sizes[-1] if isinstance(rule, f3.ForwardForward) else 0)
    blocks = f3.mlp([first, *sizes[1:]], output=output, seed=seed, dtype=torch.float64)
    return f3.Trainer(
        blocks, rule, loss, optimiser or (lambda p: torch.optim.SGD(p, **SGD)),
        sample=torch.zeros(2, sizes[0], dtype=torch.float64), samples=n, seed=seed,
    )  # fmt: skip


def gradients(trainer, x, y, index=None):
    trainer.step(x, y, torch.arange(len(x)) if index is None else index, update=False)
    return [
        p.grad.clone() if p.grad is not None else torch.zeros_like(p) for p in trainer.blocks.parameters()
    ]


def weights(trainer):
    return [p.detach().clone() for p in trainer.blocks.parameters()]


def same(a, b, tolerance=0.0):
    return all(float((v - w).abs().max()) <= tolerance for v, w in zip(a, b, strict=True))


@pytest.mark.parametrize("signal", ["error", "loss", "error softmax"])
def test_the_first_epoch_is_drtp(signal):
    x, y = problem()
    ours, drtp = make(f3.F3(signal=signal)), make(f3.DRTP)
    for trainer in (ours, drtp):
        trainer.epoch(x, y, 3)
    assert same(weights(ours), weights(drtp))
    ours.epoch(x, y, 3)
    drtp.epoch(x, y, 3)
    assert not same(weights(ours), weights(drtp), 1e-9)


def test_delay_zero_is_dfa_by_hand():
    x, y = problem()
    trainer = make(f3.DFA)
    found = gradients(trainer, x, y)
    with torch.no_grad():
        h1 = trainer.blocks[0](x)
        h2 = trainer.blocks[1](h1)
        error = y - trainer.blocks[2](h2)
        first = (error @ trainer.stage.feedback(0)) * (1 - h1**2)
        second = (error @ trainer.stage.feedback(1)) * (1 - h2**2)
    assert torch.allclose(found[0], first.T @ x, atol=1e-12)
    assert torch.allclose(found[2], second.T @ h1, atol=1e-12)


def test_no_signal_is_llo_under_plain_sgd_and_only_there():
    x, y = problem()
    zero, llo = make(f3.F3(signal="zero")), make(f3.LastLayerOnly())
    for trainer in (zero, llo):
        trainer.epoch(x, y, 3)
    assert same(weights(zero), weights(llo))

    def adamw(p):
        return torch.optim.AdamW(p, lr=1e-2, weight_decay=0.1)

    start = weights(make(f3.F3(signal="zero"), optimiser=adamw))[0]
    decayed, frozen = make(f3.F3(signal="zero"), optimiser=adamw), make(f3.LastLayerOnly(), optimiser=adamw)
    for _ in range(100):
        decayed.step(x, y)
        frozen.step(x, y)
    assert torch.allclose(weights(decayed)[0], start * (1 - 1e-3) ** 100, atol=1e-9)
    assert torch.equal(weights(frozen)[0], start)


def test_a_used_adam_state_moves_blocks_that_are_told_nothing():
    x, y = problem()

    def adam(p):
        return torch.optim.Adam(p, lr=1e-2)

    trainer = make(f3.F3(), optimiser=adam)
    for _ in range(5):
        trainer.step(x, y, torch.arange(10))
    zero = make(f3.F3(signal="zero"), optimiser=adam)
    state = trainer.state_dict() | {"rule": repr(zero.rule)}
    zero.load_state_dict(state)
    before = weights(zero)[0]
    zero.step(x, y)
    assert not torch.equal(before, weights(zero)[0])


def test_one_hidden_block_with_the_true_weights_and_the_gradient_before_the_activation_is_bp():
    x, y = problem()
    bp = make(f3.Backpropagation(), sizes=(6, 16, 4))
    ours = make(f3.F3(signal="loss before activation", delay=0, sign=-1), sizes=(6, 16, 4))
    ours.stage.set_feedback(0, ours.blocks[1].linear.weight.detach())
    assert same(gradients(ours, x, y), gradients(bp, x, y), 1e-15)
    off = make(f3.F3(signal="loss", delay=0, sign=-1), sizes=(6, 16, 4))
    off.stage.set_feedback(0, off.blocks[1].linear.weight.detach())
    assert not same(gradients(off, x, y), gradients(bp, x, y), 1e-3)


def test_fa_with_the_true_weights_is_bp_and_its_weights_enter_nowhere_else():
    x, y = problem()
    fa, bp = make(f3.FeedbackAlignment()), make(f3.Backpropagation())
    for number in (1, 2):
        fa.stage.set_feedback(number, fa.blocks[number].linear.weight.detach())
    assert same(gradients(fa, x, y), gradients(bp, x, y), 1e-12)


@pytest.mark.parametrize("rule", [f3.F3(), f3.DRTP, f3.MonoForward(), f3.LastLayerOnly()])
def test_a_gradient_does_not_change_by_a_bit_when_later_blocks_are_replaced(rule):
    x, y = problem()
    one, other = make(rule), make(rule)
    for block, strange in zip(
        other.blocks[1:], f3.mlp([16, 12, 4], seed=9, dtype=torch.float64), strict=True
    ):
        block.load_state_dict(strange.state_dict())
    assert same(gradients(one, x, y)[:2], gradients(other, x, y)[:2])
    assert not same(gradients(make(f3.Backpropagation()), x, y)[2:4], gradients(one, x, y)[2:4])


@pytest.mark.parametrize("rule", [r for r in RULES if not isinstance(r, f3.Pepita)], ids=lambda r: r.name)
@pytest.mark.parametrize("output", ["sigmoid", "linear"])
def test_the_last_block_has_the_gradient_of_bp(rule, output):
    x, y = problem()
    loss = binary_cross_entropy if output == "sigmoid" else mse_loss
    found, bp = (
        gradients(make(r, loss=loss, output=output), x, y)[-2:] for r in (rule, f3.Backpropagation())
    )
    assert same(found, bp, 1e-12)


@pytest.mark.parametrize("rule", [r for r in RULES if not isinstance(r, f3.Pepita)], ids=lambda r: r.name)
def test_a_single_block_is_bp_and_has_no_feedback(rule):
    x, y = problem()
    found, bp = make(rule, sizes=(6, 4)), make(f3.Backpropagation(), sizes=(6, 4))
    assert same(gradients(found, x, y), gradients(bp, x, y), 1e-12)
    assert not [name for name, _ in found.stage.named_buffers()] and found.table is None


def test_feedback_is_never_its_transpose_and_no_hidden_gradient_is_zero():
    x, y = problem(5, 4, 4)
    trainer = make(f3.DRTP, sizes=(4, 4, 4, 4), n=5)
    b = trainer.stage.feedback(0)
    found = gradients(trainer, x, y)
    with torch.no_grad():
        slope = 1 - trainer.blocks[0](x) ** 2
    assert torch.allclose(found[0], ((y @ b) * slope).T @ x, atol=1e-12)
    assert not torch.isclose(found[0], ((y @ b.T) * slope).T @ x).any()
    assert all(g.abs().max() > 0 for g in found)
    wide = make(f3.DRTP)
    with pytest.raises(ValueError, match="transposed"):
        wide.stage.set_feedback(0, wide.stage.feedback(0).T)


def test_scales_of_micro_batches_are_those_that_are_stated():
    x, y = problem(6)
    for scale in ("sum", "mean"):
        whole = gradients(make(f3.F3(scale=scale), n=6), x, y)
        halves = [
            gradients(make(f3.F3(scale=scale), n=6), x[i : i + 3], y[i : i + 3], torch.arange(i, i + 3))
            for i in (0, 3)
        ]
        total = [a + b for a, b in zip(*halves, strict=True)]
        assert torch.allclose(whole[0], total[0] * (1 if scale == "sum" else 0.5), atol=1e-14)
        assert torch.allclose(whole[-2], total[-2] / 2, atol=1e-14)


def test_mono_forward_is_the_gradient_of_its_own_loss():
    x, y = problem()
    trainer = make(f3.MonoForward())
    found = gradients(trainer, x, y)
    weight = trainer.blocks[0].linear.weight
    loss = binary_cross_entropy(trainer.stage.heads["0"](trainer.blocks[0](x)), y)
    assert torch.allclose(found[0], torch.autograd.grad(loss, weight)[0], atol=1e-14)


def test_random_numbers_in_a_block_depend_on_seed_step_and_block_only():
    x, y = problem()

    start = [
        torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Dropout(0.5), torch.nn.Tanh()).double(),
        f3.Dense(8, 4, "sigmoid", torch.float64),
    ]

    def run(disturb):
        trainer = f3.Trainer(
            copy.deepcopy(start),
            f3.F3(),
            binary_cross_entropy,
            lambda p: torch.optim.SGD(p, lr=0.1),
            sample=x,
            samples=10,
        )
        for _ in range(3):
            torch.rand(disturb)
            trainer.epoch(x, y, 4)
        return weights(trainer)

    assert same(run(1), run(7))


@pytest.mark.parametrize("rule", [*RULES, f3.ForwardForward()], ids=lambda r: r.name)
def test_no_step_keeps_memory_or_a_graph(rule):
    import gc

    x, y = problem(40, 20)
    trainer = make(rule, sizes=(20, 16, 16, 4), n=40)
    counts = []
    for step in range(30):
        trainer.step(x, y, torch.arange(40))
        if step in (3, 29):
            gc.collect()
            counts.append(sum(issubclass(type(o), torch.Tensor) for o in gc.get_objects()))
    assert counts[1] <= counts[0]
    if trainer.table is not None:
        assert trainer.table.values.grad_fn is None and not trainer.table.values.requires_grad
