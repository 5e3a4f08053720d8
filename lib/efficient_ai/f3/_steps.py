"""One step of each rule on a whole network, from a batch to gradients, updates and the output before the update."""

import torch
from torch import Tensor, nn

from efficient_ai.f3._blocks import ACTIVATIONS, Dense
from efficient_ai.f3._rules import (
    F3,
    Backpropagation,
    FeedbackAlignment,
    ForwardForward,
    Pepita,
)
from efficient_ai.f3._stage import Stage
from efficient_ai.training import generator


def sweep(stage: Stage, x: Tensor, told: Tensor | None, target: Tensor, step: int, update: bool = True):
    """A step of a rule that does not wait: each block is updated before the next one has seen the batch.

    Args:
        x: inputs ``(batch, ...)``.
        told: errors or targets for the hidden blocks ``(batch, C)``.
        target: ``(batch, C)``.
        step: number of the batch.
        update: False leaves the gradients in the parameters.

    Returns:
        output ``(batch, C)`` and loss, both from before the update
    """
    h = x
    for number in range(stage.total - 1):
        h = (stage.hidden_step if update else stage.hidden_gradient)(number, h, told, step)
    out, loss = stage.last_gradient(h, target, step)
    if update:
        stage.update(stage.total - 1)
    return out, loss


def locked(stage: Stage, x: Tensor, target: Tensor, step: int, update: bool = True):
    """A step of a rule whose blocks wait for the output, or longer. Arguments and result as for :func:`sweep`."""
    for optimiser in stage.optimisers.values():
        optimiser.zero_grad()
    rule = stage.rule
    if isinstance(rule, Backpropagation):
        out, loss = _backpropagation(stage, x, target, step)
    elif isinstance(rule, F3):
        out, loss = _direct(stage, x, target, step)
    elif isinstance(rule, FeedbackAlignment):
        out, loss = _layer_by_layer(stage, x, target)
    elif isinstance(rule, Pepita):
        out, loss = _pepita(stage, x, target)
    else:
        out, loss = _forward_forward(stage, x, target, step)
    if update:
        stage.update()
    return out, loss


def _backpropagation(stage, x, target, step):
    h = x
    for number in range(stage.total - 1):
        h = stage.run(number, h, step)
    out, loss = stage.output(h, target, step)
    loss.backward()
    return out.detach(), loss.detach()


def _direct(stage, x, target, step):
    """DFA: today's error to all blocks, whose graphs are kept until it is known."""
    h, outputs = x, []
    for number in range(stage.total - 1):
        outputs.append(stage.run(number, h.detach(), step))
        h = outputs[-1]
    out, loss = stage.last_gradient(h, target, step)
    error = stage.error(out, target)
    for number, output in enumerate(outputs):
        if output.requires_grad:
            output.backward(stage.signal(number, error).view_as(output))
    return out, loss


def _layer_by_layer(stage, x, target):
    """FA: the local derivative is exact, the way back between blocks is a fixed matrix."""
    h, seen = x, []
    for block in stage.blocks:
        _dense(block, "FA")
        before = h.detach()
        a = block.linear(before)
        h = ACTIVATIONS[block.activation](a)
        seen.append((before, a, h))
    loss = stage.loss(_same_shape(h, target), target)
    (delta,) = torch.autograd.grad(loss, seen[-1][1], retain_graph=True)
    for number in reversed(range(stage.total)):
        seen[number][1].backward(delta)
        if number:
            _, a, h = seen[number - 1]
            (delta,) = torch.autograd.grad(h, a, delta @ stage.feedback(number), retain_graph=True)
    return seen[-1][2].detach(), loss.detach()


def _pepita(stage, x, target):
    """Two forward passes; the second has the error added to its input."""
    flat = x.flatten(1)
    first, second = [flat], []
    with torch.no_grad():
        for block in stage.blocks:
            first.append(_dense(block, "PEPITA")(first[-1]))
        error = _same_shape(first[-1], target) - target
        projection = torch.randn(stage.components, flat.shape[1], generator=generator(stage.seed, 20_000))
        projection = projection * stage.rule.strength * (2 / flat.shape[1]) ** 0.5
        second.append(flat + error @ projection.to(flat))
        for block in stage.blocks[:-1]:
            second.append(block(second[-1]))
    for number, block in enumerate(stage.blocks[:-1]):
        change = (first[number + 1] - second[number + 1]) / len(x)
        block.linear.weight.grad = change.T @ second[number]
        block.linear.bias.grad = change.sum(0)
    # The last block: its exact gradient, at the activations of the second pass, as the error is known already.
    stage.last_gradient(second[-1], target, 0)
    return first[-1], stage.loss(first[-1], target)


def _forward_forward(stage, x, target, step):
    """Each hidden block on right and wrong labels, then the last one on a neutral label."""
    rng = generator(stage.seed, 30_000 + step)
    shift = torch.randint(1, target.shape[1], (len(x),), generator=rng).to(x.device)
    wrong = nn.functional.one_hot((target.argmax(1) + shift) % target.shape[1], target.shape[1]).to(target)
    good, bad, plain = (with_label(x, label) for label in (target, wrong, neutral(target)))
    for number in range(stage.total - 1):
        up, down = (stage.run(number, h.detach(), step) for h in (good, bad))
        margin = stage.rule.threshold - up.flatten(1).square().mean(1), down.flatten(1).square().mean(1)
        value = nn.functional.softplus(torch.cat([margin[0], margin[1] - stage.rule.threshold])).mean()
        value.backward()
        with torch.no_grad():
            plain = normalised(stage.run(number, plain, step))
        good, bad = normalised(up), normalised(down)
    return stage.last_gradient(plain, target, step)


def with_label(x: Tensor, label: Tensor) -> Tensor:
    """Forward-Forward's input: ``(batch, inputs + C)``."""
    return torch.cat([x.flatten(1), label.to(x)], 1)


def neutral(target: Tensor) -> Tensor:
    """The label that says nothing: 1/C everywhere."""
    return torch.full_like(target, 1 / target.shape[1])


def normalised(h: Tensor) -> Tensor:
    """Only the direction of an activation is handed on, or the next block would read the goodness off its length."""
    return h / (h.flatten(1).square().mean(1).sqrt().view(-1, *[1] * (h.dim() - 1)) + 1e-6)


def forward(stage: Stage, x: Tensor) -> Tensor:
    """The output of a trained network, as its rule computes it; call in evaluation mode."""
    if isinstance(stage.rule, ForwardForward):
        h = with_label(x, torch.full((len(x), stage.components), 1 / stage.components, dtype=x.dtype))
        for block in stage.blocks[:-1]:
            h = normalised(block(h))
        return stage.blocks[-1](h)
    h = x
    for block in stage.blocks:
        h = block(h)
    return h


def _dense(block: nn.Module, rule: str) -> Dense:
    if not isinstance(block, Dense):
        raise ValueError(f"{rule} is defined for weight matrices: every block must be a Dense block")
    return block


def _same_shape(out: Tensor, target: Tensor) -> Tensor:
    if out.shape != target.shape:
        raise ValueError(
            f"the output has shape {tuple(out.shape)}, the targets {tuple(target.shape)}: they must be equal"
        )
    return out
