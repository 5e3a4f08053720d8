"""The wheel of the library is whole: every file, every dependency, and nothing of the checkout is needed."""

import ast
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lib" / "efficient_ai"
# Imported where they are there, and never without asking: the drivers of boards, and what torch brings with CUDA.
OPTIONAL = {"triton", "pynvml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # setuptools writes beside what it builds
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (source / name).write_bytes((ROOT / name).read_bytes())
    (source / "lib").mkdir()
    subprocess.run(["cp", "-r", str(PACKAGE), str(source / "lib")], check=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_library_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == files


def test_the_wheel_works_without_the_checkout(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = (
        "import efficient_ai.plotting as plotting, efficient_ai, efficient_ai.data\n"
        "from efficient_ai._paths import project_root\n"
        "assert project_root() is None\n"
        "assert plotting.site_assets()\n"
        "print(efficient_ai.__file__)"
    )
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path / "installed"),
        "EFFICIENT_AI_BUILD": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "installed"))


def test_every_package_that_the_library_imports_is_declared_and_pinned():
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    own = {path.stem for path in PACKAGE.rglob("*.py")} | {
        "efficient_ai"
    }  # scripts import a neighbour by its name
    foreign = imported - set(sys.stdlib_module_names) - own - OPTIONAL
    declared = {
        _name(line)
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    of_module = metadata.packages_distributions()
    missing = {
        module for module in foreign if not declared & {_name(each) for each in of_module.get(module, [])}
    }
    assert not missing, f"pyproject.toml declares no package for {missing}"
    pinned = (ROOT / "requirements.txt").read_text() + (ROOT / "constraints.txt").read_text()
    pins = {_name(line) for line in pinned.splitlines() if "==" in line}
    assert declared <= pins, f"neither requirements.txt nor constraints.txt pins {declared - pins}"


def _name(line):
    return re.match(r"[\w.-]+", line).group().lower().replace("_", "-")
