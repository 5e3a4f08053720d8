"""Executes the chapters: each once per profile, again only when something it depends on changed.

A run writes to a work folder; the executed notebook and, last, its record are moved into place in one step each. The
record carries the fingerprint and the hash of the notebook it belongs to, so whatever a kill leaves behind is either
complete or executed again.
"""

import math
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bookbuild.layout import BuildError, Layout, only_one
from bookbuild.progress import Progress
from bookbuild.records import BUDGETS, expected_seconds, present_fingerprint, state
from bookbuild.run import Outcome, Run, ranks_of

# Outer time limits in seconds. A chapter should stay far below; what passes the limit hangs.
LIMITS = {"smoke": 300, "laptop": 1200, "full": 12 * 3600}


def execute(
    layout: Layout,
    profile: str,
    chapters: Sequence[str] | None = None,
    limit: float | None = None,
    joined: Callable[[str], None] | None = None,
) -> list[Outcome]:
    """Bring the executed notebooks of `chapters` (default: those in ``_toc.yml``) up to date.

    Two chapters run at a time; those with MPI ranks run alone, after the others. `limit`: seconds per chapter.
    `joined` is called with the name of a chapter that ran well while others still have to run.
    """
    limit = LIMITS[profile] if limit is None else limit
    if not (limit > 0 and math.isfinite(limit)):
        raise BuildError(f"the limit of a chapter is a number of seconds above 0, not {limit:g}")
    names = chosen(layout, chapters)
    with only_one(layout, "execute"):
        due = due_chapters(layout, profile, names)
        fresh = {
            name: Outcome(name, layout.executed(profile, name), False, 0.0)
            for name in names
            if name not in due
        }
        if due:
            fresh |= _execute_all(layout, profile, due, limit, joined or (lambda name: None))
    return [fresh[name] for name in names]


def chosen(layout: Layout, chapters: Sequence[str] | None) -> list[str]:
    """The names of the chapters to bring up to date, each of which exists."""
    known = layout.toc("chapters")
    for name in known:
        if not layout.source(name).exists():
            raise BuildError(f"_toc.yml lists the chapter '{name}', but {layout.source(name)} does not exist")
    for name in chapters or ():
        if name not in known:
            raise BuildError(
                f"there is no chapter '{name}' in _toc.yml; there are {', '.join(known) or 'none'}"
            )
    return [name for name in known if not chapters or name in chapters]


def due_chapters(layout: Layout, profile: str, names: Sequence[str]) -> list[str]:
    """Those of `names` that have no sound run."""
    return [name for name in names if state(layout, profile, name) != "sound"]


def check(outcomes: Sequence[Outcome]) -> None:
    """Raise one error that reports every chapter that failed."""
    errors = [outcome.error for outcome in outcomes if outcome.error]
    if errors:
        raise BuildError("\n\n".join(errors))


def over_budget(profile: str, outcomes: Sequence[Outcome]) -> list[str]:
    """A sentence for each chapter that ran now and took longer than its profile allows."""
    budget = BUDGETS.get(profile, math.inf)
    return [
        f"{each.chapter} took {each.seconds:.0f} s; a run in {profile} should stay below {budget} s on two quiet cores "
        f"(the load is now {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)"
        for each in outcomes
        if each.executed and each.seconds > budget
    ]


def _execute_all(
    layout: Layout, profile: str, due: Sequence[str], limit: float, joined: Callable[[str], None]
) -> dict[str, Outcome]:
    alone = [name for name in due if ranks_of(layout.source(name))]
    stop = threading.Event()
    outcomes: dict[str, Outcome] = {}
    expected = {name: expected_seconds(layout, profile, name) for name in due}
    with Progress(expected, alone, f"executing ({profile})") as progress:

        def run(name: str) -> None:
            mark = present_fingerprint(layout, profile, name)
            outcomes[name] = Run(layout, profile, name, mark, limit, stop, progress).outcome()
            if not outcomes[name].error and len(outcomes) < len(due) and not stop.is_set():
                joined(name)

        try:
            with ThreadPoolExecutor(2) as pool:
                for done in [pool.submit(run, name) for name in due if name not in alone]:
                    done.result()
            for name in alone:
                run(name)
        except BaseException:  # Ctrl-C as well: the chapters that run in other threads end their processes
            stop.set()
            raise
    return outcomes
