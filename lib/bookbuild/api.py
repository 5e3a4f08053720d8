"""The pages of the library: a short list in front, and one page for each module of core and each paper's sub-package.

They are written by the builder: the table of contents names the list alone.
"""

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from bookbuild.chapters import BY_NAME

INDEX = "book/reference/api"
CORE = (
    "profiles",
    "ledger",
    "verify",
    "provenance",
    "records",
    "plotting",
    "checks",
    "data",
    "training",
    "metering",
    "lowrank",
    "surgery",
    "forecasters",
    "parallel",
    "transport",
    "processes",
)


def names() -> list[str]:
    """The modules that have a page: those of core, then the papers in the book's order."""
    return [name for name in (*CORE, *BY_NAME) if _about(f"efficient_ai.{name}")]


def pages() -> Iterator[tuple[str, str]]:
    """Path without suffix and text of each page, that of the list excepted."""
    for name in names():
        yield f"{INDEX}/{name}", page(name)


def page(name: str) -> str:
    """A module, and in sections of their own the modules that its documentation names with ``:mod:``."""
    sections, waiting = [], [f"efficient_ai.{name}"]
    while waiting:
        module = waiting.pop(0)
        source = _source(module)
        if not (text := _about(module)):
            continue
        left_out = elsewhere(source, module)
        excluded = f"   :exclude-members: {', '.join(left_out)}\n" if left_out else ""
        level = "##" if sections else "#"
        sections.append(
            f"{level} `{module}`\n\n```{{eval-rst}}\n.. automodule:: {module}\n   :members:\n{excluded}```"
        )
        waiting[:0] = re.findall(rf":mod:`({re.escape(module)}\.\w+)`", text)
    return "\n\n".join(sections) + "\n"


def index() -> str:
    """The list: what each module is for, in the first sentence of its documentation."""
    found = names()
    parts = []
    for heading, some in (("Core", CORE), ("The papers", tuple(BY_NAME))):
        lines = [f"- [`efficient_ai.{name}`](api/{name}): {_first(name)}" for name in found if name in some]
        if lines:
            parts.append(f"## {heading}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) or "*The library has no public modules yet.*"


def in_contents(toc: str) -> str:
    """``_toc.yml`` with the pages of the modules under the list."""
    contents = yaml.safe_load(toc)
    for part in contents.get("parts", ()):
        for chapter in part.get("chapters", ()):
            if chapter.get("file") == INDEX:
                chapter["sections"] = [{"file": path} for path, _ in pages()]
    return yaml.safe_dump(contents, sort_keys=False, allow_unicode=True)


def elsewhere(source: str, name: str) -> list[str]:
    """Names that a package hands on from another one of core: they are described there, once."""
    core = [f"efficient_ai.{other}" for other in CORE if f"efficient_ai.{other}" != name]
    return [
        alias.asname or alias.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
        and any(node.module == other or node.module.startswith(f"{other}.") for other in core)
        for alias in node.names
    ]  # fmt: skip


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""


def _about(module: str) -> str:
    return ast.get_docstring(ast.parse(_source(module))) or ""


def _first(name: str) -> str:
    """The first paragraph, without roles of reStructuredText."""
    text = " ".join(_about(f"efficient_ai.{name}").split("\n\n")[0].split())
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
