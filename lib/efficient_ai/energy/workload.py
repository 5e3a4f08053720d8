"""Joules per sample: training and inference apart, by batch size, long enough for a sensor to see."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from efficient_ai.metering import CpuModel, Measurement, Source, is_measured, measure, usable_cores

MODES = ("inference", "training")


@dataclass(frozen=True)
class Cost:
    """What samples cost.

    Args:
        measurement: of the whole window.
        samples: that went through in it.
        batch: samples per step.
    """

    measurement: Measurement
    samples: int
    batch: int

    @property
    def joules(self) -> float:
        """Joules per sample, idle power included."""
        return self.measurement.joules / self.samples

    @property
    def net_joules(self) -> float | None:
        """Without idle power; ``None`` if that is not known."""
        net = self.measurement.net_joules
        return None if net is None else net / self.samples

    @property
    def comparable(self) -> float:
        """Joules per sample for a ratio: gross if measured; of an estimate the part that follows processor time."""
        measured = is_measured(self.measurement.source)
        return self.joules if measured or self.net_joules is None else self.net_joules

    @property
    def seconds(self) -> float:
        return self.measurement.seconds / self.samples

    @property
    def cpu_seconds(self) -> float:
        return self.measurement.cpu_seconds / self.samples


def step_of(
    model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Callable, mode: str
) -> Callable[[], object]:
    """One step on one batch: a forward pass, or a whole training step with Adam.

    Raises:
        ValueError: ``mode`` is not one of :data:`MODES`.
    """
    if mode not in MODES:
        raise ValueError(f"mode is one of {', '.join(MODES)}, not {mode!r}")
    if mode == "inference":

        def infer():
            model.eval()
            with torch.no_grad():
                return model(x)

        return infer
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)

    def train():
        model.train()
        optimiser.zero_grad()
        loss(model(x), y).backward()
        optimiser.step()

    return train


def cost(
    name: str,
    step: Callable[[], object],
    batch: int,
    seconds: float,
    source: Source | None = None,
    idle_watts: float | None = None,
) -> Cost:
    """Repeat ``step`` for at least ``seconds``, twice before as a warm-up, and divide by the samples.

    A window must be long against the update period of the sensor, so one step is never measured alone.
    """
    step()
    step()
    steps = 0
    with measure(name, source=source, period=1.0, idle_watts=idle_watts) as meter:
        end = time.perf_counter() + seconds
        while steps == 0 or time.perf_counter() < end:
            step()
            steps += 1
    return Cost(meter.measurement, steps * batch, batch)


def assumed_idle_watts() -> float:
    """The idle power that the processor-time estimate assumes, to be taken off for the net energy of an estimate."""
    return CpuModel().idle * usable_cores()
