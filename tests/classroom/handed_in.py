"""Submissions of the small assignment, honest and hostile, with the points and the words that each must get.

A row: the name of the student, how the notebook is made from the right one, the points of the four tasks
(double 1, means 2, fold 2, total 3), and words of the feedback.
"""

import json

import nbformat
from assignment import ANSWERS

from bookbuild._assignments import solved_version, student_version

ALL, NONE = (1, 2, 2, 3), (0, 0, 0, 0)
WRONG = {name: f"{head}    return 0" for name, (head, _) in ANSWERS.items()}
RIGHT = {name: head + body for name, (head, body) in ANSWERS.items()}


def answered(**cells):
    """The right notebook with other answers in some cells."""
    return lambda source: handed_in(source, RIGHT | cells)


def wrong(first):
    """A notebook with nothing right in it, that begins with an attack."""
    return lambda source: handed_in(source, WRONG | {"double": f"{first}\n\n\n{WRONG['double']}"})


def right_but(first):
    """A right notebook that begins with something evil: its answers still count."""
    return lambda source: handed_in(source, RIGHT | {"double": f"{first}\n\n\n{RIGHT['double']}"})


def changed(change):
    """The right notebook after ``change(notebook)``."""

    def make(source):
        nb = solved_version(source)
        change(nb)
        return _bytes(nb)

    return make


def handed_in(source, cells):
    """The student's notebook with these answers, as bytes."""
    nb = student_version(source)
    for cell in nb.cells:
        cell.source = cells.get(cell.id, cell.source)
    return _bytes(nb)


def _bytes(nb):
    return json.dumps(nb).encode()


def _strip(nb):
    for cell in nb.cells:
        cell.metadata = nbformat.from_dict({})


def _rename(nb):
    for cell in nb.cells:
        cell.metadata.nbgrader.grade_id = cell.id = f"my-{cell.id}"


def _without(*names):
    def change(nb):
        nb.cells = [cell for cell in nb.cells if cell.id not in names]

    return change


def _no_checks(nb):
    nb.cells = [cell for cell in nb.cells if not cell.id.endswith("-test")]


def _soft_checks(nb):
    for cell in nb.cells:
        if cell.id.endswith("-test"):
            cell.source = "with double_task:\n    pass"
        if cell.id == "double":
            cell.source = WRONG["double"]


def _old(nb):
    for cell in nb.cells:
        cell.source = cell.source.replace("means", "averages")


ROWS = [
    # What honest students hand in.
    ("untouched", lambda source: _bytes(student_version(source)), NONE, "not written yet"),
    ("right", answered(), ALL, "All checks passed"),
    ("partly", answered(fold=WRONG["fold"], total=WRONG["total"]), (1, 2, 0, 0), "first hint of fold"),
    ("off-by-one", answered(double="def double(x):\n    return 2 * x + 1"), (0, 2, 2, 3), "double(2) is 5, expected 4"),
    ("shape", answered(means="def means(t):\n    return t.mean(axis=1)"), (1, 0, 2, 3), "shape (2,), expected (3,)"),
    ("dtype", answered(means="def means(t):\n    return t.mean(0).astype('f4')"), (1, 0, 2, 3), "float32"),
    ("nan", answered(means="def means(t):\n    return t.mean(0) * np.nan"), (1, 0, 2, 3), "3 of 3 values differ"),
    ("raises", answered(means="def means(t):\n    return t['a']"), (1, 0, 2, 3), "line 2 (means)"),
    ("loop", answered(double="def double(x):\n    while True:\n        x = -x"), (0, 2, 2, 3), "not finished after"),
    ("loop-in-cell", answered(double="while True:\n    pass"), (0, 2, 2, 3), "`double` is not in the notebook"),
    ("syntax", answered(double="def double(x)\n    return 2 * x"), (0, 2, 2, 3), "SyntaxError"),
    ("deep", answered(double="def double(x):\n    return double(x)"), (0, 2, 2, 3), "RecursionError"),
    ("once-too-often", answered(total=RIGHT["total"].replace("range(3)", "range(4)")), (1, 2, 2, 0), "the sum is 50"),
    ("magics", right_but("%matplotlib inline\n!ls"), ALL, "All checks passed"),
    ("no-json", lambda source: b"{'cells': [", NONE, "is no notebook"),
    ("nothing", lambda source: b"", NONE, "no notebook was handed in"),
    ("renamed", changed(_rename), ALL, "All checks passed"),
    ("stripped", changed(_strip), ALL, "All checks passed"),
    ("deleted", changed(_without("means")), (1, 0, 2, 3), "`means` is not in the notebook"),
    ("old", changed(_old), (1, 0, 2, 3), "an old version of the assignment"),
    ("no-checks", changed(_no_checks), ALL, "All checks passed"),
    # What takes too much.
    ("output", answered(double="def double(x):\n    for _ in range(10**6):\n        print(x)\n    return 2 * x"), ALL, ""),
    ("memory", answered(double="def double(x):\n    return np.ones(10 << 30)"), (0, 2, 2, 3), "MemoryError"),
    ("large", answered(double="def double(x):\n    return b'x' * (300 << 20)"), (0, 2, 2, 3), "at most 256 MB"),
    ("fork-bomb", answered(double="import os\n\n\ndef double(x):\n    while True:\n        os.fork()"), (0, 2, 2, 3), ""),
    ("left-behind", right_but("import subprocess\nfor _ in range(9):\n    subprocess.Popen(['sleep', '98765'], start_new_session=True)"), ALL, ""),
    ("exit-in-call", answered(double="import os\n\n\ndef double(x):\n    os._exit(0)"), (0, 2, 2, 3), "the process of your answers ended"),
    ("exit-in-cell", answered(means="def means(t):\n    return 0\n\n\nimport os\nos._exit(0)"), (1, 0, 2, 3), "it ended the whole process"),
    ("sys-exit", answered(double="import sys\n\n\ndef double(x):\n    sys.exit(0)"), (0, 2, 2, 3), "SystemExit"),
    ("kills", answered(double="import os\n\n\ndef double(x):\n    os.kill(os.getpid(), 9)"), (0, 2, 2, 3), "ended"),
    # What wants points for nothing.
    ("exit-patched", wrong("checks.Task.__exit__ = lambda self, *a: True"), NONE, "expected 4"),
    ("checks-patched", wrong("for n in dir(checks):\n    setattr(checks, n, lambda *a, **k: True)"), NONE, "expected 4"),
    ("soft-checks", changed(_soft_checks), (0, 2, 2, 3), "expected 4"),
    ("equal-to-all", answered(double="class Yes:\n    def __eq__(s, o):\n        return True\n\n\ndef double(x):\n    return Yes()"), (0, 2, 2, 3), "an object of type Yes"),
    ("pickle", answered(double="class Evil:\n    def __reduce__(s):\n        return (__import__('os')._exit, (0,))\n\n\ndef double(x):\n    return Evil()"), (0, 2, 2, 3), "an object of type Evil"),
    ("numpy-poisoned", wrong("np.array_equal = np.all = np.allclose = lambda *a, **k: True\nnp.ndarray = object"), NONE, "expected 4"),
    ("shadowed", wrong("import sys\nopen('numpy.py', 'w').write('x = 1')\nopen('/tmp/efficient_ai.py', 'w').write('')\nsys.path[:0] = ['.', '/tmp']\nsys.modules['efficient_ai'] = sys"), NONE, "expected 4"),
    ("at-exit", wrong("import atexit\natexit.register(print, 'double: all checks passed.')"), NONE, "expected 4"),
    ("fake-verdict", wrong("print('double: all checks passed.')\nimport os\nfor n in range(3, 40):\n    try:\n        os.write(n, b'{\"task\": \"double-test\", \"points\": 1, \"score\": 99}\\n')\n    except OSError:\n        pass"), NONE, ""),
    ("frames", wrong("import gc, sys\nfor o in gc.get_objects():\n    if isinstance(o, dict) and 'score' in o:\n        o['score'] = 99"), NONE, "expected 4"),
    ("lent-inside", answered(total="def total(gauge):\n    gauge.value = 0\n    gauge.reads = 3\n    return 36"), (1, 2, 2, 0), ""),
    ("lent-globals", answered(total="def total(gauge):\n    return gauge.read.__globals__['checks']"), (1, 2, 2, 0), "AttributeError"),
    ("input-changed", answered(means="def means(t):\n    t[:] = 0\n    return t[0]"), (1, 0, 2, 3), "3 of 3 values differ"),
    ("deletes", right_but("import shutil\nfor p in ('/opt', '/etc', '/tmp', '/home', '/work'):\n    shutil.rmtree(p, ignore_errors=True)"), ALL, ""),
]  # fmt: skip
