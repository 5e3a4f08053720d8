"""The first page: a figure that makes the book's point, and a card for each chapter."""

import json
import re
from html import escape, unescape

from bookbuild import firstscreen, scoreboard
from bookbuild.chapters import CHAPTERS, PARTS, Chapter
from bookbuild.layout import Layout, read_json
from bookbuild.records import state

_SPEC = re.compile(r"<script type='application/json' class='eai-spec'>(.*?)</script>", re.DOTALL)
_START = re.compile(r"<input type='range'[^>]*? value='(\d+)'")
_ALT = re.compile(r"role='img' aria-label='([^']*)'")
_HEIGHT, _HEAVIEST = 130, 60_000  # of a card's picture: pixels; characters, above which the card has none


def moving_figure() -> str:
    """Workers that wait for each other above workers that do not, on a simulated clock."""
    from efficient_ai import plotting
    from efficient_ai.propulate import figures

    return plotting.explore_html(
        {
            "workers": plotting.Control([2, 4, 8], label="workers", start=4),
            "spread": plotting.Control(
                [0.0, 0.5, 1.0, 2.0], label="how much their tasks differ in length", start=1.0
            ),
        },
        figures.gantt,
        alt="The same tasks twice, as bars over time. Above, nobody waits: bars follow each other without gaps. Below, all wait "
        "for the slowest of each round: the more workers, and the more their tasks differ, the longer the gaps.",
        caption="The same tasks, twice. Above nobody waits for anybody; below all wait for the slowest of each round. "
        "Simulated; the chapter on Propulate measures it on real MPI ranks.",
    )


def cards(layout: Layout, profile: str) -> str:
    """One card for each chapter: part, question, the verdicts of its abstract, what a run takes."""
    boards = {board.chapter.name: board for board in scoreboard.boards(layout, profile)}
    inside = "".join(_card(layout, profile, chapter, boards.get(chapter.name)) for chapter in CHAPTERS)
    return f"<div class='book-cards'>{inside}</div>"


def _card(layout: Layout, profile: str, chapter: Chapter, board: scoreboard.Board | None) -> str:
    written = chapter.name in layout.toc("chapters")
    name = escape(f"{chapter.method}: {chapter.title}" if chapter.method else chapter.title)
    head = f"<a href='chapters/{chapter.name}.html'>{name}</a>" if written else name
    part = f"<p class='card-part'>{escape(f'{chapter.part} {PARTS[chapter.part]}')}</p>"
    lines = [part, f"<p class='card-title'>{head}</p>", thumbnail(layout, profile, chapter.name)]
    lines.append(f"<p>{escape(chapter.question)}</p>")
    if board:
        if found := firstscreen.finding(chapter.name, board.run):
            lines.append(
                f"<details class='card-finding'><summary>What it found</summary><p>{escape(found)}</p></details>"
            )
        signs = "".join(
            scoreboard.chip(board, row, page=f"chapters/{chapter.name}.html")
            for row in board.rows
            if row["kind"] == "abstract"
        )
        lines.append(f"<p class='card-signs'>{signs}</p>")
    lines.append(f"<p class='card-facts'>{escape(_facts(layout, profile, chapter, written))}</p>")
    return f"<div class='book-card{'' if written else ' to-come'}'>{''.join(lines)}</div>"


def thumbnail(layout: Layout, profile: str, name: str) -> str:
    """The chapter's first figure as it opens, small and without words; empty where the chapter has not run."""
    notebook = read_json(layout.executed(profile, name)) or {"cells": []}
    for cell in notebook["cells"]:
        if firstscreen.HERO not in cell["metadata"].get("tags", []):
            continue
        for output in cell.get("outputs", ()):
            text = "".join(output.get("data", {}).get("text/html", ""))
            if spec := _SPEC.search(text):
                return _small(json.loads(spec[1]), ",".join(_START.findall(text)), _ALT.search(text))
    return ""


def _small(spec: dict, start: str, alt: re.Match | None) -> str:
    import plotly.graph_objects as go

    from efficient_ai import plotting

    frame = spec["frames"].get(start) or next(iter(spec["frames"].values()))
    layout = {
        key: value for key, value in frame["layout"].items() if key not in ("annotations", "title", "legend")
    }
    layout |= {"height": _HEIGHT, "margin": {"l": 6, "r": 6, "t": 6, "b": 6}, "showlegend": False}
    for key in [key for key in layout if re.match(r"[xy]axis\d*$", key)] + ["xaxis", "yaxis"]:
        layout[key] = {k: v for k, v in layout.get(key, {}).items() if k != "title"} | {
            "showticklabels": False, "ticks": "", "automargin": False,
        }  # fmt: skip
    data = [
        trace | ({"showscale": False} if trace.get("type") == "heatmap" else {}) for trace in frame["data"]
    ]
    said = unescape(alt[1]) if alt else "The first figure of this chapter, small."
    text = plotting.explore_html({}, lambda: (go.Figure(data, layout), ""), alt=said)
    return f"<div class='card-picture'>{text}</div>" if len(text) < _HEAVIEST else ""


def _facts(layout: Layout, profile: str, chapter: Chapter, written: bool) -> str:
    """What a run of the chapter takes, from the last one."""
    from bookbuild.pages import duration, memory

    paper = f"arXiv {chapter.arxiv}" if chapter.arxiv else "all ten papers"
    if not written:
        return f"{paper} · to come"
    record = read_json(layout.run_record(profile, chapter.name))
    if not record or state(layout, profile, chapter.name) == "missing":
        return f"{paper} · not run yet"
    ranks = f"{record['ranks']} MPI ranks" if record["ranks"] else "no MPI"
    return f"{paper} · a run takes {duration(record['seconds'])}, {memory(record['peak_memory_mb'])}, {ranks}"
