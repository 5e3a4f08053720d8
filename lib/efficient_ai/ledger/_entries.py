"""A run's file: a row per claim, as it is written and read."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from efficient_ai.ledger._verdicts import KINDS, VERDICTS, LedgerError

SCHEMA = 2
"""Of the files. Those of schema 1 knew neither kinds nor "undecided"; they are replaced by running, not by editing."""


@dataclass(frozen=True)
class Entry:
    """A claim with what one run says of it: a row of the file, and of ``claims.csv``.

    Attributes:
        id, kind, sentence, claim, source, measured, repeats, unit, statistic, assumption: of the claim.
        paper_value, paper_note: the published number or ``None``, and which it is or why there is none.
        value, low, high: statistic and its 95 % interval; the range where ``interval`` says so.
        interval: ``"95 %"``, ``"range"`` of exact values, ``"range of assumptions"``, or ``""`` where there is none.
        ratio, direction: ours over the paper's; ``"same"`` or ``"opposite"`` side of no effect.
        n: how many repeats.
        values, seeds: one per repeat (a list per seed where each has several units of a test set).
        baseline: what was compared with.
        recorded: empty for what this run measured, else the record it was read from: file, machine, date.
        rule, verdict, why: the rule in words, what follows, and for an open one what would decide it.
    """

    id: str
    kind: str
    sentence: str
    claim: str
    source: str
    paper_value: float | None
    paper_note: str
    measured: str
    repeats: str
    statistic: str
    assumption: str
    value: float | None
    low: float | None
    high: float | None
    interval: str
    ratio: float | None
    direction: str | None
    n: int
    values: list
    seeds: list
    unit: str
    baseline: str
    recorded: str
    rule: str
    verdict: str
    why: str


def load(path: str | os.PathLike) -> dict[str, Any]:
    """Read a file that :meth:`Ledger.write` wrote.

    Raises:
        LedgerError: the file is missing, no ledger, of an older schema, or has a kind, verdict or number that is none.
    """
    again = "delete it and execute the chapter again"
    try:
        run = json.loads(Path(path).read_text(encoding="utf-8"))
        if run.get("schema") != SCHEMA:
            raise LedgerError(
                f"{path} was written under other rules (schema {run.get('schema', 1)}); {again}"
            )
        entries = [Entry(**claim) for claim in run["claims"]]
    except LedgerError:
        raise
    except OSError as error:
        raise LedgerError(f"{path} cannot be read: {error.strerror}; execute the chapter first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LedgerError(f"{path} is not a ledger file: {error}; {again}") from error
    for entry in entries:
        if entry.verdict not in VERDICTS or entry.kind not in KINDS:
            raise LedgerError(f"{path}: unknown verdict or kind for claim {entry.id}; {again}")
        numbers = (entry.value, entry.low, entry.high)
        if any(x is not None and not (isinstance(x, int | float) and math.isfinite(x)) for x in numbers):
            raise LedgerError(f"{path}: claim {entry.id} has a number that is none; {again}")
    return run


def recorded(root: str | os.PathLike, chapter: str) -> dict[str, Any] | None:
    """The recorded full run of a chapter below the project's root, ``None`` where there is none under today's rules."""
    path = Path(root) / "results" / f"{chapter}.json"
    try:
        return load(path)
    except LedgerError:
        return None
