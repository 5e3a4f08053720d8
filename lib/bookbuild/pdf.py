"""The book, or some of its chapters, as one PDF file: printed by the system's Chromium, joined, numbered, with contents."""

import io
import shutil
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bookbuild.layout import BuildError, Layout
from bookbuild.serve import background
from efficient_ai._files import write_atomic

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_PAPER = {
    "format": "A4",
    "print_background": True,
    "margin": {"top": "18mm", "bottom": "20mm", "left": "16mm", "right": "16mm"},
}
# What a reader of paper cannot unfold is unfolded; sliders stay where they were.
_PREPARE = """() => {
    document.documentElement.dataset.theme = 'light';
    for (const fold of document.querySelectorAll('details.chapter-verdicts, details.scoreboard-more')) fold.open = true;
}"""
# On paper nothing scrolls and nothing unfolds; a figure stays on one page.
_PRINT = (
    "figure.eai-figure, .bd-article table tr, div.admonition { break-inside: avoid } h2, h3 { break-after: avoid }"
    "div.highlight pre { white-space: pre-wrap !important; overflow-wrap: anywhere; font-size: 7.5pt !important }"
    "details.hide, details.toggle-details { display: none } div.cell_output { overflow: visible !important }"
)
_DRAWN = (
    "() => [...document.querySelectorAll('figure.eai-figure')].every(each => each.querySelector('.main-svg'))"
)
_STYLE = (
    "<style>body{font-family:sans-serif;margin:0}li{list-style:none;display:flex;margin:.35em 0}ol{padding:0}"
    "li span{flex:1}li.below{padding-left:1.6em;font-size:.9em}h1{margin-top:30mm}</style>"
)


def pdf(layout: Layout, profile: str, chapters: Sequence[str] = (), target: Path | None = None) -> Path:
    """Print the built site of `profile`.

    Args:
        chapters: only these with their exercises; the whole book if none is named.
        target: the file; the default lies in the build folder.

    Raises:
        BuildError: no site, no such chapter, no Chromium.
    """
    folder = layout.site(profile) / "html"
    if not (folder / "index.html").exists():
        raise BuildError(f"there is no site in {folder} yet: call  make book PROFILE={profile}  first")
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        raise BuildError("no Chromium here to print with; on Debian: apt-get install chromium")
    wanted = _wanted(layout, chapters)
    target = target or layout.build / f"{'-'.join(chapters) or 'efficient-ai-at-scale'}.pdf"
    with background(folder) as address:
        write_atomic(target, _print(program, address, wanted))
    return target


def _wanted(layout: Layout, chapters: Sequence[str]) -> list[str]:
    """The pages to print, in reading order; the pages of the library's modules are for the screen."""
    known = layout.toc("chapters")
    for name in chapters:
        if name not in known:
            raise BuildError(f"there is no chapter '{name}': it is one of {', '.join(known)}")
    if not chapters:
        return layout.pages()
    return [
        page for page in layout.pages() if page.rsplit("/", 1)[-1] in chapters and "/reference/" not in page
    ]


def _print(program: str, address: str, pages: Iterable[str]) -> bytes:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        content = printed(
            browser.new_page(viewport={"width": 900, "height": 1200}, color_scheme="light"), address, pages
        )
        browser.close()
    return content


def printed(screen, address: str, pages: Iterable[str]) -> bytes:
    """The file, from the pages of a site that is served at `address`; `screen` is a page of playwright's."""
    sheets = []
    for page in pages:
        print(f"  printing {page}", flush=True)
        screen.goto(f"{address}/{page}.html")
        screen.evaluate(_PREPARE)
        screen.add_style_tag(content=_PRINT)
        screen.wait_for_function(_DRAWN, timeout=60_000)
        screen.wait_for_timeout(700)  # mathematics and fonts
        title = screen.locator("h1").first.inner_text().strip().rstrip("#")
        sheets.append((page, title, screen.pdf(**_PAPER)))
    return _join(screen, address, sheets)


def _join(screen, address: str, sheets: Sequence[tuple[str, str, bytes]]) -> bytes:
    """Contents in front, page numbers below, links between pages inside the file."""
    from pypdf import PdfReader, PdfWriter

    readers = [PdfReader(io.BytesIO(content)) for *_, content in sheets]
    front = 0
    for _ in range(2):  # the contents have to know how many pages they take themselves
        first, at = {}, front
        for (page, *_), reader in zip(sheets, readers, strict=True):
            first[page] = at
            at += len(reader.pages)
        contents = PdfReader(io.BytesIO(_sheet(screen, _contents(sheets, first))))
        front = len(contents.pages)
    numbers = "".join(
        f"<div style='height:290mm;break-after:page;position:relative'><p style='position:absolute;bottom:6mm;width:100%;"
        f"text-align:center;font-size:10px;margin:0'>{n + 1}</p></div>"
        for n in range(front, at)
    )
    stamps = PdfReader(io.BytesIO(_sheet(screen, numbers, {"format": "A4"})))
    writer = PdfWriter()
    for page in contents.pages:
        writer.add_page(page)
    for (page, title, _), reader in zip(sheets, readers, strict=True):
        for sheet in reader.pages:
            added = writer.add_page(sheet)
            added.merge_page(stamps.pages[len(writer.pages) - 1 - front])
        writer.add_outline_item(title, first[page])
    _turn_links(writer, address, first)
    writer.compress_identical_objects()
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _sheet(screen, body: str, paper: Mapping = _PAPER) -> bytes:
    screen.set_content(_STYLE + body)
    return screen.pdf(**paper)


def _contents(sheets: Sequence[tuple[str, str, bytes]], first: dict[str, int]) -> str:
    rows = "".join(
        f"<li{' class=below' if '/exercises/' in page else ''}><span>{escape(title)}</span>{first[page] + 1}</li>"
        for page, title, _ in sheets
    )
    return f"<h1>Efficient AI at Scale</h1><p>Ten papers you can run</p><h2>Contents</h2><ol>{rows}</ol>"


def _turn_links(writer, address: str, first: dict[str, int]) -> None:
    """Links to pages that are in the file lead there; those to other pages of the site lose their address."""
    from pypdf.generic import ArrayObject, NameObject

    for sheet in writer.pages:
        kept = ArrayObject()
        for each in sheet.get("/Annots", ()):
            mark = each.get_object()
            uri = str(mark.get("/A", {}).get("/URI", ""))
            if uri.startswith(address):
                page = unquote(urlsplit(uri).path).strip("/").removesuffix(".html")
                if page not in first:
                    continue
                del mark["/A"]
                mark[NameObject("/Dest")] = ArrayObject(
                    [writer.pages[first[page]].indirect_reference, NameObject("/Fit")]
                )
            kept.append(each)
        if "/Annots" in sheet:
            sheet[NameObject("/Annots")] = kept
