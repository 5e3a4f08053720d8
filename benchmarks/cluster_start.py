"""How long start_cluster takes, from nothing to the first answer of all ranks, and how long stop takes.

    python benchmarks/cluster_start.py [ranks] [repeats]

Writes results/benchmarks/cluster_start.json with the load of the machine beside each time: a busy machine is slower.
"""

import json
import os
import platform
import statistics
import sys
import time
from itertools import pairwise
from pathlib import Path

from efficient_ai._paths import project_root
from efficient_ai.parallel import start_cluster


def one_start(ranks: int) -> dict:
    """Seconds of one start, first call and stop, and the load before."""
    load = os.getloadavg()[0]
    times = [time.perf_counter()]
    cluster = start_cluster(ranks, where="laptop")
    times.append(time.perf_counter())
    assert cluster.run(lambda comm: comm.allreduce(1)) == [ranks] * ranks
    times.append(time.perf_counter())
    cluster.stop()
    times.append(time.perf_counter())
    start, first_call, stop = (round(b - a, 3) for a, b in pairwise(times))
    return {"start_s": start, "first_call_s": first_call, "stop_s": stop, "load": round(load, 2)}


def main() -> None:
    """Measure, print a line, write the file."""
    ranks = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    repeats = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    runs = [one_start(ranks) for _ in range(repeats)]
    median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    machine = (
        f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    folder = (project_root() or Path.cwd()) / "results" / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    report = {
        "ranks": ranks,
        "machine": machine,
        "date": time.strftime("%Y-%m-%d"),
        "median": median,
        "runs": runs,
    }
    (folder / "cluster_start.json").write_text(json.dumps(report, indent=1) + "\n")
    print(f"{ranks} ranks on {machine}: {median}")


if __name__ == "__main__":
    main()
