"""The limited process of :func:`efficient_ai.recycle.edge.run`: one JSON in, one JSON out."""

import json
import resource
import sys
import tempfile
from pathlib import Path


def main(task: dict) -> dict:
    limit = task["limit_mb"] * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    import numpy as np
    import torch

    torch.set_num_threads(1)
    from efficient_ai import metering
    from efficient_ai.recycle import _cost, _runs, edge

    base = _peak_mb()
    linear = task["method"] == edge.RIDGE
    slow = not linear and _runs.METHODS[task["method"]].slow
    budget = _runs.Budget(epochs=task["epochs"], stride=8 if slow else 1, valid_stride=5, test_stride=5)
    windows_of = "days, no residual" if linear else task["method"]  # a linear map reads raw days
    job = _runs.Job(f"europe:{task['country']}", windows_of, task["seed"], budget)
    repeats = 20 if slow else 200
    test = _runs.parts(job)[2]
    one = test.x[:1]
    if linear:
        model, trained = _closed_form(job)
    else:
        model, result = _runs.train(job)
        trained = {
            "parameters": result.parameters, "train_seconds": result.cpu_seconds, "epochs": result.epochs,
            "error": float(result.mae.mean()),
        }  # fmt: skip
    report = {
        "method": task["method"], "limit_mb": task["limit_mb"], "base_mb": base, "threads": torch.get_num_threads(), **trained,
        "latency_ms": 1e3 * _cost.latency(model, one, repeats=repeats),
        "forecast_cpu_ms": 1e3 * _cost.cpu_latency(model, one, repeats=repeats),
        "profile_error": float((test.profile - test.y).abs().mean()),
    }  # fmt: skip
    with metering.measure("forecasts") as meter, torch.no_grad():
        for _ in range(repeats):
            model(one)
    report |= {
        "forecast_joules": meter.joules / repeats,
        "energy_source": meter.source,
        "peak_mb": _peak_mb(),
    }
    report |= {"export_difference": 0.0, "numpy_difference": 0.0}
    if task["method"].startswith("ReCycle"):
        with tempfile.TemporaryDirectory() as folder:
            edge.export(model, one, Path(folder) / "recycle.pt2")
            exported = edge.load(Path(folder) / "recycle.pt2")
        plain = edge.weights(model)
        for x in test.x[:20].split(1):
            with torch.no_grad():
                wanted = model(x)
                again = exported(x)
            alone = edge.forecast(plain, x[0].numpy())
            report["export_difference"] = max(
                report["export_difference"], float((again - wanted).abs().max())
            )
            report["numpy_difference"] = max(
                report["numpy_difference"], float(np.abs(alone - wanted[0].numpy()).max())
            )
    return report


def _closed_form(job):
    """Ridge regression with profile and calendar in place of a network: a module that forecasts the first test window."""
    import time

    import numpy as np
    from torch import nn

    from efficient_ai.recycle import _runs
    from efficient_ai.recycle._baselines import fit_ridge

    train, valid, test = _runs.parts(job)
    began = time.process_time()
    ridge = fit_ridge(train, valid, calendar=True)
    spent = time.process_time() - began

    class Linear(nn.Module):
        window = test.take(np.arange(1))

        def forward(self, x):
            return ridge(self.window)

    error = float((ridge(test) - test.y).abs().mean())
    return Linear(), {"parameters": ridge.parameters, "train_seconds": spent, "epochs": 0, "error": error}


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if (
        status.exists()
    ):  # what getrusage says on Linux begins with the size of the process that started this one
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
