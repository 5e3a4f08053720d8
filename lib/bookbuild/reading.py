"""What leads a reader from page to page: what to know before, what to read next, misconceptions of all chapters."""

import re
from collections.abc import Mapping

from bookbuild.chapters import BY_NAME, CHAPTERS, Chapter
from bookbuild.fingerprint import source
from bookbuild.layout import Layout, read_json

_BLOCK = re.compile(
    r"^\*\*Common misconceptions\*\*\n+(.*?)(?=^#|^\*\*|^The \[exercises\]|\Z)", re.DOTALL | re.MULTILINE
)


def before(name: str) -> str:
    """What a reader should have met, in a sentence; empty for a chapter that the table does not know."""
    chapter = BY_NAME.get(name)
    return f"*Good to know before:* {chapter.before}." if chapter and chapter.before else ""


def then(layout: Layout, name: str) -> str:
    """Where a reader can go on, as links, and where the exercises are."""
    chapter, written = BY_NAME.get(name), layout.toc("chapters")
    links = [
        f"[{BY_NAME[next].method}](/book/chapters/{next}): {BY_NAME[next].question}"
        for next in (chapter.then if chapter else ())
        if next in written
    ]
    if name in layout.toc("exercises"):
        links.insert(0, f"[The exercises of this chapter](/book/exercises/{name})")
    items = "\n".join(f"* {link}" for link in links)
    return f":::{{div}} read-next\n**Read next**\n\n{items}\n:::" if links else ""


def misconceptions(layout: Layout) -> str:
    """Those of every chapter, under a heading that leads there."""
    parts = []
    for chapter in CHAPTERS:
        if chapter.name in layout.toc("chapters") and (found := of_chapter(layout, chapter)):
            parts.append(f"## [{chapter.method}](/book/chapters/{chapter.name})\n\n{found}")
    return "\n\n".join(parts) or "*No chapter has named any yet.*"


def of_chapter(layout: Layout, chapter: Chapter) -> str:
    """The list that follows **Common misconceptions** in the chapter's notebook; empty if there is none."""
    notebook: Mapping = read_json(layout.source(chapter.name)) or {"cells": []}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and (found := _BLOCK.search(source(cell))):
            return found[1].strip()
    return ""
