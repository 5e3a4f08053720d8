"""Side by side: a step of AB-training with factors applied one after another, with the weight rebuilt, and of local SGD.

    python benchmarks/ab_training.py             some minutes on a quiet machine
    python benchmarks/ab_training.py --repeats 5

Writes ``results/benchmarks/ab_training.json``. One thread a rank; the sides take turns in one process, and what counts is the fastest
of their runs.
"""

import argparse
import sys
from pathlib import Path

from efficient_ai import records
from efficient_ai._paths import project_root

HERE = Path(__file__).resolve().parent
ROOT = project_root() or HERE.parent


def rules(rows: list[dict]) -> list[dict]:
    """What was asked for beforehand, on a rank alone."""
    at = {(r["k"], r["batch"]): r["ratio"]["AB"] for r in rows if r["ranks"] == 1}
    width = max(k for k, _ in at)
    asked = [(width // 4, 32, 0.6), (width // 4, 256, 0.6), (width, 32, 1.2)]
    return [
        {
            "rule": f"seconds of a step of AB over local SGD, hidden layers of {width}, k = {k}, batch {batch}",
            "at_most": most,
            "value": at[k, batch],
            "holds": at[k, batch] <= most,
        }
        for k, batch, most in asked
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--out", type=Path, help="instead of results/benchmarks/ab_training.json")
    chosen = parser.parse_args()

    def measure(job: dict) -> dict:
        command = [sys.executable, HERE / "ab_training_sides" / "steps.py", chosen.repeats]
        return records.child(command, timeout=3600, env={"PYTHONPATH": str(ROOT / "lib")})

    sitting = records.Sitting("ab_training", fresh=True, path=chosen.out)
    [found] = sitting.run([{"what": "steps"}], measure)
    required = rules(found["rows"])
    sitting.write({"measured": found, "required": required})
    for rule in required:
        print(f"{rule['value']:.4g} ({'holds' if rule['holds'] else 'does not hold'}): {rule['rule']}")


if __name__ == "__main__":
    main()
