"""Which jobs are run: the overhead of every side, how ours grows, and the quality of the peers at equal evaluations."""

from collections.abc import Iterator

FUNCTIONS = ("sphere", "rastrigin")
HARDER = ("rastrigin shifted", "rastrigin rotated", "rastrigin shifted rotated")
NINE = (
    "sphere",
    "rosenbrock",
    "step",
    "quartic",
    "rastrigin",
    "griewank",
    "schwefel",
    "bisphere",
    "birastrigin",
)
SEEDS = 10
ASKED = ("cma", "nevergrad", "pymoo")
MPI_SIDES = ("ours", "ours-checkpoint", "propulate", "propulate-nodump")


def job(part: str, side: str, function: str, evaluations: int, processes: int, repeat: int) -> dict:
    """One run of one side. ``repeat`` is also its seed."""
    return {
        "part": part,
        "side": side,
        "function": function,
        "evaluations": evaluations,
        "processes": processes,
        "repeat": repeat,
    }


def plan(quick: bool = False) -> Iterator[dict]:
    """All jobs, the short ones first. ``quick``: one repeat of the short ones."""
    yield from _repeated(("overhead", 400), _short_sides(), quick)
    if quick:
        return
    yield from _repeated(("overhead", 4000), _mpi_sides(), quick)
    yield from _repeated(("growth", 100_000), [("ours", 1, 3), ("ours", 2, 3)], quick)
    yield from quality()
    yield from _repeated(("overhead", 4000), _long_sides(), quick)


def _repeated(what: tuple[str, int], sides: list[tuple[str, int, int]], quick: bool) -> Iterator[dict]:
    part, evaluations = what
    for function in FUNCTIONS:
        for side, processes, repeats in sides:
            for repeat in range(1 if quick else repeats):
                yield job(part, side, function, evaluations, processes, repeat)


def quality() -> Iterator[dict]:
    """Best loss after each evaluation, 400 of them, one study in memory or one package run per seed."""
    sides = [
        ("ours", 4),
        ("propulate-nodump", 4),
        ("random-memory", 1),
        *((side, 1) for side in ASKED),
        ("cmaes-memory", 1),
        ("tpe-memory", 1),
    ]
    for side, processes in sides:
        for function in NINE + HARDER:
            for repeat in range(SEEDS):
                yield job("quality", side, function, 400, processes, repeat)


def _mpi_sides() -> list[tuple[str, int, int]]:
    """(side, processes, repeats). With one worker the package sends its checkpoint token to itself with a call that
    waits for the receiver, and never returns: left out.
    """
    sides = [(side, processes, 5) for side in MPI_SIDES for processes in (1, 2, 4)]
    return [entry for entry in sides if entry[:2] != ("propulate", 1)]


def _short_sides() -> list[tuple[str, int, int]]:
    samplers = ("tpe", "cmaes", "random")
    memory = [(f"{sampler}-memory", 1, 3) for sampler in samplers]
    # The default sampler often enough for a median; the others only show that the storage decides.
    shared = [
        (f"{sampler}-{storage}", 2, 3 if sampler == "tpe" else 1)
        for storage in ("journal", "sqlite")
        for sampler in samplers
    ]
    return _mpi_sides() + memory + [(side, 1, 3) for side in ASKED] + shared


def _long_sides() -> list[tuple[str, int, int]]:
    """Optuna at 4 000 evaluations takes up to hours: one repeat of its default sampler, and of random search."""
    return [
        ("tpe-memory", 1, 1),
        ("random-memory", 1, 1),
        *((side, 1, 1) for side in ASKED),
        ("random-journal", 2, 1),
        ("tpe-journal", 2, 1),
        ("random-sqlite", 2, 1),
        ("tpe-sqlite", 2, 1),
    ]
