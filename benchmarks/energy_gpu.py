"""What the counter of a GPU says: idle, kernels of equal length, joules per sample, and a trace of its power.

    python benchmarks/energy_gpu.py            on a machine with an NVIDIA board that nobody else uses, three minutes
    python benchmarks/energy_gpu.py --quick    one short repeat of each, to see whether it works

Writes ``results/benchmarks/energy-gpu.json``, which the chapter draws. All joules are those of all boards of the machine, read by
this book's instrument; the processor has seconds only, unless its counters can be read, too. Refuses to run without a sensor.
"""

import argparse
import threading
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import numpy as np
import torch

from efficient_ai import data, energy, provenance
from efficient_ai._paths import project_root
from efficient_ai.energy import forecast, vgg, workload

ROOT = project_root() or Path(__file__).resolve().parent.parent
BATCHES = (1, 8, 64, 512)


def kernels() -> dict:
    """Pieces of work of some milliseconds, the device waited for after each."""
    draw = torch.Generator("cuda").manual_seed(0)
    single = torch.randn(4096, 4096, device="cuda", generator=draw)
    half = torch.randn(8192, 8192, device="cuda", generator=draw).to(torch.bfloat16)
    source = torch.zeros(400_000_000, device="cuda")
    target = torch.empty_like(source)
    wide, narrow = torch.empty_like(half), torch.empty_like(single)
    return {
        "waiting": lambda: time.sleep(0.005),
        "copying memory": lambda: [target.copy_(source) for _ in range(4)],
        "product, float32": lambda: [torch.mm(single, single, out=narrow) for _ in range(2)],
        "product, bfloat16": lambda: [torch.mm(half, half, out=wide) for _ in range(4)],
    }


def repeat(name: str, piece, seconds: float, board: energy.Source) -> dict:
    """Joules of the boards while ``piece`` is repeated for ``seconds``."""
    piece()
    torch.cuda.synchronize()
    with energy.measure(name, source=board, period=0.5) as meter:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            piece()
            torch.cuda.synchronize()
    return {"joules": meter.joules, "seconds": meter.seconds, "watts": meter.watts, "label": meter.source}


def networks(device: str) -> dict:
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


def waiting_for(step, device: str):
    """The step, and on a GPU the end of its work: a caller who wants the answer waits for it."""

    def whole():
        step()
        if device == "cuda":
            torch.cuda.synchronize()

    return whole


def costs(repeats: int, seconds: float, board: energy.Source) -> list[dict]:
    """Joules of the boards and seconds of the processor for each network, device, mode, batch size and repeat."""
    made = {device: networks(device) for device in ("cuda", "cpu")}
    torch.set_num_threads(1)
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
        step = waiting_for(workload.step_of(model, x[:batch], y[:batch], loss, mode), device)
        cost = workload.cost(mode, step, batch, seconds, source=board)
        rows.append(
            {
                "repeat": r, "device": device, "network": name, "mode": mode, "batch": batch, "samples": cost.samples,
                "board joules": cost.measurement.joules, "seconds": cost.measurement.seconds,
                "processor seconds": cost.measurement.cpu_seconds, "label": cost.measurement.source,
            }
        )  # fmt: skip
        print(rows[-1], flush=True)
    return rows


def trace(seconds: float) -> dict:
    """Counter and power of the first board, ten times a second: idle, training, idle, large products, idle."""
    library = import_module("pynvml")
    library.nvmlInit()
    board = library.nvmlDeviceGetHandleByIndex(0)
    sensors = [
        energy.Sensor("counter", lambda: library.nvmlDeviceGetTotalEnergyConsumption(board) / 1000),
        energy.Sensor("power", lambda: library.nvmlDeviceGetPowerUsage(board) / 1000, counter=False),
    ]
    sampler, done = energy.Sampler(sensors, period=0.1), threading.Event()
    model, x, y, loss = networks("cuda")["small VGG"]
    step, product = workload.step_of(model, x, y, loss, "training"), kernels()["product, bfloat16"]
    step(), product()
    torch.cuda.synchronize()
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
                torch.cuda.synchronize()
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


def _since_start(series: energy.Series) -> list[float | None]:
    """A counter's readings as joules since its first one."""
    first = next(value for value in series.values if value is not None)
    return [None if value is None else round(value - first, 3) for value in series.values]


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one short repeat of each")
    quick = parser.parse_args().quick
    status = energy.nvml()
    if status.source is None or not torch.cuda.is_available():
        raise SystemExit(
            f"no board can be read here ({status.detail}): run this on a machine with an NVIDIA GPU"
        )
    board, repeats, seconds = status.source, *((1, 0.3) if quick else (3, 0.7))
    torch.zeros(1, device="cuda")
    report = {
        "machine": provenance.machine(), "commit": provenance.commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "versions": provenance.versions(),
        "sources": [{"name": s.name, "state": s.state, "detail": s.detail} for s in energy.survey()],
        "boards": len(board.sensors), "label": board.label,
    }  # fmt: skip
    pieces, order = kernels(), np.random.default_rng(0)
    report["kernels"] = [
        {"repeat": r, "kernel": str(name)} | repeat(str(name), pieces[str(name)], 2.5 * seconds, board)
        for r in range(repeats + (not quick))
        for name in order.permutation(list(pieces))
    ]
    del pieces
    torch.cuda.empty_cache()
    print(report["kernels"], flush=True)
    report["costs"] = costs(repeats, seconds, board)
    report["trace"] = trace(4 * seconds)
    provenance.write_json(ROOT / "results" / "benchmarks" / "energy-gpu.json", report)


if __name__ == "__main__":
    main()
