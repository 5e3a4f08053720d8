"""From values to a verdict. Nobody types one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from efficient_ai.ledger._claims import Claim, Rule
from efficient_ai.ledger._intervals import GEOMETRIC_MEAN, MEDIAN, MOST, as_sample, interval, n_to_decide
from efficient_ai.ledger._verdicts import (
    FAILS,
    HOLDS,
    NOT_REPLICATED,
    PROPERTY,
    REPLICATED,
    REPLICATED_SMALL,
    SHOWN_ON_MODEL,
    UNDECIDED,
)


@dataclass(frozen=True)
class Judgement:
    """Value, its interval (for exact values and models: the range) and the verdict, with a reason where it is open.

    ``low`` and ``high`` are ``None`` where a single sampled value has no interval.
    """

    value: float
    low: float | None
    high: float | None
    n: int
    verdict: str
    why: str = ""


def judge(claim: Claim, rule: Rule, values: Sequence) -> Judgement:
    """The verdict of ``rule`` on the values of a claim.

    Args:
        claim: says how values become a statistic, and whether every single one must obey.
        rule: of the profile.
        values: shape ``(n,)`` or ``(n, units)``.
    """
    sample, n = as_sample(values), len(values)
    if claim.every_value:
        return _every(claim, rule, sample.reshape(-1), n)
    if claim.assumption:
        return _model(claim, rule, sample.reshape(-1), n)
    value, low, high = interval(sample, claim.statistic)
    if n < rule.n:
        ends = (None, None) if sample.size == 1 else (low, high)
        return Judgement(
            value, *ends, n, UNDECIDED, f"{n} of {rule.n} {claim.repeats} that the rule asks for"
        )
    if rule.admits(low, high):
        return Judgement(value, low, high, n, REPLICATED if rule.paper_scale else REPLICATED_SMALL)
    if rule.excludes(low, high):
        return Judgement(value, low, high, n, NOT_REPLICATED)
    return Judgement(value, low, high, n, UNDECIDED, _open(claim, rule, sample, value, low, high))


def _every(claim: Claim, rule: Rule, sample: np.ndarray, n: int) -> Judgement:
    """Every value must obey; the value shown is the one that comes closest to breaking the rule, or breaks it most."""
    room = np.minimum(sample - rule.low, rule.high - sample)
    worst = float(sample[np.argmin(room)])
    ends = float(sample.min()), float(sample.max())
    if n < rule.n and room.min() >= 0:
        return Judgement(
            worst, *ends, n, UNDECIDED, f"{n} of {rule.n} {claim.repeats} that the rule asks for"
        )
    obeys = bool(room.min() >= 0)
    if claim.kind == PROPERTY:
        return Judgement(worst, *ends, n, HOLDS if obeys else FAILS)
    yes = REPLICATED if rule.paper_scale else REPLICATED_SMALL
    return Judgement(worst, *ends, n, yes if obeys else NOT_REPLICATED)


def _model(claim: Claim, rule: Rule, sample: np.ndarray, n: int) -> Judgement:
    """Nothing was measured: the range is one of assumptions, and the verdict is never "replicated"."""
    value, low, high = interval(sample, claim.statistic)[0], float(sample.min()), float(sample.max())
    if n < rule.n:
        return Judgement(
            value, low, high, n, UNDECIDED, f"{n} of {rule.n} {claim.repeats} that the rule asks for"
        )
    if rule.admits(low, high):
        return Judgement(value, low, high, n, SHOWN_ON_MODEL)
    if rule.excludes(low, high):
        return Judgement(value, low, high, n, NOT_REPLICATED, "on the model")
    share = np.mean([rule.admits(v) for v in sample])
    return Judgement(value, low, high, n, UNDECIDED, f"holds for {share:.0%} of the assumed range")


def _open(claim: Claim, rule: Rule, sample: np.ndarray, value: float, low: float, high: float) -> str:
    """Why an interval leaves it open, and how many values would close it if value and spread stayed."""
    bounds = [b for b in (rule.low, rule.high) if low <= b <= high]
    named = " and ".join(f"{b:g}" for b in bounds)
    text = f"the interval contains the bound {named}"
    if sample.ndim == 2:
        # With more seeds alone the noise of the test set stays.
        return f"{text}; more {claim.repeats} and a larger test set would decide it"
    if claim.statistic == GEOMETRIC_MEAN:
        sample, (value, low, high) = np.log(sample), np.log((value, low, high))
        bounds = [math.log(b) for b in bounds if b > 0]
    nearest = min(bounds, key=lambda b: abs(value - b), default=value)
    distance, n = abs(value - nearest), None
    if distance > 0 and claim.statistic == MEDIAN:
        half = value - low if nearest < value else high - value  # shrinks with the root of n
        n = math.ceil(sample.size * (half / distance) ** 2)
    elif distance > 0:
        n = n_to_decide(sample, distance)
    if n is None or n > MOST:
        return f"{text}, and the value lies so close to it that {MOST:,} {claim.repeats} would not decide it"
    return f"{text}; n = {max(n, sample.size + 1)} {claim.repeats} would decide it if value and spread stayed"
