"""The one training loop of the book: seeded batches, curves, early stopping that gives the best weights back."""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from tqdm.auto import tqdm

from efficient_ai.metering import Measurement, measure
from efficient_ai.seeds import seed_for

Batch = tuple[torch.Tensor, torch.Tensor]


def generator(seed: int, rank: int = 0, device: str | torch.device = "cpu") -> torch.Generator:
    """A torch generator of its own for ``(seed, rank)``; the global one is left alone."""
    return torch.Generator(device=device).manual_seed(seed_for(seed, rank))


@dataclass
class History:
    """What one call of :func:`fit` did.

    Args:
        train_loss: mean training loss of each epoch, as seen while training.
        valid_loss: validation loss after each epoch.
        best_epoch: index of the epoch whose weights the model holds now.
        stopped_early: True if patience ended the training.
        seconds: wall time.
        energy: what it took, with the label of its source; see :mod:`efficient_ai.metering`.
    """

    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    best_epoch: int = -1
    stopped_early: bool = False
    seconds: float = 0.0
    energy: Measurement | None = None


def batches(x: torch.Tensor, y: torch.Tensor, size: int, rng: torch.Generator) -> Iterator[Batch]:
    """One epoch of shuffled mini-batches of ``size`` samples; the last one may be smaller.

    Args:
        x: inputs, shape ``(n, ...)``.
        y: targets, shape ``(n, ...)``.
    """
    order = torch.randperm(len(x), generator=rng, device=rng.device).to(x.device)
    for chosen in order.split(size):
        yield x[chosen], y[chosen]


def fit(
    model: torch.nn.Module,
    train: Batch,
    valid: Batch,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    optimiser: torch.optim.Optimizer,
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    patience: int | None = None,
    progress: bool = False,
    after_epoch: Callable[[int, History], None] | None = None,
) -> History:
    """Train ``model`` in place and leave it with the weights of its best epoch.

    Args:
        model: on the device of the data.
        train: inputs and targets, shapes ``(n, ...)``.
        valid: the same for validation.
        loss: ``loss(prediction, target) -> scalar``, a mean over samples.
        optimiser: over the parameters of ``model``.
        epochs: at most this many.
        batch_size: samples per step.
        seed: of the order of the samples.
        patience: stop after this many epochs without a better validation loss; ``None`` for never.
        progress: show a bar.
        after_epoch: called with the index of the epoch and the history so far.

    Raises:
        ValueError: no epochs, no samples, or inputs and targets of different length.
        FloatingPointError: no epoch had a finite validation loss, so there are no good weights to return to.
    """
    for name, (x, y) in (("training", train), ("validation", valid)):
        if len(x) != len(y) or len(x) == 0:
            raise ValueError(f"{name} data: {len(x)} inputs and {len(y)} targets")
    if epochs < 1 or batch_size < 1 or (patience is not None and patience < 1):
        raise ValueError(
            f"epochs={epochs}, batch_size={batch_size}, patience={patience}: all must be at least 1"
        )

    history, rng = History(), generator(seed, device=train[0].device)
    with measure("training") as meter:  # ends when a step raises, too
        began = time.perf_counter()
        best_loss, best_state = float("inf"), None
        bar = tqdm(range(epochs), desc="epoch", disable=not progress)
        for epoch in bar:
            model.train()
            # The sum stays on the device: reading it every step would make a GPU wait for the CPU.
            total = torch.zeros((), device=train[0].device)
            for x, y in batches(*train, batch_size, rng):
                optimiser.zero_grad()
                value = loss(model(x), y)
                value.backward()
                optimiser.step()
                total += value.detach() * len(x)
            history.train_loss.append(float(total) / len(train[0]))
            history.valid_loss.append(evaluate(model, valid, loss))
            bar.set_postfix(train=f"{history.train_loss[-1]:.3f}", valid=f"{history.valid_loss[-1]:.3f}")
            if history.valid_loss[-1] < best_loss:
                best_loss, history.best_epoch = history.valid_loss[-1], epoch
                best_state = copy.deepcopy(model.state_dict())
            if after_epoch is not None:
                after_epoch(epoch, history)
            if patience is not None and epoch - max(history.best_epoch, 0) >= patience:
                history.stopped_early = epoch + 1 < epochs
                break
        history.seconds = time.perf_counter() - began
    history.energy = meter.measurement
    if best_state is None:
        raise FloatingPointError(
            f"no finite validation loss in {len(history.valid_loss)} epoch(s): lower the learning rate"
        )
    model.load_state_dict(best_state)
    return history


@torch.no_grad()
def evaluate(model: torch.nn.Module, data: Batch, measure: Callable, batch_size: int = 2048) -> float:
    """Mean of ``measure(prediction, target)`` over ``data``, in evaluation mode; the mode is put back afterwards."""
    was_training = model.training
    model.eval()
    x, y = data
    total = sum(
        float(measure(model(x[i : i + batch_size]), y[i : i + batch_size])) * len(x[i : i + batch_size])
        for i in range(0, len(x), batch_size)
    )
    model.train(was_training)
    return total / len(x)


def accuracy(prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Share of samples whose largest logit is the right class; ``prediction`` ``(n, classes)``, ``target`` ``(n,)``."""
    return (prediction.argmax(dim=1) == target).float().mean()
