"""A small book in a temporary folder: its own library, chapters of a few cells, nothing of the real one."""

from pathlib import Path

import nbformat
import pytest

from bookbuild.layout import Layout
from efficient_ai import _files, processes

MODULES = {
    "__init__.py": "",
    "used/__init__.py": "from efficient_ai.used._core import value\n",
    "used/_core.py": "from .. import helper\n\nvalue = helper.one + 1\n",
    "used/figure.js": "// drawn by used\n",
    "used/files/data.csv": "1,2\n",
    "helper.py": "one = 1\n",
    "unused.py": "nothing = 0\n",
    # what the process that runs a chapter takes from the real library
    "_files.py": Path(_files.__file__).read_text(),
    "processes.py": Path(processes.__file__).read_text(),
}


def notebook(*cells: str, ranks: int = 0):
    """A notebook with a parameters cell and `cells` of code."""
    book = nbformat.v4.new_notebook()
    first = nbformat.v4.new_code_cell('profile = "laptop"', metadata={"tags": ["parameters"]})
    book.cells = [nbformat.v4.new_markdown_cell("# A chapter"), first, *map(nbformat.v4.new_code_cell, cells)]
    if ranks:
        book.metadata["efficient_ai"] = {"ranks": ranks}
    return book


class SmallBook:
    """Writes chapters and modules of a temporary book; `layout` is what the builder gets."""

    def __init__(self, root: Path):
        self.layout = Layout(root, root / "build")
        for name, text in MODULES.items():
            self.module(name, text)
        for path in self.layout.pins:
            path.write_text("numpy\n")

    def module(self, name: str, text: str) -> None:
        path = self.layout.lib / "efficient_ai" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def chapter(self, name: str, *cells: str, ranks: int = 0) -> Path:
        path = self.layout.source(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook(*cells, ranks=ranks), path)
        names = sorted(file.stem for file in path.parent.glob("*.ipynb"))
        toc = "format: jb-book\nroot: book/index\nparts:\n- chapters:\n"
        (self.layout.root / "_toc.yml").write_text(
            toc + "".join(f"  - file: book/chapters/{each}\n" for each in names)
        )
        return path


@pytest.fixture
def book(tmp_path):
    """A small book in a folder whose name holds a space."""
    root = tmp_path / "a book"
    root.mkdir()
    return SmallBook(root)
