"""Training with any rule: batches by index, the error table, checkpoints that lose nothing."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from efficient_ai._files import write_atomic
from efficient_ai.f3 import _steps
from efficient_ai.f3._blocks import Dense, widths
from efficient_ai.f3._rules import F3, ForwardForward, LastLayerOnly, Rule
from efficient_ai.f3._signals import Loss
from efficient_ai.f3._stage import MakeOptimiser, Stage
from efficient_ai.f3._table import ErrorTable
from efficient_ai.training import generator


class Trainer:
    """A network of blocks and the rule by which it learns.

    Args:
        blocks: any modules; each takes what the one before gives, one row a sample. Trained in place.
        rule: a :class:`Rule`.
        loss: ``loss(output, target)``, a mean over samples and components.
        optimiser: makes one for given parameters. Every block has its own; for Adam, SGD and the like, which treat each
            number alone, that is the same as one for all.
        sample: a few inputs ``(batch, ...)``, from which sizes are read; nothing learns from it.
        samples: training samples in all, N: rows of the error table.
        seed: of feedback, order and random numbers inside blocks.

    Raises:
        ValueError: blocks that do not fit together or to the rule.
    """

    def __init__(
        self,
        blocks: Sequence[nn.Module],
        rule: Rule,
        loss: Loss,
        optimiser: MakeOptimiser,
        *,
        sample: Tensor,
        samples: int,
        seed: int = 0,
    ):
        if not blocks:
            raise ValueError("a network needs at least one block")
        if len(sample) == 0:
            raise ValueError("there is no data: give at least one sample")
        probe = sample
        if isinstance(rule, ForwardForward):
            probe = _steps.with_label(
                sample, torch.zeros(len(sample), widths(blocks[-1:], _reach(blocks, sample))[0])
            )
        sizes = widths(blocks, probe)
        self.rule, self.components, self.samples, self.seed = rule, sizes[-1], samples, seed
        self.stage = Stage(
            blocks, sizes, 0, len(blocks), sizes[-1], rule, loss, optimiser, seed, ending(blocks)
        )
        self.table = None
        if rule.uses_table and len(blocks) > 1:
            self.table = ErrorTable(
                samples,
                sizes[-1],
                delay=rule.delay,
                initial=rule.initial,
                store=rule.store,
                dtype=_dtype(blocks, sample),
                device=sample.device,
            )
        self.steps = self.epochs = self.position = 0

    @property
    def blocks(self) -> nn.ModuleList:
        """The blocks, in order."""
        return self.stage.blocks

    def step(self, x: Tensor, y: Tensor, index: Tensor | None = None, *, update: bool = True):
        """Learn from one batch.

        Args:
            x: inputs ``(batch, ...)``.
            y: targets ``(batch, C)``, of the dtype of the output.
            index: number of each sample in the data set, ``(batch,)``; needed by rules with a table.
            update: False computes gradients and changes nothing else.

        Returns:
            output ``(batch, C)`` and loss, both from before the update

        Raises:
            ValueError, TypeError, IndexError: a batch that does not fit; nothing was changed then.
            FloatingPointError: an output that is not finite; nothing is stored in the table then.
        """
        self.check(x, y, index)
        self.stage.train()
        if not self.rule.sweeps:
            out, loss = _steps.locked(self.stage, x, y, self.steps, update)
        else:
            told = self.told(y, index)
            out, loss = _steps.sweep(self.stage, x, told, y, self.steps, update)
        if not torch.isfinite(out).all():
            raise FloatingPointError(
                f"the output is not finite at step {self.steps}: lower the learning rate or scale the inputs"
            )
        if update:
            if self.table is not None:
                self.table.write(index, self.stage.error(out, y), y, self.steps)
            self.steps += 1
        return out, loss

    def told(self, y: Tensor, index: Tensor | None) -> Tensor | None:
        """What the hidden blocks hear of these samples, ``(batch, C)``: errors of an earlier visit, or targets."""
        if isinstance(self.rule, LastLayerOnly):
            return None
        return y if self.table is None else self.table.read(index, y)

    def check(self, x: Tensor, y: Tensor, index: Tensor | None) -> None:
        """Refuse a batch that does not fit; see :meth:`step`."""
        if len(x) == 0 or len(x) != len(y):
            raise ValueError(
                f"a batch has as many targets as inputs and at least one, got {len(x)} and {len(y)}"
            )
        if y.dim() != 2 or y.shape[1] != self.components or not y.is_floating_point():
            raise ValueError(
                f"targets are floating point numbers of shape (batch, {self.components}), got {y.dtype} of "
                f"{tuple(y.shape)}: classes as one_hot(labels, {self.components}), one number as y[:, None]"
            )
        for name, tensor in (("input", x), ("target", y)):
            if tensor.is_floating_point() and not torch.isfinite(tensor).all():
                raise ValueError(f"an {name} is not finite: fill or drop such samples first")
        classes = isinstance(self.rule, ForwardForward) or (
            isinstance(self.rule, F3) and ("one-hot" in self.rule.signal or self.rule.store == "class")
        )
        if classes and not (((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all()):
            raise ValueError(f"{self.rule.name} needs classes: targets with a single 1 in each row")
        if self.table is not None:
            if index is None:
                raise ValueError(
                    f"{self.rule.name} needs the index of each sample in the data set: step(x, y, index)"
                )
            self.table.check(index, len(x))

    def order(self, samples: int) -> Tensor:
        """The order of the current epoch, ``(samples,)``: from (seed, epoch), the same wherever it is asked for."""
        return torch.randperm(samples, generator=generator(self.seed, self.epochs))

    def epoch(self, x: Tensor, y: Tensor, batch_size: int, *, batches: int | None = None) -> float:
        """One pass over the data in a shuffled order, or the rest of one that was left.

        Args:
            x: all inputs ``(N, ...)``.
            y: all targets ``(N, C)``.
            batch_size: samples per step; the last batch may be smaller.
            batches: stop after so many, to go on later, from a checkpoint, too.

        Returns:
            mean loss of the samples seen

        Raises:
            ValueError: no data, other data than the table has rows for, or a size below 1.
        """
        if len(x) != self.samples or len(y) != self.samples:
            raise ValueError(
                f"this network was made for {self.samples} samples, got {len(x)} inputs, {len(y)} targets"
            )
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"batch_size must be a whole number of at least 1, not {batch_size!r}")
        total, seen = torch.zeros((), dtype=torch.float64), 0
        for chosen in self.order(len(x))[self.position :].split(batch_size)[:batches]:
            chosen = chosen.to(x.device)
            _, loss = self.step(x[chosen], y[chosen], chosen)
            self.position += len(chosen)
            total += float(loss) * len(chosen)
            seen += len(chosen)
        if self.position >= len(x):
            self.epochs, self.position = self.epochs + 1, 0
        return float(total) / max(seen, 1)

    @torch.no_grad()
    def predict(self, x: Tensor) -> Tensor:
        """The output ``(batch, C)`` in evaluation mode."""
        self.stage.eval()
        out = _steps.forward(self.stage, x)
        self.stage.train()
        return out

    # ----- checkpoints

    def state_dict(self) -> dict:
        """Weights, feedback, optimisers, the table, and where in which epoch the training stands."""
        return {
            "rule": repr(self.rule),
            "stage": self.stage.state_dict(),
            "optimisers": {number: o.state_dict() for number, o in self.stage.optimisers.items()},
            "table": None if self.table is None else self.table.state_dict(),
            "place": {
                "steps": self.steps,
                "epochs": self.epochs,
                "position": self.position,
                "seed": self.seed,
            },
        }

    def load_state_dict(self, state: dict) -> None:
        """Go on from a saved state. Refused before anything changes if it is one of another rule or lacks its table."""
        missing = [k for k in ("rule", "stage", "optimisers", "table", "place") if k not in state]
        if missing:
            raise ValueError(f"the checkpoint lacks {', '.join(missing)}: save with Trainer.save")
        if state["rule"] != repr(self.rule) or state["place"]["seed"] != self.seed:
            raise ValueError(
                f"the checkpoint is of {state['rule']}, seed {state['place']['seed']}; this is {self.rule!r}, {self.seed}"
            )
        if self.table is not None:
            self.table.check_state(state["table"])
        mine = self.stage.state_dict()
        shapes = {k: tuple(v.shape) for k, v in state["stage"].items()}
        if shapes != {k: tuple(v.shape) for k, v in mine.items()}:
            raise ValueError("the checkpoint is of a network of another shape")
        self.stage.load_state_dict(state["stage"])
        for number, optimiser in self.stage.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][number])
        if self.table is not None:
            self.table.load_state_dict(state["table"])
        place = state["place"]
        self.steps, self.epochs, self.position = place["steps"], place["epochs"], place["position"]

    def save(self, path: str | Path) -> None:
        """Write :meth:`state_dict` to a file, in full or not at all."""
        import io

        buffer = io.BytesIO()
        torch.save(self.state_dict(), buffer)
        write_atomic(Path(path), buffer.getvalue())

    def load(self, path: str | Path) -> None:
        """Go on from a file of :meth:`save`."""
        if not Path(path).is_file():
            raise FileNotFoundError(f"there is no checkpoint {path}")
        self.load_state_dict(torch.load(path, weights_only=True))


def ending(blocks: Sequence[nn.Module]) -> str:
    """Activation with which the network ends; linear where its last block does not say."""
    return blocks[-1].activation if isinstance(blocks[-1], Dense) else "linear"


def _dtype(blocks: Sequence[nn.Module], sample: Tensor) -> torch.dtype:
    for block in reversed(list(blocks)):
        for parameter in block.parameters():
            return parameter.dtype
    return sample.dtype


def _reach(blocks: Sequence[nn.Module], sample: Tensor) -> Tensor:
    """Zeros of the shape that the last block takes: for Forward-Forward, whose first block does not take the bare sample."""
    last = blocks[-1]
    linear = next(m for m in last.modules() if isinstance(m, nn.Linear))
    return torch.zeros(len(sample), linear.in_features, dtype=linear.weight.dtype)
