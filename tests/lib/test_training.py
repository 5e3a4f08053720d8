"""The training loop: seeded, stops early with the best weights, says what is wrong."""

import pytest
import torch
from torch import nn

from efficient_ai import training
from efficient_ai.seeds import seed_for


def line(n=64, seed=0):
    x = torch.linspace(-1, 1, n).unsqueeze(1)
    return x, 2 * x + 0.1 * torch.randn(n, 1, generator=torch.Generator().manual_seed(seed))


def fit(model=None, epochs=5, seed=0, lr=0.1, train=None, valid=None, **options):
    if model is None:
        torch.manual_seed(0)
        model = nn.Linear(1, 1)
    history = training.fit(
        model, train or line(), valid or line(seed=1), nn.functional.mse_loss, torch.optim.SGD(model.parameters(), lr=lr),
        epochs=epochs, batch_size=16, seed=seed, **options,
    )  # fmt: skip
    return model, history


def test_learns_and_records_every_epoch():
    model, history = fit(epochs=30)
    assert abs(model.weight.item() - 2) < 0.1
    assert len(history.train_loss) == len(history.valid_loss) == 30
    assert history.valid_loss[-1] < 0.05 < history.valid_loss[0]


def test_a_training_loss_is_the_mean_over_samples_not_over_batches():
    """The last batch is smaller, and its one sample counts as much as each of the others."""
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 100.0]).unsqueeze(1)
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    history = training.fit(
        model, (x, 0 * x), (x, 0 * x), nn.functional.l1_loss, torch.optim.SGD(model.parameters(), lr=0.0),
        epochs=2, batch_size=2, seed=0,
    )  # fmt: skip
    assert history.train_loss == pytest.approx([22.0, 22.0]) == history.valid_loss


def test_says_what_the_training_took_and_where_that_number_comes_from():
    _, history = fit(epochs=3)
    used = history.energy
    assert used.joules > 0 and used.low <= used.joules <= used.high
    assert used.source.startswith(("measured:", "estimated:"))
    assert used.seconds >= history.seconds, "the window of the energy holds that of the time"


def test_same_seed_same_run_other_seed_other_run():
    assert fit(seed=1)[1].train_loss == fit(seed=1)[1].train_loss != fit(seed=2)[1].train_loss


def test_early_stopping_restores_the_best_weights():
    """Training pulls the weight from the value that is right for validation to one that is wrong."""
    x = torch.ones(32, 1)
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 0.0)
    seen = []
    model, history = fit(
        model, epochs=50, lr=0.05, train=(x, 2 * x), valid=(x, x), patience=3,
        after_epoch=lambda epoch, history: seen.append(model.weight.item()),
    )  # fmt: skip
    assert history.stopped_early and len(seen) == history.best_epoch + 4
    assert model.weight.item() == seen[history.best_epoch] != seen[-1]
    assert training.evaluate(model, (x, x), nn.functional.mse_loss) == pytest.approx(min(history.valid_loss))


def test_batch_order_is_a_permutation_of_all_samples():
    x = torch.arange(10)
    seen = [
        value for batch, _ in training.batches(x, x, 3, training.generator(0)) for value in batch.tolist()
    ]
    assert sorted(seen) == list(range(10)) and seen != list(range(10))


def test_ranks_and_seeds_draw_different_numbers():
    seeds = {seed_for(seed, rank) for seed in range(30) for rank in range(30)}
    assert len(seeds) == 900


def test_global_generator_is_left_alone():
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    fit(nn.Linear(1, 1))
    torch.manual_seed(5)
    nn.Linear(1, 1)
    expected = torch.random.get_rng_state()
    torch.random.set_rng_state(state)
    model = nn.Linear(1, 1)
    fit(model)
    assert torch.equal(torch.random.get_rng_state(), expected)


def test_evaluate_leaves_the_mode_and_counts_every_sample_once():
    model = nn.Sequential(nn.Dropout(0.5))
    x = torch.arange(5, dtype=torch.float32)
    assert training.evaluate(model, (x, x), lambda p, y: p.mean(), batch_size=2) == pytest.approx(2.0)
    assert model.training


def test_accuracy():
    logits = torch.tensor([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]])
    assert training.accuracy(logits, torch.tensor([1, 0, 0])).item() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    "bad", [{"epochs": 0}, {"patience": 0}, {"train": (torch.ones(3, 1), torch.ones(2, 1))}]
)
def test_bad_arguments(bad):
    with pytest.raises(ValueError):
        fit(**bad)


def test_divergence_is_an_error_that_says_what_to_do():
    with pytest.raises(FloatingPointError, match="lower the learning rate"):
        fit(
            lr=1e30,
            epochs=3,
            train=(torch.full((16, 1), 1e20), torch.ones(16, 1)),
            valid=(torch.full((4, 1), 1e20), torch.ones(4, 1)),
        )
