"""A small assignment with every kind of answer: numbers, arrays, a refusal, something lent, and code on two ranks."""

import nbformat

SETUP = '''\
import numpy as np

from efficient_ai import checks


class Gauge:
    """Shows a number, and counts how often it is read."""

    def __init__(self, value):
        self.value, self.reads = value, 0

    def read(self):
        self.reads += 1
        return self.value + self.reads


def on_two(comm, function):
    return function(comm, np.full(3, float(comm.rank)))
'''
ANSWERS = {
    "double": ("def double(x):\n", "    return 2 * x"),
    "means": ("def means(table):\n", "    return table.mean(axis=0)"),
    "fold": (
        "def fold(values, n):\n",
        "    if len(values) % n:\n        raise ValueError('no whole rows')\n    return np.reshape(values, (-1, n))",
    ),
    "total": ("def total(gauge):\n", "    return sum(gauge.read() for _ in range(3))"),
}
CHECKS = {
    "double": (
        "    checks.equal('double(2)', double(2), 4)\n",
        "    checks.equal('double(-5)', double(-5), -10)\n",
    ),
    "means": (
        "    table = np.arange(6.0).reshape(2, 3)\n    checks.close('means(table)', means(table), [1.5, 2.5, 3.5])\n",
        "    checks.close('means of one row', means(table[:1]), [0.0, 1.0, 2.0], dtype=np.float64)\n",
    ),
    "fold": (
        "    checks.equal('fold', fold(np.arange(4), 2), [[0, 1], [2, 3]])\n",
        "    refused = False\n    try:\n        fold(np.arange(5), 2)\n    except ValueError:\n        refused = True\n"
        "    checks.equal('5 values in rows of 2 are refused', refused, True)\n",
    ),
    "total": (
        "    gauge = Gauge(10)\n    checks.equal('the sum', total(gauge), 36)\n",
        "    checks.equal('readings', gauge.reads, 3)\n",
    ),
}
POINTS = {"double": 1, "means": 2, "fold": 2, "total": 3}
RANKS_ANSWERS = {
    "swap": (
        "def swap(comm, mine):\n",
        "    theirs = np.empty_like(mine)\n    request = comm.Irecv(theirs, 1 - comm.rank)\n"
        "    comm.Send(mine, 1 - comm.rank)\n    request.Wait()\n    return theirs",
    ),
    "tell": ("def tell(comm, mine):\n", "    return comm.allgather(float(mine[0]))"),
}
RANKS_CHECKS = {
    "swap": (
        "    found = checks.on_ranks(on_two, 2, swap, timeout=PATIENCE)\n",
        "    checks.equal('what rank 0 has', found[0], np.ones(3))\n",
    ),
    "tell": (
        "    found = checks.on_ranks(on_two, 2, tell, timeout=PATIENCE)\n",
        "    checks.equal('what both have', found, [[0.0, 1.0]] * 2)\n",
    ),
}
RANKS_POINTS = {"swap": 3, "tell": 1}


def notebook(answers=ANSWERS, tests=CHECKS, points=POINTS, setup=SETUP):
    """The instructor's notebook."""
    cells = [_cell("setup", setup)]
    for name, (head, body) in answers.items():
        cells.append(_cell(f"{name}-statement", f"## The task {name}", kind="markdown"))
        text = f"{head}    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        cells.append(_cell(name, text, solution=True))
        hints = f'{name}_task = checks.Task("{name}", "first hint of {name}", "second hint")'
        cells.append(_cell(f"{name}-hints", hints))
        cells[-1].metadata.tags = ["hide-input"]
        visible, hidden = tests[name]
        text = f"with {name}_task:\n{visible}    ### BEGIN HIDDEN TESTS\n{hidden}    ### END HIDDEN TESTS"
        cells.append(_cell(f"{name}-test", text, grade=True, points=points[name]))
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return made


def on_ranks(patience):
    """The instructor's notebook with tasks on ranks."""
    setup = f"{SETUP}\n\nPATIENCE = {patience}\n"
    return notebook(RANKS_ANSWERS, RANKS_CHECKS, RANKS_POINTS, setup)


def _cell(name, text, kind="code", grade=False, solution=False, points=None):
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    cell = make(text, id=name)
    mark = {"grade": grade, "grade_id": name, "locked": not solution, "schema_version": 3}
    cell.metadata.nbgrader = mark | {"solution": solution, "task": False}
    if points is not None:
        cell.metadata.nbgrader["points"] = points
    return cell
