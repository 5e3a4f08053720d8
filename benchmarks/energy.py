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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from efficient_ai import provenance
from efficient_ai._paths import build_dir, project_root

HERE = Path(__file__).resolve().parent
SIDES = HERE / "energy_sides"
ROOT = project_root() or HERE.parent
PEERS = build_dir() / "peers" / "energy"
SECONDS = 6.0  # of one load; the tools sample once a second, their default or ours


def peers_python() -> Path:
    """The interpreter of the peers' environment, which is made if it is not there or its requirements changed."""
    wanted = (HERE / "energy-requirements.txt").read_text()
    noted = PEERS / "requirements.txt"
    if not noted.exists() or noted.read_text() != wanted:
        print(f"making the environment of the peers in {PEERS}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS], check=True)
        pip = [PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "-r"]
        subprocess.run([*pip, HERE / "energy-requirements.txt"], check=True)
        noted.write_text(wanted)
    return PEERS / "bin" / "python"


def plan(repeats: int) -> list[dict]:
    """All jobs, the repeats interleaved so that a busy spell does not hit one of them alone."""
    jobs = [
        {"part": "tree", "load": load, "seconds": SECONDS} for load in ("steady", "ramp", "burst", "square")
    ]
    jobs += [{"part": "tree", "load": "steady", "seconds": SECONDS, "wrap": True}]
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
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        environment = os.environ | threads | {
            "FAKE_POWERCAP": tree, "PERUN_OUT": str(Path(folder) / "perun"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "lib"), str(SIDES / "site")]),
        }  # fmt: skip
        done = subprocess.run(
            [peers_python(), SIDES / "one_run.py", json.dumps(job)],
            env=environment, cwd=folder, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{job} failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
        return json.loads(done.stdout.strip().splitlines()[-1])


def versions() -> dict[str, str]:
    """The packages that were compared."""
    ask = "import importlib.metadata as m, json; print(json.dumps({n: m.version(n) for n in ('perun', 'codecarbon', 'numpy')}))"
    done = subprocess.run([peers_python(), "-c", ask], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one repeat of each")
    repeats = 1 if parser.parse_args().quick else 5
    rows = []
    for job in plan(repeats):
        before = os.getloadavg()[0]
        row = job | {"record": measure(job), "load_average": [round(before, 2), round(os.getloadavg()[0], 2)]}
        rows.append(row)
        print({key: value for key, value in job.items()}, "load", row["load_average"], flush=True)
    report = {
        "machine": provenance.machine(), "commit": provenance.commit(), "date": time.strftime("%Y-%m-%d %H:%M"),
        "versions": versions(), "period": 1.0, "rows": rows,
    }  # fmt: skip
    provenance.write_json(ROOT / "results" / "benchmarks" / "energy.json", report)


if __name__ == "__main__":
    main()
