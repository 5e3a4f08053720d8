"""The course folder, and what of the library a student's process gets."""

import re
import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

import nbformat

from bookbuild._assignments import sources, student_version
from bookbuild.layout import BuildError
from efficient_ai._files import write_atomic
from efficient_ai._paths import project_root

_EMPTY = '"""The benches are where the checks are."""\n'


def student_library(target: Path) -> Path:
    """Write the library without benches, which know right answers, and without anything of the builder."""
    shutil.rmtree(target, ignore_errors=True)
    source = project_root() / "lib" / "efficient_ai"

    def left_out(folder: str, names: list[str]) -> list[str]:
        gone = {"__pycache__"} | ({"benches", "benches.py"} & set(names))
        return [name for name in names if name in gone]

    shutil.copytree(source, target / "efficient_ai", ignore=left_out)
    for package in source.iterdir():
        if (package / "benches").is_dir() or (package / "benches.py").is_file():
            (target / "efficient_ai" / package.name / "benches.py").write_text(_EMPTY)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return target


def source(assignment: str) -> Path:
    """The instructor's notebook of an assignment. Raises ``BuildError`` if there is none of that name."""
    found = {path.stem: path for path in sources()}
    if assignment not in found:
        said = f"there is no assignment '{assignment}'" if assignment else "ASSIGNMENT is missing"
        raise BuildError(f"{said}; there are: {', '.join(found)}")
    return found[assignment]


def release(assignment: str, folder: Path) -> list[Path]:
    """Write what students get of an assignment, and nothing else: the notebook and a zip of it in ``folder/<assignment>``."""
    path = source(assignment)
    notebook = student_version(nbformat.read(path, as_version=4))
    target = folder / assignment / path.name
    write_atomic(target, (nbformat.writes(notebook) + "\n").encode())
    packed = folder / assignment / f"{assignment}.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(target, f"{assignment}/{path.name}")
    return [target, packed]


def guess(names: Iterable[str]) -> str:
    """The assignment that the names of handed-in files speak of. Raises ``BuildError`` if it is not one."""
    text = "\n".join(names)
    named = [path.stem for path in sources() if re.search(rf"(?<![a-z]){path.stem}(?![a-z])", text)]
    if len(named) != 1:
        found = f"of {', '.join(named)}" if named else "of no assignment"
        raise BuildError(f"the names of the submissions speak {found}: say which by ASSIGNMENT=")
    return named[0]
