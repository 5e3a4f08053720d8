"""One training of a network of this book, in a process of its own.

python ours.py METHOD SEED SECONDS TEST_STRIDE
"""

import json
import sys

import torch

from efficient_ai import recycle

EPOCHS = 10


def peak_mb() -> float:
    """Peak resident memory of this process since it was started; ``ru_maxrss`` would begin with that of its parent."""
    (line,) = (line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    name, seed, seconds, stride = sys.argv[1:]
    torch.set_num_threads(1)
    budget = recycle.Budget(
        stride=1, epochs=EPOCHS, batch=32, patience=EPOCHS, cpu_seconds=float(seconds), valid_stride=30,
        test_stride=int(stride),
    )  # fmt: skip
    job = recycle.Job("europe", name, int(seed), budget)
    network, result = recycle.train(job)
    _, _, test = recycle.parts(job)
    print(
        json.dumps(
            {
                "mae": result.mae.tolist(),
                "mase": result.mase.tolist(),
                "cpu_seconds": result.cpu_seconds,
                "steps": result.epochs * result.samples // budget.batch,
                "parameters": result.parameters,
                "latency_ms": 1e3 * recycle.cpu_latency(network, test.x[:1], repeats=50),
                "peak_mb": peak_mb(),
            }
        )
    )


if __name__ == "__main__":
    main()
