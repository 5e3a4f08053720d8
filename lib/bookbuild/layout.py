"""Where the builder reads and writes, and the few helpers that every step shares."""

import errno
import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from efficient_ai._files import write_atomic

PROFILES = ("smoke", "laptop", "full")


class BuildError(Exception):
    """Something the reader has to mend. The message is printed without a traceback."""


def what_the_disk_says(error: OSError) -> str | None:
    """One sentence for what a reader can mend about a disk, or ``None`` where the error is another."""
    place = error.filename or "the folder of the build"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full ({place}): free some space and call make again; what was finished is kept"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return (
            f"{place} cannot be written: give yourself the right to write there, work in a copy of the checkout, "
            "or name another folder for what is built in EFFICIENT_AI_BUILD"
        )
    return None


@dataclass(frozen=True)
class Layout:
    """The folders of one checkout (`root`) and of everything built from it (`build`)."""

    root: Path
    build: Path

    @classmethod
    def here(cls) -> "Layout":
        """The checkout this package runs from and its build folder (``$EFFICIENT_AI_BUILD`` or ``build/``)."""
        from efficient_ai._paths import (
            build_dir,
            project_root,
        )  # the process that runs a chapter needs no library

        root = project_root()
        if root is None:
            raise BuildError("the builder needs the checkout of the book: call it there, through make")
        return cls(root, build_dir())

    @property
    def lib(self) -> Path:
        return self.root / "lib"

    @property
    def pins(self) -> list[Path]:
        """The files that fix the versions of packages."""
        return [self.root / "requirements.txt", self.root / "constraints.txt"]

    @property
    def logs(self) -> Path:
        return self.build / "logs"

    def source(self, chapter: str) -> Path:
        return self.root / "book" / "chapters" / f"{chapter}.ipynb"

    def executed(self, profile: str, chapter: str) -> Path:
        return self.build / "executed" / profile / f"{chapter}.ipynb"

    def run_record(self, profile: str, chapter: str) -> Path:
        return self.build / "executed" / profile / f"{chapter}.run.json"

    def inputs(self, chapter: str) -> list[Path]:
        """What a chapter's outputs depend on beside its notebook and the library: versions, and its recorded benchmark."""
        recorded = self.root / "results" / "benchmarks" / f"{chapter}.json"
        return [*self.pins, *([recorded] if recorded.exists() else [])]

    def results(self, profile: str, chapter: str) -> Path:
        return self.build / "results" / profile / f"{chapter}.json"

    def site(self, profile: str) -> Path:
        """The reader's site is ``site/``; those of the other profiles stand beside it, so that a test never replaces it."""
        return self.build / ("site" if profile == "laptop" else f"site-{profile}")

    def toc(self, folder: str) -> list[str]:
        """Names of the pages ``book/<folder>/<name>`` in the order of ``_toc.yml``."""
        prefix = f"book/{folder}/"
        return [page.removeprefix(prefix) for page in self.pages() if page.startswith(prefix)]

    def pages(self) -> list[str]:
        """Every page of ``_toc.yml`` in reading order, as paths without suffix."""
        path = self.root / "_toc.yml"
        try:
            toc = yaml.safe_load(path.read_text(encoding="utf-8"))
            return [toc["root"], *_files(toc)]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())
            raise BuildError(f"{path} is no table of contents: {reason}") from None


def _files(node) -> Iterator[str]:
    if isinstance(node, dict):
        if "file" in node:
            yield str(node["file"])
        for value in node.values():
            yield from _files(value)
    elif isinstance(node, list):
        for value in node:
            yield from _files(value)


def read_notebook(path: Path) -> dict:
    """The notebook as plain JSON, or one sentence on what is wrong with the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and all(
            isinstance(cell["source"], str | list) for cell in content["cells"]
        ):
            return content
        reason = "it holds no list of cells"
    except OSError as error:
        reason = str(error.strerror)
    except (ValueError, KeyError, TypeError) as error:
        reason = f"{type(error).__name__}: {error}"
    raise BuildError(
        f"{path} is not a notebook that can be read ({reason}): a conflict of a merge in it, perhaps?"
    )


def write_json(path: Path, content: dict) -> None:
    write_atomic(path, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def read_json(path: Path) -> dict | None:
    """The content, or ``None`` where the file is missing or broken."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


@contextmanager
def only_one(layout: Layout, what: str) -> Iterator[None]:
    """Keep two builds in one folder apart. The system frees the lock when its holder dies, however it dies."""
    layout.build.mkdir(parents=True, exist_ok=True)
    with open(layout.build / f".{what}.lock", "a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"another build is in its step '{what}'; waiting for it", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
