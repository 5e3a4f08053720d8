"""The edge: a process with one thread and little memory trains, forecasts, and hands the network on without torch."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from efficient_ai.recycle._network import ReCycle

RIDGE = "ridge with profile and calendar"
"""Not a network: a linear map in closed form, for comparison."""


@dataclass(frozen=True)
class Report:
    """What the limited process says.

    Args:
        method: what was trained.
        limit_mb: of its data (heap and private mappings), enforced by the operating system.
        peak_mb: largest resident memory.
        base_mb: resident memory before the first window was cut: Python and torch.
        threads: that torch used.
        parameters: of the network.
        train_seconds: processor seconds of the training.
        epochs: of the training.
        latency_ms: median wall time of one forecast of seven days.
        forecast_cpu_ms: mean processor time of one forecast.
        forecast_joules: of one forecast, with the source ``energy_source``.
        error: mean absolute error on the test part, normalised.
        profile_error: that of the profile.
        export_difference: largest difference between the exported and the original network.
        numpy_difference: the same for :func:`forecast`, which needs numpy alone.
    """

    method: str
    limit_mb: int
    peak_mb: float
    base_mb: float
    threads: int
    parameters: int
    train_seconds: float
    epochs: int
    latency_ms: float
    forecast_cpu_ms: float
    forecast_joules: float
    energy_source: str
    error: float
    profile_error: float
    export_difference: float
    numpy_difference: float


def run(
    country: str,
    seed: int,
    epochs: int,
    method: str = "ReCycle, zero head",
    limit_mb: int = 600,
    timeout: float = 300,
) -> Report:
    """Train and forecast for one country in a child process with one thread and limited memory.

    Args:
        country: ISO code.
        seed: of the weights.
        epochs: of the training; a slow method sees an eighth of the windows.
        method: a key of :data:`efficient_ai.recycle.METHODS`, or :data:`RIDGE`, which has no epochs.
        limit_mb: the operating system refuses any memory beyond it.
        timeout: seconds after which the child is killed.

    Raises:
        MemoryError: the limit was too small.
        RuntimeError: the child failed otherwise; the message has its last words.
    """
    task = {"country": country, "seed": seed, "epochs": epochs, "limit_mb": limit_mb, "method": method}
    one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-m", "efficient_ai.recycle._edge_child", json.dumps(task)],
        env=os.environ | one, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip
    if done.returncode:
        words = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        if "MemoryError" in done.stderr or "allocate memory" in done.stderr or "bad_alloc" in done.stderr:
            raise MemoryError(f"{limit_mb} MB are not enough: {words[0]}")
        raise RuntimeError(f"the limited process failed: {words[0]}")
    return Report(**json.loads(done.stdout.splitlines()[-1]))


def export(model: nn.Module, x: torch.Tensor, path: Path) -> None:
    """Write the network as a program of ``torch.export`` for inputs of the shape of ``x``."""
    model.eval()
    torch.export.save(torch.export.export(model, (x,)), path)


def load(path: Path) -> nn.Module:
    """The exported network, without the class that it came from."""
    return torch.export.load(path).module()


def weights(model: ReCycle) -> dict[str, np.ndarray]:
    """All parameters of the network as arrays, by name."""
    return {name: tensor.detach().numpy() for name, tensor in model.state_dict().items()}


def forecast(
    parameters: Mapping[str, np.ndarray], x: np.ndarray, history: int = 21, cycle: int = 24
) -> np.ndarray:
    """The forecast of a point network with one head and one layer each, in numpy: all that a small device needs.

    Args:
        parameters: what :func:`weights` returned.
        x: one window, shape ``(H + F, cycle + m)``.

    Returns:
        shape ``(F, cycle)``
    """

    def part(prefix: str) -> dict[str, np.ndarray]:
        return {name[len(prefix) :]: value for name, value in parameters.items() if name.startswith(prefix)}

    past = _linear(part("embed_history."), x[:history])
    asked = _linear(part("embed_future."), x[history:])
    layer = part("transformer.encoder.layers.0.")
    past = _norm(layer, "norm1", past + _attention(layer, "self_attn.", past, past))
    past = _norm(layer, "norm2", past + _feed(layer, past))
    past = _norm(part("transformer.encoder."), "norm", past)
    layer = part("transformer.decoder.layers.0.")
    asked = _norm(layer, "norm1", asked + _attention(layer, "self_attn.", asked, asked))
    asked = _norm(layer, "norm2", asked + _attention(layer, "multihead_attn.", asked, past))
    asked = _norm(layer, "norm3", asked + _feed(layer, asked))
    asked = _norm(part("transformer.decoder."), "norm", asked)
    return x[history:, :cycle] + _linear(part("head."), asked)


def _linear(p: Mapping[str, np.ndarray], x: np.ndarray, name: str = "") -> np.ndarray:
    return x @ p[name + "weight"].T + p[name + "bias"]


def _feed(p: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    return _linear(p, np.maximum(_linear(p, x, "linear1."), 0), "linear2.")


def _norm(p: Mapping[str, np.ndarray], name: str, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return scaled * p[name + ".weight"] + p[name + ".bias"]


def _attention(p: Mapping[str, np.ndarray], name: str, x: np.ndarray, other: np.ndarray) -> np.ndarray:
    width = x.shape[-1]
    query, key, value = (
        source @ p[name + "in_proj_weight"][i * width : (i + 1) * width].T
        + p[name + "in_proj_bias"][i * width : (i + 1) * width]
        for i, source in enumerate((x, other, other))
    )
    scores = query @ key.T / np.sqrt(width)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return _linear(p, scores / scores.sum(axis=-1, keepdims=True) @ value, name + "out_proj.")
