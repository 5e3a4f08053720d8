"""What a chapter declares beforehand: the sentences of the abstract, its claims, and by which rule each is judged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from efficient_ai import profiles
from efficient_ai.ledger._intervals import MEAN, STATISTICS
from efficient_ai.ledger._verdicts import ABSTRACT, KINDS, PROPERTY, LedgerError


@dataclass(frozen=True)
class Sentence:
    """A sentence of an abstract that claims something.

    Args:
        id: short name, unique in the chapter, for example ``"s1"``.
        text: what it claims, in our own words.
        number: its number as printed, or ``"no number"``.
    """

    id: str
    text: str
    number: str = "no number"


@dataclass(frozen=True)
class Published:
    """What the paper says, as a number where there is one.

    Args:
        value: the number, in the unit of the claim; ``None`` where there is none.
        which: which of several published numbers, or in which setting; why there is none.
        neutral: the value that means "no effect" (1 for a ratio, 0 for a difference); with it the ledger can say whether
            ours points in the same direction.
    """

    value: float | None
    which: str = ""
    neutral: float | None = None

    def ratio(self, value: float | None) -> float | None:
        """Ours over theirs; ``None`` where either is missing or zero."""
        return None if value is None or not self.value else value / self.value

    def direction(self, value: float | None) -> str | None:
        """``"same"`` or ``"opposite"`` side of no effect; ``None`` where that has no meaning."""
        if value is None or self.value is None or self.neutral is None:
            return None
        ours, theirs = value - self.neutral, self.value - self.neutral
        return None if theirs == 0 else "same" if ours * theirs > 0 else "opposite"


NOT_READABLE = Published(None, "not available: the table could not be read")
NOT_PUBLISHED = Published(None, "not available: the paper gives no number")


@dataclass(frozen=True)
class Rule:
    """When a claim holds: the whole interval lies between ``low`` and ``high``, both included.

    Args:
        low: lower bound, ``-inf`` for none.
        high: upper bound, ``inf`` for none.
        n: how many values are needed before anything is concluded.
        paper_scale: True if this profile measures at the scale of the paper, so that the verdict may be plain
            "replicated".
    """

    low: float = -math.inf
    high: float = math.inf
    n: int = 3
    paper_scale: bool = False

    def __post_init__(self):
        if not self.low <= self.high or (math.isinf(self.low) and math.isinf(self.high)):
            raise LedgerError(f"a rule needs a bound that can fail, got low={self.low}, high={self.high}")
        if not isinstance(self.n, int) or self.n < 1:
            raise LedgerError(f"a rule needs at least one value, got n={self.n}")

    def admits(self, low: float, high: float | None = None) -> bool:
        """True if the value, or the whole interval ``[low, high]``, lies within the bounds."""
        return self.low <= low and (low if high is None else high) <= self.high

    def excludes(self, low: float, high: float) -> bool:
        """True if the whole interval ``[low, high]`` lies beyond one bound and does not touch it."""
        return high < self.low or low > self.high

    @property
    def bound(self) -> str:
        if self.low == self.high:
            return f"equals {self.low:g}"
        if math.isinf(self.high):
            return f"at least {self.low:g}"
        if math.isinf(self.low):
            return f"at most {self.high:g}"
        return f"from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class LargerHardware:
    """Stands in place of a rule where this profile cannot decide; ``reason`` says what it would take."""

    reason: str

    def __str__(self) -> str:
        return f"cannot be decided here: {self.reason}"


@dataclass(frozen=True)
class Claim:
    """One claim.

    Args:
        id: short name, unique in the chapter, for example ``"A"``.
        kind: ``"abstract"``, ``"paper"``, ``"property"`` or ``"ours"``, see ``KINDS``.
        claim: the claim in our own words.
        source: where it stands in the paper, or why the chapter added it.
        measured: what the recorded values are.
        rules: a :class:`Rule` or :class:`LargerHardware` for each profile.
        sentence: of the abstract, its id; for the kind ``"abstract"`` only, and there needed.
        repeats: what the values are repeats of: ``"seeds"``, ``"timings"``, ``"draws of data"``, ``"days"`` ...
        unit: unit of the values, ``"1"`` for ratios and counts.
        published: the paper's number.
        statistic: ``"mean"``, ``"geometric mean"`` or ``"median"``.
        exact: the values are counted or computed, not sampled: every single one must obey the rule, and one is enough.
        assumption: for a result that follows from assumptions and measures nothing: which assumption would break it. Its
            verdict is "shown on a model".
    """

    id: str
    kind: str
    claim: str
    source: str
    measured: str
    rules: Mapping[str, Rule | LargerHardware]
    sentence: str = ""
    repeats: str = "seeds"
    unit: str = "1"
    published: Published = Published(None, "")
    statistic: str = MEAN
    exact: bool = False
    assumption: str = ""

    def __post_init__(self):
        def refuse(why: str):
            raise LedgerError(f"claim {self.id}: {why}")

        if self.kind not in KINDS:
            refuse(f"kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if (self.kind == ABSTRACT) != bool(self.sentence):
            refuse("a claim of kind 'abstract', and no other, names its sentence")
        if tuple(self.rules) != profiles.NAMES:
            refuse(f"give a rule for each of {', '.join(profiles.NAMES)}, in this order")
        if self.statistic not in STATISTICS:
            refuse(f"statistic {self.statistic!r} is not one of {', '.join(STATISTICS)}")
        if not self.repeats.strip():
            refuse("say what its values are repeats of (repeats)")
        if self.assumption and (self.kind == PROPERTY or self.exact):
            refuse("what follows from assumptions is neither a property nor exact")
        singles = [
            name
            for name, rule in self.rules.items()
            if isinstance(rule, Rule) and rule.n < 2 and not self.every_value and not self.assumption
        ]
        if singles:
            refuse(
                f"one value has no interval; ask for two or more in {', '.join(singles)}, or say exact=True"
            )

    @property
    def every_value(self) -> bool:
        """True if every single value must obey the rule, and not their interval."""
        return self.exact or self.kind == PROPERTY

    def rule_text(self, profile: str) -> str:
        """The rule of a profile in words."""
        rule = self.rules[profile]
        if isinstance(rule, LargerHardware):
            return str(rule)
        whole = "every value" if self.every_value else "whole range" if self.assumption else "whole interval"
        return f"{whole} {rule.bound}; n ≥ {rule.n} {self.repeats}"


def check(claims: Sequence[Claim], abstract: Sequence[Sentence]) -> None:
    """Refuse claims that share an id, name an unknown sentence, or leave a sentence of the abstract without a claim.

    Raises:
        LedgerError: with the ids in question.
    """
    for what, ids in (("claims", [c.id for c in claims]), ("sentences", [s.id for s in abstract])):
        twice = sorted({id for id in ids if ids.count(id) > 1})
        if twice:
            raise LedgerError(f"two {what} share an id: {', '.join(twice)}")
    known, named = {s.id for s in abstract}, {c.sentence for c in claims if c.sentence}
    if named - known:
        raise LedgerError(
            f"claims name sentences that the abstract has not: {', '.join(sorted(named - known))}"
        )
    if known - named:
        raise LedgerError(f"sentences of the abstract without a claim: {', '.join(sorted(known - named))}")
