"""A stage: some consecutive blocks that learn on their own. A network is one stage, a rank of a pipeline another."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from efficient_ai.f3._blocks import ACTIVATIONS, Dense, seeded
from efficient_ai.f3._feedback import check_feedback, draw_feedback
from efficient_ai.f3._rules import F3, FeedbackAlignment, LastLayerOnly, MonoForward, Rule
from efficient_ai.f3._signals import Loss, signal_of
from efficient_ai.seeds import seed_for
from efficient_ai.training import generator

MakeOptimiser = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


class Stage(nn.Module):
    """Blocks ``first`` to ``first + len(blocks) - 1`` of ``total``, with their feedback and one optimiser each.

    Args:
        blocks: those of this stage, changed in place.
        sizes: n_i of each, from :func:`widths`.
        first: number of the first of them, from 0.
        total: blocks of the whole network, L.
        components: of the output, C.
        rule: how hidden blocks learn.
        loss: of the output.
        optimiser: makes one for given parameters, as ``lambda p: torch.optim.Adam(p, 1e-3)``.
        seed: of feedback and of random numbers inside blocks.
        ends: activation of the network's last block, with which the heads of Mono-Forward end, too.
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        sizes: Sequence[int],
        first: int,
        total: int,
        components: int,
        rule: Rule,
        loss: Loss,
        optimiser: MakeOptimiser,
        seed: int,
        ends: str = "linear",
    ):
        super().__init__()
        self.blocks, self.first, self.total = nn.ModuleList(blocks), first, total
        self.components, self.rule, self.loss, self.seed = components, rule, loss, seed
        self.heads = nn.ModuleDict()
        for block, size, number in zip(self.blocks, sizes, self.numbers, strict=True):
            weight = next(block.parameters(), torch.zeros(()))
            if isinstance(rule, F3) and number < total - 1:
                rng = generator(seed, 10_000 + number)
                drawn = draw_feedback(rule.feedback, components, size, rng, rule.feedback_scale)
                self.register_buffer(f"feedback_{number}", drawn.to(weight.device, weight.dtype))
            elif isinstance(rule, MonoForward) and number < total - 1:
                head = seeded(seed, 10_000 + number, Dense, size, components, ends, weight.dtype)
                self.heads[str(number)] = head.to(weight.device)
            elif isinstance(rule, FeedbackAlignment) and number > 0:
                if not isinstance(block, Dense):
                    raise ValueError(
                        f"FA replaces weight matrices, so block {number + 1} must be a Dense block"
                    )
                n, m = block.linear.in_features, block.linear.out_features
                drawn = draw_feedback(rule.feedback, m, n, generator(seed, 10_000 + number))
                self.register_buffer(f"feedback_{number}", drawn.to(weight.device, weight.dtype))
        self.optimisers: dict[int, torch.optim.Optimizer] = {}
        for block, number in zip(self.blocks, self.numbers, strict=True):
            trained = [*block.parameters()]
            if str(number) in self.heads:
                trained += self.heads[str(number)].parameters()
            idle = isinstance(rule, LastLayerOnly) and number < total - 1
            if trained and not idle:
                self.optimisers[number] = optimiser(trained)

    @property
    def numbers(self) -> range:
        """Numbers of its blocks in the network, from 0."""
        return range(self.first, self.first + len(self.blocks))

    @property
    def is_last(self) -> bool:
        """Whether the network's output comes from here."""
        return self.first + len(self.blocks) == self.total

    def feedback(self, number: int) -> Tensor:
        """B of block ``number``, ``(C, n_i)``; for FA of the shape of its weight."""
        return getattr(self, f"feedback_{number}")

    def set_feedback(self, number: int, matrix: Tensor) -> None:
        """Replace the B of block ``number``; refused if it has another shape."""
        old = self.feedback(number)
        old.copy_(check_feedback(matrix, *old.shape))

    def run(self, number: int, h: Tensor, step: int) -> Tensor:
        """Block ``number`` on ``h``. What it draws at random depends on (seed, step, number) only, so on no rank."""
        block = self.blocks[number - self.first]
        if isinstance(block, Dense):
            return block(h)
        with torch.random.fork_rng(devices=[h.device] if h.is_cuda else []):
            torch.manual_seed(seed_for(self.seed, step * self.total + number))
            return block(h)

    def hidden_step(self, number: int, h: Tensor, told: Tensor | None, step: int) -> Tensor:
        """One hidden block of a sweep: forward, its own gradient, its own update. Nothing else is looked at.

        Args:
            number: of the block.
            h: its input, ``(batch, ...)``.
            told: error or target of these samples, ``(batch, C)``; ``None`` for LLO.
            step: number of the batch since the beginning.

        Returns:
            its output from before the update, cut off the graph.
        """
        out = self.hidden_gradient(number, h, told, step)
        self.update(number)
        return out

    def hidden_gradient(self, number: int, h: Tensor, told: Tensor | None, step: int) -> Tensor:
        """As :meth:`hidden_step` without the update: gradients are left in the parameters."""
        rule = self.rule
        if number not in self.optimisers:
            with torch.no_grad():
                return self.run(number, h, step)
        self.optimisers[number].zero_grad()
        out = self.run(number, h.detach(), step)
        if isinstance(rule, MonoForward):
            self.loss(self.heads[str(number)](out.flatten(1)), told).backward()
        else:
            out.backward(self.signal(number, told).view_as(out))
        return out.detach()

    def signal(self, number: int, told: Tensor) -> Tensor:
        """``E B_i``, taken for the gradient of the loss by the block's output, ``(batch, n_i)``."""
        if self.rule.signal == "zero":
            return told.new_zeros(len(told), self.feedback(number).shape[1])
        factor = self.rule.sign / (told.numel() if self.rule.scale == "mean" else 1)
        return (told if factor == 1 else factor * told) @ self.feedback(number)

    def last_gradient(self, h: Tensor, target: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """The exact gradient of the last block; returns the output, cut off the graph, and the loss."""
        number = self.total - 1
        if number in self.optimisers:
            self.optimisers[number].zero_grad()
        out, value = self.output(h.detach(), target, step)
        if value.requires_grad:
            value.backward()
        return out.detach(), value.detach()

    def output(self, h: Tensor, target: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Output of the last block and the loss, with their graph."""
        block = self.blocks[-1]
        if isinstance(block, Dense):
            a = block.linear(h)
            out = ACTIVATIONS[block.activation](a)
            self._entered = (ACTIVATIONS[block.activation], a.detach())
        else:
            out, self._entered = self.run(self.total - 1, h, step), None
        if out.shape != target.shape:
            raise ValueError(
                f"the output has shape {tuple(out.shape)}, the targets {tuple(target.shape)}: they must be equal "
                "(classes as one_hot(labels, C), a single number as (n, 1))"
            )
        return out, self.loss(out, target)

    def error(self, out: Tensor, target: Tensor) -> Tensor:
        """What the rule's signal says of this output, ``(batch, C)``. Called after :meth:`output`."""
        return signal_of(self.rule.signal, self._entered, out, target, self.loss)

    def update(self, *numbers: int) -> None:
        """One step of the optimisers of these blocks (all, if none is named)."""
        for number in numbers or self.numbers:
            if number in self.optimisers:
                self.optimisers[number].step()
