"""Runs in the peers' environment: trains one network of neuralforecast for some seconds and forecasts the given windows.

    python forecasters.py METHOD SEED SECONDS IN.npz OUT.npy

``IN.npz`` holds ``series`` ``(series, hours)`` to train on and ``history`` ``(windows, 504)`` to forecast from, normalised. The
forecasts, ``(windows, 168)``, go to ``OUT.npy``; one line of JSON says what they cost.
"""

import importlib.metadata
import json
import logging
import sys
import time
import warnings

import numpy as np
import pandas as pd
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MAE
from neuralforecast.models import Autoformer, DLinear, Informer, NLinear, PatchTST
from pytorch_lightning import Callback

HORIZON, INPUT = 168, 504
# A step of the package lists all windows of its series before it draws some. One series a step is by far the most work done
# per second on a processor.
SERIES, WINDOWS = 1, 64
METHODS = {
    "NLinear": (NLinear, {}),
    "DLinear": (DLinear, {}),
    "PatchTST": (PatchTST, {}),
    "Autoformer": (Autoformer, {}),
    "Informer": (Informer, {}),
}
warnings.filterwarnings("ignore")
logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)


class Counter(Callback):
    """Counts the steps and ends the training when its processor time is used up."""

    def __init__(self, seconds: float):
        self.seconds, self.steps, self.began = seconds, 0, 0.0

    def __deepcopy__(self, memo) -> "Counter":
        return self  # the package trains a copy of the network, with this one counter

    def on_train_start(self, trainer, module) -> None:
        self.began = time.process_time()

    def on_train_batch_end(self, trainer, *_) -> None:
        self.steps += 1
        if time.process_time() - self.began > self.seconds:
            trainer.should_stop = True


def build(name: str, seed: int, counter: Counter):
    """The network as the package ships it, but for horizon, input, loss, rate and batch."""
    made, own = METHODS[name]
    return made(
        h=HORIZON, input_size=INPUT, loss=MAE(), max_steps=10**6, learning_rate=1e-3, scaler_type="identity",
        batch_size=SERIES, windows_batch_size=WINDOWS, random_seed=seed, val_check_steps=10**6,
        accelerator="cpu", devices=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[counter], **own,
    )  # fmt: skip


def frame(series: np.ndarray) -> pd.DataFrame:
    """Series by series, hour by hour."""
    hours = pd.date_range("2017-01-01", periods=series.shape[1], freq="h")
    return pd.concat([pd.DataFrame({"unique_id": i, "ds": hours, "y": row}) for i, row in enumerate(series)])


@torch.no_grad()
def forecast(network, history: torch.Tensor, batch: int = 256) -> torch.Tensor:
    """All windows through the trained network in evaluation mode."""
    network.eval()
    parts = []
    for rows in history.split(batch):
        y = rows.unsqueeze(-1)
        given = {"insample_y": y, "insample_mask": torch.ones_like(y)}
        given |= dict.fromkeys(("futr_exog", "hist_exog", "stat_exog"))
        parts.append(network(given).reshape(len(rows), -1)[:, :HORIZON])
    return torch.cat(parts)


def peak_mb() -> float:
    """Peak resident memory of this process since it was started; ``ru_maxrss`` would begin with that of its parent."""
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    name, seed, seconds, source, target = sys.argv[1:]
    torch.set_num_threads(1)
    given = np.load(source)
    counter = Counter(float(seconds))
    network = build(name, int(seed), counter)
    framed = frame(given["series"])
    package = NeuralForecast(models=[network], freq="h")
    package.fit(framed)
    (network,) = package.models
    if counter.steps == 0:
        raise RuntimeError(f"{name} was not trained: no step was counted")
    spent = time.process_time() - counter.began
    history = torch.from_numpy(given["history"])
    np.save(target, forecast(network, history).numpy())
    waits = []
    for _ in range(50):
        start = time.process_time()
        forecast(network, history[:1])
        waits.append(time.process_time() - start)
    print(
        json.dumps(
            {
                "cpu_seconds": spent,
                "steps": counter.steps,
                "parameters": sum(p.numel() for p in network.parameters() if p.requires_grad),
                "latency_ms": 1e3 * float(np.median(waits)),
                "peak_mb": peak_mb(),
                "version": importlib.metadata.version("neuralforecast"),
            }
        )
    )


if __name__ == "__main__":
    main()
