"""``make chapter NAME=demo``: a chapter that builds and passes every test, to be filled with a paper.

What is written is a copy of ``skeleton/`` under the new name, a line in ``chapters.py`` and two in ``_toc.yml``.
"""

import keyword
import re
import subprocess
import sys
from pathlib import Path

from bookbuild.chapters import BY_NAME, PARTS
from bookbuild.layout import BuildError, Layout
from efficient_ai._files import write_atomic

SKELETON = Path(__file__).parent / "skeleton"
_NAME, _TITLE = "demo_chapter", "TITLE"
_END_OF_TABLE = '    Chapter("capstone"'


def write_chapter(layout: Layout, name: str, part: str = "", title: str = "") -> list[Path]:
    """Write the files of a new chapter and enter it in the table of chapters and in the table of contents.

    Args:
        layout: of the checkout.
        name: of the chapter, its notebook and its sub-package: lower case, an identifier.
        part: of the book, ``"I"`` to ``"VII"``; for a paper that the table knows it stands there.
        title: likewise.

    Returns:
        the new files

    Raises:
        BuildError: a name that is none or taken, or no such part. Nothing is written then.
    """
    known = BY_NAME.get(name)
    part = known.part if known else part or "VI"
    title = known.title if known else title or name.replace("_", " ").capitalize()
    files = _targets(layout, name)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or name == _NAME:
        raise BuildError(
            f"NAME is a name of a Python package in lower case, not '{name}': make chapter NAME=demo"
        )
    if part not in PARTS:
        raise BuildError(f"PART is one of {', '.join(PARTS)}, not '{part}'")
    if any(character in title for character in ('"\\\n' if known else "\"'\\\n")):
        raise BuildError("TITLE is one line without quotes or backslashes")
    taken = [path for path in (layout.lib / "efficient_ai" / name, layout.lib / "efficient_ai" / f"{name}.py", *files)
             if path.exists()]  # fmt: skip
    if taken:
        raise BuildError(f"'{name}' is taken: {taken[0]} is there already")
    toc = _in_toc((layout.root / "_toc.yml").read_text(encoding="utf-8"), name, part)
    for target, template in files.items():
        text = template.read_text(encoding="utf-8")
        write_atomic(target, text.replace(_NAME, name).replace(_TITLE, title).encode())
    if known is None:
        table = layout.lib / "bookbuild" / "chapters.py"
        line = f'    Chapter("{name}", "{part}", "{title}", "Which question does this chapter answer?", method="{title}",\n            before="what one should have met before"),\n'
        write_atomic(table, table.read_text().replace(_END_OF_TABLE, line + _END_OF_TABLE, 1).encode())
    write_atomic(layout.root / "_toc.yml", toc.encode())
    for arguments in (
        ["check", "-q", "--fix", "--select", "I"],
        ["format", "-q"],
    ):  # a name changes the order of lines
        subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, *map(str, files)], cwd=layout.root, check=True
        )
    return list(files)


def _targets(layout: Layout, name: str) -> dict[Path, Path]:
    """Each file to write, with the file of the skeleton it comes from."""
    root, found = layout.root, {}
    for path in sorted((SKELETON / "package").glob("*.py")):
        found[layout.lib / "efficient_ai" / name / path.name] = path
    found[root / "book" / "chapters" / f"{name}.ipynb"] = SKELETON / "chapter.ipynb"
    found[root / "book" / "exercises" / f"{name}.ipynb"] = SKELETON / "exercise.ipynb"
    # pytest wants a name of its own for each file
    found[root / "tests" / "lib" / name / f"test_{name}_method.py"] = SKELETON / "tests" / "test_method.py"
    found[root / "tests" / "exercises" / "mutants" / name / "__init__.py"] = (
        SKELETON / "mutants" / "__init__.py"
    )
    return found


def _in_toc(toc: str, name: str, part: str) -> str:
    """The table of contents with the chapter at the end of its part; a part that is new stands in the book's order."""
    entry = (
        f"      - file: book/chapters/{name}\n        sections:\n          - file: book/exercises/{name}\n"
    )
    blocks = re.split(r"(?m)^(?=  - caption: )", toc if toc.endswith("\n") else toc + "\n")
    captions = [block.splitlines()[0].removeprefix("  - caption: ").strip() for block in blocks]
    if PARTS[part] in captions:
        blocks[captions.index(PARTS[part])] += entry
        return "".join(blocks)
    after = [*list(PARTS.values())[list(PARTS).index(part) + 1 :], "Reference"]
    place = next((number for number, caption in enumerate(captions) if caption in after), len(blocks))
    blocks.insert(place, f"  - caption: {PARTS[part]}\n    chapters:\n{entry}")
    return "".join(blocks)
