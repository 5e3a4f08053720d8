"""A notebook is read in the site, in JupyterLab, in an editor and in a raw viewer: it reads well in each."""

import re

import pytest

from bookbuild.chapters import BY_NAME
from bookbuild.citations import as_roles, works
from bookbuild.layout import Layout, read_notebook
from bookbuild.pages import fill

LAYOUT = Layout.here()
NOTEBOOKS = [f"{kind}/{name}" for kind in ("chapters", "exercises") for name in LAYOUT.toc(kind)]
BIBLIOGRAPHY = LAYOUT.root / "book" / "references.bib"
ROLE = re.compile(r"\{[a-z][\w:.+-]*\}`|^\s*(`{3,}|:{3,})\s*\{|^\([\w-]+\)=\s*$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def cells(name, kind):
    notebook = read_notebook(LAYOUT.root / "book" / f"{name}.ipynb")
    for cell in notebook["cells"]:
        if cell["cell_type"] == kind:
            yield cell, "".join(cell["source"])


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_its_text_needs_no_front_end(name):
    """Text has no role or directive of the site; a link leads to a file of the checkout or to the web; a placeholder shows something where nobody fills it."""
    for _, text in cells(name, "markdown"):
        without_code = re.sub(r"(?ms)^```(?!\s*\{).*?^```|`[^`\n{}]*`", "", text)
        assert not ROLE.search(without_code), ROLE.search(without_code)
        for target in LINK.findall(without_code):
            if not target.startswith(("http", "#", "mailto:")):
                path = (LAYOUT.root / "book" / f"{name}.ipynb").parent / target.partition("#")[0]
                assert path.exists(), f"{name}: {target} is no file; link to the notebook or page itself"
        for line in text.splitlines():
            if "<!--" in line:
                assert line.partition("<!--")[0].strip(), f"{name}: nothing is shown for {line}"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_the_site_folds_is_folded_in_jupyterlab(name):
    """A code cell tagged `hide-input` also has `jupyter.source_hidden`."""
    for cell, text in cells(name, "code"):
        if any(tag.startswith("hide-") for tag in cell["metadata"].get("tags", [])):
            assert cell["metadata"].get("jupyter", {}).get("source_hidden"), f"{name}: {text[:60]}"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_it_leaves_no_folder_behind(name):
    """A temporary folder is one that removes itself, `tempfile.TemporaryDirectory`."""
    for _, text in cells(name, "code"):
        assert "mkdtemp" not in text, f"{name}: nobody removes this folder"


@pytest.mark.parametrize("name", [name for name in LAYOUT.toc("chapters") if BY_NAME[name].paper])
def test_its_paper_is_cited_by_a_link(name):
    """The first cell cites the chapter's paper by a link with author and year, which the site makes a reference."""
    _, first = next(cells(f"chapters/{name}", "markdown"))
    assert f"{{cite}}`{BY_NAME[name].paper}`" in as_roles(first, BIBLIOGRAPHY)
    assert re.search(r"\[[^\]]+ (19|20)\d\d\]\(https://", first)


def test_a_citation_is_named_by_its_authors_and_found_by_its_address(tmp_path):
    bib = tmp_path / "some.bib"
    bib.write_text(
        "@misc{one, author={van Rossum, M.}, title={A}, year={2001}, doi={10.1/A_b}}\n"
        "@misc{two, author={Dalcin, L. and Fang, Y.-L. L.}, title={B}, year={2021}, note={arXiv:2101.00001}}\n"
        "@misc{many, author={{\\'A}b, C. and D, E. and F, G.}, title={C}, year={2022}}\n"
    )
    found = works(bib)
    assert found["one"] == ("https://doi.org/10.1/A_b", "van Rossum 2001")
    assert found["two"] == ("https://arxiv.org/abs/2101.00001", "Dalcin and Fang 2021")
    assert found["many"][0] == "" and found["many"][1].endswith("et al. 2022")
    text = "as [van Rossum 2001](https://doi.org/10.1/a_B) and [X 1999](https://doi.org/10.1/none), [y](https://arxiv.org/abs/2101.00001)."
    assert as_roles(text, bib) == "as {cite}`one` and [X 1999](https://doi.org/10.1/none), {cite}`two`."


def test_a_placeholder_takes_the_place_of_what_other_viewers_show():
    page = "book/chapters/energy"
    text = "before\n*Shown elsewhere.* <!-- chapter-facts -->\nbehind <!-- no placeholder -->"
    lines = fill(text, LAYOUT, "smoke", page).split("\n")
    assert lines[0] == "before" and lines[-1] == "behind <!-- no placeholder -->"
    assert "Shown elsewhere" not in "\n".join(lines)
