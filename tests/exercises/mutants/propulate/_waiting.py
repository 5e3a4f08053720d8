"""Wrong formulas for the time that workers wait, and wrong clocks."""

from mutants import Mutant

# The right simulators with the places to get wrong.
_CLOCK = """
import heapq


def synchronous(seconds, workers):
    now, runs = 0.0, []
    for first in range(0, len(seconds){only_full}, workers):
        generation = seconds[first : first + workers]
        runs += [(now, now + duration, first) for duration in generation]
        now += max(generation){meeting}
    return runs


def asynchronous(seconds, workers):
    workers = {capped}
    now, runs, ends = 0.0, [], []
    for number, duration in enumerate(seconds):
        if len(ends) == workers:
            now = {next}
        {finish}
        runs.append((now, now + duration, {known}))
        heapq.heappush(ends, now + duration)
    return runs
"""


def _clock(
    only_full="", meeting="", capped="workers", next="ends[0]",
    finish="while ends and ends[0] <= now: heapq.heappop(ends)", known="number - len(ends)",
):  # fmt: skip
    return _CLOCK.format(
        only_full=only_full, meeting=meeting, capped=capped, next=next, finish=finish, known=known
    )


MUTANTS = [
    Mutant(
        "a line through the visible numbers",
        answer="slowest",
        source="def expected_slowest(workers):\n    return 1 + (workers - 1) / 3",
        fails="slowest-test",
        says="expected_slowest(3): found 1.6666666666666665, expected 1.5",
    ),
    Mutant(
        "no return",
        answer="slowest",
        source="def expected_slowest(workers):\n    2 * workers / (workers + 1)",
        fails="slowest-test",
        says="expected_slowest(1) is None (is a `return` missing?)",
        hidden=False,
    ),
    Mutant(
        "a simulation instead of the formula",
        answer="slowest",
        source=(
            "import numpy as np\n\n\ndef expected_slowest(workers):\n"
            "    return np.random.default_rng(0).uniform(0, 2, (1000, workers)).max(axis=1).mean()"
        ),
        fails="slowest-test",
        says="allowed 1e-12",
        hidden=False,
    ),
    Mutant(
        "a line through the visible numbers",
        answer="idle",
        source="def idle_share(workers):\n    return (workers - 1) / 4",
        fails="idle-test",
        says="idle_share(3): found 0.5, expected 0.333",
    ),
    Mutant(
        "every worker has its own row of candidates",
        answer="clock",
        source=_clock(next="max(ends)", finish="ends = [end for end in ends if end > now]"),
        fails="clock-test",
        says="asynchronous([3, 1, 1, 2], 2)[2] is (3.0, 4.0, 2), expected (1, 2, 1)",
        hidden=False,
    ),
    Mutant(
        "drops the last, smaller generation",
        answer="clock",
        source=_clock(only_full=" // workers * workers"),
        fails="clock-test",
        says="synchronous([3, 1, 2], 2) has 2 items, expected 3",
    ),
    Mutant(
        "of those that end at once, one counts",
        answer="clock",
        source=_clock(finish="if len(ends) == workers: heapq.heappop(ends)"),
        fails="clock-test",
        says="asynchronous([1, 1, 1, 1], 2)[2] is (1.0, 2.0, 1), expected (1, 2, 2)",
    ),
    Mutant(
        "made for four workers",
        answer="clock",
        source=_clock(capped="min(workers, 4)"),
        fails="law-test",
        says="slower by, 8 workers: found 1.3",
    ),
    Mutant(
        "a meeting takes time",
        answer="clock",
        source=_clock(meeting=" + 0.01"),
        fails="law-test",
        says="slower by, constant times: found 1.0",
    ),
    Mutant(
        "knows all that were handed out",
        answer="clock",
        source=_clock(known="number"),
        fails="law-test",
        says="known to asynchronous candidates of 8 workers[1] is 1, expected 0",
    ),
]
