"""The reader's own copies: chapters, students' versions of the exercises and a start page, in a folder that git ignores.

A new version of the book is brought into copies that a reader changed by a three-way merge; where both changed the same line, the
reader's copy stays as it is and the new version lies beside it. Beside each copy, out of sight, lies the version it began from.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat

from bookbuild import firstscreen
from bookbuild.chapters import BY_NAME, PARTS
from bookbuild.layout import PROFILES, BuildError, Layout, read_json, read_notebook
from efficient_ai import ledger
from efficient_ai._files import write_atomic

FOLDER = "work"  # below the checkout
START = "Start here.ipynb"
_BASE = ".book"  # the versions that the copies began from
NEW = " (new version)"
_SHOWN = re.compile(r"^.*<!--\s*(chapter-verdicts|chapter-facts)\s*-->[ \t]*$", re.MULTILINE)
_ROW = "| [{title}](chapters/{name}.ipynb) | {question} | {takes} | {exercises} |"


def workshop(layout: Layout) -> Path:
    """Where the copies lie."""
    return layout.root / FOLDER


def refresh(layout: Layout) -> list[str]:
    """Bring the copies up to date; returns what a reader should know, in sentences."""
    folder, told = workshop(layout), []
    for kind in ("chapters", "exercises"):
        for name in layout.toc(kind):
            said = _bring(folder, f"{kind}/{name}.ipynb", _version(layout, kind, name))
            told += [said] if said else []
    for path in (layout.root / "book" / "start").glob("*.md"):  # what chapters link to
        write_atomic(folder / "start" / path.name, path.read_bytes())
    write_atomic(folder / START, _as_bytes(_start_page(layout)))
    return told


def _version(layout: Layout, kind: str, name: str) -> nbformat.NotebookNode:
    """What a reader gets of a notebook: chapters as they are, exercises without solutions and hidden tests."""
    path = layout.root / "book" / kind / f"{name}.ipynb"
    read_notebook(path)  # says what is wrong where something is
    notebook = nbformat.read(path, as_version=4)
    if kind == "chapters":
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = _SHOWN.sub(lambda found: _filled(layout, name, found), cell.source)
    if kind == "exercises":
        from bookbuild._assignments import student_version

        notebook = student_version(notebook)
    return notebook


def _filled(layout: Layout, name: str, found: re.Match) -> str:
    """What a copy shows where the site shows verdicts and facts of its run."""
    if found[1] == "chapter-facts":
        return f"*A run in the profile `laptop` takes {_takes(layout, name)}.*"
    run = ledger.recorded(layout.root, name)
    if run is None:
        return found[0].partition("<!--")[0].rstrip()
    rows = "\n".join(
        f"| {row['id']} | {row['claim']} | {ledger.format_value(row)} | {row['verdict']} |".replace("\n", " ")
        for row in sorted(run["claims"], key=lambda row: row["kind"] != ledger.ABSTRACT)
    )
    if said := firstscreen.finding(name, run):
        said = f"**Found in the recorded full run:** {said}\n\n"
    head = f"{said}<details><summary>What held in the recorded full run of {run['date'][:10]}</summary>\n\n"
    return f"{head}| | claim | value | verdict |\n|---|---|---|---|\n{rows}\n\n</details>"


def _bring(folder: Path, name: str, new: nbformat.NotebookNode) -> str:
    """Put a version where its copy lies; returns what there is to say of it."""
    copy, base = folder / name, folder / _BASE / name
    beside = copy.with_name(f"{copy.stem}{NEW}.ipynb")
    if not copy.exists():
        _put(copy, base, new)
        return ""
    if not base.exists():
        write_atomic(beside, _as_bytes(new))
        return f"{name} was there before the book: it stays, and the book's version lies beside it as {beside.name}"
    before = nbformat.read(base, as_version=4)
    if _same(before, new):
        return ""
    try:
        mine = nbformat.read(copy, as_version=4)
    except Exception:  # half written, no JSON, another format: nothing that could be merged
        write_atomic(beside, _as_bytes(new))
        write_atomic(base, _as_bytes(new))
        return f"{name} cannot be read: it stays as it is, and the book's new version lies beside it as {beside.name}"
    if _same(before, mine):
        _put(copy, base, _with_outputs(new, mine))
        write_atomic(base, _as_bytes(new))
        return f"{name}: a new version of the book"
    conflict = merge(before, mine, new)
    write_atomic(base, _as_bytes(new))
    if conflict:
        write_atomic(beside, _as_bytes(new))
        return f"{name}: you and the book changed the same lines; yours stays, the new version lies beside it as {beside.name}"
    write_atomic(copy, _as_bytes(mine))
    return f"{name}: a new version of the book, with your changes in it"


def merge(before: nbformat.NotebookNode, mine: nbformat.NotebookNode, new: nbformat.NotebookNode) -> bool:
    """Bring into ``mine`` what changed from ``before`` to ``new``; returns whether both changed the same cell.

    Cells are known by their ids, so that an answer which has nothing in common with the stub is still the answer to it. In a
    conflict ``mine`` is left as it is.
    """
    old, own = ({cell.id: cell for cell in each.cells} for each in (before, mine))
    cells = []
    for cell in _with_outputs(new, mine).cells:
        was, now = old.get(cell.id), own.get(cell.id)
        if now is None:
            deleted = was is not None and was.source == cell.source
            cells += [] if deleted else [cell]
        elif was is not None and was.source == now.source:
            cells.append(cell)
        elif now.source == cell.source or (was is not None and was.source == cell.source):
            cells.append(now)
        else:
            return True
    brought, previous = {cell.id for cell in cells}, None
    for cell in mine.cells:  # what only the reader has, or has changed, stands behind what it stood behind
        kept = cell.id in brought
        if not kept and (cell.id not in old or old[cell.id].source != cell.source):
            place = next((i + 1 for i, each in enumerate(cells) if each.id == previous), 0)
            cells.insert(place, cell)
            kept = True
        previous = cell.id if kept else previous
    mine.cells = cells
    return False


def _put(copy: Path, base: Path, notebook: nbformat.NotebookNode) -> None:
    write_atomic(base, _as_bytes(notebook))
    write_atomic(copy, _as_bytes(notebook))


def _same(one: nbformat.NotebookNode, other: nbformat.NotebookNode) -> bool:
    """Whether two notebooks say the same; that one of them ran makes no difference."""

    def said(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
        return [(cell.cell_type, cell.source) for cell in notebook.cells]

    return said(one) == said(other)


def _with_outputs(new: nbformat.NotebookNode, ran: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A new version with the outputs of those cells whose code it did not change."""
    outputs = {cell.id: cell for cell in ran.cells if cell.cell_type == "code"}
    for cell in new.cells:
        twin = outputs.get(cell.id)
        if cell.cell_type == "code" and twin is not None and twin.source == cell.source:
            cell.outputs, cell.execution_count = twin.outputs, twin.execution_count
    return new


def _as_bytes(notebook: nbformat.NotebookNode) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()


# The start page.


def _start_page(layout: Layout) -> nbformat.NotebookNode:
    v4 = nbformat.v4
    cells = [
        v4.new_markdown_cell(overview(layout), id="overview"),
        v4.new_markdown_cell(_HOW, id="how"),
        v4.new_code_cell('from bookbuild import workshop\n\nworkshop.choose("laptop")', id="choose"),
    ]
    page = v4.new_notebook(cells=cells)
    page.metadata.kernelspec = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    return page


_HOW = """\
Everything in this folder is yours: change it, break it, delete a notebook to get it anew with the next `make lab`. New versions of the book
are merged into what you changed. What you run here never becomes a result of the book.

**How large are the runs?** Each chapter says it in its first cell: `profile = "laptop"`. `smoke` takes seconds and shows that everything
works, `laptop` minutes, `full` up to hours. The next cell sets it in all chapters at once (close them first)."""


def overview(layout: Layout) -> str:
    """The chapters as a table: question, what a run takes, how far the reader is with the exercises."""
    rows = []
    for name in layout.toc("chapters"):
        chapter = BY_NAME[name]
        rows.append(
            _ROW.format(
                title=f"{PARTS[chapter.part]}: {chapter.method}", name=name, question=chapter.question,
                takes=_takes(layout, name), exercises=_exercises(layout, name),
            )
        )  # fmt: skip
    head = "| chapter | question | a run in `laptop` takes | exercises |\n|---|---|---|---|"
    return "\n".join(["# Efficient AI at Scale: ten papers you can run", "", head, *rows])


def _takes(layout: Layout, name: str) -> str:
    from bookbuild.pages import duration, memory
    from bookbuild.records import expected_seconds
    from bookbuild.run import ranks_of

    seconds, known = expected_seconds(layout, "laptop", name)
    record = read_json(layout.run_record("laptop", name))
    ranks = ranks_of(layout.source(name))
    words = [duration(seconds) if known else f"up to {duration(seconds)}"]
    words += [memory(record["peak_memory_mb"])] if record else []
    return ", ".join([*words, f"{ranks} MPI ranks" if ranks else "no MPI"])


def _exercises(layout: Layout, name: str) -> str:
    """How many tasks there are, and in how many the reader wrote something."""
    if name not in layout.toc("exercises"):
        return ""
    page = f"exercises/{name}.ipynb"
    stubs = dict(_answers(workshop(layout) / _BASE / page))
    begun = sum(stubs.get(id, text) != text for id, text in _answers(workshop(layout) / page))
    return f"[{len(stubs)} tasks]({page}), {begun} begun"


def _answers(path: Path) -> Iterator[tuple[str, str]]:
    """Name and text of the cells that a student writes; none where the file cannot be read."""
    for cell in (read_json(path) or {}).get("cells", ()):
        marks = cell.get("metadata", {}).get("nbgrader", {})
        if marks.get("solution"):
            yield marks.get("grade_id", ""), "".join(cell["source"])


def choose(profile: str, layout: Layout | None = None) -> str:
    """Set the profile in all copies of chapters. Returns a sentence.

    Raises:
        BuildError: no such profile.
    """
    if profile not in PROFILES:
        raise BuildError(f"there is no profile {profile!r}: choose {', '.join(PROFILES)}")
    layout, changed = layout or Layout.here(), []
    for name in layout.toc("chapters"):
        path = workshop(layout) / "chapters" / f"{name}.ipynb"
        notebook = read_json(path)
        for cell in (notebook or {}).get("cells", ()):
            if "parameters" in cell.get("metadata", {}).get("tags", []):
                wanted = f'profile = "{profile}"'
                if "".join(cell["source"]) != wanted:
                    cell["source"] = [wanted]
                    write_atomic(path, (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode())
                    changed.append(name)
    return (
        f"profile {profile}: set in {', '.join(changed)}"
        if changed
        else f"profile {profile}: it was set already"
    )


def digest(layout: Layout) -> str:
    """A hash over the sources in ``book/``, to see that a session of JupyterLab left them alone."""
    found = hashlib.sha256()
    for path in sorted((layout.root / "book").rglob("*.ipynb")):
        found.update(path.read_bytes())
    return found.hexdigest()
