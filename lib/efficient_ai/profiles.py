"""Three sizes of every chapter: ``smoke`` for tests, ``laptop`` for the book and the class, ``full`` for the record.

A paper's sub-package holds one frozen dataclass and its three instances; the chapter picks one by name.
"""

import os
from collections.abc import Mapping
from typing import TypeVar

NAMES = ("smoke", "laptop", "full")

T = TypeVar("T")


def select(profiles: Mapping[str, T], name: str) -> T:
    """The profile called ``name``. In the book's JupyterLab a bar then shows how far the chapter's run is.

    Args:
        profiles: one entry for each of :data:`NAMES`.
        name: usually what papermill put into the notebook's ``profile``.

    Raises:
        ValueError: ``profiles`` is not complete, or ``name`` is not a profile.
    """
    if tuple(profiles) != NAMES:
        raise ValueError(
            f"a chapter defines the profiles {', '.join(NAMES)} in this order, not {', '.join(profiles)}"
        )
    if name not in profiles:
        raise ValueError(f"unknown profile {name!r}: choose one of {', '.join(NAMES)}")
    if os.environ.get("EFFICIENT_AI_TIMES"):
        from efficient_ai.plotting import follow

        follow(name)
    return profiles[name]
