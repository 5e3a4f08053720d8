"""The course folder, and what of the library a student's process gets."""

import shutil
from pathlib import Path

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
