"""Wrong answers to the exercises on models in pieces: the solutions of the notebook with something changed."""

from pathlib import Path

import nbformat

from mutants import Mutant

_NOTEBOOK = nbformat.read(Path(__file__).parents[4] / "book" / "exercises" / "jigsaw.ipynb", as_version=4)


def _wrong(cell: str, name: str, says: str, *changes: tuple[str, str], hidden: bool = True) -> Mutant:
    """The solution of ``cell`` with each ``(old, new)`` replaced; the graded cell is ``<cell>-test``."""
    source = next(c.source for c in _NOTEBOOK.cells if c.id == cell)
    for old, new in changes:
        assert source.count(old) >= 1, f"the solution of {cell} no longer has {old!r}"
        source = source.replace(old, new)
    return Mutant(name, answer=cell, source=source, fails=f"{cell}-test", says=says, hidden=hidden)


MUTANTS = [
    _wrong(
        "product", "takes the wrong half of W", "the block of rank 0",
        ("halves[comm.rank]", "halves[0]"), ("halves[other]", "halves[1]"), ("theirs, other", "theirs, other"),
        ("y = x @", "y = -x @"), hidden=False,
    ),
    _wrong("product", "knows only K = 6", "ValueError", ("np.split(w, 2)", "[w[:3], w[3:]]")),
    _wrong(
        "product", "sends its block of W too", "bytes sent by rank 0",
        ("    theirs = np.empty_like(x)\n", "    theirs = np.empty_like(x)\n    comm.allgather(w)\n"),
    ),
    _wrong("elements", "counts dY twice, as the paper sends it", "elements(\"XWT\", 4, 6, 8) is 48", ("return y + y", "return y + y + y"), hidden=False),
    _wrong("elements", "takes all kinds for the first", "elements(\"XTW\", 4, 10, 6) is 24", ("return x + x + x", "return y + y")),
    _wrong(
        "elements", "takes the result for the operand", "elements(\"XW\", 12, 2, 8) is 144",
        ("return x + x + x", "return 3 * y if kind == \"XW\" else 3 * x"),
    ),
    _wrong("backward", "puts the rows of dW in the wrong order", "dW of rank 0", ("np.concatenate(dw)", "np.concatenate(dw[::-1])"), hidden=False),
    _wrong("backward", "takes half of K for half of N", "ValueError", ("np.split(w, 2)", "[w[: x.shape[1]], w[x.shape[1] :]]")),
    _wrong(
        "backward", "exchanges dY twice", "messages sent by rank 0 is 2, expected 1",
        ("    return dx", "    for request in [comm.Irecv(theirs, other), comm.Isend(dy, other)]:\n        request.Wait()\n    return dx"),
    ),
    _wrong(
        "norm", "normalises over the own channels", "y of rank 0",
        ("both = np.stack([own, swap(comm, own)])", "both = np.stack([own, own])"), hidden=False,
    ),
    _wrong(
        "norm", "takes the mean of squares minus the square of the mean", "y of rank 0",
        ("x.var(1)", "(x**2).mean(1)"),
        ("both[:, 1].mean(0) + ((both[:, 0] - mean) ** 2).mean(0)", "both[:, 1].mean(0) - mean**2"),
    ),
    _wrong(
        "norm", "sends all of x", "bytes sent by rank 0 in the forward pass",
        ("    own = np.stack([x.mean(1), x.var(1)])\n", "    own = np.stack([x.mean(1), x.var(1)])\n    swap(comm, x)\n"),
    ),
    _wrong("balanced", "keeps the wrong part", "the block of rank 0", ("parts[j] + theirs", "parts[1 - j] + theirs"), hidden=False),
    _wrong("balanced", "knows only blocks of two rows", "has shape (2, 2), expected", ("parts[j] + theirs", "(parts[j] + theirs)[:2, :2]")),
    _wrong(
        "balanced", "gathers X as well", "bytes sent by rank 0",
        ("    other_w = np.empty_like(w)\n", "    other_w = np.empty_like(w)\n    comm.allgather(x)\n"),
    ),
    _wrong("grid", "adds only what meets exactly", "the block of rank 0", ("if low < top:", "if low < top and p == 0:"), hidden=False),
    _wrong(
        "grid", "takes the grid for a square", "the block of rank 0",
        ("if low < top:", "if low < top and p == q:"),
    ),
    _wrong(
        "grid", "gathers everything", "what rank 0 of 2 x 3 sent",
        ("    y = np.zeros((len(x), w.shape[1]))\n", "    y = np.zeros((len(x), w.shape[1]))\n    comm.allgather(x)\n"),
    ),
    _wrong("cost", "lets every rank do everything", "seconds on 1 x 2", ("/ ranks / rate", "/ rate"), hidden=False),
    _wrong(
        "cost", "counts one message for a whole row or column", "seconds on 2 x 3",
        ("(cols - 1) + (rows - 1)\n", "(cols > 1) + (rows > 1)\n"),
    ),
    _wrong("cost", "never cuts rows", "the cheapest grid of 8 ranks", ("if ranks % r == 0", "if r == 1")),
    _wrong("cost", "takes more rows of two that cost the same", "the cheapest grid of 12 ranks", ("range(1, ranks + 1)", "range(ranks, 0, -1)")),
]  # fmt: skip
