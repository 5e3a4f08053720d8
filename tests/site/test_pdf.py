"""A chapter as a PDF file: contents with page numbers, figures drawn, links that lead inside."""

import io

import pytest

from bookbuild import pdf
from bookbuild.layout import BuildError, Layout

pytestmark = pytest.mark.site
CHAPTER = "oialr"


@pytest.fixture(scope="module")
def printed(site, browser):
    page = browser.new_page(viewport={"width": 900, "height": 1200})
    chapters = [f"book/chapters/{CHAPTER}", f"book/exercises/{CHAPTER}"]
    content = pdf.printed(page, site, chapters)
    page.close()
    return content


def test_it_has_contents_numbers_and_an_outline(printed):
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(printed))
    contents = reader.pages[0].extract_text()
    assert "Contents" in contents and "2" in contents.split()
    assert reader.outline[0].title.startswith("Freeze the basis")
    assert reader.get_destination_page_number(reader.outline[0]) == 1
    last = len(reader.pages)
    assert reader.pages[last - 1].extract_text().split()[-1] == str(last), "every page has its number"
    assert len(printed) < 4_000_000


def test_figures_are_drawn_and_links_lead_inside(printed):
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(printed))
    text = "".join(page.extract_text() for page in reader.pages)
    assert "turn of B" in text and "This figure is drawn by a script" not in text
    marks = [mark.get_object() for page in reader.pages for mark in page.get("/Annots", ())]
    assert any("/Dest" in mark for mark in marks)
    assert not any("127.0.0.1" in str(mark.get("/A", "")) for mark in marks)


def test_what_cannot_be_printed_is_refused(tmp_path):
    layout = Layout(Layout.here().root, tmp_path)
    with pytest.raises(BuildError, match="make book PROFILE=smoke"):
        pdf.pdf(layout, "smoke")
    (layout.site("smoke") / "html").mkdir(parents=True)
    (layout.site("smoke") / "html" / "index.html").touch()
    with pytest.raises(BuildError, match="no chapter 'nothing'"):
        pdf.pdf(layout, "smoke", ["nothing"])
