"""Wrong answers to the exercises of Train halves apart."""

from mutants import Mutant

_TAIL = """
def tail_mean(path, share):
    return path[{part}].mean(axis={axis})
"""


def _tail(name, says, hidden=True, part="-max(1, round(share * len(path))):", axis="0"):
    source = _TAIL.format(part=part, axis=axis)
    return Mutant(name, answer="tail", source=source, fails="tail-test", says=says, hidden=hidden)


MUTANTS = (
    _tail("takes the first half", "half of a ramp", hidden=False, part=": round(share * len(path))"),
    _tail("always takes half", "a tenth of a ramp", part="-len(path) // 2 :"),
    _tail(
        "forgets that one place is the least", "a small share", part="len(path) - round(share * len(path)) :"
    ),
)
