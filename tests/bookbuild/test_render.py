"""The site: warnings are errors, a build that did not end is forgotten, an unchanged site is not built again."""

import shutil

import pytest

from bookbuild import assets, render, stage
from bookbuild.layout import BuildError, Layout


@pytest.fixture
def pages(book, monkeypatch):
    """A book of one page and the real settings, with the assets of the real build folder."""
    here = Layout.here()
    ready = assets.install(here)
    monkeypatch.setattr(stage, "install", lambda layout: ready)
    root = book.layout.root
    shutil.copy(here.root / "_config.yml", root)
    shutil.copytree(here.root / "book" / "_static", root / "book" / "_static")
    (root / "book" / "references.bib").write_text(
        "@misc{key, author = {Somebody}, title = {Something}, year = {2026}}\n"
    )
    (root / "_toc.yml").write_text("format: jb-book\nroot: book/index\n")

    def write(text):
        (root / "book" / "index.md").write_text(
            f"# A page\n\n{{cite}}`key` {text}\n\n```{{bibliography}}\n```\n"
        )

    return write


def test_a_warning_stops_the_build_and_the_next_one_starts_afresh(book, pages, monkeypatch):
    pages("a [link](/nowhere) that leads nowhere")
    with pytest.raises(BuildError) as caught:
        render.render(book.layout, "laptop")
    assert "index.md:3" in str(caught.value) and "nowhere" in str(caught.value)
    site = book.layout.site("laptop")
    assert not (site / "html").exists(), "a build with warnings was published"
    assert (site / "unfinished").exists()

    (site / "work" / "left-by-a-kill").touch()
    pages("a word")
    index = render.render(book.layout, "laptop")
    assert "a word" in (site / "html" / "book" / "index.html").read_text()
    assert not (site / "work" / "left-by-a-kill").exists() and not (site / "unfinished").exists()

    with (book.layout.root / "book" / "_static" / "book.css").open("a") as style:
        style.write("/* a new style */")
    render.render(book.layout, "laptop")
    assert "a new style" in (site / "html" / "_static" / "book.css").read_text()

    def must_not_run(*arguments, **options):
        raise AssertionError("an unchanged site was built again")

    monkeypatch.setattr(render, "_sphinx", must_not_run)
    assert render.render(book.layout, "laptop") == index
    pages("another word")
    with pytest.raises(AssertionError, match="built again"):
        render.render(book.layout, "laptop")
