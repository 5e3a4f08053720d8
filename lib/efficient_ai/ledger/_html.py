"""Entries of a ledger as they stand on a page."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape

from efficient_ai.ledger._claims import VERDICTS, Entry


def to_html(entries: Sequence[Entry]) -> str:
    """The entries as a table for the page."""
    head = "".join(
        f"<th scope='col'>{name}</th>" for name in ("Claim", "Value [95 % interval]", "Against", "Verdict")
    )
    rows = "".join(
        f"<tr><th scope='row'>{escape(entry.id)}. {escape(entry.claim)}"
        f"<p class='eai-small'>{escape(entry.measured)}</p></th>"
        f"<td>{format_value(asdict(entry))}<p class='eai-small'>{entry.n} seed{'' if entry.n == 1 else 's'}</p></td>"
        f"<td>{escape(entry.baseline)}</td>"
        f"<td>{verdict_html(entry.verdict)}<p class='eai-small'>{escape(entry.rule)}</p></td></tr>"
        for entry in entries
    )
    return (
        "<div class='eai-claims' tabindex='0' role='region' aria-label='Claims and verdicts'>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def format_value(entry: Mapping) -> str:
    """``value [low, high] unit`` of a row of the JSON file, in four digits."""
    if entry["value"] is None:
        return "—"
    unit = "" if entry["unit"] == "1" else f" {escape(entry['unit'])}"
    return f"{entry['value']:.4g} [{entry['low']:.4g}, {entry['high']:.4g}]{unit}"


def verdict_html(verdict: str) -> str:
    """The verdict as a badge that is read by its words and its sign, not by its colour."""
    sign, style = VERDICTS[verdict]
    return f'<span class="verdict verdict-{style}">{sign} {escape(verdict)}</span>'
