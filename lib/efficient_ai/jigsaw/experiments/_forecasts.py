"""Weather forecasts in miniature, and the size of the batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from efficient_ai.jigsaw import forecast
from efficient_ai.jigsaw._config import MixerConfig, forward_flops
from efficient_ai.jigsaw.experiments import _on_ranks
from efficient_ai.jigsaw.profiles import Profile
from efficient_ai.ledger import Experiment, Measured


@dataclass(frozen=True)
class Forecasts:
    """Networks that learned the simulated weather, and whoever forecasts beside them.

    Args:
        weather: that was simulated.
        config: of the networks.
        networks: by seed.
        rival: truncation of the coarsest solver that costs as much as the network or more.
        rmse: of the wind in m/s by forecast, shape ``(networks or 1, lead times, starts)``.
    """

    weather: forecast.Weather
    config: MixerConfig
    networks: dict[int, forecast.Learned]
    rival: int
    rmse: dict[str, np.ndarray]

    @property
    def day(self) -> dict[str, np.ndarray]:
        """After 24 h, mean over the starts of a test run (they follow one another), shape ``(networks or 1, runs)``."""
        runs = len(self.weather.states)
        return {name: v[:, 3].reshape(len(v), runs, -1).mean(-1) for name, v in self.rmse.items()}


def scores(
    weather: forecast.Weather, networks: dict, size: Profile, measure: Callable
) -> dict[str, np.ndarray]:
    """A measure of all forecasts of the test runs, shape ``(networks or 1, lead times, starts)``."""
    truth, start = forecast.verification(weather, size.lead)
    nets = [
        measure(weather, forecast.forecasts(weather, size.lead, n.model), truth) for n in networks.values()
    ]
    rivals = {f"solver, T{t}": forecast.solver_forecasts(weather, size.lead, t) for t in size.solvers} | {
        "persistence": np.broadcast_to(start, truth.shape),
        "climatology": 0 * truth,
    }
    return {"network": np.array(nets)} | {
        name: measure(weather, guess, truth)[None] for name, guess in rivals.items()
    }


def rival(weather: forecast.Weather, config: MixerConfig, size: Profile) -> int:
    """Truncation of the coarsest solver that costs as many operations as the network or more."""
    flops = {t: forecast.solver_flops(weather, t) for t in size.solvers}
    return min((t for t in flops if flops[t] >= forward_flops(config)), default=max(size.solvers))


def judge_forecasts(
    weather: forecast.Weather, config: MixerConfig, networks: dict, size: Profile
) -> Forecasts:
    """All forecasts of the test runs, scored."""
    found = scores(weather, networks, size, forecast.wind_rmse)
    return Forecasts(weather, config, networks, rival(weather, config, size), found)


def learning_jobs(size: Profile) -> list[dict]:
    """One training per seed, arguments of :func:`efficient_ai.jigsaw.forecast.learn`."""
    return [dict(epochs=size.epochs, batch=size.batch, seed=seed) for seed in range(size.learn_seeds)]


def _run_forecasts(size: Profile, cluster) -> Forecasts:
    weather = cluster.run(_on_ranks.simulate_members, size.world, timeout=size.patience)[0]
    config = forecast.mixer(weather, size.width, size.patch)
    parts = cluster.run(_on_ranks.learn_many, weather, config, learning_jobs(size), timeout=size.patience)
    networks = dict(sorted(pair for found in parts for pair in found))
    return judge_forecasts(weather, config, networks, size)


def learn_batches(size: Profile, cluster, weather: forecast.Weather, config: MixerConfig) -> dict[int, list]:
    """Trainings with global batches of 8, 4 and 2, equal epochs, one per seed."""
    jobs = [
        dict(epochs=size.batch_epochs, batch=batch, seed=100 + seed)
        for seed in range(size.batch_seeds)
        for batch in (2, 8, 4)
    ]
    runs: dict[int, dict[int, Any]] = {8: {}, 4: {}, 2: {}}
    for parts in cluster.run(_on_ranks.learn_many, weather, config, jobs, timeout=size.patience):
        for index, network in parts:
            runs[jobs[index]["batch"]][jobs[index]["seed"]] = network
    return {batch: [by[seed] for seed in sorted(by)] for batch, by in runs.items()}


def _run_batches(size: Profile, cluster) -> dict[int, list]:
    weather = cluster.run(_on_ranks.simulate_members, size.world, timeout=size.patience)[0]
    return learn_batches(size, cluster, weather, forecast.mixer(weather, size.width, size.patch))


def _against(name: str | None):
    def read(found: Forecasts) -> Measured:
        other = name or f"solver, T{found.rival}"
        ratios = found.day["network"] / found.day[other]
        return Measured(ratios.tolist(), list(found.networks), other)

    return read


FORECASTS = Experiment(
    "forecasts of simulated weather",
    _run_forecasts,
    {"D1": _against("persistence"), "D2": _against("climatology"), "D3": _against(None)},
    ranks=4,
)
BATCHED = Experiment(
    "global batches",
    _run_batches,
    {
        "C6": lambda runs: Measured(
            [a.valid[-1] / b.valid[-1] for a, b in zip(runs[2], runs[8], strict=True)],
            range(len(runs[2])),
            "global batch 8, equal epochs, the same learning rate",
        )
    },
    ranks=4,
)
