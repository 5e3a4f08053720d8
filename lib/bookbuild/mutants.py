"""``make mutants``: change one line of core or builder, run the tests of that module, and see whether one of them fails.

A change that no test notices is either without effect or a fault that could enter unseen. Every change is made in a copy of the
checkout; what was judged is a line of ``build/mutants.jsonl``, so that a whole run may be stopped and goes on later.
"""

import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from bookbuild._mutations import Mutation, mutations
from bookbuild.fingerprint import imported_names
from bookbuild.layout import BuildError, Layout
from bookbuild.testing import timed
from efficient_ai.processes import end_tree

# Three end processes: a wrong line there may end some that are not the test's. And no judge judges itself.
NEVER = (
    "efficient_ai/processes.py",
    "efficient_ai/parallel/_guard.py",
    "bookbuild/processes.py",
    "bookbuild/mutants.py",
)
PAPERS = "figures"  # a package that has this folder is a chapter's, not core
LONGEST = 30.0  # seconds of the tests of a module that a sample takes
_AT_A_TIME = 4  # changes of one module, one after another, in a sample
NOTICED, SURVIVED, BROKEN = "noticed", "survived", "its tests fail without a change"


@dataclass(frozen=True)
class Mutant:
    """One change of one module, and the tests that should notice it."""

    module: str
    path: Path
    mutation: Mutation
    tests: tuple[str, ...]

    @property
    def source(self) -> str | None:
        """The module after the change, or ``None`` where that is none."""
        return self.mutation.applied(self.path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        return f"lib/{self.module}:{self.mutation.line}  {self.mutation.what}"


def modules(layout: Layout) -> list[str]:
    """The Python files of core and builder, relative to ``lib``."""
    chapters = {path.parent for path in (layout.lib / "efficient_ai").glob(f"*/{PAPERS}")}
    found = [
        path.relative_to(layout.lib).as_posix()
        for package in ("efficient_ai", "bookbuild")
        for path in sorted((layout.lib / package).rglob("*.py"))
        if not chapters.intersection(path.parents)
        and path.name != "__init__.py"
        and "skeleton" not in path.parts
    ]
    return [name for name in found if name not in NEVER]


def tests_of(layout: Layout, module: str) -> tuple[str, ...]:
    """The test files that mirror a module, or else import it: those that name most of what it defines come first."""
    parts = Path(module).with_suffix("").parts
    # efficient_ai/ledger/_judge.py: tests/lib/ledger/ or tests/lib/test_ledger*.py
    folder = layout.root / "tests" / ("lib" if parts[0] == "efficient_ai" else "bookbuild")
    own = parts[1].strip("_")
    found = [
        *folder.glob(f"test_{own}.py"),
        *folder.glob(f"test_{own}_*.py"),
        *(folder / own).glob("test_*.py"),
    ]
    if not found:
        dotted = ".".join(parts[:2])
        texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("test_*.py")}
        found = [path for path, text in texts.items() if dotted in imported_names(text, "", (parts[0],))]
        found = found or (list(texts) if parts[0] == "bookbuild" else [])
    words = [word.strip("_") for word in _defined((layout.lib / module).read_text(encoding="utf-8"))]

    def rank(path: Path) -> tuple[int, str]:
        text = path.read_text(encoding="utf-8")
        return -sum(text.count(word) for word in words), path.name

    return tuple(path.relative_to(layout.root).as_posix() for path in sorted(found, key=rank))


def _defined(source: str) -> list[str]:
    return [
        node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]


def all_mutants(layout: Layout, only: Sequence[str] = ()) -> list[Mutant]:
    """Every change of core and builder, or of the modules whose path contains one of the words of ``only``."""
    found = []
    for module in modules(layout):
        if not only or any(word in module for word in only):
            tests = tests_of(layout, module)
            source = (layout.lib / module).read_text(encoding="utf-8")
            found += [Mutant(module, layout.lib / module, mutation, tests) for mutation in mutations(source)]
    if not found:
        raise BuildError(f"no module of core or builder is called {' or '.join(only)}")
    return found


def run_mutants(
    layout: Layout, *, only: Sequence[str] = (), seconds: float | None = None, seed: int = 0, workers: int = 2
) -> dict[str, str]:
    """Judge every change, or as many as fit into ``seconds``, drawn at random; returns verdicts by the mutants' names.

    A sample leaves out modules whose tests take long. A change whose tests run far longer than without it counts as noticed.
    """
    chosen = all_mutants(layout, only)
    known, kept = timed(layout), layout.build / "mutants.jsonl"
    if seconds is not None:
        chosen = [m for m in chosen if m.tests and sum(known.get(t, 5.0) for t in m.tests) <= LONGEST]
        chosen = _sample(chosen, random.Random(seed))
    verdicts = {} if seconds is not None else _judged(kept)
    until = time.monotonic() + (seconds if seconds is not None else float("inf"))
    waiting = [mutant for mutant in chosen if mutant.name not in verdicts]
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(workers) as pool:
        copies: SimpleQueue[_Copy] = SimpleQueue()
        baseline: dict[tuple[str, ...], float | None] = {}
        for number in range(workers):
            copies.put(_Copy(layout, Path(folder) / str(number), until, baseline))

        def judge(mutant: Mutant) -> tuple[Mutant, str | None]:
            copy = copies.get()
            try:
                return mutant, copy.judge(mutant)
            finally:
                copies.put(copy)

        total = len(waiting) if seconds is None else None
        for mutant, verdict in tqdm(pool.map(judge, waiting), total=total, desc="mutants", disable=None):
            if verdict is None:
                continue  # time was over, or no change
            verdicts[mutant.name] = verdict
            with open(kept, "a", encoding="utf-8") as file:
                file.write(json.dumps({"mutant": mutant.name, "verdict": verdict}) + "\n")
    return {mutant.name: verdicts[mutant.name] for mutant in chosen if mutant.name in verdicts}


def _sample(chosen: Sequence[Mutant], rng: random.Random) -> list[Mutant]:
    """All in random order, some of one module at a time: its tests are run without a change but once."""
    by_module: dict[str, list[Mutant]] = {}
    for mutant in chosen:
        by_module.setdefault(mutant.module, []).append(mutant)
    pieces = []
    for mutants in by_module.values():
        rng.shuffle(mutants)
        pieces += [mutants[i : i + _AT_A_TIME] for i in range(0, len(mutants), _AT_A_TIME)]
    rng.shuffle(pieces)
    return [mutant for piece in pieces for mutant in piece]


def _judged(kept: Path) -> dict[str, str]:
    found = {}
    for line in kept.read_text(encoding="utf-8").splitlines() if kept.exists() else ():
        try:
            entry = json.loads(line)
            found[entry["mutant"]] = entry["verdict"]
        except (ValueError, KeyError):
            continue  # cut off
    return found


class _Copy:
    """A copy of the checkout in which one mutant at a time lives."""

    def __init__(
        self, layout: Layout, folder: Path, until: float, baseline: dict[tuple[str, ...], float | None]
    ):
        # `baseline`: seconds of tests without a change, None where they fail; the copies share it.
        self.folder, self.until, self.baseline = folder, until, baseline
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        for name in filter(None, subprocess.check_output(listed, cwd=layout.root, text=True).split("\0")):
            source, target = layout.root / name, folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)

    def judge(self, mutant: Mutant) -> str | None:
        """The verdict, or ``None`` where time was over before it was found, or the change is none."""
        if time.monotonic() >= self.until or (source := mutant.source) is None:
            return None
        if mutant.tests not in self.baseline:
            begin = time.monotonic()
            if self._fails(mutant.tests, 600.0) is None:
                return None
            passed = self._last == 0
            self.baseline[mutant.tests] = time.monotonic() - begin if passed else None
        usual = self.baseline[mutant.tests]
        if usual is None:
            return BROKEN
        path = self.folder / "lib" / mutant.module
        before = path.read_bytes()
        path.write_text(source, encoding="utf-8")
        try:
            failed = self._fails(mutant.tests, 20.0 + 4 * usual)
        finally:
            path.write_bytes(before)
        return None if failed is None else NOTICED if failed else SURVIVED

    def _fails(self, tests: Sequence[str], limit: float) -> bool | None:
        """Whether a test fails or runs over the limit; ``None`` where the whole run's time ended first."""
        left = self.until - time.monotonic()
        if left <= 0:
            return None
        if not tests:
            self._last = 0
            return False
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not slurm and not mutants",  # a judge within a judge would need the time of both
            *tests,
        ]
        environment = os.environ | {
            "PYTHONPATH": str(self.folder / "lib"),
            "PYTHONDONTWRITEBYTECODE": "1",  # two changes within a second have the same date
            "EFFICIENT_AI_BUILD": str(self.folder / "build"),
            "OMP_NUM_THREADS": "1",
        }
        environment.pop("EFFICIENT_AI_TESTS", None)
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            self._last = process.wait(min(limit, left))
            return self._last != 0
        except subprocess.TimeoutExpired:
            return None if limit > left else True
        finally:
            end_tree(process.pid, waited_for=process.returncode is not None)
            process.wait()


def told(verdicts: dict[str, str]) -> Iterator[str]:
    """The result in lines: what survived, and the counts."""
    for name, verdict in sorted(verdicts.items()):
        if verdict != NOTICED:
            yield f"{verdict}: {name}"
    noticed = sum(verdict == NOTICED for verdict in verdicts.values())
    yield f"{noticed} of {len(verdicts)} changes were noticed by a test"
