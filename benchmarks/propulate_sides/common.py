"""What all sides share, in both environments: the functions, the clock of a run, and what is kept of it.

Imports the standard library only, and the library's benchmark functions where a job asks for one.
"""

import math
import resource

JOB_FIELDS = ("side", "function", "evaluations", "processes", "repeat")


def name_of(job: dict) -> str:
    """One line that names a job, for example ``tpe-sqlite/rastrigin/4000/2 processes/0``."""
    return "{side}/{function}/{evaluations}/{processes} processes/{repeat}".format(**job)


def sphere(values: list[float]) -> float:
    return sum(x * x for x in values)


def rastrigin(values: list[float]) -> float:
    return 10 * len(values) + sum(x * x - 10 * math.cos(2 * math.pi * x) for x in values)


FREE = {"sphere": (sphere, 2, 5.12), "rastrigin": (rastrigin, 20, 5.12)}
"""Objectives that cost microseconds: function of a list, dimension, half width of the box."""


def problem(function: str):
    """``(evaluate, names, low, high)``: evaluate takes the genes by name; ``low`` and ``high`` hold for every gene."""
    formula, dimension, half = FREE[function]
    names = [f"x{i}" for i in range(dimension)]
    return (lambda genes: formula(list(genes.values()))), names, -half, half


def cpu_seconds() -> float:
    """Processor time of this process so far, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def grid(evaluations: int) -> list[int]:
    """Which numbers of evaluations a record keeps: twenty per decade and every hundredth of the whole."""
    geometric = {round(10 ** (k / 20)) for k in range(1 + math.ceil(20 * math.log10(evaluations)))}
    linear = {round(evaluations * k / 100) for k in range(1, 101)}
    windows = {round(n * part) for n in WINDOWS for part in (0.8, 1.2)}
    return sorted(n for n in geometric | linear | windows if 1 <= n <= evaluations)


WINDOWS = (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
"""Known individuals at which the overhead of one evaluation is read off."""


def record(events: list[tuple[float, float]], seconds: float, cpu: float) -> dict:
    """What is kept of a run.

    Args:
        events: of each evaluation when it ended, in seconds since the common start, and its loss; in any order.
        seconds: wall time of the search loop, from the common start until the last process was done.
        cpu: processor seconds of all processes in that loop.

    Returns:
        ``done`` evaluations, ``seconds``, ``cpu``, and thinned to :func:`grid`: ``clock``, pairs of evaluations and
        seconds, and ``best``, pairs of evaluations and smallest loss so far.
    """
    events = sorted(events)
    best, smallest = [], math.inf
    for _, loss in events:
        smallest = min(smallest, loss)
        best.append(smallest)
    kept = grid(len(events))
    return {
        "done": len(events),
        "seconds": round(seconds, 6),
        "cpu": round(cpu, 6),
        "clock": [[n, round(events[n - 1][0], 6)] for n in kept],
        "best": [[n, float(f"{best[n - 1]:.6g}")] for n in kept],
    }
