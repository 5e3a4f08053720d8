"""Compact transformers of the field: shapes, what they must be blind to, delays, gradients."""

import pytest
import torch

from efficient_ai import forecasters


def test_shapes_and_channels_do_not_mix_in_patchtst():
    torch.manual_seed(0)
    model = forecasters.PatchTST(96, 24, patch=16, stride=8).eval()
    x = torch.randn(3, 96, 2)
    assert model(x).shape == (3, 24, 2)
    other = x.clone()
    other[:, :, 1] += torch.randn(3, 96)
    assert torch.allclose(model(x)[:, :, 0], model(other)[:, :, 0], atol=1e-6)
    assert model.position.shape == ((96 - 16) // 8 + 2, 32)


def test_patchtst_follows_level_and_scale():
    torch.manual_seed(0)
    model, x = forecasters.PatchTST(96, 24).eval(), torch.randn(3, 96, 1)
    assert torch.allclose(model(5 * x + 7), 5 * model(x) + 7, atol=1e-3)


def test_the_moving_average_keeps_length_and_constants():
    x = torch.full((2, 50, 3), 4.0)
    assert torch.allclose(forecasters.moving_average(x), x)
    ramp = torch.arange(50.0)[None, :, None]
    assert torch.allclose(forecasters.moving_average(ramp, 5)[0, 2:-2], ramp[0, 2:-2], atol=1e-5)


def test_auto_correlation_finds_the_period():
    """With identity projections the best delays of a sine are multiples of its period, and the sine comes back."""
    layer = forecasters.AutoCorrelation(1, heads=1).eval()
    for part in (layer.query, layer.key, layer.value, layer.out):
        torch.nn.init.ones_(part.weight)
        torch.nn.init.zeros_(part.bias)
    x = torch.sin(torch.arange(96) * 2 * torch.pi / 24)[None, :, None]
    assert torch.allclose(layer(x, x), x, atol=0.1)
    assert torch.allclose(layer.train()(x, x), layer.eval()(x, x), atol=1e-5), (
        "of one sample both choices are the same"
    )


@pytest.mark.parametrize("marks", [0, 4])
def test_autoformer_shapes_and_marks(marks):
    torch.manual_seed(0)
    model = forecasters.Autoformer(96, 24, channels=2, marks=marks).eval()
    x, given = torch.randn(3, 96, 2), torch.randn(3, 120, 4) if marks else None
    forecast = model(x, given)
    assert forecast.shape == (3, 24, 2)
    if marks:
        given[:, -1] += 1
        assert not torch.equal(model(x, given), forecast)


def test_heads_must_share_the_width():
    with pytest.raises(ValueError, match="cannot be shared"):
        forecasters.AutoCorrelation(10, heads=4)


def test_gradients_in_float64():
    torch.manual_seed(0)
    x = torch.randn(2, 24, 1, dtype=torch.float64, requires_grad=True)
    patch = (
        forecasters.PatchTST(24, 6, patch=8, stride=4, width=4, heads=2, hidden=4, layers=1).double().eval()
    )
    assert torch.autograd.gradcheck(patch, (x,), atol=1e-6)
    auto = forecasters.Autoformer(24, 6, width=4, heads=2, hidden=4, window=5).double().eval()
    assert torch.autograd.gradcheck(auto, (x,), atol=1e-6)


def test_all_parameters_learn():
    torch.manual_seed(0)
    x, y = torch.randn(8, 96, 1), torch.randn(8, 24, 1)
    for model in (forecasters.PatchTST(96, 24), forecasters.Autoformer(96, 24)):
        (model(x) - y).abs().mean().backward()
        idle = [name for name, p in model.named_parameters() if p.grad is None]
        assert idle == []
