"""What a chapter declares beforehand: its claims, and by which rule each is judged."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from efficient_ai import profiles

REPLICATED = "replicated"
REPLICATED_SMALL = "replicated at small scale"
NOT_REPLICATED = "not replicated"
NEEDS_HARDWARE = "needs larger hardware"
# Each with a sign and a short name for its style; the words say it all, colour only repeats them.
VERDICTS = {
    REPLICATED: ("✓", "yes"),
    REPLICATED_SMALL: ("≈", "small"),
    NOT_REPLICATED: ("✗", "no"),
    NEEDS_HARDWARE: ("…", "larger"),
}

NOT_AVAILABLE = "not available"

STATISTICS = {"mean": np.mean, "median": np.median}


class LedgerError(ValueError):
    """A value that the ledger refuses; the message says what to do."""


@dataclass(frozen=True)
class Rule:
    """When a claim holds: the whole interval lies between ``low`` and ``high``.

    Args:
        low: lower bound, ``-inf`` for none.
        high: upper bound, ``inf`` for none.
        seeds: how many values are needed before anything is concluded.
        paper_scale: True if this profile measures at the scale of the paper, so that the verdict may be plain
            "replicated".
    """

    low: float = -math.inf
    high: float = math.inf
    seeds: int = 3
    paper_scale: bool = False

    def __post_init__(self):
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise LedgerError(f"a rule needs a bound that can fail, got low={self.low}, high={self.high}")
        if self.seeds < 1:
            raise LedgerError(f"a rule needs at least one seed, got {self.seeds}")

    def verdict(self, low: float, high: float) -> str:
        """The verdict for a measured interval ``[low, high]``."""
        if low < self.low or high > self.high:
            return NOT_REPLICATED
        return REPLICATED if self.paper_scale else REPLICATED_SMALL

    def __str__(self) -> str:
        if self.low == self.high:
            bound = f"equals {self.low:g}"
        elif math.isinf(self.high):
            bound = f"at least {self.low:g}"
        elif math.isinf(self.low):
            bound = f"at most {self.high:g}"
        else:
            bound = f"from {self.low:g} to {self.high:g}"
        return f"whole interval {bound}, {self.seeds} seed{'s' if self.seeds > 1 else ''} or more"


@dataclass(frozen=True)
class LargerHardware:
    """Stands in place of a rule where this profile cannot decide; ``reason`` says what it would take."""

    reason: str

    def __str__(self) -> str:
        return f"cannot be decided here: {self.reason}"


@dataclass(frozen=True)
class Claim:
    """One claim of a paper.

    Args:
        id: short name, unique in the chapter, for example ``"A"``.
        claim: the claim in our own words.
        source: where it stands in the paper.
        measured: what the recorded values are.
        rules: a :class:`Rule` or :class:`LargerHardware` for each profile.
        unit: unit of the values, ``"1"`` for ratios and counts.
        paper_value: the paper's number, or ``"not available"``.
        statistic: ``"mean"`` or ``"median"`` over seeds.
    """

    id: str
    claim: str
    source: str
    measured: str
    rules: Mapping[str, Rule | LargerHardware]
    unit: str = "1"
    paper_value: float | str = NOT_AVAILABLE
    statistic: str = "mean"

    def __post_init__(self):
        if tuple(self.rules) != profiles.NAMES:
            raise LedgerError(
                f"claim {self.id}: give a rule for each of {', '.join(profiles.NAMES)}, in this order"
            )
        if self.statistic not in STATISTICS:
            raise LedgerError(
                f"claim {self.id}: statistic {self.statistic!r} is not one of {', '.join(STATISTICS)}"
            )


@dataclass(frozen=True)
class Entry:
    """A claim with what one run says of it: a row of the JSON file."""

    id: str
    claim: str
    source: str
    paper_value: float | str
    measured: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    baseline: str
    rule: str
    verdict: str
