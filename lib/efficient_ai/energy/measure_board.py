"""Measures a GPU board: kernels of equal length, joules per sample, and a trace of its counter and its power readings.

All joules are those of all boards of the machine. :class:`efficient_ai.energy.board.Board` reads the report.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import numpy as np
import torch

from efficient_ai import data, provenance
from efficient_ai.energy import forecast, vgg, workload
from efficient_ai.metering import EnergyError, Sampler, Sensor, Series, Source, measure, nvml, survey

BATCHES = (1, 8, 64, 512)


def record(
    repeats: int, seconds: float, *, device: str = "cuda", size: int = 4096, library: Any = None
) -> dict[str, Any]:
    """Everything, as a report for a JSON file.

    Args:
        repeats: of each measurement.
        seconds: of one window of the costs per sample; the others are some times longer.
        device: where the kernels run.
        size: rows of the smaller matrices; the larger ones have twice as many.
        library: stands in for the module ``pynvml``.

    Raises:
        EnergyError: no board can be read here, or torch sees no GPU.
    """
    status = nvml(library)
    if status.source is None or (device == "cuda" and not torch.cuda.is_available()):
        raise EnergyError(
            f"no board can be read here ({status.detail}): run this on a machine with an NVIDIA GPU"
        )
    board = status.source
    torch.zeros(1, device=device)  # from here on a program holds the board
    report = {
        "machine": provenance.machine(), "commit": provenance.commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "versions": provenance.versions(),
        "sources": [{"name": s.name, "state": s.state, "detail": s.detail} for s in survey()],
        "boards": len(board.sensors), "label": board.label,
    }  # fmt: skip
    pieces, order = _kernels(device, size), np.random.default_rng(0)
    report["kernels"] = [
        {"repeat": r, "kernel": str(name)}
        | _repeat(str(name), _whole(pieces[str(name)], device), 2.5 * seconds, board)
        for r in range(repeats)
        for name in order.permutation(list(pieces))
    ]
    del pieces
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        report["costs"] = _costs(repeats, seconds, board, device)
    finally:
        torch.set_num_threads(threads)
    report["trace"] = _trace(4 * seconds, device, size, library or import_module("pynvml"))
    return report


def _kernels(device: str, size: int) -> dict[str, Callable[[], object]]:
    """Pieces of work of some milliseconds on a large board."""
    draw = torch.Generator(device).manual_seed(0)
    single = torch.randn(size, size, device=device, generator=draw)
    half = torch.randn(2 * size, 2 * size, device=device, generator=draw).to(torch.bfloat16)
    source = torch.zeros(24 * size * size, device=device)
    target = torch.empty_like(source)
    wide, narrow = torch.empty_like(half), torch.empty_like(single)
    return {
        "waiting": lambda: time.sleep(0.005),
        "copying memory": lambda: [target.copy_(source) for _ in range(4)],
        "product, float32": lambda: [torch.mm(single, single, out=narrow) for _ in range(2)],
        "product, bfloat16": lambda: [torch.mm(half, half, out=wide) for _ in range(4)],
    }


def _repeat(name: str, piece: Callable[[], object], seconds: float, board: Source) -> dict:
    """Joules of the boards while ``piece`` is repeated for ``seconds``."""
    piece()
    with measure(name, source=board, period=0.5) as meter:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            piece()
    return {"joules": meter.joules, "seconds": meter.seconds, "watts": meter.watts, "label": meter.source}


def _networks(device: str) -> dict:
    """Both networks of the chapter with 512 samples each."""
    torch.manual_seed(0)
    week = forecast.weeks(512, 8, 8).train
    images = data.fashion_mnist(train=512, valid=8, test=8)
    pixels, label = (torch.from_numpy(part).to(device) for part in (images.x_train, images.y_train))
    x, y = (part.to(device) for part in week)
    return {
        "forecaster": (forecast.Forecaster().to(device), x, y, torch.nn.functional.mse_loss),
        "small VGG": (vgg.Vgg().to(device), pixels, label, torch.nn.functional.cross_entropy),
    }


def _whole(step: Callable[[], object], device: str) -> Callable[[], None]:
    """The step, and on a GPU the end of its work: a caller who wants the answer waits for it."""

    def whole():
        step()
        if device == "cuda":
            torch.cuda.synchronize()

    return whole


def _costs(repeats: int, seconds: float, board: Source, gpu: str) -> list[dict]:
    """Joules of the boards and seconds of the processor for each network, device, mode, batch size and repeat."""
    made = {"cuda": _networks(gpu), "cpu": _networks("cpu")}
    jobs = [
        (r, device, name, mode, batch)
        for r in range(repeats)
        for device in made
        for name in made[device]
        for mode in workload.MODES
        for batch in BATCHES
    ]
    rows = []
    for r, device, name, mode, batch in jobs:
        model, x, y, loss = made[device][name]
        step = _whole(workload.step_of(model, x[:batch], y[:batch], loss, mode), str(x.device.type))
        cost = workload.cost(mode, step, batch, seconds, source=board)
        rows.append(
            {
                "repeat": r, "device": device, "network": name, "mode": mode, "batch": batch, "samples": cost.samples,
                "board joules": cost.measurement.joules, "seconds": cost.measurement.seconds,
                "processor seconds": cost.measurement.cpu_seconds, "label": cost.measurement.source,
            }
        )  # fmt: skip
    return rows


def _trace(seconds: float, device: str, size: int, library: Any) -> dict:
    """Counter and power of the first board, ten times a second: idle, training, idle, large products, idle."""
    board = library.nvmlDeviceGetHandleByIndex(0)
    sensors = [
        Sensor("counter", lambda: library.nvmlDeviceGetTotalEnergyConsumption(board) / 1000),
        Sensor("power", lambda: library.nvmlDeviceGetPowerUsage(board) / 1000, counter=False),
    ]
    sampler, done = Sampler(sensors, period=0.1), threading.Event()
    model, x, y, loss = _networks(device)["small VGG"]
    step = _whole(workload.step_of(model, x, y, loss, "training"), device)
    product = _whole(_kernels(device, size)["product, bfloat16"], device)
    step(), product()
    phases = [("idle", None, 1.0), ("training the small VGG", step, 2.0), ("idle", None, 1.0),
              ("product, bfloat16", product, 1.5), ("idle", None, 1.0)]  # fmt: skip
    began, marks = sampler.start().began, []
    for name, piece, share in phases:
        start = time.perf_counter()
        while time.perf_counter() < start + share * seconds:
            if piece is None:
                done.wait(0.02)
            else:
                piece()
        marks.append([name, round(start - began, 3), round(time.perf_counter() - began, 3)])
    sampler.stop()
    return {
        "phases": marks,
        **{
            name: {
                "times": [round(t - began, 4) for t in series.times],
                "values": _since_start(series) if series.counter else series.values,
            }
            for name, series in zip(("counter", "power"), sampler.series, strict=True)
        },
    }


def _since_start(series: Series) -> list[float | None]:
    """A counter's readings as joules since its first one."""
    first = next(value for value in series.values if value is not None)
    return [None if value is None else round(value - first, 3) for value in series.values]
