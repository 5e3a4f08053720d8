"""Powercap trees in which one thing at a time goes wrong."""

import builtins
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from efficient_ai.metering.faketree import SPAN_UJ, PowercapTree

SPAN = SPAN_UJ / 1e6


def _draw(tree: PowercapTree, looks: int = 4) -> Iterator[int]:
    """Five seconds pass with each step; package 0 draws 50 W, package 1 70 W, each memory 6 W."""
    for step in range(looks):
        draws = {"package-0": 50.0, "package-0 core": 30.0, "package-0 dram": 6.0, "package-1": 70.0,
                 "package-1 core": 40.0, "package-1 dram": 6.0, "psys": 170.0, "twin": 50.0}  # fmt: skip
        tree.advance({zone: watts for zone, watts in draws.items() if zone in tree.zones}, 5.0)
        yield step


def _wrapping(tree: PowercapTree) -> Iterator[int]:
    tree.set("package-0", SPAN - 600.0)
    yield from _draw(tree)


def _failing(tree: PowercapTree) -> Iterator[int]:
    file = tree.zones["package-0"] / "energy_uj"
    for step in _draw(tree):
        kept = file.read_bytes()
        if step == 1:
            file.write_bytes(b"")
        yield step
        if step == 1:
            file.write_bytes(kept)


CASES: dict[str, tuple[dict[str, Any], Callable[[PowercapTree], Iterator[int]], float | None]] = {
    "one package": (dict(packages=1, children=("core",)), _draw, 20 * 50.0),
    "two packages": (dict(packages=2, children=("core",)), _draw, 20 * 120.0),
    "memory": (dict(packages=1), _draw, 20 * 56.0),
    "psys and a twin": (dict(packages=2, psys=True, twin=True), _draw, 20 * 132.0),
    "a wrap": (dict(packages=1, children=()), _wrapping, 20 * 50.0),
    "a reading that fails": (dict(packages=1, children=()), _failing, 20 * 50.0),
    "no permission": (dict(packages=2, children=()), _draw, None),
    "an empty folder": (dict(packages=0, children=()), _draw, None),
}
"""Arguments of the tree, what happens in it, and the joules of packages and memory; ``None`` where there is no number."""


def on_tree(case: str, measure: Callable[[Path, Iterator[int]], float]) -> tuple[Any, str]:
    """Call ``measure(root, looks)`` on the tree of ``case``.

    Returns:
        What it returned (``None`` if it raised an ``OSError``), and the name of the error (or ``""``).
    """
    arguments, happens, _ = CASES[case]
    folder = Path(tempfile.mkdtemp(prefix="powercap-"))
    try:
        tree = PowercapTree(folder, **arguments)
        steps = happens(tree)
        if case == "a wrap":  # the counter stands near its end before the first look
            tree.set("package-0", SPAN - 600.0)
        with _forbidden("intel-rapl:1/energy_uj" if case == "no permission" else None):
            try:
                return measure(folder, steps), ""
            except OSError as error:
                return None, type(error).__name__
    finally:
        shutil.rmtree(folder)


@contextmanager
def _forbidden(ending: str | None) -> Iterator[None]:
    """Whoever opens a file with this ending gets a PermissionError, also as root, whom no mode keeps out."""
    real = io.open

    def opened(file, *args, **kwargs):
        reading = "+" not in (args[0] if args else kwargs.get("mode", "r"))  # the tree itself goes on writing
        if ending is not None and str(file).endswith(ending) and reading:
            raise PermissionError(13, "Permission denied", str(file))
        return real(file, *args, **kwargs)

    builtins.open = io.open = opened
    try:
        yield
    finally:
        builtins.open = io.open = real
