"""Side by side: our layer of spiking neurons and snnTorch's, and decays per second of the Monte Carlo.

    python benchmarks/petnet.py             a few minutes on a quiet machine
    python benchmarks/petnet.py --repeats 3

Makes the peers' environment in ``build/peers/petnet`` on the first call and writes ``results/benchmarks/petnet.json``, which the
chapter reads. Both sides train the same network from the same weights on the same samples, with one thread, in one
process, taking turns; their spikes are compared one by one, and so are their gradients.
"""

import argparse
from pathlib import Path

from efficient_ai import records
from efficient_ai._paths import project_root

HERE = Path(__file__).resolve().parent
ROOT = project_root() or HERE.parent
LEAST_SPEED_UP, LEAST_DECAYS = 3.0, 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    sitting = records.Sitting("petnet", fresh=True)
    command = [records.Peers("petnet").python, HERE / "petnet_sides" / "neurons.py", repeats]

    def measure(job: dict) -> dict:
        return records.child(command, timeout=3600, env={"PYTHONPATH": str(ROOT / "lib")})

    (measured,) = sitting.run([{"repeats": repeats}], measure)
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
    sitting.write(measured | {"required": required})
    for rule in required:
        print(f"{rule['value']:.4g} (at least {rule['at_least']:g}): {rule['rule']}")


if __name__ == "__main__":
    main()
