"""The reference implementation of CMA-ES, package ``cma``: ``python with_cma.py JOBS OUT``.

Started as its manual suggests: in a random point of the box, a third of the box wide, with its own handling of bounds.
When it stops before the budget is spent, it starts again in another point.
"""

import json
import random
import sys
import time
import warnings
from pathlib import Path

import cma
import common


def run(job: dict) -> dict:
    """Run one job and return its record."""
    evaluate, names, low, high = common.problem(job)
    rng = random.Random(job["repeat"])
    events = []
    begin, cpu = time.monotonic(), time.process_time()
    while len(events) < job["evaluations"]:
        start = [rng.uniform(low, high) for _ in names]
        options = {"bounds": [low, high], "seed": rng.randrange(1, 2**31), "verbose": -9}
        search = cma.CMAEvolutionStrategy(start, (high - low) / 3, options)
        while not search.stop() and len(events) < job["evaluations"]:
            candidates = search.ask()
            losses = [evaluate(dict(zip(names, map(float, x), strict=True))) for x in candidates]
            search.tell(candidates, losses)
            events += [(time.monotonic() - begin, loss, 0, time.process_time() - cpu) for loss in losses]
    seconds, cpu = time.monotonic() - begin, time.process_time() - cpu
    return common.record(events[: job["evaluations"]], seconds, cpu)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # advice about settings
    Path(sys.argv[2]).write_text(json.dumps([run(job) for job in json.loads(sys.argv[1])]))
