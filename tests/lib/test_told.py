"""The sentence that opens a chapter: its words follow from verdicts, its numbers from the rows."""

import importlib

import pytest

from bookbuild.layout import Layout
from efficient_ai import ledger
from efficient_ai.ledger import Told


def row(id="A", value=0.5, low=0.4, high=0.6, verdict=ledger.UNDECIDED, interval="95 %"):
    return {"id": id, "value": value, "low": low, "high": high, "verdict": verdict, "interval": interval}


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        (ledger.REPLICATED, "yes"), (ledger.REPLICATED_SMALL, "yes"), (ledger.SHOWN_ON_MODEL, "yes"), (ledger.HOLDS, "yes"),
        (ledger.NOT_REPLICATED, "no"), (ledger.FAILS, "no"),
        (ledger.UNDECIDED, "open"), (ledger.NEEDS_HARDWARE, "open"),
    ],
)  # fmt: skip
def test_words_follow_from_the_verdict(verdict, word):
    assert Told([row(verdict=verdict)]).words("A", "yes", "no", "open") == word


def test_numbers_come_from_the_row():
    told = Told([row(), row("B", value=2.0, low=2.0, high=2.0), row("C", interval="")])
    assert told.value("A", ".0f", 100) == "50" and told.span("A", "+.1f") == "+0.5 [+0.4, +0.6]"
    assert told.span("A", ".0f", -100) == "-50 [-60, -40]", (
        "an interval runs upwards, whatever it is multiplied by"
    )
    assert told.span("B") == "2" and told.span("C") == "0.5"


def test_what_is_not_there_is_refused():
    with pytest.raises(ledger.LedgerError, match="no claim 'X' in this run: it has A"):
        Told([row()]).value("X")
    with pytest.raises(ledger.LedgerError, match="'A' has no value"):
        Told([row(value=None)]).span("A")


@pytest.mark.parametrize("chapter", Layout.here().toc("chapters"))
def test_every_chapter_has_a_sentence_whatever_its_verdicts_are(chapter):
    claims = importlib.import_module(f"efficient_ai.{chapter}.claims")
    ids = [claim.id for claim in importlib.import_module(f"efficient_ai.{chapter}").CLAIMS]
    said = set()
    for verdict in (ledger.REPLICATED_SMALL, ledger.UNDECIDED, ledger.NOT_REPLICATED):
        rows = [row(id, verdict=verdict) | {"baseline": "the best rival, chosen so"} for id in ids]
        said.add(claims.finding(Told(rows)))
    assert len(said) == 3 and all(one.endswith(".") and 15 < len(one.split()) < 110 for one in said)
