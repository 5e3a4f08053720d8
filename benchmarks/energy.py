"""Side by side: our instrument, perun and CodeCarbon, around the same load in the same process.

    python benchmarks/energy.py            everything, a quarter of an hour on a quiet machine
    python benchmarks/energy.py --quick    one repeat of each

Makes the peers' environment in ``build/peers/energy`` on the first call and writes ``results/benchmarks/energy.json``, which the
chapter draws. Nothing here measures electricity: the tools read a powercap tree of plain files whose energy is known
(``tree``), or only have their models (``estimated``); ``overhead`` is processor time, which is measured.
"""

import argparse
import json
import os
import tempfile
from pathlib import Path

from efficient_ai import records
from efficient_ai._paths import project_root

HERE = Path(__file__).resolve().parent
SIDES = HERE / "energy_sides"
ROOT = project_root() or HERE.parent
PEERS = records.Peers("energy")
SECONDS = 6.0  # of one load; the tools sample once a second, their default or ours


def plan(repeats: int) -> list[dict]:
    """All jobs, the repeats interleaved so that a busy spell does not hit one of them alone."""
    jobs = [
        {"part": "tree", "pattern": load, "seconds": SECONDS}
        for load in ("steady", "ramp", "burst", "square")
    ]
    jobs += [{"part": "tree", "pattern": "steady", "seconds": SECONDS, "wrap": True}]
    jobs += [{"part": "estimated", "seconds": SECONDS}]
    for tool, rates in (
        ("ours", (1, 10, 100)),
        ("ours-estimate", (1, 10, 100)),
        ("perun", (1,)),
        ("codecarbon", (1,)),
    ):
        jobs += [{"part": "overhead", "tool": tool, "hertz": rate, "seconds": 2 * SECONDS} for rate in rates]
    return [{"part": "formula", "repeat": 0}, *(job | {"repeat": r} for r in range(repeats) for job in jobs)]


def measure(job: dict) -> dict:
    """One job in a fresh process with one thread."""
    with tempfile.TemporaryDirectory(prefix="energy-") as folder:
        tree = "" if job["part"] in ("estimated", "formula") else str(Path(folder) / "powercap")
        environment = {
            "FAKE_POWERCAP": tree,
            "PERUN_OUT": str(Path(folder) / "perun"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "lib"), str(SIDES / "site")]),
        }
        command = [PEERS.python, SIDES / "one_run.py", json.dumps(job)]
        return {"record": records.child(command, timeout=300, env=environment, cwd=Path(folder))}


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one repeat of each")
    repeats = 1 if parser.parse_args().quick else 5
    sitting = records.Sitting("energy")
    rows = sitting.run(plan(repeats), measure)
    versions = PEERS.versions("perun", "codecarbon", "numpy")
    sitting.write({"versions": versions, "period": 1.0, "rows": rows})


if __name__ == "__main__":
    main()
