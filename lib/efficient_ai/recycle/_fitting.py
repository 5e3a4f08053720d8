"""Training of one network on windows, with the best weights kept, and its forecasts."""

import copy

import torch
from torch import nn

from efficient_ai import training
from efficient_ai.recycle._scores import absolute_error
from efficient_ai.recycle._windows import Windows
from efficient_ai.seeds import seed_for


def fit_network(
    model: nn.Module,
    train: Windows,
    valid: Windows,
    *,
    epochs: int,
    batch: int,
    patience: int,
    seed: int,
    after_epoch=None,
) -> tuple[training.History, float, int]:
    """Train ``model`` in place with Adam, and leave it with the weights that were best on ``valid``.

    The untrained network is a candidate like every epoch.

    Returns:
        the history, the validation error before the first epoch, and the epoch that was kept, 0 for none

    Raises:
        ValueError: a network of another history than that of the windows.
    """
    _same_history(model, valid)
    before = training.evaluate(model, (valid.x, valid.y), absolute_error, batch_size=256)
    untrained = copy.deepcopy(model.state_dict())
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, 1))  # of the dropout
        history = training.fit(
            model, (train.x, train.y), (valid.x, valid.y), absolute_error, optimiser,
            epochs=epochs, batch_size=batch, seed=seed, patience=patience, after_epoch=after_epoch,
        )  # fmt: skip
    if min(history.valid_loss) < before:
        return history, before, history.best_epoch + 1
    model.load_state_dict(untrained)
    return history, before, 0


def _same_history(model: nn.Module, cut: Windows) -> None:
    """A network that splits its input elsewhere would train on it without a word."""
    history = getattr(model, "history", cut.recipe.history)
    if history != cut.recipe.history:
        raise ValueError(
            f"the network reads {history} historic days and the windows have {cut.recipe.history}: build it with "
            f"history={cut.recipe.history}"
        )


@torch.no_grad()
def predict(model: nn.Module, cut: Windows, batch: int = 256) -> torch.Tensor:
    """Forecasts of all windows in evaluation mode, ``(windows, F, cycle)``.

    Raises:
        ValueError: a network of another history than that of the windows.
    """
    _same_history(model, cut)
    model.eval()
    return torch.cat([model(x) for x in cut.x.split(batch)])
