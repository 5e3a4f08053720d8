"""Runs Sphinx with Jupyter Book's settings. Started by ``bookbuild.render`` as a process of its own.

Jupyter Book's command line either reads every page again or copies no changed style: this reads what changed and writes
every page, since each carries the navigation of the whole book, unless the builder knows that it stayed the same.
"""

import os
import sys
import threading
from pathlib import Path

from jupyter_book.sphinx import build_sphinx


def _guard() -> None:
    """End with the builder, even by ``kill -9``: the pipe it holds open closes, and the next build has the folder alone."""
    while os.read(0, 1024):
        pass
    os._exit(3)


def main(source: str, target: str, pages: str = "changed") -> int:
    """Build the folder `source` into `target`, writing ``every`` page or those that changed.

    Returns 0 when there was neither error nor warning.
    """
    threading.Thread(target=_guard, daemon=True).start()
    folder = Path(source)
    result = build_sphinx(
        folder,
        target,
        noconfig=True,
        path_config=str(folder / "_config.yml"),
        confoverrides={
            "external_toc_path": str(folder / "_toc.yml"),
            "latex_individualpages": False,
            "nitpicky": True,
        },
        force_all=pages == "every",
        warningiserror=True,
        keep_going=True,
        quiet=True,
    )
    if isinstance(result, Exception):
        print(f"ERROR: {result}", file=sys.stderr)
        return 1
    return int(result)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
