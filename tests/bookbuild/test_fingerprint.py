"""A chapter's fingerprint moves with what the chapter uses, and with nothing else."""

import json

import pytest

from bookbuild.fingerprint import dependencies, fingerprint, imported_names, plain_python


@pytest.fixture
def mark(book):
    """A function that gives the present fingerprint of the one chapter."""
    book.chapter(
        "alpha", "%%px --local\n%matplotlib inline\nfrom efficient_ai.used import value", "!ls\nvalue?"
    )

    def present(profile="smoke"):
        layout = book.layout
        return fingerprint(layout.source("alpha"), profile, layout.lib, layout.inputs("alpha"))

    return present


@pytest.mark.parametrize(
    "name",
    [
        "used/__init__.py",
        "used/_core.py",
        "used/figure.js",
        "used/files/data.csv",
        "helper.py",
        "__init__.py",
    ],
)
def test_moves_with_each_file_that_is_used(book, mark, name):
    before = mark()
    book.module(name, (book.layout.lib / "efficient_ai" / name).read_text() + "\n")
    assert mark() != before


def test_moves_with_the_recorded_benchmark_of_the_chapter_only(book, mark):
    before = mark()
    folder = book.layout.root / "results" / "benchmarks"
    folder.mkdir(parents=True)
    (folder / "beta.json").write_text("{}")
    assert mark() == before
    (folder / "alpha.json").write_text("{}")
    assert mark() != before


def test_stays_with_an_unused_module_and_with_stored_outputs(book, mark):
    before = mark()
    book.module("unused.py", "nothing = 1\n")
    path = book.layout.source("alpha")
    content = json.loads(path.read_text())
    content["cells"][2]["execution_count"] = 7
    content["metadata"]["kernelspec"] = {"name": "another"}
    path.write_text(json.dumps(content))
    assert mark() == before


def test_moves_with_profile_requirements_cells_and_ranks(book, mark):
    before = mark()
    assert mark("laptop") != before
    with_pins = before
    for path in book.layout.pins:
        path.write_text("numpy==2\n")
        assert mark() != with_pins
        with_pins = mark()
    book.chapter("alpha", "from efficient_ai.used import value")
    other_cells = mark()
    assert other_cells != with_pins
    book.chapter("alpha", "from efficient_ai.used import value", ranks=4)
    assert mark() != other_cells


def test_follows_a_name_that_is_a_module_and_a_module_named_in_a_string(book):
    found = {"cells": [{"cell_type": "code", "source": "from efficient_ai import unused"}]}
    assert [path.name for path in dependencies(found, book.layout.lib)] == ["__init__.py", "unused.py"]
    book.module("starter.py", "command = ['-m', 'efficient_ai.helper']\n")
    found = {"cells": [{"cell_type": "code", "source": ["import efficient_ai.starter\n"]}]}
    assert {path.name for path in dependencies(found, book.layout.lib)} == {
        "__init__.py",
        "starter.py",
        "helper.py",
    }


def test_relative_imports_and_cells_that_are_not_python():
    assert imported_names("from . import a\nfrom .b import c", "efficient_ai.x") == {
        "efficient_ai.x", "efficient_ai.x.a", "efficient_ai.x.b", "efficient_ai.x.b.c",
    }  # fmt: skip
    assert imported_names("from ..core import d", "efficient_ai.x") == {
        "efficient_ai.core",
        "efficient_ai.core.d",
    }
    assert imported_names("this is no python\nimport efficient_ai.y", "") == {"efficient_ai.y"}
    assert plain_python("%%px\n%px import efficient_ai.z\nx = 1") == "import efficient_ai.z\nx = 1"
