"""Conversions, wraps and windows that are nearly right."""

from mutants import Mutant

_FOOTPRINT = """
def footprint(joules, per_kwh, pue):
    return {kwh}, joules / 3.6e6 * {grams}
"""

_WRAP = """
def advanced(before, now, span):
    if {missing}:
        return None
    return now - before if now {grown} before else now + span - before
"""

_ZERO_IS_NO_START = """
from itertools import pairwise


def window_joules(times, watts, start, end):
    if not start:
        start, end = times[0], times[-1]

    def power(t):
        for i in range(1, len(times)):
            if t <= times[i]:
                share = (t - times[i - 1]) / (times[i] - times[i - 1])
                return watts[i - 1] + share * (watts[i] - watts[i - 1])
        return watts[-1]

    stamps = [start, *(t for t in times if start < t < end), end]
    return sum((b - a) * (power(a) + power(b)) / 2 for a, b in pairwise(stamps))
"""

_ONLY_SAMPLES_INSIDE = """
from itertools import pairwise


def window_joules(times, watts, start, end):
    inside = [(t, w) for t, w in zip(times, watts) if start <= t <= end]
    return sum((u - t) * (w + v) / 2 for (t, w), (u, v) in pairwise(inside))
"""

_EMPTY_IS_THE_REST = _ZERO_IS_NO_START.replace(
    "    if not start:\n        start, end = times[0], times[-1]\n",
    "    end = end if end > start else times[-1]\n",
)


def _wrong(name: str, answer: str, source: str, says: str, hidden: bool = True) -> Mutant:
    return Mutant(name, answer=answer, source=source, fails=f"{answer}-test", says=says, hidden=hidden)


MUTANTS = [
    _wrong(
        "forgets the cooling",
        "convert",
        _FOOTPRINT.format(kwh="joules / 3.6e6", grams="per_kwh"),
        "grams at a PUE of 1.5: found 300.0",
    ),
    _wrong(
        "cools the computers' own joules",
        "convert",
        _FOOTPRINT.format(kwh="joules / 3.6e6 * pue", grams="pue * per_kwh"),
        "kilowatt-hours of the computers, PUE 1.5: found 1.5",
    ),
    _wrong(
        "takes a first reading of 0 for a failure",
        "wrap",
        _WRAP.format(missing="not before or now is None", grown=">="),
        "advanced(0.0, 5.0, 100.0) is None",
    ),
    _wrong(
        "takes a second reading of 0 for a failure",
        "wrap",
        _WRAP.format(missing="before is None or not now", grown=">="),
        "advanced(60.0, 0.0, 100.0) is None",
    ),
    _wrong(
        "a counter that stands still has wrapped",
        "wrap",
        _WRAP.format(missing="before is None or now is None", grown=">"),
        "advanced(7.0, 7.0, 100.0): found 100.0",
    ),
    _wrong(
        "clamps what is negative to zero",
        "wrap",
        "def advanced(before, now, span):\n    return None if now is None else max(now - before, 0.0)\n",
        "advanced(99.0, 1.0, 100.0): found 0.0",
        hidden=False,
    ),
    _wrong("a start of 0 is no start", "window", _ZERO_IS_NO_START, "from 0.0 to 1.0: found 135.0"),
    _wrong("uses the samples inside alone", "window", _ONLY_SAMPLES_INSIDE, "from 0.5 to 3.0"),
    _wrong("an empty window lasts until the end", "window", _EMPTY_IS_THE_REST, "an empty window"),
]
