"""Every solution passes, every untouched student version fails, every hidden test can fail."""

import pytest

from bookbuild._assignments import student_version

pytestmark = [pytest.mark.notebook, pytest.mark.mpi]


def test_every_graded_cell_of_the_untouched_student_version_fails(kernel):
    """In the untouched version exactly the graded cells fail, each with the words 'not written yet', and none uses up a hint."""
    errors = kernel.run_notebook(student_version(kernel.source))
    failed = {name: error for name, error in errors.items() if error}
    assert set(failed) == set(kernel.graded), "graded cells fail, and no other cell does"
    for error in failed.values():
        assert "not written yet" in error and "Traceback" not in error
        assert "Hint" not in error


def test_every_solution_passes_all_tests(kernel):
    """Every solution passes every test."""
    errors = kernel.run_notebook(kernel.source)
    assert {name: error for name, error in errors.items() if error} == {}


def test_every_hidden_test_can_fail_and_wrong_answers_get_the_message_they_deserve(kernel):
    """For every line of a hidden test a wrong answer in `tests/exercises/mutants/<name>` fails there, and nowhere before, with a message of at most ten lines that says what is wrong."""
    for cell in kernel.source.cells:
        if cell.cell_type == "code" and cell.id not in kernel.graded:
            assert kernel.run(cell.source)[1] is None
    proved = {name: set() for name in kernel.graded}
    for mutant in kernel.mutants:
        kernel.run(mutant.source)
        if mutant.patience:
            kernel.run(f"patient, PATIENCE = PATIENCE, {mutant.patience}")
        _, error = kernel.run(kernel.cell(mutant.fails).source)
        line = int(kernel.run("import sys; print(sys.last_value.__context__.__traceback__.tb_lineno)")[0])
        if mutant.patience:
            kernel.run("PATIENCE = patient")
        kernel.run(kernel.cell(mutant.answer).source)
        assert error is not None, f"'{mutant.name}' passes {mutant.fails}"
        assert mutant.says in error, f"'{mutant.name}' fails with another message:\n{error}"
        assert "Traceback" not in error and len(error.splitlines()) <= 10
        hit = [lines for lines in kernel.hidden(mutant.fails) if line in lines]
        assert bool(hit) == mutant.hidden, f"'{mutant.name}' fails in line {line} of {mutant.fails}"
        proved[mutant.fails].update(hit)
    unproved = {name: set(kernel.hidden(name)) - proved[name] for name in kernel.graded}
    assert not any(unproved.values()), f"no mutant fails these hidden lines: {unproved}"


def test_no_notebook_is_without_hidden_tests(kernel):
    """Every graded cell has hidden tests."""
    assert all(kernel.hidden(name) for name in kernel.graded)
