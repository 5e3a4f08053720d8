"""Code on a page: nothing scrolls sideways beside both side bars; on a phone at most one block in ten."""

import pytest

from bookbuild.layout import Layout

pytestmark = pytest.mark.site

PAGES = Layout.here().pages()
WIDE = """() => {
    document.querySelectorAll("details").forEach(fold => { fold.open = true; });
    const blocks = [...document.querySelectorAll("div.highlight pre")];
    return [blocks.length, blocks.filter(b => b.scrollWidth > b.clientWidth + 1)
        .map(b => b.innerText.split("\\n").reduce((a, c) => (c.length > a.length ? c : a)).slice(0, 100))];
}"""


@pytest.mark.parametrize("name", PAGES)
def test_no_code_scrolls_sideways(visit, name):
    page = visit().open(name)
    assert page.viewport_size["width"] == 1280
    blocks, wide = page.evaluate(WIDE)
    assert not wide, f"{len(wide)} of {blocks} blocks are cut off: {wide[:3]}"
    page.set_viewport_size({"width": 390, "height": 800})
    blocks, wide = page.evaluate(WIDE)
    assert len(wide) <= blocks / 10
