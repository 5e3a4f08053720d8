"""One kernel per exercise notebook; every version of the notebook runs in it, one after the other."""

import ast
import importlib
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.utils import is_grade

from bookbuild._assignments import sources

sys.path.insert(0, str(Path(__file__).parent))  # for the package `mutants`

CELL_LIMIT = 90  # seconds; the checks on MPI ranks have shorter limits of their own


class Kernel:
    """A notebook and a kernel to run it in."""

    def __init__(self, path: Path):
        self.source = nbformat.read(path, as_version=4)
        self.mutants = importlib.import_module(f"mutants.{path.stem}").MUTANTS
        self.client = NotebookClient(
            nbformat.v4.new_notebook(metadata=self.source.metadata), timeout=CELL_LIMIT, allow_errors=True
        )

    @property
    def graded(self) -> list[str]:
        """Ids of the graded cells."""
        return [cell.id for cell in self.source.cells if is_grade(cell)]

    def cell(self, name: str):
        return next(cell for cell in self.source.cells if cell.id == name)

    def run(self, code: str) -> tuple[str, str | None]:
        """(what was printed, the error message or None)"""
        cell = nbformat.v4.new_code_cell(code)
        self.client.nb.cells = [cell]
        self.client.execute_cell(cell, 0)
        printed = "".join(out.text for out in cell.outputs if out.output_type == "stream")
        errors = ["\n".join(out.traceback) for out in cell.outputs if out.output_type == "error"]
        return printed, errors[0] if errors else None

    def run_notebook(self, nb) -> dict[str, str | None]:
        """Error message, or None, of every code cell of a version of the notebook, in a clean namespace."""
        self.run("%reset -f")
        return {cell.id: self.run(cell.source)[1] for cell in nb.cells if cell.cell_type == "code"}

    def hidden(self, name: str) -> list[range]:
        """The lines of each call and assertion of a hidden test: each of these must be able to fail."""
        source = self.cell(name).source
        lines = source.split("\n")
        marks = {
            mark: [number for number, line in enumerate(lines, 1) if f"{mark} HIDDEN TESTS" in line]
            for mark in ("BEGIN", "END")
        }
        regions = [range(*pair) for pair in zip(marks["BEGIN"], marks["END"], strict=True)]
        return [
            range(node.lineno, node.end_lineno + 1)
            for node in ast.walk(ast.parse(source))
            if isinstance(node, (ast.Expr, ast.Assert)) and any(node.lineno in region for region in regions)
        ]


@pytest.fixture(scope="session", params=sources(), ids=lambda path: path.stem)
def kernel(request):
    kernel = Kernel(request.param)
    with kernel.client.setup_kernel():
        yield kernel
