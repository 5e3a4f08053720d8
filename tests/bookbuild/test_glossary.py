"""Words of the glossary are linked at their first use; symbols and claims can be searched for."""

from nbformat.v4 import new_code_cell, new_markdown_cell

from bookbuild import glossary

PAGE = """# Glossary

```{glossary}
rank
  A process of MPI.

low rank
  Few directions.

basis (of a weight matrix)
  Its directions.

gene, individual
  What evolves.
```
"""


def linked(*texts):
    cells = [new_markdown_cell(text) for text in texts]
    glossary.link(cells, glossary.terms(PAGE))
    return [cell.source for cell in cells]


def test_the_first_use_is_linked_and_the_next_is_not():
    assert linked("Two ranks wait.", "A rank waits.") == ["Two {term}`ranks <rank>` wait.", "A rank waits."]


def test_the_longer_term_goes_first_and_lines_may_break_in_it():
    assert linked("A low\nrank, on each rank.") == [
        "A {term}`low rank <low rank>`, on each {term}`rank <rank>`."
    ]


def test_what_stands_in_brackets_is_not_part_of_the_word():
    assert linked("The basis stays.") == ["The {term}`basis <basis (of a weight matrix)>` stays."]
    assert linked("An individual lives.") == ["An {term}`individual <gene, individual>` lives."]


def test_code_mathematics_links_headings_and_tables_are_left_alone():
    for text in (
        "## The rank", "`rank`", "$rank$", "$$\nrank\n$$", "[the rank](https://a.example/rank)", "| rank |", "```\nrank\n```",
        "A rank, elsewhere. <!-- chapter-facts -->", "{cite:p}`rank2020`", "ranking", "rank-wise",
        "<details><summary>All</summary><ul><li>a rank</li></ul></details>",
    ):  # fmt: skip
        assert linked(text) == [text]


def test_code_cells_stay():
    cells = [new_code_cell("rank = 1")]
    glossary.link(cells, ["rank"])
    assert cells[0].source == "rank = 1"


def test_symbols_become_words_that_one_can_type():
    found = glossary.symbols(
        "| symbol | meaning |\n|---|---|\n| $\\eta$ | learning rate |\n| $x$, $W_\\ell$ | input, weight |"
    )
    assert "single: eta; symbol: learning rate" in found
    assert "single: x; symbol: input weight" in found and "single: W_ell;" in found
