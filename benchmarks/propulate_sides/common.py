"""What all sides share, in both environments: the functions, the clock of a run, and what is kept of it.

The standard library and numpy only; the book's nine functions come from their file, since the book itself is not
installed beside the peers.
"""

import importlib.util
import math
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np


def name_of(job: dict) -> str:
    """One line that names a job, for example ``overhead/tpe-sqlite/rastrigin/4000/2 processes/0``."""
    return "{part}/{side}/{function}/{evaluations}/{processes} processes/{repeat}".format(**job)


def folder_of(job: dict) -> str:
    """Name of the folder in which a job keeps its study."""
    return name_of(job).replace("/", "_").replace(" ", "-")


def sphere(values: list[float]) -> float:
    return sum(x * x for x in values)


def rastrigin(values: list[float]) -> float:
    return 10 * len(values) + sum(x * x - 10 * math.cos(2 * math.pi * x) for x in values)


FREE = {"sphere": (sphere, 2, 5.12), "rastrigin": (rastrigin, 20, 5.12)}
"""Objectives that cost microseconds: function of a list, dimension, half width of the box."""


@cache
def _book():
    """The book's module of functions, loaded by its path."""
    path = Path(__file__).resolve().parents[2] / "lib" / "efficient_ai" / "propulate" / "functions.py"
    spec = importlib.util.spec_from_file_location("_functions_of_the_book", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


def book_function(name: str, seed: int = 0):
    """One of the nine functions or of the harder rastrigins. ``seed``: of the noise, if it draws any."""
    book = _book()
    return {**book.FUNCTIONS, **book.HARDER}[name].noisy(np.random.default_rng(seed))


def problem(job: dict):
    """``(evaluate, names, low, high)``: evaluate takes the genes by name; ``low`` and ``high`` hold for every gene."""
    if job["part"] == "quality":
        function = book_function(job["function"], job["repeat"])
        return function, list(function.names), -function.bound, function.bound
    formula, dimension, half = FREE[job["function"]]
    names = [f"x{i}" for i in range(dimension)]
    return (lambda genes: formula(list(genes.values()))), names, -half, half


NAP = 0.002  # seconds


def problem_on_ranks(job: dict):
    """As :func:`problem`, for MPI ranks: ``evaluate`` also notes the processor time at its start in a list, which comes
    as the fifth value.

    Where quality is compared, an evaluation also sleeps. If it took no time at all, each rank would evaluate dozens of
    candidates before the machine lets the next one run, and all would breed from old news.
    """
    evaluate, names, low, high = problem(job)
    nap = NAP if job["part"] == "quality" else 0.0
    stamps: list[float] = []

    def noted(genes: dict) -> float:
        stamps.append(time.process_time())
        if nap:
            time.sleep(nap)
        return evaluate(genes)

    return noted, names, low, high, stamps


def grid(evaluations: int) -> list[int]:
    """Which numbers of evaluations a record keeps: twenty per decade and every hundredth of the whole."""
    geometric = {round(10 ** (k / 20)) for k in range(1 + math.ceil(20 * math.log10(evaluations)))}
    linear = {round(evaluations * k / 100) for k in range(1, 101)}
    windows = {round(n * part) for n in WINDOWS for part in (0.8, 1)}
    return sorted(n for n in geometric | linear | windows if 1 <= n <= evaluations)


WINDOWS = (100, 300, 400, 1000, 3000, 4000, 10_000, 30_000, 100_000)
"""Known individuals at which the overhead is read off: the mean over the last fifth, from ``0.8 n`` to ``n``."""


def record(events: list[tuple[float, float, int, float]], seconds: float, cpu: float) -> dict:
    """What is kept of a run.

    Args:
        events: of each evaluation when it ended, in seconds since the common start, its loss, the number of its process,
            and the processor seconds which that process had spent in the search loop so far; in any order.
        seconds: wall time of the search loop, from the common start until the last process was done.
        cpu: processor seconds of all processes in that loop.

    Returns:
        ``done`` evaluations, ``seconds``, ``cpu``, and thinned to :func:`grid`: ``clock``, triples of evaluations, seconds
        and processor seconds so far, and ``best``, pairs of evaluations and smallest loss so far.
    """
    events = sorted(events)
    best, clock, smallest, spent, total = [], [], math.inf, {}, 0.0
    for when, loss, process, used in events:
        smallest = min(smallest, loss)
        total += used - spent.get(process, 0.0)
        spent[process] = used
        best.append(smallest)
        clock.append((when, total))
    kept = grid(len(events))
    return {
        "done": len(events),
        "seconds": round(seconds, 6),
        "cpu": round(cpu, 6),
        "clock": [[n, *(round(value, 6) for value in clock[n - 1])] for n in kept],
        "best": [[n, float(f"{best[n - 1]:.6g}")] for n in kept],
    }
