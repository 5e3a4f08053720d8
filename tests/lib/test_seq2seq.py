"""The five encoder-decoder forecasters: published sizes, shapes, determinism, and what they refuse."""

import copy
import io

import numpy as np
import pytest
import torch

from efficient_ai.forecasters import seq2seq

SMALL = {"width": 32, "hidden": 48, "heads": 4}


def small(name: str, history: int = 96, horizon: int = 24, **settings):
    torch.manual_seed(0)
    settings = SMALL | settings
    if name == "FEDformer":
        settings = {"heads": 8, "modes": 16} | {k: v for k, v in settings.items() if k != "heads"}
    if name == "Crossformer":
        settings.pop("label", None)
    return seq2seq.MODELS[name](7, history, horizon, **settings).eval()


def inputs(model, batch: int = 3):
    rng = torch.Generator().manual_seed(1)
    s = model.sizes
    x = torch.randn(batch, s.history, 7, generator=rng)
    marks = torch.rand(batch, s.history + s.horizon, s.marks, generator=rng) - 0.5 if s.marks else None
    return (x, marks) if s.marks else (x,)


def numbers(model) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "settings", "count"),
    [
        ("Transformer", {}, 10_540_039),
        ("Informer", {}, 11_328_007),
        ("Autoformer", {}, 10_535_943),
        ("Autoformer", {"released": True}, 10_535_957),
        ("FEDformer", {}, 16_303_111),
        ("FEDformer", {"released": True}, 16_303_127),
    ],
)
def test_models_have_the_published_number_of_parameters(name, settings, count):
    with torch.device("meta"):
        assert sum(p.numel() for p in seq2seq.MODELS[name](7, 96, 96, **settings).parameters()) == count


@pytest.mark.parametrize(
    ("lengths", "count"),
    [((168, 24, 6), 11_301_656), ((720, 336, 24), 11_458_912), ((96, 96, 12), 11_232_048)],
)
def test_crossformer_has_the_published_number_of_parameters(lengths, count):
    history, horizon, segment = lengths
    with torch.device("meta"):
        assert numbers(seq2seq.Crossformer(7, history, horizon, segment=segment)) == count


@pytest.mark.parametrize("name", seq2seq.MODELS)
@pytest.mark.parametrize(("history", "horizon"), [(96, 24), (95, 24), (5, 24), (96, 1), (7, 13), (1, 1)])
def test_any_length_works(name, history, horizon):
    model = small(name, history, horizon)
    for batch in (1, 3):
        found = model(*inputs(model, batch))
        assert found.shape == (batch, horizon, 7) and torch.isfinite(found).all()


def test_odd_lengths_keep_as_many_frequencies_as_there_are():
    model = small("FEDformer", 95, 24, label=47, modes=64)
    assert len(model.encoder[0].own.mixing.modes) == 47 and len(model.decoder[0].own.mixing.modes) == 35


@pytest.mark.parametrize("steps", [95, 96, 5, 1])
def test_the_correlation_is_the_direct_circular_sum(steps):
    q, k = torch.randn(2, 2, steps, 3, 4, dtype=torch.float64)
    direct = torch.stack([(q.roll(-lag, 1) * k).sum(1) for lag in range(steps)], dim=1)
    assert torch.allclose(seq2seq.circular_correlation(q, k), direct, atol=1e-10)


@pytest.mark.parametrize("window", [24, 25, 4, 31, 1])
@pytest.mark.parametrize("released", [False, True])
def test_rest_and_trend_are_the_series(window, released):
    x = torch.randn(2, 30, 3, dtype=torch.float64)
    rest, trend = seq2seq.Decomposition(window, released)(x)
    assert trend.shape == x.shape and torch.allclose(rest + trend, x, atol=1e-14)
    if not released:
        level = seq2seq.Decomposition(window)(torch.ones(1, 30, 2, dtype=torch.float64))[1]
        assert torch.allclose(level, torch.ones_like(level))


def test_the_released_average_pulls_both_ends_of_the_trend_to_zero():
    trend = seq2seq.Decomposition(24, released=True)(torch.ones(1, 60, 1))[1][0, :, 0]
    assert trend[0] < 0.6 and trend[-1] < 0.6 and torch.allclose(trend[30], torch.tensor(1.0))


@pytest.mark.parametrize("name", seq2seq.MODELS)
def test_a_forecast_depends_on_its_own_sample_only_and_on_no_generator(name):
    model = small(name).double()
    x, *marks = [t.double() for t in inputs(model, 8)]
    before = torch.random.get_rng_state()
    first = model(x, *marks)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(1)
    assert torch.equal(model(x, *marks), first)
    alone = model(x[3:4], *[m[3:4] for m in marks])
    assert torch.allclose(alone, first[3:4], atol=1e-10)


@pytest.mark.parametrize("name", seq2seq.MODELS)
def test_a_saved_model_is_the_same_model_elsewhere(name):
    model = small(name, seed=0) if name in ("FEDformer", "Informer") else small(name)
    other = small(name, seed=1) if name == "FEDformer" else small(name)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file))
    given = inputs(model)
    assert torch.equal(other(*given), model(*given))
    assert torch.equal(copy.deepcopy(model)(*given), model(*given))


def test_a_file_without_the_modes_is_refused():
    model = small("FEDformer")
    state = {k: v for k, v in model.state_dict().items() if "modes" not in k}
    with pytest.raises(RuntimeError, match="modes"):
        small("FEDformer").load_state_dict(state)


def test_marks_of_quarter_hours_tell_ten_from_a_quarter_past():
    times = np.datetime64("2020-03-01T00:00") + np.arange(120) * np.timedelta64(15, "m")
    marks = torch.from_numpy(seq2seq.time_marks(times, minutes=True))[None]
    later = torch.from_numpy(seq2seq.time_marks(times + np.timedelta64(15, "m"), minutes=True))[None]
    model = small("Transformer", marks=5)
    x = inputs(model, 1)[0]
    assert not torch.allclose(model(x, marks), model(x, later))
    with pytest.raises(ValueError, match="minutes=True"):
        seq2seq.time_marks(times, minutes=False)
    assert marks.abs().max() <= 0.5


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda x, m: (x[:, :90], m), "96 steps of history and was given 90"),
        (lambda x, m: (x[..., :6], m), "7 channels and was given 6"),
        (lambda x, m: (x[0], m), "3 axes"),
        (lambda x, m: (x, None), "given none"),
        (lambda x, m: (x, torch.zeros(3, 120, 5)), "4 columns"),
        (lambda x, m: (x, m[:, :48]), "120 steps"),
        (lambda x, m: (x, m[:1]), "3 samples"),
    ],
)
def test_other_shapes_are_refused_with_both_numbers(spoil, says):
    model = small("Autoformer")
    with pytest.raises(ValueError, match=says):
        model(*spoil(*inputs(model)))


@pytest.mark.parametrize("name", seq2seq.MODELS)
def test_heads_have_to_divide_the_width(name):
    with pytest.raises(ValueError, match="5 heads do not divide the width 32"):
        seq2seq.MODELS[name](7, 96, 24, width=32, heads=5)


def test_no_step_of_causal_attention_sees_a_later_one():
    attention = seq2seq.FullAttention(4, causal=True)
    q, k, v = torch.randn(3, 1, 6, 2, 4)
    changed = [t.clone() for t in (q, k, v)]
    for t in changed:
        t[:, 5] += 1
    assert torch.equal(attention(q, k, v)[:, :5], attention(*changed)[:, :5])


@pytest.mark.parametrize("name", ["Transformer", "Informer"])
def test_gradients_reach_every_parameter(name):
    model = small(name)
    model(*inputs(model)).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())
