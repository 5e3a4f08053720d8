"""Side by side: our layer of spiking neurons and snnTorch's, and decays per second of the Monte Carlo.

    python benchmarks/petnet.py             a few minutes on a quiet machine
    python benchmarks/petnet.py --repeats 3

Makes the peers' environment in ``build/peers/petnet`` on the first call and writes ``results/benchmarks/petnet.json``, which the
chapter reads. Both sides train the same network from the same weights on the same samples, with one thread, in one
process, taking turns; their spikes are compared one by one, and so are their gradients.
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from efficient_ai import provenance
from efficient_ai._paths import build_dir, project_root

HERE = Path(__file__).resolve().parent
ROOT = project_root() or HERE.parent
PEERS = build_dir() / "peers" / "petnet"
LEAST_SPEED_UP, LEAST_DECAYS = 3.0, 1e6


def peers_python() -> Path:
    """The interpreter of the peers' environment, which is made if it is not there or its requirements changed."""
    requirements = HERE / "petnet-requirements.txt"
    wanted, noted = requirements.read_text(), PEERS / "requirements.txt"
    if not noted.exists() or noted.read_text() != wanted:
        print(f"making the environment of the peers in {PEERS}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", PEERS], check=True)
        pip = [PEERS / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", requirements]
        subprocess.run(pip, check=True)
        noted.write_text(wanted)
    return PEERS / "bin" / "python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    began, commit = datetime.now(UTC).isoformat(timespec="seconds"), provenance.commit()
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [peers_python(), HERE / "petnet_sides" / "neurons.py", str(repeats)],
        env=os.environ | threads | {"PYTHONPATH": str(ROOT / "lib")}, capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"the measurement failed:\n{done.stdout[-1000:]}{done.stderr[-3000:]}")
    measured = json.loads(done.stdout.strip().splitlines()[-1])
    required = [
        {
            "rule": "seconds per training step of snnTorch over ours, equal spikes, least of all sizes",
            "at_least": LEAST_SPEED_UP,
            "value": min(row["ratio"] for row in measured["neurons"]),
        },
        {
            "rule": "decays per second on one core, geometry alone",
            "at_least": LEAST_DECAYS,
            "value": measured["decays"]["geometry"]["per_second"],
        },
    ]
    for rule in required:
        rule["holds"] = rule["value"] >= rule["at_least"]
    path = ROOT / "results" / "benchmarks" / "petnet.json"
    provenance.write_json(
        path,
        {
            "machine": provenance.machine(),
            "date": began,
            "commit": commit,
            "load": list(os.getloadavg()[:2]),
            "repeats": repeats,
            "required": required,
            **measured,
        },
    )
    for rule in required:
        print(f"{rule['value']:.4g} (at least {rule['at_least']:g}): {rule['rule']}")
    print(path)


if __name__ == "__main__":
    main()
