"""The scoreboard, and what held of one chapter: all of it from the files that runs write."""

import csv
import importlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from html import escape
from pathlib import Path

from bookbuild import glossary
from bookbuild.chapters import CHAPTERS, Chapter
from bookbuild.layout import Layout
from efficient_ai import ledger, provenance
from efficient_ai.ledger import ABSTRACT, KINDS, VERDICTS, Entry, Sentence, verdict_html

FOLDED = {
    ledger.PAPER: "elsewhere in the paper",
    ledger.PROPERTY: "properties",
    ledger.OURS: "added by this book",
}
COLUMNS = ("chapter", "profile", "date", "machine", "commit", *(field.name for field in fields(Entry)))
"""Of ``claims.csv`` and ``claims.json``: where a row comes from, then the row of the ledger."""


@dataclass(frozen=True)
class Board:
    """The run of a chapter that counts.

    Args:
        chapter: which.
        run: the file.
        recorded: whether it is the recorded full run, or the run of this build.
    """

    chapter: Chapter
    run: Mapping
    recorded: bool

    @property
    def rows(self) -> list[dict]:
        return self.run["claims"]

    def link(self, id: str) -> str:
        """Where a claim is measured, seen from the scoreboard's page."""
        return f"../chapters/{self.chapter.name}.html#{anchor(id)}"


def anchor(id: str) -> str:
    """The place of a claim in its chapter's page."""
    return f"claim-{id}"


def boards(layout: Layout, profile: str) -> list[Board]:
    """The chapters that have a run under today's rules, in the book's order; a recorded full run goes before the build's."""
    found = []
    for chapter in CHAPTERS:
        recorded = ledger.recorded(layout.root, chapter.name)
        run = recorded or _load(layout.results(profile, chapter.name))
        if run and run["claims"]:
            found.append(Board(chapter, run, recorded is not None))
    return found


def run_of(layout: Layout, profile: str, name: str) -> dict | None:
    """The run that a chapter's page shows; None where there is none."""
    return _load(layout.results(profile, name))


def _load(path: Path) -> dict | None:
    try:
        return ledger.load(path)
    except ledger.LedgerError:
        return None


@cache
def sentences(name: str) -> tuple[Sentence, ...]:
    """The sentences of a chapter's abstract, as its sub-package has them."""
    try:
        return tuple(importlib.import_module(f"efficient_ai.{name}.claims").ABSTRACT)
    except (ModuleNotFoundError, AttributeError):
        return ()


def page(layout: Layout, profile: str) -> str:
    """The scoreboard: counts, a picture of the whole book, filters, a table per paper."""
    found = boards(layout, profile)
    if not found:
        return (
            "*No chapter has written its ledger in this build yet. After `make book` the claims stand here.*"
        )
    return "\n\n".join([counts(found), picture(found), filters(found), *map(_section, found)])


def counts(found: Iterable[Board]) -> str:
    """How many claims of which kind ended how."""
    rows = [row for board in found for row in board.rows]
    seen = [v for v in VERDICTS if any(row["verdict"] == v for row in rows)]
    head = "".join(
        f"<th scope='col'><span class='chip verdict-{VERDICTS[v][1]}' title='{v}' aria-hidden='true'>{VERDICTS[v][0]}</span>"
        f"<span class='for-listeners'>{v}</span></th>"
        for v in seen
    )
    body = ""
    for kind, meaning in KINDS.items():
        of = [row["verdict"] for row in rows if row["kind"] == kind]
        if of:
            cells = "".join(f"<td>{of.count(v) or ''}</td>" for v in seen)
            body += f"<tr><th scope='row'>{kind}<span class='eai-small'>{meaning}</span></th><td>{len(of)}</td>{cells}</tr>"
    chapters = len({board.chapter.name for board in found})
    plural = "" if chapters == 1 else "s"
    return (
        f"{chapters} chapter{plural}, {len(rows)} claims, by kind:\n\n"
        "<div class='scoreboard-counts' tabindex='0' role='region' aria-label='Counts of claims by kind and verdict'><table>"
        f"<thead><tr><th scope='col'>Kind</th><th scope='col'>all</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def picture(found: Iterable[Board]) -> str:
    """Papers by sentences of their abstracts: one sign for each claim, linked to where it is measured."""
    width = max((len(sentences(board.chapter.name)) for board in found), default=0)
    head = "".join(f"<th scope='col'>{k + 1}</th>" for k in range(width))
    body = []
    for board in found:
        cells = []
        for sentence in sentences(board.chapter.name):
            chips = "".join(chip(board, row) for row in board.rows if row["sentence"] == sentence.id)
            cells.append(f"<td title='{escape(sentence.text, quote=True)}'>{chips}</td>")
        cells += ["<td></td>"] * (width - len(cells))
        body.append(
            f"<tr data-paper='{board.chapter.name}'><th scope='row'><a href='#{_heading(board)}'>"
            f"{escape(_short(board.chapter))}</a></th>{''.join(cells)}</tr>"
        )
    legend = " ".join(verdict_html(v) for v in VERDICTS)
    return (
        "<div class='scoreboard-picture' role='region' tabindex='0' aria-label='Sentences of the abstracts and verdicts'>"
        f"<table><thead><tr><th scope='col'>Sentence of the abstract</th>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>\n\n"
        f"<p class='scoreboard-legend'>{legend}</p>"
    )


def chip(board: Board, row: Mapping, page: str = "") -> str:
    """The sign of a claim, linked to where it is measured; `page` is the chapter's address, seen from the page it stands on."""
    sign, style = VERDICTS[row["verdict"]]
    words = escape(f"{row['id']}: {row['claim']}: {row['verdict']}", quote=True)
    link = f"{page}#{anchor(row['id'])}" if page else board.link(row["id"])
    return (
        f"<a class='chip verdict-{style}' data-verdict='{escape(row['verdict'], quote=True)}' href='{link}' "
        f"title='{words}' aria-label='{words}'>{sign}</a>"
    )


def filters(found: Iterable[Board]) -> str:
    """Two lists to choose from; a script of the page hides what was not chosen. Without scripts everything is shown."""
    seen = [v for v in VERDICTS if any(row["verdict"] == v for board in found for row in board.rows)]
    verdicts = "".join(f"<option value='{escape(v, quote=True)}'>{escape(v)}</option>" for v in seen)
    papers = "".join(
        f"<option value='{board.chapter.name}'>{escape(_short(board.chapter))}</option>" for board in found
    )
    return (
        "<div class='scoreboard-filters'>"
        f"<label>Verdict <select data-filter='verdict'><option value=''>all</option>{verdicts}</select></label> "
        f"<label>Paper <select data-filter='paper'><option value=''>all</option>{papers}</select></label> "
        "<span class='scoreboard-shown' role='status'></span></div>"
    )


def _short(chapter: Chapter) -> str:
    return chapter.method or chapter.title


def _question(chapter: Chapter) -> str:
    return chapter.title[:1].lower() + chapter.title[1:]


def _heading(board: Board) -> str:
    return f"board-{board.chapter.name}"


def _section(board: Board) -> str:
    """A paper: where its numbers come from, sentence by sentence what held, the rest folded."""
    run = board.run
    of = "Recorded full run" if board.recorded else "Run of this build"
    about = f"{of}, profile `{run['profile']}`, {run['machine']}, {run['date'][:10]}, commit `{provenance.short(run['commit'])}`."
    parts = [
        f"({_heading(board)})=\n## {_short(board.chapter)}: {_question(board.chapter)}",
        f"[To the chapter](/book/chapters/{board.chapter.name}). {about}",
        _table(board, [row for row in board.rows if row["kind"] == ABSTRACT]),
    ]
    for kind, title in FOLDED.items():
        rows = [row for row in board.rows if row["kind"] == kind]
        if rows:
            parts.append(
                f"<details class='scoreboard-more' data-paper='{board.chapter.name}'><summary>{len(rows)} {title}</summary>"
                f"{_table(board, rows)}</details>"
            )
    return "\n\n".join(parts)


def _table(board: Board, rows: list[Mapping]) -> str:
    """Rows, those of the abstract under their sentences."""
    body, last = [], None
    text = {s.id: s for s in sentences(board.chapter.name)}
    order = {id: k for k, id in enumerate(text)}
    for row in sorted(rows, key=lambda row: order.get(row["sentence"], 0)):
        if row["sentence"] and row["sentence"] != last:
            last = row["sentence"]
            sentence = text.get(last, Sentence(last, last))
            number = f" <span class='eai-small'>({escape(sentence.number)})</span>"
            body.append(
                f"<tr class='sentence'><th scope='rowgroup' colspan='{len(ledger.COLUMNS)}'>{escape(sentence.text)}{number}</th></tr>"
            )
        html = ledger.row_html(row, link=board.link(row["id"]))
        marks = f"<tr data-verdict='{escape(row['verdict'], quote=True)}' data-paper='{board.chapter.name}'"
        body.append(html.replace("<tr", marks, 1))
    head = "".join(f"<th scope='col'>{name}</th>" for name in ledger.COLUMNS)
    return (
        f"<div class='eai-claims' data-paper='{board.chapter.name}' tabindex='0' role='region' "
        f"aria-label='Claims of {escape(_short(board.chapter), quote=True)}'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )


def chapter_verdicts(layout: Layout, profile: str, name: str) -> str:
    """What held of a chapter: a fold whose heading has the counts, the sentences of the abstract first."""
    run = run_of(layout, profile, name)
    if not run or not run["claims"]:
        return "*This chapter has not recorded its claims yet.*"
    rows = run["claims"]
    of = [row["verdict"] for row in rows if row["kind"] == ABSTRACT]
    tally = ", ".join(f"{of.count(v)} {v}" for v in VERDICTS if v in of)
    items = "".join(
        f"<li data-kind='{row['kind']}'><a href='#{anchor(row['id'])}'>{escape(row['id'])}</a>. {escape(row['claim'])}: "
        f"{ledger.format_value(row)} {verdict_html(row['verdict'])}"
        f"{' <em>(recorded, not of this run)</em>' if row['recorded'] else ''}</li>"
        for kind in KINDS
        for row in rows
        if row["kind"] == kind
    )
    return (
        f"<details class='chapter-verdicts'><summary>What held of the abstract: {escape(tally)} "
        f"<span>(all {len(rows)} claims)</span></summary><ul>{items}</ul></details>"
    )


# ----- places of claims in a page


def claims_of_cell(source: str, chapter: str) -> list[str]:
    """Ids of the claims that a code cell records: by ``.take(experiments.NAME, ...)`` or ``.record("ID", ...)`` of its ledger."""
    found = re.findall(r'\.record\(\s*"([^"]+)"', source)
    names = re.findall(r"\.take\(\s*experiments\.(\w+)", source)
    if names:
        experiments = importlib.import_module(f"efficient_ai.{chapter}.experiments")
        for name in names:
            found += list(getattr(experiments, name).reads)
    return list(dict.fromkeys(found))


def anchors(source: str, chapter: str, seen: set[str]) -> str:
    """Marks for the claims that a code cell records first, empty if there are none. ``seen`` is added to."""
    new = [id for id in claims_of_cell(source, chapter) if id not in seen]
    seen.update(new)
    marks = "".join(f"<span class='claim-place' id='{escape(anchor(id), quote=True)}'></span>" for id in new)
    entries = "\n\n".join(glossary.entry(id, f"claim of the chapter {chapter}") for id in new)
    return f"{marks}\n\n{entries}" if new else ""


# ----- the same data as files


def table(layout: Layout, profile: str | None = None) -> list[dict]:
    """One dictionary of :data:`COLUMNS` for each claim; of recorded runs alone, or with ``profile`` of all that count."""
    if profile is None:
        found = [(c, ledger.recorded(layout.root, c.name)) for c in CHAPTERS]
        runs = [(chapter, run) for chapter, run in found if run]
    else:
        runs = [(board.chapter, board.run) for board in boards(layout, profile)]
    return [
        {"chapter": chapter.name} | {key: run[key] for key in COLUMNS[1:5]} | row
        for chapter, run in runs
        for row in run["claims"]
    ]


def as_json(rows: list[dict]) -> bytes:
    return (
        json.dumps({"schema": ledger.SCHEMA, "claims": rows}, indent=1, ensure_ascii=False) + "\n"
    ).encode()


def as_csv(rows: list[dict]) -> bytes:
    """RFC 4180; lists as JSON in their cell, an empty cell for what there is not."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {k: json.dumps(v) if isinstance(v, list) else "" if v is None else v for k, v in row.items()}
        )
    return text.getvalue().encode()


def columns() -> str:
    """The schema of the files, from the documentation of a row."""
    about = {
        "chapter": "sub-package",
        "profile": "smoke, laptop or full",
        "date": "of the run, ISO 8601, UTC",
    }
    about |= {"machine": "processor, cores, system", "commit": "of the project"}
    text = " ".join((Entry.__doc__ or "").partition("Attributes:")[2].split())
    where = ", ".join(f"`{name}` ({meaning})" for name, meaning in about.items())
    return f"A row has {where}; then, of the claim: {text.replace('``', '`')}"
