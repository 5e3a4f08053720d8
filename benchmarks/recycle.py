"""Side by side: day tokens on residuals, and the forecasters of neuralforecast, for equal processor time on the same windows.

    python benchmarks/recycle.py                 twenty minutes on a quiet machine
    python benchmarks/recycle.py --seeds 1 --seconds 3

Makes the peers' environment in ``build/peers/recycle`` on the first call and writes ``results/benchmarks/recycle.json``. Every side trains on the hours of 2017 and 2018 of all countries and forecasts the same windows of 2020, a week
from three weeks; one thread each. Sides of the same name share the idea, not the code or the defaults.
"""

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch

from efficient_ai import records, recycle
from efficient_ai._paths import project_root

HERE = Path(__file__).resolve().parent
ROOT = project_root() or HERE.parent
PEERS = records.Peers("recycle")
STRIDE = 3  # days between test windows
OURS = ("ReCycle, zero head", "ReCycle", "days, no residual", "NLinear", "DLinear", "PatchTST", "Autoformer")
THEIRS = ("NLinear", "DLinear", "PatchTST", "Autoformer", "Informer")


def hours(panel: recycle.Panel) -> np.ndarray:
    """The training days as hours, gaps bridged by straight lines, float32, shape ``(series, hours)``."""
    rows = panel.days[:, slice(*panel.split.train)].reshape(len(panel.names), -1)
    steps = np.arange(rows.shape[1])
    good = np.isfinite(rows)
    return np.stack([np.interp(steps, steps[g], row[g]) for row, g in zip(rows, good, strict=True)]).astype(
        np.float32
    )


def measure(job: dict, cut: recycle.Windows, source: Path) -> dict:
    """One training in a process of its own; the forecasts of the peer are scored here, by the same function."""
    what = [job["method"], job["seed"], job["seconds"]]
    run = partial(records.child, timeout=1800, env={"PYTHONPATH": str(ROOT / "lib")})
    if job["side"] == "this book":
        return run([sys.executable, HERE / "recycle_sides" / "ours.py", *what, STRIDE])
    target = source.with_name("forecast.npy")
    found = run([PEERS.python, HERE / "recycle_sides" / "forecasters.py", *what, source, target])
    forecast = torch.from_numpy(np.load(target)).unflatten(1, cut.y.shape[1:])
    return {"mae": recycle.mae(forecast, cut).tolist(), "mase": recycle.mase(forecast, cut).tolist()} | found


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0, help="processor time of one training")
    chosen = parser.parse_args()
    europe = recycle.source("europe")
    cut = recycle.windows(europe, "test", recycle.Recipe(), stride=STRIDE)
    jobs = [
        {"side": side, "method": method, "seed": seed, "seconds": chosen.seconds}
        for seed in range(chosen.seeds)
        for side, methods in (("this book", OURS), ("neuralforecast", THEIRS))
        for method in methods
    ]
    sitting = records.Sitting("recycle")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in.npz"
        np.savez(source, series=hours(europe), history=cut.raw.flatten(1).numpy())
        rows = sitting.run(jobs, partial(measure, cut=cut, source=source))
    profile = {"mase": recycle.mase(cut.profile, cut).tolist()}
    sitting.write({"seconds": chosen.seconds, "windows": len(cut), "profile": profile, "rows": rows})


if __name__ == "__main__":
    main()
