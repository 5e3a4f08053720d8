"""Where the book keeps what a run writes. The one place that knows the folders."""

import os
from pathlib import Path


def project_root() -> Path | None:
    """The checkout this library runs from, or ``None`` when it was installed without one."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "_toc.yml").exists() else None


def build_dir() -> Path:
    """Folder for everything a run produces: ``$EFFICIENT_AI_BUILD``, else ``build/`` in the checkout, else ``./build``."""
    chosen = os.environ.get("EFFICIENT_AI_BUILD")
    if chosen:
        return Path(chosen).resolve()
    return (project_root() or Path.cwd()) / "build"


def results_dir() -> Path:
    """Folder for the ledgers of runs: ``$EFFICIENT_AI_RESULTS``, which the builder sets for its own runs, else a sandbox.

    What a reader runs by hand never lies where a build looks for the book's results.
    """
    chosen = os.environ.get("EFFICIENT_AI_RESULTS")
    return Path(chosen).resolve() if chosen else build_dir() / "sandbox"
