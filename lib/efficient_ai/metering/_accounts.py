"""Processor seconds of this process and of all that it starts: a sum of accounts, one per process, none of which is lost.

A process that ended is in the account of the parent that waited for it. One that nobody waited for, or that left the tree, is in
no account of ours; of these the last one seen is kept. A process that lives for less than the time between two looks, and that
nobody waits for, is not seen.
"""

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_TICK = os.sysconf("SC_CLK_TCK")


class Account(NamedTuple):
    """Of one process: when it began (ticks), its parent, its own seconds, those of children that it waited for."""

    began: int
    parent: int
    own: float
    waited: float


class Accounts:
    """Processor seconds of a tree of processes over time, from the first look on.

    Args:
        root: stands in for ``/proc``.

    ``times`` and ``totals`` have one entry for each look, ``ended`` counts the processes that ended unwaited-for, and ``unseen``
    bounds what they used after their last look, in seconds on one core each.
    """

    def __init__(self, root: Path = Path("/proc")):
        self.root, self.pid = root, os.getpid()
        self.times: list[float] = []
        self.totals: list[float] = []
        self.ended, self.unseen = 0, 0.0
        self._known: dict[int, Account] = {}
        self._kept: dict[int, float] = {}
        self._late: dict[int, float] = {}
        self._waited = 0.0

    def look(self, now: float) -> float:
        """Add up all accounts; the total in seconds."""
        for _ in range(
            3
        ):  # a child that is waited for between the two accounts would be in neither, or in both
            waited = _rusage(resource.RUSAGE_CHILDREN)
            living = {**_tree(self.root, self.pid), **self._strayed()}
            if _rusage(resource.RUSAGE_CHILDREN) == waited:
                break
        self._settle(living, waited, now)
        self._known, self._waited = living, waited
        total = _rusage(resource.RUSAGE_SELF) + waited + sum(self._kept.values())
        total += sum(account.own + account.waited for account in living.values())
        self.times.append(now)
        self.totals.append(max(total, self.totals[-1]) if self.totals else total)
        return self.totals[-1]

    def _strayed(self) -> dict[int, Account]:
        """Those seen before that are no longer below us: their parent ended, somebody else is their parent now."""
        found = {}
        for pid, account in self._known.items():
            now = _account(self.root, pid)
            if now is not None and now.began == account.began:
                found[pid] = now
        return found

    def _settle(self, living: dict[int, Account], waited: float, now: float) -> None:
        """Keep the last seconds of those that are gone and are in no living account."""
        gone = {p: a for p, a in self._known.items() if p not in living or living[p].began != a.began}
        owed: dict[int, float] = {}  # by the nearest ancestor that lives: 0 for one outside the tree
        members: dict[int, int] = {}
        for account in gone.values():
            heir = account.parent
            while heir in gone:
                heir = gone[heir].parent
            heir = heir if heir in living or heir == self.pid else 0
            owed[heir] = owed.get(heir, 0.0) + account.own + account.waited
            members[heir] = members.get(heir, 0) + 1
        late, self._late = self._late, {}
        for heir in {*owed, *late}:
            if heir == self.pid:
                grown = waited - self._waited
            else:
                grown = (
                    living[heir].waited - self._known[heir].waited
                    if heir in living and heir in self._known
                    else 0.0
                )
            missing = owed.get(heir, 0.0) - grown
            if (
                missing > 2 / _TICK
            ):  # nobody waited for them, or the account of who did was read a moment before
                self._kept[heir] = self._kept.get(heir, 0.0) + missing
                self._late[heir] = missing
                self.ended += members[heir]
                self.unseen += members[heir] * (now - self.times[-1] if self.times else 0.0)
            elif missing < 0 and heir in late:
                self._kept[heir] -= min(-missing, late[heir])
                self.ended = max(self.ended - 1, 0)

    def between(self, start: float, end: float) -> float:
        """Seconds used between two moments, interpolated between looks."""
        from efficient_ai.metering._integrate import interpolate

        if not self.times:
            return 0.0
        return interpolate(self.times, self.totals, end) - interpolate(self.times, self.totals, start)


def tree_seconds(root: Path = Path("/proc")) -> float:
    """Processor seconds of this process, its ended children and, on Linux, its living descendants, at one look."""
    return Accounts(root).look(0.0)


def usable_cores(
    cgroup: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> float:
    """Cores that this process may use at once: those that it may run on, or the quota of its container if that is less."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(float(count), quota(cgroup, membership)[1])


def quota(
    cgroup: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> tuple[str, float]:
    """The tightest quota of the control groups (version 1 or 2) around this process: the group's folder, and its cores."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return "", float("inf")
    tightest = ("", float("inf"))
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = cgroup / controllers if controllers else cgroup
        folder = top / path.strip("/")
        for place in (folder, *folder.parents):
            if not place.is_relative_to(top):
                break
            cores = _cores(place)
            if cores < tightest[1]:
                tightest = (str(place), cores)
    return tightest


def _cores(folder: Path) -> float:
    try:
        if (folder / "cpu.max").exists():
            share, period = (folder / "cpu.max").read_text().split()
        else:
            share, period = (
                (folder / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
            )
        return float(share) / float(period) if share != "max" and float(share) > 0 else float("inf")
    except (OSError, ValueError, ZeroDivisionError):
        return float("inf")


def machine_seconds(root: Path = Path("/proc")) -> float | None:
    """Processor seconds that all processes of this machine have used, ``None`` where that cannot be read."""
    try:
        fields = (root / "stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, fields)
    return (user + nice + system + irq + softirq) / _TICK


def _rusage(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def _tree(root: Path, pid: int) -> dict[int, Account]:
    """Accounts of all living descendants, parents first.

    Most kernels list the children of a process, so only those are read; else all processes are, which takes a few
    milliseconds per hundred.
    """
    found: dict[int, Account] = {}
    if os.path.exists(f"{root}/{pid}/task/{pid}/children"):
        waiting = list(_children(root, pid))
        while waiting:
            child = waiting.pop()
            if (account := _account(root, child)) is not None:
                found[child] = account
            waiting += _children(root, child)
        return found
    everyone: dict[int, list[tuple[int, Account]]] = {}
    for name in os.listdir(root) if root.is_dir() else ():
        if name.isdigit() and (account := _account(root, int(name))) is not None:
            everyone.setdefault(account.parent, []).append((int(name), account))
    waiting = [pid]
    while waiting:
        for child, account in everyone.get(waiting.pop(), ()):
            found[child] = account
            waiting.append(child)
    return found


def _children(root: Path, pid: int) -> Iterator[int]:
    try:
        for thread in os.listdir(f"{root}/{pid}/task"):
            with open(f"{root}/{pid}/task/{thread}/children", "rb", buffering=0) as file:
                yield from map(int, file.read().split())
    except OSError:  # it ended meanwhile
        return


def _account(root: Path, pid: int) -> Account | None:
    """Of a process; ``None`` if it is gone."""
    try:  # raw reads: this is what a sampler spends its time on
        with open(f"{root}/{pid}/stat", "rb", buffering=0) as file:
            fields = file.read(4096).rpartition(b")")[2].split()
        own, waited = (sum(map(int, fields[i : i + 2])) / _TICK for i in (11, 13))
        return Account(int(fields[19]), int(fields[1]), own, waited)
    except (OSError, IndexError, ValueError):
        return None
