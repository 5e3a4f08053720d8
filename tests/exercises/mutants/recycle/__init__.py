"""Wrong answers to the exercises on days and habits."""

from mutants import Mutant

_FOLD = """
import numpy as np


def fold(values, cycle):
    values = np.asarray(values)
    {refuse}
    return {folded}
"""

_KIND = """
def day_type(weekday, holiday):
    {kind}
"""


def _fold(
    name,
    says,
    hidden=True,
    refuse="if len(values) % cycle: raise ValueError",
    folded="values.reshape(-1, cycle)",
):
    source = _FOLD.format(refuse=refuse, folded=folded)
    return Mutant(name, answer="fold", source=source, fails="fold-test", says=says, hidden=hidden)


def _kind(name, says, kind):
    return Mutant(name, answer="kind", source=_KIND.format(kind=kind), fails="kind-test", says=says)


_PROFILE = """
import numpy as np


def recent_profile(days, types, origin, kind, n):
    known = days[: origin + 1]
    right = {right}
    chosen = known[right][{last}]
    return {mean}
"""


def _profile(
    name,
    says,
    hidden=True,
    right="(types[: origin + 1] == kind) & np.isfinite(known).all(axis=1)",
    last="-n:",
    mean="chosen.mean(axis=0) if len(chosen) else np.zeros(days.shape[1])",
):
    source = _PROFILE.format(right=right, last=last, mean=mean)
    return Mutant(name, answer="profile", source=source, fails="profile-test", says=says, hidden=hidden)


_ORDER = """
import torch


def gap(network, x, order):
    moved = x.clone()
    moved[:, :21] = x[:, list(order)]
    with torch.no_grad():
        return {gap}


def with_positions(x):
    marked = x.clone()
    {add}
    return marked
"""


def _order(
    name,
    says,
    hidden=True,
    gap="float((network(x) - network(moved)).abs().max())",
    add="marked[:, :21] += (torch.arange(21) / 21)[None, :, None]",
):
    source = _ORDER.format(gap=gap, add=add)
    return Mutant(name, answer="order", source=source, fails="order-test", says=says, hidden=hidden)


_CYCLE = """
def find_cycle(values, longest):
    shares = {{}}
    for width in range(2, longest + 1):
        folded = values[: len(values) // width * width].reshape(-1, width)
        shares[width] = folded.var(axis=0, ddof={ddof}).mean() / values.var(ddof={ddof})
    best = min(shares.values())
    return {found}
"""


def _cycle(
    name, says, hidden=True, ddof=1, found="min(w for w, s in shares.items() if s <= best + 0.1 * (1 - best))"
):
    source = _CYCLE.format(ddof=ddof, found=found)
    return Mutant(name, answer="cycle", source=source, fails="cycle-test", says=says, hidden=hidden)


_PAIRED = """
import numpy as np


def paired(first, second, draws, rng):
    difference = np.asarray(second) - np.asarray(first)
    means = difference[rng.integers(0, len(difference), size=(draws, len(difference)))].mean(axis=1)
    low, high = np.percentile(means, {levels})
    return float({middle}), float(low), float(high)


def causal_residuals(days, types, history, n):
    rows = []
    for day in history:
        before = np.flatnonzero(types[:{until}] == types[day])[{last}]
        rows.append(days[day] - days[before].mean(axis=0))
    return np.stack(rows)
"""


def _paired(
    name, says, hidden=True, levels="[2.5, 97.5]", middle="difference.mean()", until="day", last="-n:"
):
    source = _PAIRED.format(levels=levels, middle=middle, until=until, last=last)
    return Mutant(name, answer="paired", source=source, fails="paired-test", says=says, hidden=hidden)


_UNPAIRED = """
import numpy as np


def paired(first, second, draws, rng):
    n = len(first)
    means = second[rng.integers(0, n, size=(draws, n))].mean(axis=1)
    means = means - first[rng.integers(0, n, size=(draws, n))].mean(axis=1)
    return float(np.mean(second - first)), *map(float, np.percentile(means, [2.5, 97.5]))
"""

_HABIT = """
from efficient_ai.recycle import benches


def my_profile(days, types, future):
    return {forecast}
"""

MUTANTS = [
    _fold("turns rows into columns", "fold of six steps", hidden=False, folded="values.reshape(cycle, -1).T"),
    _fold("knows two rows only", "column 5 of four days", folded="values[: 2 * cycle].reshape(2, cycle)"),
    _fold(
        "cuts the rest off",
        "96 steps in rows of 25 are refused is False",
        refuse="values = values[: len(values) // cycle * cycle]",
    ),
    _fold("refuses in another way", "AssertionError", refuse="assert len(values) % cycle == 0"),
    _kind("has no Saturday", "types of a week[5] is 0", kind="return 2 if holiday or weekday == 6 else 0"),
    _kind(
        "asks for the weekday first",
        "types of a week of holidays[5] is 1",
        kind="return 1 if weekday == 5 else 2 if holiday or weekday == 6 else 0",
    ),
    _profile(
        "takes weeks for days", "the profile of type 0", hidden=False, last="-5 * n:"
    ),
    _profile("always three", "n = 1", last="-3:"),
    _profile(
        "waits until there are n", "two Saturdays so far",
        mean="chosen.mean(axis=0) if len(chosen) == n else np.zeros(days.shape[1])",
    ),
    _profile("expects a day of every type", "no Sunday yet", mean="chosen.mean(axis=0)"),
    _profile("keeps missing days", "a missing Friday", right="types[: origin + 1] == kind"),
    _order(
        "compares nothing", "with positions: the gap is only 0", gap="float((network(x) - network(x)).abs().max())"
    ),
    _order("returns a tensor", "a gap is a number", gap="(network(x) - network(moved)).abs().max()"),
    _order(
        "takes the mean", "the gap of a network that minds", gap="float((network(x) - network(moved)).abs().mean())"
    ),
    _order(
        "marks the forecast days as well", "what is added", add="marked += (torch.arange(28) / 21)[None, :, None]"
    ),
    _cycle("takes the best of all", "a hidden cycle of 7", found="min(shares, key=shares.get)"),
    _cycle("divides by n", "ten rows with much noise", ddof=0),
    Mutant(
        "draws both sides apart", answer="paired", source=_UNPAIRED, fails="paired-test",
        says="a constant difference", hidden=False,
    ),
    _paired("takes the median", "the mean difference", middle="np.median(difference)"),
    _paired("a narrower interval", "its interval", levels="[5, 95]"),
    _paired("includes the day itself", "the ramp, n = 1", until="day + 1"),
    _paired("the last day alone", "the ramp, n = 3", last="-1:"),
    Mutant(
        "the habit itself", answer="better", source=_HABIT.format(forecast="benches.habit(days, types, future)"),
        fails="better-test", says="an error 5 % below the profile's: it is 0.0 % below",
    ),
    Mutant(
        "one day for all", answer="better", source=_HABIT.format(forecast="days[-1]"),
        fails="better-test", says="the shape of the forecast", hidden=False,
    ),
]  # fmt: skip
