"""The solver on the sphere: exact transforms, known solutions, conservation; and what is made of it."""

import numpy as np
import pytest
import torch

from efficient_ai import jigsaw
from efficient_ai.jigsaw import Atmosphere, Sphere, forecast
from efficient_ai.jigsaw._vorticity import DAY, FREE, OMEGA, jet_vorticity, rossby_haurwitz
from efficient_ai.parallel import run_ranks

WORLD = dict(truth=15, grid=10, train=2, days=2, spin_up=3, seed=0, valid=1, test=1)


def random_field(sphere, seed, low=1, high=None):
    rng = np.random.default_rng(seed)
    shape = (sphere.truncation + 1,) * 2
    spec = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * sphere.mask
    spec[0] = spec[0].real
    return spec * (sphere.n >= low) * (sphere.n <= (high or sphere.truncation))


@pytest.mark.parametrize("truncation", [5, 10, 21, 42])
def test_transforms_invert_each_other(truncation):
    sphere = Sphere(truncation)
    spec = random_field(sphere, 0, low=0)
    assert np.abs(sphere.spec(sphere.grid(spec)) - spec).max() < 1e-12
    assert sphere.lat >= (3 * truncation + 1) / 2 and sphere.lon >= 3 * truncation + 1
    assert np.isclose(sphere.mean(np.ones((sphere.lat, sphere.lon))), 1)


def test_known_harmonics_and_their_derivatives():
    sphere = Sphere(10)
    lon = 2 * np.pi * np.arange(sphere.lon) / sphere.lon
    y11 = sphere.cos[:, None] * np.cos(lon)
    spec = sphere.spec(y11)
    assert np.abs(spec).argmax() == 1 * 11 + 1 and np.abs(np.delete(spec.ravel(), 12)).max() < 1e-14
    assert np.allclose(sphere.grid(spec * sphere.laplace), -2 / sphere.radius**2 * y11)
    # solid rotation: u = U cos(lat) has vorticity 2 U sin(lat) / a
    zeta = sphere.spec(np.repeat(2 * 30 / sphere.radius * sphere.mu[:, None], sphere.lon, axis=1))
    u, v = sphere.wind(zeta)
    assert np.allclose(u, 30 * sphere.cos[:, None] ** 2, atol=1e-10) and np.abs(v).max() < 1e-10


def test_the_curl_of_the_wind_is_the_vorticity():
    sphere = Sphere(15)
    zeta = random_field(sphere, 1) * 1e-5
    u, v = sphere.wind(zeta)
    assert np.abs(sphere.divergence(v, -u) - zeta).max() < 1e-16
    assert np.abs(sphere.divergence(u, v)).max() < 1e-16


def test_a_rossby_haurwitz_wave_travels_as_theory_says():
    world = Atmosphere(21, FREE, hours=0.5)
    start = rossby_haurwitz(world.sphere, 4, 5, 1e-5)
    now = next(world.run(start, 1, hours=24))
    turned = np.angle(now[4, 5] / start[4, 5])
    assert turned == pytest.approx(2 * OMEGA / 30 * DAY * 4 % (2 * np.pi), rel=1e-6)
    assert abs(now[4, 5]) == pytest.approx(1e-5, rel=1e-8)
    assert np.abs(np.delete(now.ravel(), 4 * 22 + 5)).max() < 1e-17


@pytest.mark.parametrize("seed", [0, 1])
def test_free_flow_conserves_energy_enstrophy_and_circulation(seed):
    world = Atmosphere(15, FREE, hours=0.25)
    start = random_field(world.sphere, seed, low=2, high=8) * 1e-6
    now = next(world.run(start, 1, hours=36))
    assert np.abs(now - start).max() > 0.3 * np.abs(start).max(), "it moved"
    assert world.energy(now) == pytest.approx(world.energy(start), rel=1e-7)
    assert world.enstrophy(now) == pytest.approx(world.enstrophy(start), rel=1e-8)
    assert abs(now[0, 0]) < 1e-18, "no net vorticity on a sphere"


def test_forcing_draws_towards_the_jets_and_diffusion_damps_the_smallest():
    world = Atmosphere(21, hours=0.5)
    assert np.ptp(jet_vorticity(world.sphere, 70.0), axis=1).max() < 1e-16, "zonal"
    state = world.start(2, seed=0)
    assert np.isfinite(next(world.run(state, 1, 24))).all()
    assert world.loss[0, 21] < world.loss[0, 5] <= 1
    assert not np.array_equal(world.start(1, 0), world.start(1, 1))


@pytest.fixture(scope="module")
def weather():
    return forecast.simulate(**WORLD)


def test_the_fields_are_normalised_and_the_runs_are_apart(weather):
    assert weather.fields.shape == (4, 8, 6, weather.sphere.lat, weather.sphere.lon)
    train = weather.fields[: weather.train, :, : forecast.PROGNOSTIC]
    assert np.abs(train.mean((0, 1))).max() < 1e-5 and np.allclose(train.std((0, 1, 3, 4)), 1, atol=1e-3)
    assert weather.states.shape[0] == weather.test
    assert not np.allclose(weather.fields[0], weather.fields[1])


def test_a_solver_at_the_truths_resolution_makes_no_error(weather):
    truth, start = forecast.verification(weather, 3)
    same = forecast.solver_forecasts(weather, 3, WORLD["truth"])
    assert forecast.wind_rmse(weather, same, truth).max() < 1e-3
    assert forecast.anomaly_correlation(weather, same, truth).min() > 0.9999
    coarse = forecast.wind_rmse(weather, forecast.solver_forecasts(weather, 3, 8), truth).mean()
    assert coarse > 0.1 and forecast.solver_flops(weather, 8) < forecast.solver_flops(weather, 15)
    assert forecast.wind_rmse(weather, np.broadcast_to(start, truth.shape), truth).min() > 0
    assert np.all(forecast.anomaly_correlation(weather, 0 * truth, truth) == 0)


def test_learning_lowers_the_error_and_can_be_repeated(weather):
    config = forecast.mixer(weather, width=8, patch=4)
    runs = [forecast.learn(weather, config, epochs=3, batch=2, seed=0) for _ in range(2)]
    assert runs[0].valid == runs[1].valid and runs[0].valid[-1] < runs[0].valid[0]
    assert runs[0].steps == [7, 14, 21]
    ahead = forecast.forecasts(weather, 3, runs[0].model)
    truth, start = forecast.verification(weather, 3)
    assert ahead.shape == truth.shape
    assert np.array_equal(ahead[2][:, forecast.PROGNOSTIC :], start[:, forecast.PROGNOSTIC :]), (
        "constants stay"
    )


def same_losses(comm, weather):
    config = forecast.mixer(weather, width=8, patch=4)
    job = dict(epochs=1, batch=2, seed=0)
    ops = jigsaw.Sharded(jigsaw.Grid(1, 2), jigsaw.MPITransport(comm))
    return forecast.losses(weather, config, ops, **job), forecast.losses(
        weather, config, jigsaw.Serial(), **job
    )


@pytest.mark.mpi
def test_training_in_pieces_has_the_losses_of_serial_training(weather):
    pieces, whole = run_ranks(same_losses, 2, weather, timeout=120)[1]
    assert len(pieces) == 7 and np.allclose(pieces, whole, rtol=1e-4)


def test_latitude_weights():
    rows = torch.linspace(torch.pi / 2, -torch.pi / 2, 721, dtype=torch.float64)
    a = jigsaw.latitude_weights(rows)
    assert float(a.mean()) == pytest.approx(1) and float(a[0]) == pytest.approx(0, abs=1e-12)
    assert float(a[360]) == pytest.approx(721 / 458.36551167)
    for n, total in ((720, 457.7289), (64, 40.0987), (32, 19.7183)):
        rows = torch.linspace(torch.pi / 2, -torch.pi / 2, n, dtype=torch.float64)
        assert float(jigsaw.latitude_weights(rows).max()) == pytest.approx(
            n * float(torch.cos(rows).max()) / total, rel=1e-5
        )


def test_the_weight_of_the_loss_is_squared():
    model = jigsaw.WeatherMixer(
        jigsaw.MixerConfig(lat=2, lon=4, inputs=1, outputs=1, patch=2, width=2, shared_bias=False)
    )
    y, t = torch.ones(1, 1, 2, 4), torch.zeros(1, 1, 2, 4)
    loss = jigsaw.weighted_loss(model, y, t, torch.tensor([1.0, 3.0]), torch.tensor([2.0]))
    assert float(loss) == pytest.approx((1 + 9) / 2 * 4)
