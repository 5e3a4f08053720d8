"""What a network costs: processor seconds and joules of an epoch, latency of one forecast, arithmetic on paper."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from efficient_ai import metering
from efficient_ai.recycle._runs import _epoch
from efficient_ai.recycle._windows import Windows


@dataclass(frozen=True)
class Cost:
    """One repeat of a measurement.

    Args:
        cpu_seconds: processor time.
        joules: with the source ``source``; an estimate from processor time where the machine has no sensor.
    """

    cpu_seconds: float
    joules: float
    source: str


def epoch_cost(model: nn.Module, cut: Windows, batch: int = 32, repeats: int = 5) -> list[Cost]:
    """Cost of one training epoch over ``cut``, after a step to warm up; with as many threads as torch is set to."""
    _epoch(model, cut.take(np.arange(min(batch, len(cut)))), batch)
    found = []
    for _ in range(repeats):
        with metering.measure("epoch") as meter:
            began = time.process_time()
            _epoch(model, cut, batch)
            seconds = time.process_time() - began
        found.append(Cost(seconds, meter.joules, meter.source))
    return found


@torch.no_grad()
def latency(model: nn.Module, x: torch.Tensor, repeats: int = 50) -> float:
    """Median wall seconds of one forward pass over ``x`` in evaluation mode, after a warm-up."""
    model.eval()
    for _ in range(3):
        model(x)
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        model(x)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


@torch.no_grad()
def cpu_latency(model: nn.Module, x: torch.Tensor, repeats: int = 50) -> float:
    """Mean processor seconds of one forward pass over ``x`` in evaluation mode, after a warm-up."""
    model.eval()
    for _ in range(3):
        model(x)
    began = time.process_time()
    for _ in range(repeats):
        model(x)
    return (time.process_time() - began) / repeats


def multiplications(
    past: int, asked: int, values: int, width: int = 32, hidden: int = 32
) -> dict[str, float]:
    """Multiplications of one forecast with one encoder and one decoder layer.

    Args:
        past, asked: tokens of history and forecast.
        values: numbers in a token.
        width, hidden: of the layers.

    Returns:
        ``attention``, which grows with the square of the tokens, and ``layers``, which grows with the tokens
    """
    attention = 2 * width * (past**2 + asked**2 + asked * past)
    per_token = 4 * width**2 + 2 * width * hidden
    cross = (
        2 * width**2 * (past + asked)
    )  # keys and values of the history, queries and output of the forecast
    embeddings = values * width * (past + 2 * asked)
    return {"attention": attention, "layers": per_token * (past + asked) + cross + embeddings}
