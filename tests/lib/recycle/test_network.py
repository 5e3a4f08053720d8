"""The network: parameter counts, permutation invariance, the zero head, gradients, quantiles, and the twin."""

import numpy as np
import pytest
import torch
from torch import nn

from efficient_ai import recycle, training
from efficient_ai.recycle import sources


@pytest.fixture(autouse=True)
def one_thread():
    """Small matrices are slower on two threads, much slower beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


COUNTS = [
    (dict(), 20_312),
    (dict(hidden=96), 28_632),
    (dict(width=128, heads=4), 228_440),
    (dict(width=33), 19_096),
    (dict(width=24), 12_352),
    (dict(cycle=96), 27_296),
    (dict(quantiles=9), 26_648),
]


@pytest.mark.parametrize(("settings", "count"), COUNTS, ids=[str(count) for _, count in COUNTS])
def test_parameter_counts_of_the_sheet(settings, count):
    assert recycle.parameters(recycle.ReCycle(**settings)) == count
    assert recycle.parameter_formula(**{k: v for k, v in settings.items() if k != "heads"}) == count


def test_parameters_of_the_hourly_twin():
    assert recycle.parameters(recycle.HourlyTwin()) == 18_209


def inputs(batch=5, seed=0, dtype=torch.float32):
    return torch.randn(batch, 28, 33, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_permuting_the_history_changes_nothing_and_positions_would():
    torch.manual_seed(0)
    model, x = recycle.ReCycle().eval(), inputs()
    order = torch.cat([torch.randperm(21), torch.arange(21, 28)])
    assert torch.allclose(model(x), model(x[:, order]), atol=1e-5)
    marked = x + torch.cat([torch.linspace(0, 1, 21), torch.zeros(7)])[None, :, None]
    moved = x[:, order] + torch.cat([torch.linspace(0, 1, 21), torch.zeros(7)])[None, :, None]
    assert (model(marked) - model(moved)).abs().max() > 1e-3


def test_a_zero_head_forecasts_the_profile():
    data = sources.synthetic(0, days=200)
    cut = recycle.windows(data, (0, 200))
    model = recycle.ReCycle(zero_head=True).eval()
    assert (model(cut.x) - cut.profile).abs().max() <= 1e-6
    nine = recycle.ReCycle(zero_head=True, quantiles=9).eval()(cut.x)
    assert nine.shape == (*cut.y.shape, 9) and (nine - cut.profile[..., None]).abs().max() <= 1e-6


def test_a_zero_head_needs_a_head():
    with pytest.raises(ValueError, match="no output layer"):
        recycle.ReCycle(width=24, zero_head=True)


def test_the_history_reaches_the_forecast_and_samples_do_not_mix():
    torch.manual_seed(0)
    model, x = recycle.ReCycle().eval(), inputs()
    other = x.clone()
    other[0, 3, 5] += 1
    changed = (model(x) - model(other)).abs().amax(dim=(1, 2))
    assert changed[0] > 1e-6 and (changed[1:] == 0).all()


def test_without_residual_the_profile_is_an_input_and_not_added():
    torch.manual_seed(0)
    added, plain = recycle.ReCycle(), recycle.ReCycle(residual=False)
    plain.load_state_dict(added.state_dict())
    x = inputs()
    assert torch.allclose(added.eval()(x), plain.eval()(x) + x[:, 21:, :24], atol=1e-6)


@pytest.mark.parametrize("kind", [recycle.ReCycle, recycle.HourlyTwin])
def test_gradients_in_float64(kind):
    torch.manual_seed(0)
    model = kind(cycle=2, metadata=1, history=2, width=4, hidden=3).double()
    x = torch.randn(1, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(model, (x,), atol=1e-6)


def test_the_twin_has_one_token_per_hour_and_no_positions_but_the_clock():
    torch.manual_seed(0)
    twin, x = recycle.HourlyTwin().eval(), inputs()
    assert twin(x).shape == (5, 7, 24)
    order = torch.cat([torch.randperm(21), torch.arange(21, 28)])
    assert torch.allclose(twin(x), twin(x[:, order]), atol=1e-5), "whole days may be permuted"
    assert twin._steps(x[:, :21]).shape == (5, 504, 12)


def test_attention_scores_fall_by_the_square_of_the_cycle():
    days, hours = recycle.attention_scores(21, 7), recycle.attention_scores(504, 168)
    assert days == {"encoder": 441, "decoder": 49, "cross": 147}
    assert {key: hours[key] / days[key] for key in days} == {"encoder": 576, "decoder": 576, "cross": 576}


def test_quantiles_are_learned_and_ordered():
    """Pure noise around zero: the pinball loss must find the quantiles of the normal distribution."""
    rng = torch.Generator().manual_seed(0)
    target = torch.randn(4_000, generator=rng)
    guess = nn.Parameter(torch.zeros(9))
    optimiser = torch.optim.Adam([guess], lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        recycle.pinball(guess.expand(len(target), 9), target).backward()
        optimiser.step()
    expected = torch.distributions.Normal(0, 1).icdf(recycle.quantile_levels(9))
    assert (guess - expected).abs().max() < 0.08


def test_pinball_known_answers():
    assert recycle.quantile_levels(3).tolist() == [0.25, 0.5, 0.75]
    low = recycle.pinball(torch.tensor([[0.0, 0, 0]]), torch.tensor([1.0]))
    assert low.item() == pytest.approx(0.5), "too low costs the level: 0.25, 0.5, 0.75 in the mean"
    uneven = recycle.pinball(torch.tensor([[-1.0, 0, 2]]), torch.tensor([0.0]))
    assert uneven.item() == pytest.approx((0.25 * 1 + 0 + 0.25 * 2) / 3)
    one = torch.rand(7, 1), torch.rand(7)
    assert recycle.pinball(*one).item() == pytest.approx(0.5 * (one[0][:, 0] - one[1]).abs().mean().item())


def test_training_gives_the_best_weights_back():
    """A learning rate that destroys the network after its best epoch: what comes back is the best one."""
    data = sources.synthetic(1, days=300)
    train, valid = (recycle.windows(data, part) for part in ("train", "valid"))
    torch.manual_seed(0)
    model = recycle.ReCycle(zero_head=True)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    kept = {}

    def spoil(epoch, history):
        if epoch == history.best_epoch:
            kept.update({name: tensor.clone() for name, tensor in model.state_dict().items()})
        if epoch == 1:
            optimiser.param_groups[0]["lr"] = 3.0

    history = training.fit(
        model, (train.x, train.y), (valid.x, valid.y), recycle.absolute_error, optimiser,
        epochs=5, batch_size=32, seed=0, after_epoch=spoil,
    )  # fmt: skip
    assert history.best_epoch <= 1 and history.valid_loss[-1] > 2 * history.valid_loss[history.best_epoch]
    assert all(torch.equal(kept[name], tensor) for name, tensor in model.state_dict().items())
    again = training.evaluate(model, (valid.x, valid.y), recycle.absolute_error)
    assert again == pytest.approx(history.valid_loss[history.best_epoch])


def test_mase_of_persistence_is_one_and_scores_are_means_over_series():
    cut = recycle.windows(sources.europe().only(0, 3), "test", stride=7)
    naive = recycle.persistence(cut)
    assert np.mean(recycle.mase(naive, cut)) == pytest.approx(1.0)
    assert recycle.mae(cut.y, cut).max() == 0
    by_series = recycle.per_series(recycle.errors(naive, cut), cut)
    assert by_series.shape == (2, 7) and np.allclose(by_series.mean(axis=0), recycle.mae(naive, cut))
