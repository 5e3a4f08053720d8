"""The top of a chapter's page: title, finding, figure, facts; then the notebook."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from bookbuild import firstscreen

HEAD = """# A title

*After somebody.*

*Verdicts elsewhere.* <!-- chapter-verdicts -->

*Takes a while.* <!-- chapter-facts -->"""


def cells(ran=True):
    outputs = [new_output("display_data", {"text/html": "<figure>"})] if ran else []
    hero = new_code_cell("draw()", metadata={"tags": ["hide-input", "hero"]}, outputs=outputs)
    return [
        new_markdown_cell(HEAD),
        new_code_cell("import this"),
        hero,
        new_markdown_cell("## First section"),
    ]


def test_finding_and_figure_stand_under_the_title_and_the_code_where_it_was():
    page = firstscreen.arrange(cells(), "It is so.")
    assert page[0].source.startswith("# A title") and "It is so." in page[0].source
    assert page[1].outputs and page[1].metadata["tags"] == ["remove-input"]
    assert (
        page[2].source.index("chapter-facts")
        < page[2].source.index("chapter-verdicts")
        < page[2].source.index("After")
    )
    assert [cell.source for cell in page[3:]] == ["import this", "draw()", "## First section"]
    assert not page[4].outputs, "drawn once"
    nbformat.validate(nbformat.v4.new_notebook(cells=page))


def test_without_a_run_the_page_has_no_figure_and_no_finding():
    page = firstscreen.arrange(cells(ran=False), "")
    assert page[0].source == "# A title" and len(page) == 5


def test_a_page_that_begins_otherwise_stays_as_it_is():
    other = [new_markdown_cell("No title"), new_code_cell("1")]
    assert firstscreen.arrange(other, "It is so.") is other


def test_a_sentence_needs_a_run_with_all_its_values():
    assert firstscreen.finding("jigsaw", None) == "" and firstscreen.finding("jigsaw", {"claims": []}) == ""
    assert firstscreen.finding("no_such_chapter", {"claims": []}) == ""


def test_reading_takes_minutes_by_words_and_open_lines():
    text = new_markdown_cell("word " * 3000)
    assert firstscreen.reading_minutes({"cells": [text]}) == 15
    folded = new_code_cell("x\n" * 500, metadata={"tags": ["hide-input"]})
    assert firstscreen.reading_minutes({"cells": [text, folded]}) == 15
    assert firstscreen.reading_minutes({"cells": [text, new_code_cell("x\n" * 500)]}) == 35


def test_what_to_know_before_and_what_to_read_next():
    page = firstscreen.arrange(cells(), "It is so.", "Know this.", "Read that.")
    assert page[2].source.endswith("Know this.") and page[-1].source == "Read that."
