"""Side by side: fusion through torch-pruning and ours, and exact plans of POT and ours.

    python benchmarks/transplantation.py             some minutes on a quiet machine
    python benchmarks/transplantation.py --repeats 3

Makes the peers' environments in ``build/peers`` on the first call and writes ``results/benchmarks/transplantation.json``, which the
chapter reads. torch-pruning is there in two versions, since its order of scoring changed. In a residual network 1.4.0 visits groups
in the order in which it walks the graph of gradients, not from output to input: that row is recorded, and no rule judges it.
Each side runs with one thread; both sides of a ratio take turns in one process, and what counts is the fastest of their runs.
"""

import argparse
from pathlib import Path

from efficient_ai import records
from efficient_ai._paths import project_root

HERE = Path(__file__).resolve().parent
ROOT = project_root() or HERE.parent
LEAST_SPEED_UP, AT_WIDTH = 5.0, 512


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--out", type=Path, help="instead of results/benchmarks/transplantation.json")
    chosen = parser.parse_args()
    peers = {name: records.Peers(name).python for name in ("transplantation", "transplantation_sequential")}
    sides = HERE / "transplantation_sides"
    joint, sequential = peers.values()
    commands = {
        "parity, joint": [joint, sides / "pruning.py", "parity", "joint"],
        "parity, sequential": [sequential, sides / "pruning.py", "parity", "sequential"],
        "fusion": [joint, sides / "pruning.py", "fusion", chosen.repeats],
        "transport": [joint, sides / "transport.py", chosen.repeats],
    }

    def measure(job: dict) -> dict:
        environment = {"PYTHONPATH": str(ROOT / "lib")}
        return records.child(commands[job["what"]], timeout=3600, env=environment)

    sitting = records.Sitting("transplantation", fresh=True, path=chosen.out)
    found = {row["what"]: row for row in sitting.run([{"what": what} for what in commands], measure)}
    chains = [r for r in found["parity, sequential"]["rows"] if not r["network"].startswith("residual")]
    compared = found["parity, joint"]["rows"] + chains
    at = next(r for r in found["fusion"]["rows"] if r["width"] == AT_WIDTH)
    beyond = max(
        (r["peak bytes"]["ours"] - r["bytes of a member"]) / r["bytes of its largest layer"]
        for r in found["fusion"]["rows"]
    )
    required = [
        {
            "rule": f"seconds of torch-pruning over ours, 3072-{AT_WIDTH}-{AT_WIDTH}-10, two members, fastest runs",
            "at_least": LEAST_SPEED_UP,
            "value": at["ratio"],
        },
        {
            "rule": "share of networks whose weights all equal those that torch-pruning keeps, both orders; sequential: chains",
            "at_least": 1.0,
            "value": sum(r["largest difference"] == 0 and r["tensors"] == r["same shape"] for r in compared) / len(compared),
        },
        {
            "rule": "peak bytes of our fusion beyond members and result, in largest layers, most of all widths",
            "at_most": 1.0,
            "value": beyond,
        },
    ]  # fmt: skip
    for rule in required:
        rule["holds"] = (
            rule["at_least"] <= rule["value"] if "at_least" in rule else rule["value"] <= rule["at_most"]
        )
    sitting.write({"measured": found, "required": required})
    for rule in required:
        print(f"{rule['value']:.4g} ({'holds' if rule['holds'] else 'does not hold'}): {rule['rule']}")


if __name__ == "__main__":
    main()
