"""The top of a chapter's page: what was found, a figure that moves, what reading and running it take; then all the rest."""

import importlib
import math
import re
from collections.abc import Mapping

import nbformat

from bookbuild.fingerprint import source
from efficient_ai import ledger

HERO = "hero"
"""Tag of the cell whose figure opens the page. In the notebook it stands before the first section, too."""

_WORDS, _LINES = 200, 25  # of prose and of open code, in a minute
_FACTS = re.compile(r"^.*<!--\s*chapter-(?:facts|verdicts)\s*-->\s*$", re.MULTILINE)


def finding(chapter: str, run: Mapping | None) -> str:
    """What the run found, in the sentence of the chapter's sub-package; empty where there is no run or a value is missing."""
    try:
        say = importlib.import_module(f"efficient_ai.{chapter}.claims").finding
    except (ModuleNotFoundError, AttributeError):
        return ""
    try:
        return say(ledger.Told(run["claims"])) if run else ""
    except ledger.LedgerError:
        return ""


def arrange(
    cells: list[nbformat.NotebookNode], found: str, before: str = "", then: str = ""
) -> list[nbformat.NotebookNode]:
    """The cells of a page: title, finding and hero figure in front; the hero's code stays where the notebook has it.

    `found`, `before` (what to know) and `then` (what to read next, at the end) are Markdown or empty.
    """
    head = next((cell for cell in cells if cell.cell_type == "markdown"), None)
    if head is None or not head.source.startswith("# "):
        return cells
    title, _, rest = head.source.partition("\n")
    facts = [match.group().strip() for match in _FACTS.finditer(rest)]
    facts.sort(key=lambda line: "chapter-facts" not in line)
    said = f"\n\n:::{{div}} chapter-finding\n{found}\n:::" if found else ""
    after = "\n\n".join(filter(None, [*facts, _FACTS.sub("", rest).strip(), before]))
    top = [nbformat.v4.new_markdown_cell(title + said, id="first-screen")]
    hero = next(
        (cell for cell in cells if HERO in cell.metadata.get("tags", []) and cell.get("outputs")), None
    )
    if hero is not None:
        shown = nbformat.from_dict(hero)
        shown.id, shown.metadata["tags"] = "first-figure", ["remove-input"]
        hero.outputs = []
        top.append(shown)
    head.source = after
    end = [nbformat.v4.new_markdown_cell(then, id="read-next")] if then else []
    return [*top, *cells, *end]


def reading_minutes(notebook: Mapping) -> int:
    """How long a chapter takes to read, from its words and the lines of code that stand open."""
    words = lines = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            words += len(source(cell).split())
        elif "hide-input" not in cell["metadata"].get("tags", []):
            lines += len(source(cell).splitlines())
    return max(5, 5 * math.ceil((words / _WORDS + lines / _LINES) / 5))
