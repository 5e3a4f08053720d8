"""The words in which a claim ends, each with a sign and a short name for its style."""

REPLICATED = "replicated"
REPLICATED_SMALL = "replicated at small scale"
UNDECIDED = "undecided"
NOT_REPLICATED = "not replicated"
SHOWN_ON_MODEL = "shown on a model"
NEEDS_HARDWARE = "needs larger hardware"
HOLDS = "holds"
FAILS = "fails"

# The words say it all; sign and colour only repeat them.
VERDICTS = {
    REPLICATED: ("✓", "yes"),
    REPLICATED_SMALL: ("≈", "small"),
    UNDECIDED: ("?", "open"),
    NOT_REPLICATED: ("✗", "no"),
    SHOWN_ON_MODEL: ("◇", "model"),
    NEEDS_HARDWARE: ("…", "larger"),
    HOLDS: ("=", "yes"),
    FAILS: ("≠", "no"),
}
"""Verdict: its sign, and the name of its style."""

ABSTRACT, PAPER, PROPERTY, OURS = "abstract", "paper", "property", "ours"
KINDS = {
    ABSTRACT: "a sentence of the abstract",
    PAPER: "stands elsewhere in the paper or its code",
    PROPERTY: "an identity or invariant that must hold",
    OURS: "added by this book: rivals, controls, targets",
}
"""Kind of a claim: what it means. Counts are always given by kind."""


class LedgerError(ValueError):
    """Something that the ledger refuses; the message says what to do."""
