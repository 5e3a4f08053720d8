"""The accuracy claim in miniature: weather of our own making, a network that learns it, and the rivals it must beat.

The truth is one layer of a rotating atmosphere (:class:`Atmosphere`) at high resolution. It is not the Earth's weather:
no moisture, no height, no day and night. It has jets, waves, mountains and a limit of predictability.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from efficient_ai.jigsaw._config import MixerConfig
from efficient_ai.jigsaw._model import WeatherMixer
from efficient_ai.jigsaw._sphere import Sphere
from efficient_ai.jigsaw._training import adam, latitude_weights, train_step
from efficient_ai.jigsaw._vorticity import Atmosphere, mountains
from efficient_ai.training import generator

CHANNELS = ("vorticity", "stream function", "zonal wind", "meridional wind", "mountains", "sine of latitude")
PROGNOSTIC = 4
HOURS = 6.0


@dataclass(frozen=True)
class Weather:
    """Simulated weather on the grid of the network.

    Args:
        truth: the solver that made it.
        sphere: the grid of the network.
        fields: ``[runs, times, channels, lat, lon]``, float32, 6 h apart: what moves as the deviation from its mean at that
            place, divided by one standard deviation per channel; what does not, normalised by its own mean and deviation.
        states: spectral vorticity of the last ``test`` runs at the resolution of the truth, ``[test, times, m, n]``.
        mean: the climatology, mean of the training runs at each place, ``[channels, lat, lon]``, in SI units.
        std: of the deviations from it, per channel, in SI units.
        train, valid, test: how many runs are for what, in this order; runs start from different random states.
    """

    truth: Atmosphere
    sphere: Sphere
    fields: np.ndarray
    states: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    train: int
    valid: int
    test: int


def simulate(
    *,
    truth: int,
    grid: int,
    train: int,
    days: int,
    spin_up: int,
    seed: int,
    valid: int = 2,
    test: int = 4,
    comm: Any = None,
) -> Weather | None:
    """Run the solver at truncation ``truth`` and look at it every 6 h on the grid of truncation ``grid``.

    Args:
        train, valid, test: independent runs for each purpose.
        days: length of a run that is kept.
        spin_up: days before, most of them at truncation 21, until jets and waves are in balance.
        seed: of the random starts.
        comm: ranks that share the runs; rank 0 gets the weather, the others ``None``.
    """
    rank, size = (0, 1) if comm is None else (comm.rank, comm.size)
    sphere, world = Sphere(grid), Atmosphere(truth, hours=1.0)
    rough = Atmosphere(min(21, truth), hours=1.0)
    state = np.array_split(rough.start(train + valid + test, seed), size)[rank]
    for last in rough.run(state, max(spin_up - 2, 1), hours=24):
        state = last
    state = rough.sphere.resize(state, world.sphere)
    for last in world.run(state, 2, hours=24):
        state = last
    states = np.stack(list(world.run(state, round(days * 24 / HOURS), hours=HOURS)), axis=1)
    fields = to_fields(states, world.sphere, sphere)
    if comm is not None:
        fields, states = comm.gather(fields), comm.gather(states)
        if rank:
            return None
        fields, states = np.concatenate(fields), np.concatenate(states)
    used = fields[:train]
    mean = used.mean((0, 1))
    mean[PROGNOSTIC:] = used.mean((0, 1, 3, 4))[PROGNOSTIC:, None, None]
    std = (used - mean).std((0, 1, 3, 4))
    normal = ((fields - mean) / std[:, None, None]).astype(np.float32)
    return Weather(world, sphere, normal, states[train + valid :], mean, std, train, valid, test)


def to_fields(zeta: np.ndarray, have: Sphere, want: Sphere) -> np.ndarray:
    """The channels on the grid of ``want``, in SI units, of spectral vorticity ``[..., m, n]`` on ``have``."""
    spec = have.resize(zeta, want)
    cos = want.cos[:, None]
    u, v = want.wind(spec)
    height = mountains(want.latitude, 2 * np.pi * np.arange(want.lon) / want.lon)
    still = [np.broadcast_to(field, u.shape) for field in (height, want.mu[:, None] * np.ones(want.lon))]
    moving = [want.grid(spec), want.grid(spec * want.inverse_laplace), u / cos, v / cos]
    return np.stack([*moving, *still], axis=-3)


def mixer(
    weather: Weather, width: int, patch: int, token_fraction: float = 0.5, blocks: int = 2
) -> MixerConfig:
    """A small WeatherMixer for this weather."""
    s, c = weather.sphere, len(CHANNELS)
    return MixerConfig(
        lat=s.lat, lon=s.lon, inputs=c, outputs=c, patch=patch, width=width, token_fraction=token_fraction,
        channel_fraction=1.0, blocks=blocks, dropout=0.0, shared_bias=False,
    )  # fmt: skip


def area(weather: Weather) -> torch.Tensor:
    """Weights of the latitudes, mean 1."""
    return latitude_weights(torch.from_numpy(weather.sphere.latitude).float())


def channel_weights() -> torch.Tensor:
    """1 for what moves, 0 for the constant channels, which are padding of the target."""
    return torch.tensor([1.0] * PROGNOSTIC + [0.0] * (len(CHANNELS) - PROGNOSTIC))


def pairs(weather: Weather, first: int, runs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All (state, state 6 h later) of ``runs`` runs from number ``first`` on: two tensors ``[n, channels, lat, lon]``."""
    chosen = torch.from_numpy(weather.fields[first : first + runs])
    return chosen[:, :-1].flatten(0, 1), chosen[:, 1:].flatten(0, 1)


def shuffled(n: int, batch: int, seed: int, epoch: int) -> Iterator[torch.Tensor]:
    """Indices of the batches of an epoch: every rank of a model instance draws the same ones."""
    return iter(torch.randperm(n, generator=generator(seed, epoch)).split(batch))


@dataclass
class Learned:
    """A trained network: its validation RMSE (normalised, all moving channels) after each epoch, and optimiser steps done."""

    model: WeatherMixer
    valid: list[float]
    steps: list[int]


def learn(
    weather: Weather,
    config: MixerConfig,
    *,
    epochs: int,
    batch: int,
    seed: int,
    lr: float = 2e-3,
    watch: Callable[[dict], None] | None = None,
) -> Learned:
    """Train a serial WeatherMixer on the training runs; cosine schedule to zero. ``watch`` is told of every epoch."""
    found = Learned(WeatherMixer(config, seed=seed), [], [])

    def after(epoch: int) -> None:
        found.valid.append(validate(found.model, weather))
        found.steps.append(found.model.step)
        if watch:
            watch({"epoch": epoch + 1, "valid": found.valid[-1], "seed": seed, "batch": batch})

    _train(found.model, weather, epochs=epochs, batch=batch, seed=seed, lr=lr, after=after)
    return found


def losses(
    weather: Weather, config: MixerConfig, ops: Any, *, epochs: int, batch: int, seed: int, lr: float = 2e-3
):
    """Training loss of each step of the same training with ``ops``, serial or sharded."""
    model = WeatherMixer(config, ops, seed=seed)
    return _train(model, weather, epochs=epochs, batch=batch, seed=seed, lr=lr)


def _train(
    model: WeatherMixer, weather: Weather, *, epochs, batch, seed, lr, after=lambda epoch: None
) -> list[float]:
    x, t = pairs(weather, 0, weather.train)
    grid, (i, j) = model.ops.grid, model.ops.grid.place(model.ops.rank)
    channels, lon = x.shape[1] // grid.cols, x.shape[3] // grid.rows
    mine = slice(j * channels, (j + 1) * channels), slice(None), slice(i * lon, (i + 1) * lon)
    x, t = x[:, *mine], t[:, *mine]
    a, v = area(weather), channel_weights()[mine[0]]
    optimiser = adam(model, lr, lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * math.ceil(len(x) / batch))
    found = []
    for epoch in range(epochs):
        model.train()
        for chosen in shuffled(len(x), batch, seed, epoch):
            found.append(float(train_step(model, optimiser, x[chosen], t[chosen], a, v, clip=1.0)))
            schedule.step()
        after(epoch)
    return found


@torch.no_grad()
def validate(model: WeatherMixer, weather: Weather) -> float:
    """RMSE after 6 h on the validation runs, normalised, area weighted, over all moving channels."""
    x, t = pairs(weather, weather.train, weather.valid)
    model.eval()
    error = (model(x) - t)[:, :PROGNOSTIC].square().mean((0, 1, 3))
    model.train()
    return float((error * area(weather)).mean().sqrt())


@torch.no_grad()
def predict(model: WeatherMixer, start: torch.Tensor, steps: int) -> torch.Tensor:
    """Forecasts of ``steps`` times 6 h, each from the one before: ``[steps, n, channels, lat, lon]``."""
    model.eval()
    found, x = [], start
    for _ in range(steps):
        y = model(x)
        x = torch.cat([y[:, :PROGNOSTIC], start[:, PROGNOSTIC:]], dim=1)
        found.append(x)
    return torch.stack(found)


def starts(weather: Weather, steps: int, every: int = 4) -> list[int]:
    """Times from which the test forecasts start."""
    return list(range(0, weather.fields.shape[1] - steps, every))


def forecasts(weather: Weather, steps: int, model: WeatherMixer) -> np.ndarray:
    """Forecasts of the network for all starts of all test runs: ``[steps, n, channels, lat, lon]``."""
    first = weather.train + weather.valid
    x = torch.from_numpy(weather.fields[first:][:, starts(weather, steps)]).flatten(0, 1)
    return predict(model, x, steps).numpy()


def solver_forecasts(weather: Weather, steps: int, truncation: int) -> np.ndarray:
    """Forecasts of the same equation at a lower resolution, from the same starts: ``[steps, n, channels, lat, lon]``."""
    coarse = Atmosphere(truncation, weather.truth.climate, hours=1.0)
    begin = weather.states[:, starts(weather, steps)].reshape(-1, *weather.states.shape[-2:])
    state = weather.truth.sphere.resize(begin, coarse.sphere)
    found = [to_fields(now, coarse.sphere, weather.sphere) for now in coarse.run(state, steps, HOURS)]
    normal = (np.stack(found) - weather.mean) / weather.std[:, None, None]
    return normal.astype(np.float32)


def verification(weather: Weather, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(truth ``[steps, n, channels, lat, lon]``, starts ``[n, channels, lat, lon]``) of the test forecasts."""
    runs, begin = weather.fields[weather.train + weather.valid :], starts(weather, steps)
    truth = [runs[:, [b + k for b in begin]].reshape(-1, *runs.shape[2:]) for k in range(1, steps + 1)]
    return np.stack(truth), runs[:, begin].reshape(-1, *runs.shape[2:])


def wind_rmse(weather: Weather, forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """RMSE of the wind vector in m/s, area weighted, for each lead time and start: ``[steps, n]``."""
    error = (forecast - truth)[:, :, 2:4] * weather.std[2:4, None, None]
    weights = area(weather).numpy()[:, None]
    return np.sqrt((error**2 * weights).mean((-1, -2)).sum(-1))


def anomaly_correlation(weather: Weather, forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Area-weighted correlation of the anomalies of the stream function, for each lead time and start: ``[steps, n]``."""
    f, t, weights = forecast[:, :, 1], truth[:, :, 1], area(weather).numpy()[:, None]

    def dot(a, b):
        return (a * b * weights).sum((-1, -2))

    return dot(f, t) / np.sqrt(np.maximum(dot(f, f) * dot(t, t), 1e-30))  # climatology has no anomaly: 0


def solver_flops(weather: Weather, truncation: int) -> float:
    """Operations of a 6 h forecast of the solver at ``truncation``, transforms only."""
    return Atmosphere(truncation, weather.truth.climate, hours=1.0).flops(HOURS)
