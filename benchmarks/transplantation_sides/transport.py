"""Runs in the peers' environment: exact plans of POT beside ours. Last line of the output: JSON.

python transport.py REPEATS
"""

import importlib.metadata
import json
import sys
import time

import numpy as np
import ot

from efficient_ai.transplantation import transport_plan


def compare(n: int, m: int, repeats: int) -> dict:
    """Cost of both plans and seconds of each, in turns."""
    rng = np.random.default_rng(n + m)
    points = rng.standard_normal((n, 32)), rng.standard_normal((m, 32))
    cost = np.linalg.norm(points[0][:, None] - points[1][None], axis=-1)
    rows, columns = np.full(n, 1 / n), np.full(m, 1 / m)
    calls = {
        "ours": lambda: transport_plan(cost),
        "POT": lambda: ot.emd(rows, columns, cost, numItermax=10**7),
    }
    plans = {side: call() for side, call in calls.items()}
    seconds: dict[str, list[float]] = {side: [] for side in calls}
    for _ in range(repeats):
        for side, call in calls.items():
            began = time.perf_counter()
            call()
            seconds[side].append(time.perf_counter() - began)
    return {
        "from": n, "to": m, "repeats": repeats,
        "cost": {side: float((plan * cost).sum()) for side, plan in plans.items()},
        "largest difference of the plans": float(np.abs(plans["ours"] - plans["POT"]).max()),
        "seconds": {side: min(values) for side, values in seconds.items()},
        "ratio": min(seconds["POT"]) / min(seconds["ours"]),
    }  # fmt: skip


if __name__ == "__main__":
    repeats = int(sys.argv[1])
    sizes = ((64, 64), (128, 128), (256, 256), (512, 512), (48, 32), (96, 64))
    versions = {name: importlib.metadata.version(name) for name in ("POT", "numpy", "scipy")}
    print(json.dumps({"versions": versions, "rows": [compare(*size, repeats) for size in sizes]}))
