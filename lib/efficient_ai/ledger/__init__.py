"""The ledger of claims: what a paper says, what was measured here, and a verdict that follows from the numbers by a rule.

A chapter declares its claims in its sub-package (``<paper>/claims.py``), its notebook records one value per seed, and
:class:`Ledger` computes interval and verdict and writes one JSON file per run. Nobody types a verdict.
"""

from efficient_ai.ledger._claims import (
    NEEDS_HARDWARE,
    NOT_AVAILABLE,
    NOT_REPLICATED,
    REPLICATED,
    REPLICATED_SMALL,
    VERDICTS,
    Claim,
    Entry,
    LargerHardware,
    LedgerError,
    Rule,
)
from efficient_ai.ledger._html import format_value, to_html, verdict_html
from efficient_ai.ledger._ledger import Ledger, interval, load

__all__ = [
    "NEEDS_HARDWARE",
    "NOT_AVAILABLE",
    "NOT_REPLICATED",
    "REPLICATED",
    "REPLICATED_SMALL",
    "VERDICTS",
    "Claim",
    "Entry",
    "LargerHardware",
    "Ledger",
    "LedgerError",
    "Rule",
    "format_value",
    "interval",
    "load",
    "to_html",
    "verdict_html",
]
