"""Where the tests start their ranks, which of them run side by side, and how long each file takes."""

import os
import platform
from datetime import UTC, datetime

from bookbuild.layout import Layout, read_json, write_json
from bookbuild.testing import ALONE, PHASE, SECONDS

# On this machine, also where a Slurm answers; the tests marked `slurm` ask for Slurm themselves.
os.environ.setdefault("EFFICIENT_AI_WHERE", "laptop")


def pytest_collection_modifyitems(config, items):
    """In the first of two processes only what needs the machine for itself, in the second one all the rest."""
    phase = os.environ.get(PHASE)
    if phase:
        wanted = [
            any(item.get_closest_marker(mark) for mark in ALONE) == (phase == "alone") for item in items
        ]
        config.hook.pytest_deselected(
            items=[item for item, keep in zip(items, wanted, strict=True) if not keep]
        )
        items[:] = [item for item, keep in zip(items, wanted, strict=True) if keep]


_taken: dict[str, list] = {}  # file: [seconds, names of its tests]


def pytest_runtest_logreport(report):
    entry = _taken.setdefault(report.nodeid.partition("::")[0], [0.0, set()])
    entry[0] += report.duration
    entry[1].add(report.nodeid)


def pytest_sessionfinish(session):
    """Keep the seconds of each file, unless only some of its tests were chosen. A file may take part in both processes."""
    config, phase = session.config, os.environ.get(PHASE, "")
    chosen = config.option.keyword or config.option.markexpr or any("::" in word for word in config.args)
    if hasattr(config, "workerinput") or chosen or not _taken:
        return
    path = Layout.here().build / SECONDS
    files = (read_json(path) or {}).get("files", {})
    for name, (seconds, tests) in _taken.items():
        parts = files.get(name, {}).get("phases", {}) | {phase: [round(seconds, 1), len(tests)]}
        files[name] = {
            "seconds": round(sum(each[0] for each in parts.values()), 1),
            "tests": sum(each[1] for each in parts.values()),
            "phases": parts,
        }
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    date = datetime.now(UTC).date().isoformat()
    write_json(path, {"machine": machine, "date": date, "files": dict(sorted(files.items()))})
