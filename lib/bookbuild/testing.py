"""``make test`` and ``make quick``: which tests run side by side, which alone, which a change touches.

Tests that start MPI ranks, kernels or a Slurm job take both cores and run one after another in a first process; all others,
the browser's among them, run on two workers in a second one. Their seconds are kept for the status page.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bookbuild.fingerprint import closure, dependencies, imported_names
from bookbuild.layout import BuildError, Layout, read_json, read_notebook
from bookbuild.records import expected_seconds

ALONE = ("mpi", "slurm", "notebook", "mutants")
PHASE = "EFFICIENT_AI_TESTS"  # "alone" or "beside", read by tests/conftest.py
SECONDS = "tests.json"
QUICK = 170.0  # seconds of tests that `make quick` starts
_UNKNOWN = 10.0  # seconds of a file that was never timed
_ONE_PROCESS = {"--pdb", "--collect-only", "--co", "--trace", "--help", "-h", "--markers", "--fixtures"}
# Folder of notebooks, the file of their tests, and the one that runs everything of a notebook.
_PER_CHAPTER = (
    ("chapters", "tests/chapters/test_chapters.py", "test_runs_and_records_every_claim"),
    ("exercises", "tests/exercises/test_exercises.py", "test_every_solution_passes_all_tests"),
)


def run_tests(layout: Layout, arguments: str = "", files: Sequence[str] = ()) -> int:
    """Run pytest with the reader's `arguments` on `files` (default: all tests). Returns its exit status."""
    words = [*shlex.split(arguments), *files]
    command = [sys.executable, "-m", "pytest"]
    if _ONE_PROCESS.intersection(words) or any(re.match(r"-n\d*$|--numprocesses", word) for word in words):
        return subprocess.call([*command, *words], cwd=layout.root)
    found = []
    for phase, workers in (("alone", []), ("beside", ["-n", "2", "--dist", "loadfile"])):
        print(f"tests that run {phase if phase == 'alone' else 'side by side'}", flush=True)
        environment = os.environ | {PHASE: phase}
        found.append(subprocess.call([*command, *workers, *words], cwd=layout.root, env=environment))
        if found[-1] not in (0, 1, 5) or (found[-1] and {"-x", "--exitfirst"}.intersection(words)):
            return found[-1]
    ran = [code for code in found if code != 5]  # 5: no test of this kind was chosen
    return max(ran, default=5)


def quick(layout: Layout, since: str = "", arguments: str = "") -> int:
    """Run the tests that the difference to `since` touches, the short ones first, as far as three minutes go."""
    changed = changed_files(layout, since)
    print(f"changed: {', '.join(sorted(changed)) or 'nothing'}")
    chosen, left, total = [], [], 0.0
    for test, seconds in sorted(touched(layout, changed).items(), key=lambda item: item[1]):
        total += seconds
        (chosen if total <= QUICK else left).append(test)
    if left:
        print(f"touched as well, but too long for now (make test runs them): {', '.join(left)}")
    if not chosen:
        print("no test is touched by this change")
        return 0
    print(f"touched: {', '.join(chosen)}")
    # The seconds are those of a quiet machine: on a busy one each kind of test ends when its half of the time is over.
    return run_tests(layout, f"{arguments} --session-timeout={QUICK / 2:.0f}", chosen)


def changed_files(layout: Layout, since: str = "") -> set[str]:
    """Paths that differ from `since`: from the point where this branch left main, or else from the last commit."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=layout.root, capture_output=True, text=True)
        if done.returncode:
            raise BuildError(f"git {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    if not since:
        branches = git("branch", "--list", "main").strip()
        since = git("merge-base", "HEAD", "main").strip() if branches else "HEAD"
    found = git("diff", "--name-only", since, "--").split("\n")
    found += git("ls-files", "--others", "--exclude-standard").split("\n")
    if not any(found):
        found = git("diff", "--name-only", "HEAD~1", "--").split("\n")
    return {path for path in found if path}


def touched(layout: Layout, changed: set[str]) -> dict[str, float]:
    """Tests that a change of these files may turn, with the seconds they take.

    Test files that import one of them, however indirectly, or name it; and of chapters and exercises those whose notebook,
    library code or wrong answers changed. Tests of the site are left out: they need every chapter's run.
    """
    named = [
        re.compile(rf"\b{re.escape(Path(path).name)}\b")
        for path in changed
        if not path.endswith((".py", ".ipynb"))
    ]
    known, found = timed(layout), {}
    for path in sorted((layout.root / "tests").rglob("test_*.py")):
        relative = path.relative_to(layout.root).as_posix()
        if relative.startswith("tests/site/"):
            continue
        text = path.read_text(encoding="utf-8")
        if changed.intersection(_needs(layout, path)) or any(name.search(text) for name in named):
            found[relative] = known.get(relative, _UNKNOWN)
    for folder, file, test in _PER_CHAPTER:
        for name in layout.toc(folder):
            notebook = layout.root / "book" / folder / f"{name}.ipynb"
            files = {notebook, *dependencies(read_notebook(notebook), layout.lib)}
            needed = {each.relative_to(layout.root).as_posix() for each in files}
            wrong_answers = any(each.startswith(f"tests/exercises/mutants/{name}/") for each in changed)
            if file not in found and (needed & changed or (folder == "exercises" and wrong_answers)):
                seconds = expected_seconds(layout, "smoke", name)[0] if folder == "chapters" else 2 * _UNKNOWN
                found[f"{file}::{test}[{name}]"] = seconds
    return found


def _needs(layout: Layout, test: Path) -> Iterator[str]:
    """Files of the checkout that a test file imports, with the conftest files above it."""
    for path in [
        test,
        *(
            parent / "conftest.py"
            for parent in test.parents
            if layout.root / "tests" in (parent, *parent.parents)
        ),
    ]:
        if not path.exists():
            continue
        yield path.relative_to(layout.root).as_posix()
        for name in imported_names(path.read_text(encoding="utf-8"), "", ("efficient_ai", "bookbuild")):
            for file in closure({name}, layout.lib, ("efficient_ai", "bookbuild")):
                yield file.relative_to(layout.root).as_posix()


def timed(layout: Layout) -> dict[str, float]:
    """Seconds of each test file: in this checkout's last run, else in the recorded one."""
    for path in (layout.build / SECONDS, layout.root / "results" / SECONDS):
        if found := read_json(path):
            return {name: entry["seconds"] for name, entry in found["files"].items()}
    return {}


def seconds_rows(layout: Layout) -> tuple[str, list[list[str]]]:
    """For the status page: where the seconds come from, and one row for each part of the tests."""
    found = read_json(layout.build / SECONDS) or read_json(layout.root / "results" / SECONDS)
    if not found:
        return "The tests have not been timed in this checkout yet: `make test` does it.", []
    parts: dict[str, list[float]] = {}
    for name, entry in found["files"].items():
        words = Path(name).parts
        part = "/".join(words[1:3]) if words[1] == "lib" and len(words) > 3 else words[1].removesuffix(".py")
        seconds, tests = parts.setdefault(part, [0.0, 0])
        parts[part] = [seconds + entry["seconds"], tests + entry["tests"]]
    rows = [
        [part, str(tests), f"{seconds:.0f}"]
        for part, (seconds, tests) in sorted(parts.items(), key=lambda p: -p[1][0])
    ]
    total = sum(seconds for seconds, _ in parts.values())
    return (
        f"Together {total / 60:.0f} min of tests, on {found['machine']}, {found['date']}; two run side by side where they may.",
        rows,
    )
