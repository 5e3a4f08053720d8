"""Readers' copies: new versions come in, nothing that a reader wrote is lost, the sources are left alone."""

import json

import nbformat
import pytest

from bookbuild import lab, workshop
from bookbuild.layout import BuildError, Layout

v4 = nbformat.v4


def chapter(*sources, **changes):
    """A notebook of cells ``(id, source)``."""
    return v4.new_notebook(cells=[v4.new_code_cell(source, id=id) for id, source in sources], **changes)


@pytest.fixture
def folder(tmp_path):
    return tmp_path


NAME = "chapters/a.ipynb"


def bring(folder, *sources):
    return workshop._bring(folder, NAME, chapter(*sources))


def edit(folder, change):
    path = folder / NAME
    notebook = nbformat.read(path, as_version=4)
    change(notebook.cells)
    nbformat.write(notebook, path)


def text(folder, name=NAME):
    return [cell.source for cell in nbformat.read(folder / name, as_version=4).cells]


OLD = (("t", "a title"), ("x", "x = 1"), ("y", "y = 2"))


def test_an_untouched_copy_becomes_the_new_version_and_keeps_the_outputs_that_still_hold(folder):
    assert bring(folder, *OLD) == "" and text(folder) == ["a title", "x = 1", "y = 2"]

    def ran(cells):
        for cell in cells:
            cell.execution_count = 3
            cell.outputs = [v4.new_output("stream", text=cell.source)]

    edit(folder, ran)
    assert bring(folder, *OLD) == "", "it ran, that is no change"
    assert "new version" in bring(folder, ("t", "a title"), ("x", "x = 10"), ("y", "y = 2"))
    cells = nbformat.read(folder / NAME, as_version=4).cells
    assert [cell.source for cell in cells] == ["a title", "x = 10", "y = 2"]
    assert [len(cell.outputs) for cell in cells] == [1, 0, 1]


def test_what_the_reader_wrote_stays_in_the_new_version(folder):
    bring(folder, *OLD)

    def change(cells):
        cells[2].source = "y = 222"
        cells.append(v4.new_code_cell("mine = 1", id="mine"))

    edit(folder, change)
    said = bring(folder, ("t", "a better title"), ("x", "x = 1"), ("new", "w = 0"), ("y", "y = 2"))
    assert "with your changes in it" in said
    assert text(folder) == ["a better title", "x = 1", "w = 0", "y = 222", "mine = 1"]
    assert bring(folder, ("t", "a better title"), ("x", "x = 1"), ("new", "w = 0"), ("y", "y = 2")) == ""


def test_a_merge_knows_cells_by_their_names_and_loses_none_of_the_readers(folder):
    bring(folder, ("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))

    def change(cells):
        cells[1].source = "an answer that has nothing in common with the stub"
        cells.insert(0, v4.new_code_cell("first", id="first"))
        cells.insert(3, v4.new_code_cell("mine", id="mine"))  # behind b
        cells.insert(4, v4.new_code_cell("mine too", id="mine2"))
        del cells[-1]  # d

    edit(folder, change)
    said = bring(folder, ("c", "33"), ("b", "2"), ("new", "9"), ("d", "4"))  # moved, without a
    assert "with your changes" in said
    answer = "an answer that has nothing in common with the stub"
    assert text(folder) == ["first", "33", answer, "mine", "mine too", "9"]


def test_where_both_changed_a_line_the_copy_stays_and_the_version_lies_beside(folder):
    bring(folder, *OLD)
    edit(folder, lambda cells: cells[1].update(source="x = 11"))
    said = bring(folder, ("t", "a title"), ("x", "x = 12"), ("y", "y = 2"))
    assert "yours stays" in said and "a (new version).ipynb" in said
    assert text(folder) == ["a title", "x = 11", "y = 2"]
    assert text(folder, "chapters/a (new version).ipynb") == ["a title", "x = 12", "y = 2"]
    assert bring(folder, ("t", "a title"), ("x", "x = 12"), ("y", "y = 2")) == "", "it is said once"


@pytest.mark.parametrize("broken", ["", "{", "no notebook", '{"cells": 3}'])
def test_a_copy_that_cannot_be_read_is_not_overwritten(folder, broken):
    bring(folder, *OLD)
    (folder / NAME).write_text(broken)
    assert "cannot be read" in bring(folder, ("t", "new"))
    assert (folder / NAME).read_text() == broken
    assert text(folder, "chapters/a (new version).ipynb") == ["new"]


def test_a_deleted_copy_comes_anew_and_a_foreign_file_stays(folder):
    bring(folder, *OLD)
    (folder / NAME).unlink()
    bring(folder, *OLD)
    assert text(folder) == ["a title", "x = 1", "y = 2"]
    (folder / workshop._BASE / NAME).unlink()
    edit(folder, lambda cells: cells[0].update(source="mine"))
    assert "was there before" in bring(folder, *OLD) and text(folder)[0] == "mine"


@pytest.fixture
def here(tmp_path):
    """This checkout, with copies and products elsewhere."""

    class Elsewhere(Layout):
        pass

    real = Layout.here()
    for name in ("book", "lib", "_toc.yml", "results", "requirements.txt", "constraints.txt"):
        (tmp_path / name).symlink_to(real.root / name)
    return Elsewhere(tmp_path, tmp_path / "build")


def test_the_copies_hold_no_solution_and_the_start_page_knows_every_chapter(here):
    before = workshop.digest(here)
    assert workshop.refresh(here) == []
    place = workshop.workshop(here)
    for path in (place / "exercises").glob("*.ipynb"):
        assert "BEGIN SOLUTION" not in path.read_text() and "HIDDEN TESTS" not in path.read_text(), path
    start = nbformat.read(place / workshop.START, as_version=4)
    nbformat.validate(start)
    for name in here.toc("chapters"):
        assert (
            f"(chapters/{name}.ipynb)" in start.cells[0].source
            and (place / f"chapters/{name}.ipynb").exists()
        )
    assert "0 begun" in start.cells[0].source
    path = place / "exercises/energy.ipynb"
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = ["def footprint(joules, per_kwh, pue):\n", "    return 0, 0"]
            break
    path.write_text(json.dumps(notebook))
    assert "1 begun" in workshop.overview(here)
    assert "set in energy" in workshop.choose("smoke", here) and "already" in workshop.choose("smoke", here)
    assert 'profile = \\"smoke\\"' in (place / "chapters/energy.ipynb").read_text()
    with pytest.raises(BuildError, match="no profile 'huge'"):
        workshop.choose("huge")
    assert workshop.digest(here) == before, "the sources are untouched"


def test_lab_opens_the_copies_without_news_and_without_tools_of_teachers(here, monkeypatch):
    monkeypatch.setenv("EFFICIENT_AI_STATIC", "1")
    options = lab.arguments(here)
    assert f"--ServerApp.root_dir={here.root / 'work'}" in options
    settings = json.loads((here.build / "lab/settings/overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    page = json.loads((here.build / "lab/settings/page_config.json").read_text())
    assert page["disabledExtensions"]["@jupyter/nbgrader"]
    assert b"eaiDraw" in (here.build / "lab/extensions/efficient-ai/eai-bundle.js").read_bytes()
    assert "EFFICIENT_AI_STATIC" not in lab.environment(here), "figures of a notebook, not of a page"
