"""Wrong randoms, windows and scatterings."""

from mutants import Mutant

_WINDOW = """
def accepted(sample, time, width):
    begins = np.{start}(len(time), dtype=bool)
    begins[{first}] = {value}
    {gap}
    window = np.cumsum(begins) - 1
    return np.bincount(window)[window] {count}
"""
_GAP = "begins[1:] = (np.diff(sample) != 0) | (np.diff(time) > width)"


def _window(start="ones", first="1:", value="False", gap=_GAP, count="== 2"):
    return _WINDOW.format(start=start, first=first, value=value, gap=gap, count=count)


_FROM_THE_FIRST = """
def accepted(sample, time, width):
    mask, begin = np.zeros(len(time), dtype=bool), 0
    for end in range(1, len(time) + 1):
        if end < len(time) and sample[end] == sample[begin] and time[end] - time[begin] <= width:
            continue
        if end - begin == 2:
            mask[begin:end] = True
        begin = end
    return mask
"""


def _randoms(name, says, body, hidden=True):
    source = f"def randoms(tau, rate1, rate2):\n    return {body}\n"
    return Mutant(name, answer="randoms", source=source, fails="randoms-test", says=says, hidden=hidden)


def _sorting(name, says, source, hidden=True):
    return Mutant(name, answer="window", source=source, fails="window-test", says=says, hidden=hidden)


def _scatter(name, says, body, hidden=True):
    source = f"def scatter(energy, n, rng):\n    return {body}\n"
    return Mutant(name, answer="scatter", source=source, fails="scatter-test", says=says, hidden=hidden)


_DRAWN_AT_511 = """
def scatter(energy, n, rng):
    cosines = np.empty(0)
    while len(cosines) < n:
        c = rng.uniform(-1, 1, 2 * n)
        kept = 1 / (2 - c)
        density = kept**2 * (kept + 1 / kept - 1 + c**2)
        cosines = np.append(cosines, c[rng.uniform(0, 2, 2 * n) < density])
    return cosines[:n]
"""

MUTANTS = [
    _randoms("half a window", "randoms(1e-9, 1e6, 1e6)", "tau * rate1 * rate2", hidden=False),
    _randoms("the square of one rate", "randoms(2e-9, 1e5, 3e5)", "2 * tau * rate1**2"),
    _randoms("saturates where it should not", "10 s of a simulation", "min(2 * tau * rate1 * rate2, 3000)"),
    _sorting("strictly less than the width", "accepted(…, width=2)", _window(gap=_GAP.replace(">", ">=")), hidden=False),
    _sorting("a window may hold more", "in sample", _window(count=">= 2")),
    _sorting("the window counts from its first hit", "in sample", _FROM_THE_FIRST),
    _sorting("expects a hit", "IndexError", _window(start="zeros", first="0", value="True")),
    _scatter("uniform directions", "mean share of energy kept", "rng.uniform(-1, 1, n)", hidden=False),
    _scatter("one angle, with the right mean", "at 511 keV", "np.full(n, 0.4745)"),
    Mutant(
        "the law of 511 keV at every energy",
        answer="scatter", source=_DRAWN_AT_511, fails="scatter-test", says="at 60 keV",
    ),
]  # fmt: skip
