"""What students hand in: a folder or a zip as a learning platform exports it, and the code in each notebook."""

import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bookbuild.layout import BuildError

LARGEST = 20 << 20  # bytes of one notebook
_MOST = 20_000  # files in one export
_GRADED = re.compile(r"^\s*with\s+\w*task\w*\s*(\[.*\])?\s*:", re.MULTILINE)
_MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)
# Moodle: "Ada Lovelace_123_assignsubmission_file_"; others: "ada_123_456_jigsaw.ipynb".
_PLATFORM = re.compile(r"_\d+_assignsubmission_file.*$|_assignsubmission.*$")


@dataclass(frozen=True)
class Submission:
    """A student's file: who, what it is called, and its bytes."""

    student: str
    file: str
    content: bytes


def collect(place: Path, assignment: str) -> list[Submission]:
    """The submissions in a folder or zip, by student.

    ``<student>/<assignment>/<file>.ipynb`` (nbgrader), ``<student>/<file>.ipynb`` and ``<student>….ipynb`` are understood. Of several
    notebooks of one student the one named like the assignment counts, else the last by name. A student whose folder has no notebook is
    listed with an empty file, so that nobody gets lost. Raises ``BuildError`` if there is no such place, or nothing in it.
    """
    place = Path(place)
    if place.is_dir():
        files = {
            str(p.relative_to(place)): p
            for p in sorted(place.rglob("*"))
            if p.is_file() and not p.is_symlink()
        }
        entries = {name: lambda p=p: _limited(p) for name, p in files.items()}
    elif zipfile.is_zipfile(place):
        archive = zipfile.ZipFile(place)
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) > _MOST:
            raise BuildError(f"{place} holds {len(members)} files: this is no export of submissions")
        entries = {each.filename: lambda each=each: _member(archive, each) for each in members}
    else:
        raise BuildError(
            f"{place} is neither a folder nor a zip file: SUBMISSIONS names what the learning platform exported"
        )
    by_student: dict[str, list[str]] = {}
    for name in entries:
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if any(part.startswith((".", "__MACOSX")) for part in parts):
            continue
        by_student.setdefault(_student(parts, assignment), []).append(name)
    if not by_student:
        raise BuildError(f"there is nothing in {place}")
    found = []
    for student, names in sorted(by_student.items()):
        name = _choice(names, assignment)
        found.append(Submission(student, name or "", entries[name]() if name else b""))
    return found


def names(place: Path) -> list[str]:
    """The names of all files in a folder or zip; none if it is neither."""
    if Path(place).is_dir():
        return [str(path.relative_to(place)) for path in sorted(Path(place).rglob("*.ipynb"))]
    return zipfile.ZipFile(place).namelist() if zipfile.is_zipfile(place) else []


def _student(parts: tuple[str, ...], assignment: str) -> str:
    first = (
        parts[0] if len(parts) > 1 else re.sub(rf"[-_ ]*{re.escape(assignment)}.*$|\.ipynb$", "", parts[0])
    )
    name = unicodedata.normalize("NFC", _PLATFORM.sub("", first))
    name = "".join(c if c.isalnum() or c in " .-_@+" else "_" for c in name).strip(" .")
    return name[:80] or "nameless"


def _choice(names: list[str], assignment: str) -> str | None:
    notebooks = sorted(name for name in names if name.endswith(".ipynb"))
    named = [name for name in notebooks if PurePosixPath(name).stem == assignment]
    here = [name for name in named if assignment in PurePosixPath(name).parts[:-1]]
    return (here or named or notebooks or [None])[-1]


def _limited(path: Path) -> bytes:
    return path.read_bytes() if path.stat().st_size <= LARGEST else b""


def _member(archive: zipfile.ZipFile, each: zipfile.ZipInfo) -> bytes:
    if each.file_size > LARGEST:
        return b""
    with archive.open(each) as file:
        return file.read(LARGEST)


def answers(content: bytes, source: dict) -> list[dict]:
    """The code cells that a student wrote, in their order: number, id and text. Checks, hints and other locked cells are ours.

    Args:
        content: bytes of the notebook.
        source: the instructor's notebook.

    Raises:
        BuildError: this is no notebook; the message is for the student.
    """
    if not content:
        raise BuildError("no notebook was handed in, or one of more than 20 MB")
    try:
        notebook = json.loads(content)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        texts = [_text(cell["source"]) for cell in cells]
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
        raise BuildError(
            "what was handed in is no notebook (or a damaged one): open it in JupyterLab and hand it in again"
        ) from None
    locked = {
        each["metadata"]["nbgrader"]["grade_id"]: each["source"]
        for each in source["cells"]
        if each["cell_type"] == "code" and not each["metadata"]["nbgrader"]["solution"]
    }
    ours = {_text(text).strip() for text in locked.values()}
    found = []
    for number, (cell, text) in enumerate(zip(cells, texts, strict=True), 1):
        own = cell.get("metadata")
        mark = own.get("nbgrader") if isinstance(own, dict) else None
        name = mark.get("grade_id") if isinstance(mark, dict) else cell.get("id")
        if str(name) in locked or text.strip() in ours or _GRADED.search(text) or not text.strip():
            continue
        found.append(
            {
                "number": number,
                "id": str(name or f"cell {number}")[:60],
                "source": _MAGIC.sub(r"\1pass", text),
            }
        )
    return found


def _text(source: object) -> str:
    text = "".join(source) if isinstance(source, list) else source
    if not isinstance(text, str):
        raise TypeError("a cell without text")
    return text
