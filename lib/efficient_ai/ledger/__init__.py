"""The ledger of claims: what a paper says, what was measured here, and a verdict that follows from the numbers by a rule.

A chapter declares the sentences of its abstract and its claims in its sub-package (``<paper>/claims.py``) and what answers
them in ``<paper>/experiments``. Its notebook runs these, and :class:`Ledger` computes interval and verdict and writes one JSON
file per run. ``python -m efficient_ai.verify`` runs the same for one claim. Nobody types a verdict.
"""

from efficient_ai.ledger._agree import AGREES, DIFFERS, NOT_RECORDED, WITHIN, agreement
from efficient_ai.ledger._claims import (
    NOT_PUBLISHED,
    NOT_READABLE,
    Claim,
    LargerHardware,
    Published,
    Rule,
    Sentence,
    check,
)
from efficient_ai.ledger._entries import SCHEMA, Entry, load, recorded
from efficient_ai.ledger._experiments import Experiment, Measured, find
from efficient_ai.ledger._html import (
    COLUMNS,
    format_value,
    number,
    paper,
    ratio,
    repeats,
    row_html,
    to_html,
    verdict_html,
)
from efficient_ai.ledger._intervals import STATISTICS, coverage, interval
from efficient_ai.ledger._judge import Judgement, judge
from efficient_ai.ledger._ledger import Ledger
from efficient_ai.ledger._told import Told
from efficient_ai.ledger._verdicts import (
    ABSTRACT,
    FAILS,
    HOLDS,
    KINDS,
    NEEDS_HARDWARE,
    NOT_REPLICATED,
    OURS,
    PAPER,
    PROPERTY,
    REPLICATED,
    REPLICATED_SMALL,
    SHOWN_ON_MODEL,
    UNDECIDED,
    VERDICTS,
    LedgerError,
)

__all__ = [
    "ABSTRACT",
    "AGREES",
    "COLUMNS",
    "DIFFERS",
    "FAILS",
    "HOLDS",
    "KINDS",
    "NEEDS_HARDWARE",
    "NOT_PUBLISHED",
    "NOT_READABLE",
    "NOT_RECORDED",
    "NOT_REPLICATED",
    "OURS",
    "PAPER",
    "PROPERTY",
    "REPLICATED",
    "REPLICATED_SMALL",
    "SCHEMA",
    "SHOWN_ON_MODEL",
    "STATISTICS",
    "UNDECIDED",
    "VERDICTS",
    "WITHIN",
    "Claim",
    "Entry",
    "Experiment",
    "Judgement",
    "LargerHardware",
    "Ledger",
    "LedgerError",
    "Measured",
    "Published",
    "Rule",
    "Sentence",
    "Told",
    "agreement",
    "check",
    "coverage",
    "find",
    "format_value",
    "interval",
    "judge",
    "load",
    "number",
    "paper",
    "ratio",
    "recorded",
    "repeats",
    "row_html",
    "to_html",
    "verdict_html",
]
