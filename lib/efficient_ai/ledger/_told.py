"""What a run found, in one sentence: its words follow from verdicts, its numbers from the rows of the run."""

from collections.abc import Iterable, Mapping

from efficient_ai.ledger._verdicts import (
    FAILS,
    HOLDS,
    NOT_REPLICATED,
    REPLICATED,
    REPLICATED_SMALL,
    SHOWN_ON_MODEL,
    LedgerError,
)


class Told:
    """The rows of one run, for the sentence that opens a chapter (``finding`` in its ``claims.py``).

    Args:
        rows: of the file of a run, or its entries as dictionaries.

    Raises:
        LedgerError: on use, for a claim without a row or without a value.
    """

    def __init__(self, rows: Iterable[Mapping]):
        self._rows = {row["id"]: row for row in rows}

    def __getitem__(self, id: str) -> Mapping:
        if id not in self._rows:
            raise LedgerError(f"no claim '{id}' in this run: it has {', '.join(self._rows) or 'none'}")
        return self._rows[id]

    def value(self, id: str, form: str = ".3g", times: float = 1.0) -> str:
        """The value, multiplied by ``times`` (100 for per cent) and formatted."""
        if self[id]["value"] is None:
            raise LedgerError(f"claim '{id}' has no value in this run")
        return format(times * self[id]["value"], form)

    def span(self, id: str, form: str = ".3g", times: float = 1.0) -> str:
        """``value [low, high]``; the value alone where there is no interval."""
        row = self[id]
        told = self.value(id, form, times)
        if not row["interval"] or row["low"] is None or row["low"] == row["high"]:
            return told
        low, high = sorted((times * row["low"], times * row["high"]))
        return f"{told} [{low:{form}}, {high:{form}}]"

    def words(self, id: str, yes: str, no: str, open: str) -> str:
        """``yes`` where the claim was found so, ``no`` where the contrary was, ``open`` where neither is decided."""
        verdict = self[id]["verdict"]
        if verdict in (REPLICATED, REPLICATED_SMALL, SHOWN_ON_MODEL, HOLDS):
            return yes
        return no if verdict in (NOT_REPLICATED, FAILS) else open
