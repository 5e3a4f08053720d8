"""``make book``: something to read at once, then the runs, each chapter joining the site when its run ends."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from bookbuild.chapters import BY_NAME
from bookbuild.execute import check, chosen, due_chapters, execute, over_budget
from bookbuild.layout import BuildError, Layout
from bookbuild.progress import minutes, schedule
from bookbuild.records import expected_seconds, state
from bookbuild.render import render
from bookbuild.run import ranks_of

_FIRST_RENDERING = timedelta(seconds=60)  # before the runs begin; roughly, for the times on the pages


def build(
    layout: Layout, profile: str, chapters: Sequence[str] | None = None, limit: float | None = None
) -> Path:
    """Execute what changed (of `chapters`, or of all), render the site, say where it is; returns its first page."""
    names = chosen(layout, chapters)
    for name in layout.toc("chapters"):
        if name not in BY_NAME:
            raise BuildError(
                f"_toc.yml lists the chapter '{name}', but the table in lib/bookbuild/chapters.py does not, so map, status "
                "and scoreboard would be silent about it: add a line there"
            )
    due = due_chapters(layout, profile, names)
    site = _Growing(layout, profile, due)
    if due and not (layout.site(profile) / "html" / "index.html").exists():
        site.open()
    outcomes = execute(layout, profile, chapters, limit, site.join)
    check(outcomes)
    executed = sum(outcome.executed for outcome in outcomes)
    print(f"chapters: {executed} executed, {len(outcomes) - executed} unchanged")
    for sentence in over_budget(profile, outcomes):
        print(f"slow: {sentence}")
    index = render(layout, profile)
    left = [name for name in layout.toc("chapters") if state(layout, profile, name) != "sound"]
    if left:
        print(f"without a run of the present code, and marked so: {', '.join(left)}")
    serve = "make serve" if profile == "laptop" else f"make serve PROFILE={profile}"
    print(f"\nThe site is at  {index}\nOpen the file, or call  {serve}  (search needs it)")
    return index


class _Growing:
    """The site while chapters run. A join keeps the place of the run that ended, so no chapter has a third neighbour."""

    def __init__(self, layout: Layout, profile: str, due: Sequence[str]):
        self._layout, self._profile = layout, profile
        expected = {name: expected_seconds(layout, profile, name) for name in due}
        self._measured = all(measured for _, measured in expected.values())
        alone = [name for name in due if ranks_of(layout.source(name))]
        self._ends = schedule({name: seconds for name, (seconds, _) in expected.items()}, alone)
        self._start = datetime.now()
        self._lock, self._asked = threading.Lock(), 0

    def open(self) -> None:
        """The site before any run: everything that needs none."""
        self._start += _FIRST_RENDERING
        if index := self._render():
            left = f"{'about' if self._measured else 'at most about'} {minutes(max(self._ends.values()))}"
            print(
                f"To read meanwhile:  {index}\n"
                f"Chapters that have not run say so; each joins when its run ends, the last in {left}.",
                flush=True,
            )
        self._start = datetime.now()

    def join(self, name: str) -> None:
        """The run of `name` is there: put it into the site. Who comes while another renders lets that one go first."""
        self._ends.pop(name, None)
        self._asked += 1
        mine = self._asked
        with self._lock:
            if mine == self._asked:  # else a later one is waiting and brings this chapter along
                self._render(joining=True)

    def _render(self, joining: bool = False) -> Path | None:
        if joining and not (self._layout.site(self._profile) / "html" / "index.html").exists():
            joining = False
        about, now = "about" if self._measured else "at the latest at about", datetime.now()
        ends = {name: self._start + timedelta(seconds=seconds) for name, seconds in dict(self._ends).items()}
        waiting = {name: f"{about} {end:%H:%M}" if end > now else "any moment" for name, end in ends.items()}
        try:
            return render(self._layout, self._profile, waiting, joining)
        except BuildError as error:  # the runs are worth more; the last rendering will say it again
            print(f"the site cannot be shown before all chapters have run: {error}", flush=True)
            return None
