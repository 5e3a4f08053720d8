"""Wrong answers on purpose, one module per exercise notebook, named as it is.

A hidden test that nothing can fail proves nothing. So for each of them stands a plausible wrong answer here that
passes what the student sees and fails there; a few others fail in the open, with the message that they deserve.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """``source`` put into the cell ``answer`` must make the graded cell ``fails`` fail with a message that contains ``says``."""

    name: str
    answer: str
    source: str
    fails: str
    says: str
    hidden: bool = True
    patience: float | None = None  # seconds for a wait that is known to be in vain
