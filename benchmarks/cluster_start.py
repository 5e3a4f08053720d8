"""How long start_cluster takes, from nothing to the first answer of all ranks, and how long stop takes.

    python benchmarks/cluster_start.py [ranks] [repeats]

Writes results/benchmarks/cluster_start.json with the load of the machine beside each time: a busy machine is slower.
"""

import argparse
import statistics
import time
from itertools import pairwise

from efficient_ai import records
from efficient_ai.parallel import start_cluster


def one_start(ranks: int) -> dict[str, float]:
    """Seconds of one start, first call and stop."""
    times = [time.perf_counter()]
    cluster = start_cluster(ranks, where="laptop")
    times.append(time.perf_counter())
    if cluster.run(lambda comm: comm.allreduce(1)) != [ranks] * ranks:
        raise RuntimeError("the ranks do not answer alike")
    times.append(time.perf_counter())
    cluster.stop()
    times.append(time.perf_counter())
    names = ("start_s", "first_call_s", "stop_s")
    return dict(zip(names, (round(b - a, 3) for a, b in pairwise(times)), strict=True))


def main() -> None:
    """Measure, print a line, write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ranks", type=int, nargs="?", default=4)
    parser.add_argument("repeats", type=int, nargs="?", default=7)
    chosen = parser.parse_args()
    sitting = records.Sitting("cluster_start", fresh=True)
    jobs = [{"repeat": repeat} for repeat in range(chosen.repeats)]
    rows = sitting.run(jobs, lambda job: one_start(chosen.ranks))
    median = {
        name: statistics.median(row[name] for row in rows) for name in ("start_s", "first_call_s", "stop_s")
    }
    sitting.write({"ranks": chosen.ranks, "median": median, "rows": rows})
    print(f"{chosen.ranks} ranks: {median}")


if __name__ == "__main__":
    main()
