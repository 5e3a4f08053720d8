"""Rows of a ledger as they stand on a page and in a notebook."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape

from efficient_ai.ledger._entries import Entry
from efficient_ai.ledger._intervals import FEW
from efficient_ai.ledger._verdicts import KINDS, VERDICTS

COLUMNS = ("Claim", "Measured", "Paper", "Ours / paper", "Verdict")
"""Of a table of claims."""


def to_html(entries: Sequence[Entry]) -> str:
    """The entries as a table for the page, the sentences of the abstract first."""
    rows = [asdict(entry) for entry in entries]
    rows = [row for kind in KINDS for row in rows if row["kind"] == kind]
    head = "".join(f"<th scope='col'>{name}</th>" for name in COLUMNS)
    body = "".join(row_html(row, anchor=f"claim-{row['id']}-row") for row in rows)
    return (
        "<div class='eai-claims' tabindex='0' role='region' aria-label='Claims and verdicts'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def row_html(row: Mapping, *, anchor: str = "", link: str = "") -> str:
    """One row of a file as a row of a table.

    Args:
        row: see :class:`~efficient_ai.ledger.Entry`.
        anchor: id of the row in the page.
        link: where the claim's id leads.
    """
    id = f"<a href='{escape(link)}'>{escape(row['id'])}</a>" if link else escape(row["id"])
    against = f"against {escape(row['baseline'])}" if row["baseline"] else ""
    how = [
        escape(row["measured"]),
        against,
        f"Rule: {escape(row['rule'])}",
        f"Source: {escape(row['source'])}",
    ]
    if row["assumption"]:
        how.append(f"Would break if {escape(row['assumption'])}")
    why = escape(row["why"])
    return (
        f"<tr{f' id={chr(39)}{escape(anchor)}{chr(39)}' if anchor else ''}>"
        f"<th scope='row' data-label='Claim'>{id}. {escape(row['claim'])}"
        f"<details class='eai-how'><summary>how it was judged</summary>{_small(how)}</details></th>"
        f"<td data-label='Measured'>{format_value(row)}{_small([repeats(row), recorded_html(row)])}</td>"
        f"<td data-label='Paper'>{paper(row)}</td>"
        f"<td data-label='Ours / paper'>{ratio(row)}</td>"
        f"<td data-label='Verdict'>{verdict_html(row['verdict'])}{_small([why])}</td></tr>"
    )


def format_value(row: Mapping) -> str:
    """``value [low, high] unit`` of a row, in three digits; a single value where all are equal."""
    if row["value"] is None:
        return "—"
    unit = "" if row["unit"] == "1" else f" {escape(row['unit'])}"
    if not row["interval"]:
        return f"{number(row['value'])}{unit}"
    of = "" if row["interval"] == "95 %" else f" <span class='eai-small'>({escape(row['interval'])})</span>"
    return f"{number(row['value'])} [{number(row['low'])}, {number(row['high'])}]{unit}{of}"


def repeats(row: Mapping) -> str:
    """``n = 5 seeds``, and that few values make a wide interval."""
    if not row["n"]:
        return ""
    few = " (few)" if row["n"] < FEW and row["interval"] == "95 %" else ""
    units = row["values"][0] if row["values"] and isinstance(row["values"][0], list) else []
    return f"n = {row['n']} {escape(row['repeats'])}{f' on {len(units)} units' if units else ''}{few}"


def paper(row: Mapping) -> str:
    """The published number, and which of several it is; a word where none could be read or there is none."""
    note = escape(row["paper_note"])
    if row["paper_value"] is None:
        return f"<span class='eai-small'>{note}</span>" if note else "—"
    unit = "" if row["unit"] == "1" else f" {escape(row['unit'])}"
    return f"{number(row['paper_value'])}{unit}{_small([note])}"


def ratio(row: Mapping) -> str:
    """Our value over the published one, and whether both point in the same direction."""
    if row["ratio"] is None and not row["direction"]:
        return "—"
    told = number(row["ratio"]) if row["ratio"] is not None else ""
    return told + _small([f"{row['direction']} direction" if row["direction"] else ""])


def recorded_html(row: Mapping) -> str:
    """That a value is not of this run, and where it was read."""
    return f"<strong>recorded</strong>: {escape(row['recorded'])}" if row["recorded"] else ""


def verdict_html(verdict: str) -> str:
    """The verdict as a badge that is read by its words and its sign, not by its colour."""
    sign, style = VERDICTS[verdict]
    return f'<span class="verdict verdict-{style}">{sign} {escape(verdict)}</span>'


def number(value: float) -> str:
    """Three significant digits, whole numbers whole."""
    return f"{value:,.0f}" if value == round(value) and 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def _small(parts: Sequence[str]) -> str:
    return "".join(f"<p class='eai-small'>{part}</p>" for part in parts if part)
