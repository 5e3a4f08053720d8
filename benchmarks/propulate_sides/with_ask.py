"""Peers that are asked for candidates and told the losses, in one process: ``python with_ask.py JOBS OUT``.

* ``cma``: the reference implementation of CMA-ES, started as its manual suggests: in a random point of the box, a third of
  the box wide, with its own handling of bounds. When it stops before the budget is spent, it starts again.
* ``nevergrad``: its own choice of a method for the dimension and the budget, one candidate at a time.
* ``pymoo``: its genetic algorithm for real numbers with its defaults, 100 candidates to a generation.
"""

import json
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import common


def cma(low: float, high: float, dimension: int, budget: int, seed: int) -> Iterator[tuple[list, Callable]]:
    """Generations: the candidates of each, and whom to tell their losses."""
    import cma

    rng = random.Random(seed)
    while True:
        start = [rng.uniform(low, high) for _ in range(dimension)]
        options = {"bounds": [low, high], "seed": rng.randrange(1, 2**31), "verbose": -9}
        search = cma.CMAEvolutionStrategy(start, (high - low) / 3, options)
        while not search.stop():
            candidates = search.ask()
            yield candidates, lambda losses, search=search, asked=candidates: search.tell(asked, losses)


def nevergrad(
    low: float, high: float, dimension: int, budget: int, seed: int
) -> Iterator[tuple[list, Callable]]:
    """As :func:`cma`; generations of one."""
    import nevergrad

    box = nevergrad.p.Array(shape=(dimension,)).set_bounds(low, high)
    box.random_state.seed(seed)
    search = nevergrad.optimizers.NGOpt(parametrization=box, budget=budget, num_workers=1)
    while True:
        candidate = search.ask()
        yield [candidate.value], lambda losses, asked=candidate: search.tell(asked, losses[0])


def pymoo(low: float, high: float, dimension: int, budget: int, seed: int) -> Iterator[tuple[list, Callable]]:
    """As :func:`cma`."""
    import numpy as np
    from pymoo.algorithms.soo.nonconvex.ga import GA
    from pymoo.core.evaluator import Evaluator
    from pymoo.core.problem import Problem
    from pymoo.problems.static import StaticProblem

    box = Problem(n_var=dimension, n_obj=1, xl=low, xu=high)
    search = GA()
    search.setup(box, termination=("n_eval", 2 * budget), seed=seed, verbose=False)

    def tell(losses, asked):
        Evaluator().eval(StaticProblem(box, F=np.array(losses)[:, None]), asked)
        search.tell(infills=asked)

    while True:
        asked = search.ask()
        yield asked.get("X"), lambda losses, asked=asked: tell(losses, asked)


SIDES = {"cma": cma, "nevergrad": nevergrad, "pymoo": pymoo}


def run(job: dict) -> dict:
    """Run one job and return its record. Of a last generation that exceeds the budget, the rest is left out."""
    evaluate, names, low, high = common.problem(job)
    budget, events = job["evaluations"], []
    begin, cpu = time.monotonic(), time.process_time()
    for candidates, tell in SIDES[job["side"]](low, high, len(names), budget, job["repeat"]):
        losses = []
        for x in candidates:
            losses.append(evaluate(dict(zip(names, map(float, x), strict=True))))
            events.append((time.monotonic() - begin, losses[-1], 0, time.process_time() - cpu))
        if len(events) >= budget:
            break
        tell(losses)
    seconds, cpu = time.monotonic() - begin, time.process_time() - cpu
    return common.record(events[:budget], seconds, cpu)


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # advice about settings
    jobs = json.loads(sys.argv[1])
    # The first call of each package imports a large part of it: that belongs to no job.
    run(jobs[0] | {"evaluations": 20})
    Path(sys.argv[2]).write_text(json.dumps([run(job) for job in jobs]))
