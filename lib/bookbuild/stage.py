"""Gathers what Sphinx reads in one folder: pages with their placeholders filled, executed chapters, exercises, assets.

A file is written only when its content differs, so that Sphinx reads again only what changed; what no longer belongs
there is removed.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import nbformat

from bookbuild import api, firstscreen, glossary, reading, records, scoreboard
from bookbuild.assets import install
from bookbuild.citations import as_roles
from bookbuild.layout import BuildError, Layout, read_notebook
from bookbuild.pages import fill
from efficient_ai._files import write_atomic
from efficient_ai.plotting import for_site

NOTATION, GLOSSARY = "book/reference/notation", "book/reference/glossary"


def stage(layout: Layout, profile: str, waiting: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Bring the folder that Sphinx reads up to date and return it. `waiting`: see :func:`bookbuild.pages.fill`."""
    target = layout.site(profile) / "src"
    wanted = {Path(name): content for name, content in _files(layout, profile, waiting)}
    for path in [path for path in target.rglob("*") if path.is_file()]:
        if path.relative_to(target) not in wanted:
            path.unlink()
    for path in sorted((path for path in target.rglob("*") if path.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()  # an empty _static would make Jupyter Book load every script on every page
    for name, content in wanted.items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            write_atomic(path, content)
    return target


def _files(layout: Layout, profile: str, waiting: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    yield "_config.yml", (layout.root / "_config.yml").read_bytes()
    yield "_toc.yml", api.in_contents((layout.root / "_toc.yml").read_text(encoding="utf-8")).encode()
    if api.INDEX in layout.pages():
        for page, text in api.pages():
            yield f"{page}.md", text.encode()
    yield "book/references.bib", (layout.root / "book" / "references.bib").read_bytes()
    for page in layout.pages():
        yield _page(layout, profile, page, waiting)
    for folder in (install(layout) / "static", layout.root / "book" / "_static"):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield f"static/{path.relative_to(folder).as_posix()}", path.read_bytes()
    for path in sorted((layout.root / "book" / "_templates").glob("*.html")):
        yield f"_templates/{path.name}", path.read_bytes()
    yield from _figure_assets()
    rows = scoreboard.table(layout, profile)
    yield "static/claims.json", scoreboard.as_json(rows)
    yield "static/claims.csv", scoreboard.as_csv(rows)


def _figure_assets() -> Iterator[tuple[str, bytes]]:
    from efficient_ai.plotting import site_assets

    for name, content in site_assets().items():
        yield f"static/{name}", content


def _page(layout: Layout, profile: str, page: str, waiting: Mapping[str, str]) -> tuple[str, bytes]:
    """Name and content of one page of the table of contents."""
    markdown, notebook = layout.root / f"{page}.md", layout.root / f"{page}.ipynb"
    if markdown.exists():
        text = fill(markdown.read_text(encoding="utf-8"), layout, profile, page, waiting)
        if page == NOTATION:
            text += f"\n\n{glossary.symbols(text)}\n"
        return f"{page}.md", text.encode()
    if not notebook.exists():
        raise BuildError(
            f"_toc.yml lists the page '{page}', but neither {markdown} nor {notebook.name} exists"
        )
    if page.startswith("book/chapters/"):
        content = records.page(layout, profile, notebook.stem)
    else:
        read_notebook(notebook)
        content = nbformat.read(notebook, as_version=4)
        if page.startswith("book/exercises/"):
            content = _exercise(content)
    return f"{page}.ipynb", _readable(content, layout, profile, page, waiting)


def _exercise(content: nbformat.NotebookNode) -> nbformat.NotebookNode:
    from bookbuild._assignments import SOLUTIONS, render_page

    return render_page(content, solutions=os.environ.get(SOLUTIONS) != "no")


def _with_places(cells: list[nbformat.NotebookNode], chapter: str) -> Iterator[nbformat.NotebookNode]:
    """The cells, and before each one that records claims a mark to which the scoreboard can lead."""
    seen: set[str] = set()
    for cell in cells:
        if cell.cell_type == "code" and (marks := scoreboard.anchors(cell.source, chapter, seen)):
            yield nbformat.v4.new_markdown_cell(marks, id=f"places-{cell.id}"[:64])
        yield cell


def _readable(
    content: nbformat.NotebookNode, layout: Layout, profile: str, page: str, waiting: Mapping[str, str]
) -> bytes:
    """The notebook as the site shows it: placeholders filled, the cell that papermill added gone, no traces of this machine."""
    content.cells = [
        cell for cell in content.cells if "injected-parameters" not in cell.metadata.get("tags", [])
    ]
    content.metadata.pop("papermill", None)
    if page.startswith("book/chapters/"):
        chapter = page.rsplit("/", 1)[-1]
        cells = list(_with_places(content.cells, chapter))
        content.cells = firstscreen.arrange(
            cells,
            firstscreen.finding(chapter, scoreboard.run_of(layout, profile, chapter)),
            before=reading.before(chapter),
            then=reading.then(layout, chapter),
        )
        words = layout.root / f"{GLOSSARY}.md"
        if (
            words.exists() and GLOSSARY in layout.pages()
        ):  # before placeholders become what is no running text
            glossary.link(content.cells, glossary.terms(words.read_text(encoding="utf-8")))
    for cell in content.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if cell.cell_type == "markdown":
            text = as_roles(cell.source, layout.root / "book" / "references.bib")
            cell.source = fill(text, layout, profile, page, waiting)
        for output in cell.get("outputs", ()):
            if text := output.get("data", {}).get("text/html"):
                output["data"]["text/html"] = for_site("".join(text))
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = cell.source.replace('"laptop"', f'"{profile}"')  # the page shows what was run
    content.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
