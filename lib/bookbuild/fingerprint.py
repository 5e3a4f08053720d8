"""What an executed chapter depends on, as one hash: a change of any of it executes the chapter again.

The code cells of the notebook (its text is put beside their outputs when the site is made), every module of the library that it imports (and what those import, and so on), the files
that lie beside these modules (scripts, data), the profile, the pinned requirements, the recorded benchmark of the
chapter, and the Python version.
"""

import ast
import hashlib
import json
import platform
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from bookbuild.layout import read_notebook

PACKAGE = "efficient_ai"
_one_parser = threading.Lock()
# Tags that change what a run does; the others only change how the page looks.
RUN_TAGS = {"parameters", "raises-exception", "skip-execution"}
_DOTTED = re.compile(rf"{PACKAGE}(?:\.\w+)*")
_IMPORT_LINE = re.compile(
    rf"^\s*[%!\w\s-]*?(?:from|import)\s+({PACKAGE}(?:\.\w+)*)(?:\s+import\s+([\w ,]+))?", re.MULTILINE
)


def fingerprint(notebook: Path, profile: str, lib: Path, inputs: Sequence[Path]) -> str:
    """Hash of everything the outputs of `notebook` depend on.

    Parameters: the notebook's path, the profile's name, the folder that holds the package, further files.
    """
    content = read_notebook(notebook)
    digest = hashlib.sha256()

    def add(label: str, data: bytes) -> None:
        digest.update(f"{label}\0{len(data)}\0".encode() + data)

    add("profile", profile.encode())
    add("python", platform.python_version().encode())
    for path in inputs:
        add(path.name, path.read_bytes())
    add("metadata", json.dumps(content.get("metadata", {}).get("efficient_ai", {}), sort_keys=True).encode())
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            tags = sorted(RUN_TAGS.intersection(cell.get("metadata", {}).get("tags", [])))
            add("code", json.dumps([source(cell), tags]).encode())
    for path in dependencies(content, lib):
        add(path.relative_to(lib).as_posix(), path.read_bytes())
    return digest.hexdigest()


def dependencies(notebook: dict, lib: Path) -> list[Path]:
    """Files of the library that the code cells use, directly or through other modules, sorted."""
    names: set[str] = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            names |= imported_names(plain_python(source(cell)), package="")
    return closure(names, lib)


def closure(names: set[str], lib: Path, packages: Sequence[str] = (PACKAGE,)) -> list[Path]:
    """Files that importing `names` runs, directly or through other modules of `packages`, and what lies beside them."""
    seen: set[Path] = set()
    waiting = [path for name in names for path in _resolve(name, lib)]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        package = ".".join(path.relative_to(lib).parent.parts)
        for name in imported_names(path.read_text(encoding="utf-8"), package, packages):
            waiting += _resolve(name, lib)
    beside = {file for path in seen for file in _companions(path.parent)}
    return sorted(seen | beside)


def source(cell: dict) -> str:
    """A cell's text: the format allows one string or a list of lines."""
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def plain_python(code: str) -> str:
    """Cell code without IPython's additions: the body of a cell magic such as ``%%px`` counts as code."""
    lines = code.splitlines()
    while lines and (not lines[0].strip() or lines[0].lstrip().startswith("%%")):
        lines.pop(0)
    kept = []
    for line in lines:
        stripped = line.lstrip()
        if stripped.startswith(("%", "!", "?")) or line.rstrip().endswith("?"):
            magic = re.match(r"%\w+\s+((?:from|import)\s.*)", stripped)  # %px import efficient_ai...
            line = line[: len(line) - len(stripped)] + (magic.group(1) if magic else "pass")
        kept.append(line)
    return "\n".join(kept)


def imported_names(code: str, package: str, packages: Sequence[str] = (PACKAGE,)) -> set[str]:
    """Dotted names below `packages` that `code` imports, at any depth, or names in full in a string.

    A string counts because modules are also started as ``python -m efficient_ai...``. `package` resolves relative imports.
    """
    try:
        tree = parsed(code)
    except SyntaxError:  # a cell in another language, or with a magic this file does not know
        found = set()
        for module, names in _IMPORT_LINE.findall(code):
            found |= {module, *(f"{module}.{name.split()[0]}" for name in names.split(",") if name.strip())}
        return found
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
            names.add(node.value)
    return {name for name in names if name.split(".")[0] in packages}


def parsed(code: str) -> ast.Module:
    """The syntax tree, one at a time: Python 3.11 counts its depth in one place for all threads, and then takes fright."""
    with _one_parser:
        return ast.parse(code)


def _resolve(name: str, lib: Path) -> Iterator[Path]:
    """Files that importing `name` runs: each package's ``__init__`` on the way, and the module itself."""
    folder = lib
    for part in name.split("."):
        if (folder / part / "__init__.py").exists():
            folder = folder / part
            yield folder / "__init__.py"
        else:
            if (folder / f"{part}.py").exists():
                yield folder / f"{part}.py"
            return  # the rest, if any, are attributes


def _companions(package: Path) -> Iterator[Path]:
    """Files that are not Python, in the package's folder and its plain subfolders (data), not in its sub-packages."""
    for path in package.iterdir():
        if path.is_dir():
            if path.name != "__pycache__" and not (path / "__init__.py").exists():
                yield from _companions(path)
        elif path.suffix not in {".py", ".pyc"}:
            yield path
