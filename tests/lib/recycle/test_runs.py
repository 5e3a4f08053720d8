"""Training runs: the same from the same seed, alone or in a pool; budgets; scores on the same origins; the limited process."""

import numpy as np
import pytest
import torch

from efficient_ai import recycle
from efficient_ai.recycle import _runs, edge, experiments

TINY = recycle.Budget(stride=60, epochs=2, batch=16, patience=2, valid_stride=90, test_stride=61)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_the_same_seed_gives_the_same_network_and_another_one_does_not():
    jobs = [recycle.Job("europe:DE", "ReCycle, zero head, dropout", seed, TINY) for seed in (0, 0, 1)]
    first, again, other = (recycle.train(job)[1] for job in jobs)
    assert np.array_equal(first.mase, again.mase) and first.curve == again.curve
    assert first.curve[0] == other.curve[0] and first.curve[1:] != other.curve[1:]


def test_two_processes_give_what_one_gives_and_in_order():
    jobs = [recycle.Job("europe:DE", name, 0, TINY) for name in ("NLinear", "ReCycle", "days, no residual")]
    alone, together = recycle.train_many(jobs, workers=1), recycle.train_many(jobs, workers=2)
    assert [r.job for r in together] == jobs
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one.mase, other.mase, atol=1e-5)


def test_the_best_epoch_counts_from_the_untrained_network_and_its_weights_are_kept():
    job = recycle.Job("europe:DE", "ReCycle, zero head", 0, TINY)
    model, result = recycle.train(job)
    assert len(result.curve) == result.epochs + 1
    assert result.curve[0] == pytest.approx(result.profile_curve, rel=1e-5), "untrained it is the profile"
    assert result.curve[result.best_epoch] == min(result.curve)
    valid = recycle.parts(job)[1]
    assert float((recycle.predict(model, valid) - valid.y).abs().mean()) == pytest.approx(
        min(result.curve), rel=1e-4
    )


def test_the_untrained_network_is_kept_where_training_only_harms():
    """With an output layer of zeros it is the profile; a few steps with dropout only disturb it."""
    job = recycle.Job("europe:DE", "ReCycle, zero head, dropout", 0, TINY)
    model, result = recycle.train(job)
    assert result.best_epoch == 0 and min(result.curve[1:]) > result.curve[0]
    test = recycle.parts(job)[2]
    assert torch.equal(recycle.predict(model, test), test.profile)
    assert np.array_equal(result.mase, result.profile_mase)


def test_a_network_of_another_history_is_refused():
    job = recycle.Job("europe:DE", "ReCycle", 0, TINY)
    for call in (lambda m: recycle.train(job, m), lambda m: recycle.predict(m, recycle.parts(job)[2])):
        with pytest.raises(ValueError, match="reads 14 historic days and the windows have 21"):
            call(recycle.ReCycle(history=14))


def test_all_methods_are_scored_on_the_same_origins():
    origins = set()
    for name, method in recycle.METHODS.items():
        cut = recycle.parts(recycle.Job("europe:DE", name, 0, TINY))[2]
        origins.add(tuple(cut.origin.tolist()))
        assert recycle.build(name, 24, 0)(cut.x[:2]).shape == (2, 7, 24), method
    assert len(origins) == 1


def test_test_origins_fall_on_all_weekdays():
    """A stride that is a multiple of seven would begin every forecast on the same weekday."""
    for size in recycle.PROFILES.values():
        for budget in (size.fast, size.slow, size.household, size.controlled, size.small):
            assert all(step % 7 for step in (budget.stride, budget.valid_stride, budget.test_stride))
        assert size.fast.test_stride == size.slow.test_stride


def test_a_slow_method_gets_the_windows_that_its_seconds_pay_for():
    job = recycle.Job("europe:DE", "hourly tokens", 0, recycle.Budget(epochs=1, batch=8, cpu_seconds=0.3))
    model = recycle.build("hourly tokens", 24, 0)
    before = [p.clone() for p in model.parameters()]
    cut = _runs._affordable(model, recycle.parts(job)[0], job.budget, seed=0)
    assert len(cut) % 8 == 0 and 8 <= len(cut) < len(recycle.parts(job)[0])
    assert all(torch.equal(p, q) for p, q in zip(before, model.parameters(), strict=True)), (
        "the trial is a copy"
    )


def test_few_days_means_few_days():
    job = recycle.Job("europe:DE", "ReCycle", 0, TINY, days=60)
    train, valid, test = recycle.parts(job)
    assert len(train) == 60 - 12 - 7 + 1 and len(valid) == 12 - 7 + 1
    assert train.origin.min() + 1 == 730 - 60 and valid.origin.max() + 8 == 730
    assert test.origin.min() >= 1094


def test_every_job_of_the_chapter_names_what_exists():
    size = recycle.PROFILES["smoke"]
    trees = [plan(size) for plan in (experiments.contest, experiments.second_series, experiments.path)]
    jobs = [job for tree in trees for leaf in tree.values() for job in leaf]
    assert {job.method for job in jobs} == set(recycle.METHODS)
    for name in {job.source for job in jobs}:
        assert recycle.source(name).names
    with pytest.raises(KeyError, match="there are europe"):
        recycle.source("asia")


def test_train_tree_keeps_the_nest():
    job = recycle.Job("europe:DE", "NLinear", 0, TINY)
    found = experiments.train_tree({"a": {1: [job]}, "b": [job, job]}, workers=1, progress=False)
    assert found["a"][1][0].job == job and len(found["b"]) == 2


def test_quantiles_of_past_errors_are_calibrated_on_their_own_data():
    cut = recycle.windows(recycle.source("europe:DE"), "train")
    fan = experiments.profile_quantiles(cut, cut, 9)
    below = (cut.y.unsqueeze(-1) <= fan).float().mean(dim=(0, 1, 2))
    assert torch.allclose(below, recycle.quantile_levels(9), atol=0.01)
    assert (fan.diff(dim=-1) >= 0).all()


def test_numpy_and_exported_forecasts_equal_the_network(tmp_path):
    model = recycle.build("ReCycle", 24, seed=3).eval()
    cut = recycle.windows(recycle.source("europe:DE"), "test", stride=30)
    edge.export(model, cut.x[:1], tmp_path / "net.pt2")
    exported, plain = edge.load(tmp_path / "net.pt2"), edge.weights(model)
    for x in cut.x.split(1):
        with torch.no_grad():
            wanted = model(x)
            assert (exported(x) - wanted).abs().max() < 1e-5
        assert np.abs(edge.forecast(plain, x[0].numpy()) - wanted[0].numpy()).max() < 1e-5


def test_the_limited_process_trains_with_one_thread_and_refuses_what_is_too_much():
    report = edge.run("DE", 0, 1)
    assert report.threads == 1 and report.parameters == 20_312 and report.peak_mb < report.limit_mb
    assert report.export_difference < 1e-5 and report.numpy_difference < 1e-5
    assert report.energy_source and report.base_mb < report.peak_mb
    linear = edge.run("DE", 0, 1, edge.RIDGE)
    assert linear.epochs == 0 and linear.parameters == 7 * (7 * 24 + 24 + 9 + 1) * 24
    assert 0 < linear.error < 2 * linear.profile_error and 0 < linear.latency_ms
    with pytest.raises(MemoryError, match="60 MB are not enough"):
        edge.run("DE", 0, 1, limit_mb=60)
    with pytest.raises(RuntimeError, match="the limited process failed"):
        edge.run("XX", 0, 1)


def test_costs_are_positive_and_labelled():
    cut = recycle.windows(recycle.source("europe:DE"), "train").take(np.arange(32))
    found = recycle.epoch_cost(recycle.build("ReCycle", 24, 0), cut, 16, repeats=2)
    assert len(found) == 2 and all(c.cpu_seconds > 0 and c.joules > 0 and ":" in c.source for c in found)


def test_multiplications_on_paper():
    hourly, daily = recycle.multiplications(504, 168, 12), recycle.multiplications(21, 7, 33)
    assert hourly["attention"] == 576 * daily["attention"]
    assert daily["layers"] == 28 * (4 * 32**2 + 2 * 32 * 32) + 2 * 32**2 * 28 + 33 * 32 * 35
