"""Side by side: day tokens on residuals, and the forecasters of neuralforecast, for equal processor time on the same windows.

    python benchmarks/recycle.py                 ten minutes on two quiet cores
    python benchmarks/recycle.py --seeds 1 --seconds 3

Makes the peers' environment in ``build/peers/recycle`` on the first call and writes ``results/benchmarks/recycle.json``. Every side trains on the hours of 2017 and 2018 of all countries and forecasts the same windows of 2020, a week
from three weeks; one thread each. Sides of the same name share the idea, not the code or the defaults.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

from efficient_ai import provenance, recycle
from efficient_ai._paths import build_dir, project_root

HERE = Path(__file__).resolve().parent
ROOT = project_root() or HERE.parent
PEERS = build_dir() / "peers" / "recycle"
STRIDE = 3  # days between test windows
OURS = ("ReCycle, zero head", "ReCycle", "days, no residual", "NLinear", "DLinear", "PatchTST", "Autoformer")
THEIRS = ("NLinear", "DLinear", "PatchTST", "Autoformer", "Informer")


def peers_python() -> Path:
    """The interpreter of the peers' environment, which is made if it is not there or its requirements changed."""
    requirements = HERE / "recycle-requirements.txt"
    wanted, noted = requirements.read_text(), PEERS / "requirements.txt"
    if not noted.exists() or noted.read_text() != wanted:
        print(f"making the environment of the peers in {PEERS}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS], check=True)
        pip = [PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", requirements]
        subprocess.run(pip, check=True)
        noted.write_text(wanted)
    return PEERS / "bin" / "python"


def hours(panel: recycle.Panel) -> np.ndarray:
    """The training days as hours, gaps bridged by straight lines, float32, shape ``(series, hours)``."""
    rows = panel.days[:, slice(*panel.split.train)].reshape(len(panel.names), -1)
    steps = np.arange(rows.shape[1])
    good = np.isfinite(rows)
    return np.stack([np.interp(steps, steps[g], row[g]) for row, g in zip(rows, good, strict=True)]).astype(
        np.float32
    )


def ours(name: str, seed: int, seconds: float) -> dict:
    """One training of this book's own network in a child process."""
    done = _child(
        [sys.executable, HERE / "recycle_sides" / "ours.py", name, str(seed), str(seconds), str(STRIDE)]
    )
    return {"side": "this book", "method": name, "seed": seed} | done


def theirs(name: str, seed: int, seconds: float, cut: recycle.Windows, source: Path) -> dict:
    """One training of the peer in its environment; its forecasts are scored here, by the same function."""
    target = source.parent / f"{name}-{seed}.npy"
    done = _child(
        [
            peers_python(),
            HERE / "recycle_sides" / "forecasters.py",
            name,
            str(seed),
            str(seconds),
            source,
            target,
        ]
    )
    forecast = torch.from_numpy(np.load(target)).unflatten(1, cut.y.shape[1:])
    scores = {"mae": recycle.mae(forecast, cut).tolist(), "mase": recycle.mase(forecast, cut).tolist()}
    return {"side": "neuralforecast", "method": name, "seed": seed} | scores | done


def _child(command: list) -> dict:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = os.environ | threads | {"PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run(
        list(map(str, command)), env=environment, capture_output=True, text=True, timeout=1800
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0, help="processor time of one training")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    began, commit = datetime.now(UTC).isoformat(timespec="seconds"), provenance.commit()
    peers_python()
    europe = recycle.source("europe")
    cut = recycle.windows(europe, "test", recycle.Recipe(), stride=STRIDE)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.workers) as pool:
        source = Path(folder) / "in.npz"
        np.savez(source, series=hours(europe), history=cut.raw.flatten(1).numpy())
        jobs = [
            job
            for seed in range(chosen.seeds)
            for job in (
                *(pool.submit(ours, name, seed, chosen.seconds) for name in OURS),
                *(pool.submit(theirs, name, seed, chosen.seconds, cut, source) for name in THEIRS),
            )
        ]
        rows = []
        for job in jobs:
            rows.append(job.result())
            shown = {k: v for k, v in rows[-1].items() if not isinstance(v, list)}
            print(shown, "MASE", round(float(np.mean(rows[-1]["mase"])), 4), flush=True)
    report = {
        "machine": provenance.machine(), "date": began, "commit": commit, "versions": provenance.versions(),
        "load": list(os.getloadavg()[:2]), "seconds": chosen.seconds, "windows": len(cut),
        "profile": {"mase": recycle.mase(cut.profile, cut).tolist()}, "rows": rows,
    }  # fmt: skip
    provenance.write_json(ROOT / "results" / "benchmarks" / "recycle.json", report)


if __name__ == "__main__":
    main()
