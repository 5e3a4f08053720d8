"""What lies in the build folder of earlier runs: is it sound, what does its page show, how long did it take."""

import hashlib
from typing import Literal

import nbformat

from bookbuild.fingerprint import fingerprint, source
from bookbuild.layout import Layout, read_json, read_notebook

# Seconds that a chapter's run should stay below on two quiet cores; what is expected of a run that never was.
BUDGETS = {"smoke": 45, "laptop": 240}
_UNKNOWN = 3600.0

State = Literal["sound", "stale", "missing"]


def present_fingerprint(layout: Layout, profile: str, chapter: str) -> str:
    """The fingerprint that a run of the chapter would carry now."""
    return fingerprint(layout.source(chapter), profile, layout.lib, layout.inputs(chapter))


def state(layout: Layout, profile: str, chapter: str) -> State:
    """``sound``: made by the present code; ``stale``: whole, but by other code; ``missing``: none, or not whole."""
    record, notebook = read_json(layout.run_record(profile, chapter)), layout.executed(profile, chapter)
    if record is None or not notebook.exists():
        return "missing"
    if record.get("sha256") != hashlib.sha256(notebook.read_bytes()).hexdigest():
        return "missing"
    if record.get("fingerprint") != present_fingerprint(layout, profile, chapter):
        return "stale"
    if wanted := record.get("results"):  # what somebody else put there is not what this run wrote
        results = layout.results(profile, chapter)
        if not results.exists() or hashlib.sha256(results.read_bytes()).hexdigest() != wanted:
            return "missing"
    return "sound"


def page(layout: Layout, profile: str, chapter: str) -> nbformat.NotebookNode:
    """The notebook that the site shows of `chapter`: the source's text, and the outputs of its last run beside the code.

    After a run of other code, that run as it was; without a run, the source alone.
    """
    read_notebook(layout.source(chapter))  # says what is wrong where something is
    written = nbformat.read(layout.source(chapter), as_version=4)
    found = state(layout, profile, chapter)
    if found == "missing":
        return written
    executed = nbformat.read(layout.executed(profile, chapter), as_version=4)
    return splice(written, executed) if found == "sound" else executed


def splice(written: nbformat.NotebookNode, executed: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The cells of `written` with the outputs of the same code cells in `executed`, so that a typo needs no run."""
    ran = iter(
        [
            cell
            for cell in executed.cells
            if cell.cell_type == "code" and "injected-parameters" not in cell.metadata.get("tags", [])
        ]
    )
    for cell in written.cells:
        if cell.cell_type == "code":
            twin = next(ran)
            assert source(twin) == source(cell), "the fingerprint holds, so the code is the same"
            cell.outputs, cell.execution_count = twin.outputs, twin.execution_count
    if "widgets" in executed.metadata:  # the saved state of the live widgets
        written.metadata["widgets"] = executed.metadata["widgets"]
    return written


def expected_seconds(layout: Layout, profile: str, chapter: str) -> tuple[float, bool]:
    """(seconds a run will take, whether an earlier run says so): the last run, the recorded one, or the budget."""
    last = read_json(layout.run_record(profile, chapter))
    recorded = read_json(layout.root / "results" / f"{chapter}.json") if profile == "full" else None
    for record in (last, recorded):
        if record and isinstance(record.get("seconds"), int | float):
            return float(record["seconds"]), True
    return float(BUDGETS.get(profile, _UNKNOWN)), False
